//! A running spam filter, and what it has put out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use weir_tests::{Broker, Client, Cluster, Deployment, Event, Place, Producer, topic};

pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// All roles as processes of their own, with the spam filter as the only model.
pub(crate) struct Filter {
    pub(crate) cluster: Cluster,
    pub(crate) producer: Producer,
}

/// One scored record.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scored {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) true_label: Option<String>,
    pub(crate) margin: f64,
    pub(crate) probability: f64,
    pub(crate) action: String,
    pub(crate) state: String,
    /// The numbers of labels and the thresholds.
    pub(crate) grounds: [Value; 2],
    /// The list that it is on; null if none.
    pub(crate) reason: Value,
}

/// What the table of counts sums up to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) events: u64,
    pub(crate) scored: u64,
    pub(crate) learned: u64,
    pub(crate) corrected: u64,
    pub(crate) repeated: u64,
}

pub(crate) fn deployment(label: &str, partitions: u32) -> Deployment {
    let deployment = Deployment::new(Broker::shared(), label).with("MODELS", "spam");
    deployment.with("KAFKA__PARTITIONS", partitions).with("SERVER__SHARDS", 3)
}

/// A message event, keyed by its id.
pub(crate) fn event(id: &str, text: Option<&str>, label: Option<&str>) -> Event {
    let mut event = json!({"id": id});
    for (name, value) in [("text", text), ("label", label)] {
        if let Some(value) = value {
            event[name] = value.into();
        }
    }
    Event::keyed(id, &event)
}

impl Filter {
    pub(crate) fn start(deployment: Deployment, servers: usize, workers: usize) -> Self {
        let cluster = Cluster::start(deployment, servers, workers);
        let deployment = cluster.deployment();
        let producer = Producer::new(deployment.brokers(), deployment.messages_topic());
        Self { cluster, producer }
    }

    pub(crate) fn rest(&self) -> Client {
        self.cluster.rest()
    }

    pub(crate) fn write(&self, events: impl IntoIterator<Item = Event>) -> Vec<Place> {
        self.producer.send(events)
    }

    /// Waits until all that was written is contained.
    pub(crate) fn wait_contained(&mut self) {
        let deployment = self.cluster.deployment();
        let ends = topic::ends(deployment.brokers(), deployment.messages_topic());
        self.cluster.wait_contained("spam", &ends, PATIENCE);
    }

    /// The scored records as a reader of committed records has them, by the places of what they score; none is there
    /// twice.
    pub(crate) fn scored(&self) -> BTreeMap<Place, Scored> {
        let deployment = self.cluster.deployment();
        let mut scored = BTreeMap::new();
        for record in topic::read_all(deployment.brokers(), &deployment.scored_topic()) {
            let value: Value = serde_json::from_slice(&record.payload.unwrap_or_default()).expect("JSON");
            assert_eq!(value["source"]["topic"], deployment.messages_topic());
            assert_eq!((&value["model"]["name"], &value["model"]["generation"]), (&json!("spam"), &json!("g1")));
            let number = |name: &str| value["source"][name].as_u64().unwrap_or_else(|| panic!("no {name} in {value}"));
            let place = Place { partition: number("partition") as u32, offset: number("offset") };
            let said = said(&value);
            assert_eq!(record.key.as_deref(), Some(said.id.as_bytes()), "the key is the message's id");
            assert!(scored.insert(place, said).is_none(), "{place:?} is scored twice");
        }
        scored
    }

    pub(crate) fn counts(&self) -> Counts {
        let page = self.rest().get("/v1/models/spam/tables/counts").expect(200);
        let rows = page["rows"].as_array().unwrap_or_else(|| panic!("no rows in {page}"));
        let sum = |place: usize| rows.iter().filter_map(|row| row["values"][place].as_u64()).sum();
        Counts { events: sum(0), scored: sum(1), learned: sum(2), corrected: sum(3), repeated: sum(4) }
    }
}

/// What a scored record, or an answer of the gateway, says of a message.
pub(crate) fn said(value: &Value) -> Scored {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let number = |name: &str| value[name].as_f64().unwrap_or_else(|| panic!("no {name} in {value}"));
    Scored {
        id: text("id").unwrap_or_else(|| panic!("no id in {value}")),
        label: text("label").unwrap_or_else(|| panic!("no label in {value}")),
        true_label: text("true_label"),
        margin: number("margin"),
        probability: number("probability"),
        action: text("action").unwrap_or_else(|| panic!("no action in {value}")),
        state: text("state").unwrap_or_else(|| panic!("no state in {value}")),
        grounds: ["labels", "thresholds"].map(|name| value[name].clone()),
        reason: value["reason"].clone(),
    }
}
