//! Bad input of every kind: it is told apart, kept with its reason, counted, and stops nothing.

mod frames;
mod process;
mod records;
mod requests;

use std::time::Duration;

use serde_json::json;
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Client, Deployment, Event, Instance, Place, Producer, Role, topic};

const PARTITIONS: u32 = 2;
const PATIENCE: Duration = Duration::from_mins(1);

/// A small `weir standalone` with one shard more than partitions.
struct Site {
    deployment: Deployment,
    instance: Instance,
    producer: Producer,
}

impl Site {
    fn open(label: &str) -> Self {
        Self::on(Broker::shared(), label)
    }

    fn on(broker: &Broker, label: &str) -> Self {
        let deployment = Deployment::new(broker, label).with("KAFKA__PARTITIONS", PARTITIONS).with("SERVER__SHARDS", 3);
        let deployment = deployment.with("MODELS", "recommender,spam");
        deployment.create_topics();
        let mut instance = deployment.start(Role::Standalone, "all");
        instance.wait_ready();
        let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
        Self { deployment, instance, producer }
    }

    fn rest(&self) -> Client {
        self.instance.rest()
    }

    /// Writes a rating to the topic.
    fn rate(&self, user: &str, item: &str) -> Place {
        self.producer.send([Event::keyed(user, &json!({"user": user, "item": item, "rating": 4}))])[0]
    }

    /// Waits until everything in the input topic is contained.
    fn wait_contained(&self) {
        let topic = self.deployment.ratings_topic();
        let ends = topic::ends(self.deployment.brokers(), topic);
        wait_contained(&self.rest(), "recommender", topic, &ends, PATIENCE);
    }

    /// Events of a user that the model contains; none for a user whom it does not know.
    fn events(&self, user: &str) -> Option<u64> {
        let answer = self.rest().get(&format!("/v1/users/{}", weir_tests::http::segment(user)));
        if answer.status == 404 {
            let _ = answer.problem(404);
            return None;
        }
        answer.expect(200)["events"].as_u64()
    }
}
