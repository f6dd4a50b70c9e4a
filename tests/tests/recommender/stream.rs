//! A cluster under real ratings, and how many events of each user it must contain.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use weir_tests::data::Rating;
use weir_tests::http::segment;
use weir_tests::weir::covered;
use weir_tests::{Broker, Cluster, Deployment, Event, Place, Producer, topic, wait_until};

const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) struct Stream {
    pub(crate) cluster: Cluster,
    producer: Producer,
    users: BTreeMap<String, Expected>,
}

/// What the model must know of a user.
#[derive(Default)]
struct Expected {
    events: u64,
    /// Milliseconds since 1970.
    last_event: i64,
}

impl Stream {
    /// Two servers with three shards, two workers with four partitions and a gateway.
    pub(crate) fn start(label: &str) -> Self {
        Self::start_with(label, |deployment| deployment)
    }

    /// The same with other settings.
    pub(crate) fn start_with(label: &str, set: impl FnOnce(Deployment) -> Deployment) -> Self {
        let deployment = set(Deployment::new(Broker::shared(), label));
        let cluster = Cluster::start(deployment.with("KAFKA__PARTITIONS", 4).with("SERVER__SHARDS", 3), 2, 2);
        let producer = Producer::new(cluster.deployment().brokers(), cluster.deployment().ratings_topic());
        Self { cluster, producer, users: BTreeMap::new() }
    }

    /// Writes ratings in their order, keyed by user, as fast as the broker takes them; where they lie.
    pub(crate) fn write(&mut self, ratings: &[Rating]) -> Vec<Place> {
        let places = self.producer.send(ratings.iter().map(|rating| Event::keyed(&rating.user, &rating.event())));
        assert_eq!(places.len(), ratings.len());
        for rating in ratings {
            let user = self.users.entry(rating.user.clone()).or_default();
            user.events += 1;
            user.last_event = user.last_event.max(rating.ts);
        }
        places
    }

    /// Waits until something is learned, while most of it is not.
    pub(crate) fn wait_for_progress(&self) {
        let topic = self.cluster.deployment().ratings_topic();
        wait_until("the first ratings are learned", PATIENCE, || {
            let offsets = covered(&self.cluster.rest(), "recommender", topic)?;
            offsets.as_array()?.iter().any(|offset| offset.as_u64() > Some(0)).then_some(())
        });
    }

    /// Waits until all that was written is contained.
    pub(crate) fn wait_contained(&mut self) {
        let deployment = self.cluster.deployment();
        let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
        self.cluster.wait_contained("recommender", &ends, PATIENCE);
    }

    /// Every user's events as REST tells them, and their sum.
    pub(crate) fn check_events(&self) {
        let rest = self.cluster.rest();
        let mut sum = 0;
        for (user, expected) in &self.users {
            let answer = rest.get(&format!("/v1/users/{}", segment(user))).expect(200);
            assert_eq!(answer["user"], *user);
            assert_eq!(answer["events"], expected.events, "{answer}");
            assert_eq!(answer["last_event"], expected.last_event, "{answer}");
            sum += expected.events;
        }
        assert_eq!(self.model()["events"], sum);
    }

    fn model(&self) -> Value {
        let models = self.cluster.rest().get("/v1/models").expect(200);
        assert_eq!(models["models"].as_array().map(Vec::len), Some(1), "{models}");
        let model = models["models"][0].clone();
        assert_eq!((&model["name"], &model["generation"]), (&"recommender".into(), &"g1".into()));
        assert_eq!(model["shards"], 3);
        assert!(model["rows"].as_u64() > Some(0), "{model}");
        model
    }
}
