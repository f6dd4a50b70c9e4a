//! Users and items that were not seen for long, or of whom there are too many, are let go, counted, and begin anew.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::json;
use weir_tests::weir::wait_contained;
use weir_tests::{Broker, Cluster, Deployment, Event, Producer, Role, alone, topic, wait_until};

const PATIENCE: Duration = Duration::from_mins(2);
const DAY_MS: u64 = 86_400_000;
const MOST_USERS: usize = 64;

struct Forgetful {
    cluster: Cluster,
    producer: Producer,
    now_ms: u64,
}

impl Forgetful {
    fn open() -> Self {
        let deployment = Deployment::new(Broker::shared(), "bounds").with("SERVER__SHARDS", 2);
        let deployment = deployment.with("RECOMMENDER__FORGET_AFTER_HOURS", 240);
        let deployment = deployment.with("RECOMMENDER__MAX_USERS", MOST_USERS);
        deployment.create_topics();
        let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later");
        let now_ms = u64::try_from(now.as_millis()).expect("it is not that late");
        Self { cluster: Cluster::start(deployment, 1, 1), producer, now_ms }
    }

    /// Writes that users have rated an item so many days ago, and waits until that is learned.
    fn rate(&self, users: impl Iterator<Item = String>, item: &str, days_ago: u64) {
        let ts = self.now_ms - days_ago * DAY_MS;
        let event = |user: String| Event::keyed(&user, &json!({"user": user, "item": item, "rating": 4, "ts": ts}));
        drop(self.producer.send(users.map(event)));
        let deployment = self.cluster.deployment();
        let ends = topic::ends(deployment.brokers(), deployment.ratings_topic());
        wait_contained(&self.cluster.rest(), "recommender", deployment.ratings_topic(), &ends, PATIENCE);
    }

    fn status(&self, path: &str) -> u16 {
        self.cluster.rest().get(path).status
    }

    fn events_of(&self, user: &str) -> u64 {
        let known = self.cluster.rest().get(&format!("/v1/users/{user}")).expect(200);
        known["events"].as_u64().unwrap_or_else(|| panic!("no number of events in {known}"))
    }

    fn let_go(&self, label: &str) -> f64 {
        self.cluster.of(Role::Server).map(|server| server.metric_with("weir_server_let_go_total", label)).sum()
    }
}

#[test]
fn who_was_not_seen_for_long_is_forgotten_and_begins_anew() {
    let _alone = alone();
    let mut forgetful = Forgetful::open();
    let some = |name: &'static str, count: usize| (0..count).map(move |number| format!("{name}-{number}"));
    forgetful.rate(some("old", 20), "old-item", 40);
    forgetful.rate(some("old", 1), "old-item", 39);
    assert_eq!((forgetful.events_of("old-0"), forgetful.status("/v1/items/old-item")), (2, 200));
    forgetful.rate(some("new", 30), "new-item", 1);
    let gone = |forgetful: &Forgetful| {
        wait_until("who was not seen for long is gone", PATIENCE, || {
            (some("old", 20).all(|user| forgetful.status(&format!("/v1/users/{user}")) == 404)).then_some(())
        });
        assert_eq!((forgetful.status("/v1/items/old-item"), forgetful.status("/v1/items/new-item")), (404, 200));
        assert!(some("new", 30).all(|user| forgetful.events_of(&user) == 1));
    };
    gone(&forgetful);
    assert_eq!((forgetful.let_go("users"), forgetful.let_go("items")), (20.0, 1.0));
    // The store and the changelog say the same as the shards did.
    forgetful.cluster.kill_all();
    forgetful.cluster.start_all();
    gone(&forgetful);
    forgetful.cluster.kill_all();
    forgetful.cluster.delete_data();
    forgetful.cluster.start_all();
    gone(&forgetful);
    // Whoever was forgotten begins anew, also where a worker has had the row of that user.
    forgetful.rate(some("old", 3), "new-item", 0);
    assert_eq!((forgetful.events_of("old-0"), forgetful.events_of("old-2")), (1, 1));

    // Too many: those who were not seen for longest have gone, and the newest are there.
    forgetful.rate(some("crowd", 100), "new-item", 0);
    wait_until("there is room", PATIENCE, || {
        let known = some("new", 30).chain(some("old", 20)).chain(some("crowd", 100));
        let known = known.filter(|user| forgetful.status(&format!("/v1/users/{user}")) == 200).count();
        (known <= MOST_USERS && known > MOST_USERS / 2).then_some(())
    });
    assert!(
        some("new", 30).all(|user| forgetful.status(&format!("/v1/users/{user}")) == 404),
        "the least recent go first"
    );
    assert!(forgetful.let_go("room") >= 69.0);
}
