//! Real roles on a real Kafka, and load on every way in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;
use weir_tests::{Broker, Client, Deployment, Event, Instance, Load, Producer, Role, try_wait_until};

use crate::monitor::Monitor;

/// Events a second.
const RATINGS: usize = 200;
const MESSAGES: usize = 50;
/// Between two requests.
const PAUSE: Duration = Duration::from_millis(50);
const USERS: u64 = 40;
const ITEMS: u64 = 60;

/// Everything that runs.
pub(crate) struct Site {
    pub(crate) broker: Broker,
    pub(crate) deployment: Deployment,
    pub(crate) servers: Vec<Instance>,
    pub(crate) worker: Instance,
    pub(crate) gateway: Instance,
    pub(crate) monitor: Monitor,
    /// Whether users have come to like what they disliked.
    pub(crate) turned: Arc<AtomicBool>,
    load: Vec<Load>,
    requests: Option<Requests>,
}

impl Site {
    /// Two servers, one of which is not to store anything for an hour, a worker and a gateway.
    pub(crate) fn start() -> Self {
        let broker = Broker::private();
        let deployment = Deployment::new(&broker, "watch")
            .with("MODELS", "recommender,spam")
            .with("SERVER__SHARDS", 2)
            .with("SERVER__STORE_INTERVAL_MS", 1_000);
        deployment.create_topics();
        let lazy = deployment.clone().with("SERVER__STORE_INTERVAL_MS", 3_600_000);
        let mut servers = vec![deployment.start(Role::Server, "server-0"), lazy.start(Role::Server, "server-1")];
        let mut worker = deployment.start(Role::Worker, "worker-0");
        let mut gateway = deployment.start(Role::Gateway, "gateway-0");
        let all = servers.iter_mut().chain([&mut worker, &mut gateway]);
        let targets: Vec<String> = all
            .map(|instance| {
                instance.wait_ready();
                instance.ops().address().to_owned()
            })
            .collect();
        let monitor = Monitor::start(&targets);
        let turned = Arc::new(AtomicBool::new(false));
        let load = vec![ratings(&deployment, &turned), messages(&deployment)];
        let requests = Requests::start(gateway.rest());
        Self { broker, deployment, servers, worker, gateway, monitor, turned, load, requests: Some(requests) }
    }

    /// No more events come in.
    pub(crate) fn stop_load(&mut self) {
        self.requests = None;
        for load in self.load.drain(..) {
            let _ = load.stop();
        }
    }

    /// Writes ratings that no worker takes.
    pub(crate) fn write_refused(&self, count: usize) {
        let producer = Producer::new(self.deployment.brokers(), self.deployment.ratings_topic());
        let places = producer.send((0..count).map(|_| Event::raw(0, "not JSON")));
        assert_eq!(places.len(), count);
    }
}

/// Each user likes every other item, so that it can be learned.
fn ratings(deployment: &Deployment, turned: &Arc<AtomicBool>) -> Load {
    let (turned, number) = (Arc::clone(turned), AtomicU64::new(0));
    let producer = Producer::new(deployment.brokers(), deployment.ratings_topic());
    Load::start(producer, RATINGS, move || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let (user, item) = (number % USERS, (number * 7 + number / USERS) % ITEMS);
        let likes = item.is_multiple_of(2) != turned.load(Ordering::Relaxed);
        let user = format!("user-{user}");
        let event = json!({"user": user, "item": format!("item-{item}"), "rating": if likes { 5 } else { 1 }});
        Event::keyed(&user, &event)
    })
}

fn messages(deployment: &Deployment) -> Load {
    let number = AtomicU64::new(0);
    let producer = Producer::new(deployment.brokers(), deployment.messages_topic());
    Load::start(producer, MESSAGES, move || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let is_spam = number.is_multiple_of(3);
        let text = if is_spam { "win a free prize, call now" } else { "see you at home, dinner is ready" };
        let (id, label) = (format!("m-{number}"), if is_spam { "spam" } else { "ham" });
        Event::keyed(&id, &json!({"id": id, "text": format!("{text} {}", number % 17), "label": label}))
    })
}

/// A client that asks for all sorts of things until it is dropped.
struct Requests {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Requests {
    fn start(rest: Client) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let run = move || {
            let mut number = 0;
            while try_wait_until(PAUSE, || stopped.load(Ordering::Relaxed).then_some(())).is_none() {
                number += 1;
                ask(&rest, number);
            }
        };
        Self { stop, thread: Some(std::thread::spawn(run)) }
    }
}

impl Drop for Requests {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        // It ends by itself; what it was told does not matter here.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// One request; the gateway may be without Kafka for a while, so any answer will do.
fn ask(rest: &Client, number: u64) {
    let user = format!("user-{}", number % USERS);
    let _ = match number % 5 {
        0 => rest.try_get(&format!("/v1/users/{user}/recommendations?k=5")),
        1 => rest.try_get(&format!("/v1/users/nobody-{number}")),
        2 => rest.try_post("/v1/predictions", &json!({"pairs": [{"user": user, "item": "item-1"}]})),
        3 => rest.try_post("/v1/ratings", &json!({"user": user, "item": "item-2", "rating": 5})),
        _ => {
            let asked = rest.try_get("/v1/models");
            let topic = asked.map(|answer| answer.body).and_then(|body| covered_topic(&body));
            topic.and_then(|topic| rest.try_get(&format!("/v1/users/{user}?at_least={topic}:0:0")))
        }
    };
}

fn covered_topic(models: &str) -> Option<String> {
    let models: serde_json::Value = serde_json::from_str(models).ok()?;
    let recommender = models["models"].as_array()?.iter().find(|model| model["name"] == "recommender")?;
    recommender["offsets"].as_object()?.keys().next().cloned()
}
