//! The questions that the demo asks, as any client would.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

use super::campaigns::Message;
use super::world::Rating;

const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of the gateway of this process.
pub(super) struct Rest {
    agent: ureq::Agent,
    base: String,
}

/// What a user is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Recommended {
    /// Items with their scores, the best first.
    pub(super) items: Vec<(String, f64)>,
    /// `personal` or `popular`.
    pub(super) source: String,
}

impl Rest {
    pub(super) fn new(address: SocketAddr) -> Self {
        let agent = ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).build().new_agent();
        Self { agent, base: format!("http://{address}") }
    }

    /// What the users of these ratings would give, in their order.
    pub(super) fn predict(&self, ratings: &[Rating]) -> anyhow::Result<Vec<f64>> {
        let pairs: Vec<Value> =
            ratings.iter().map(|rating| json!({"user": rating.user, "item": rating.item})).collect();
        let answer = self.post("/v1/predictions", &json!({"pairs": pairs}))?;
        let predictions = answer["predictions"].as_array().context("no predictions in the answer")?;
        Ok(predictions.iter().filter_map(|prediction| prediction["rating"].as_f64()).collect())
    }

    /// How probably each of these messages is spam, in their order.
    pub(super) fn score(&self, messages: &[Message]) -> anyhow::Result<Vec<f64>> {
        let messages: Vec<Value> = messages.iter().map(|one| json!({"id": one.id, "text": one.text})).collect();
        let answer = self.post("/v1/messages/score", &json!({"messages": messages}))?;
        let scores = answer["scores"].as_array().context("no scores in the answer")?;
        Ok(scores.iter().filter_map(|score| score["probability"].as_f64()).collect())
    }

    /// A user's recommendations.
    pub(super) fn recommend(&self, user: &str, query: &str) -> anyhow::Result<Recommended> {
        let answer = self.get(&format!("/v1/users/{user}/recommendations?{query}"))?;
        let item = |item: &Value| Some((item["item"].as_str()?.to_owned(), item["score"].as_f64()?));
        let items = answer["items"].as_array().context("no items in the answer")?.iter().filter_map(item).collect();
        Ok(Recommended { items, source: answer["source"].as_str().unwrap_or_default().to_owned() })
    }

    /// Sends a rating and waits for a list of the same user that contains it; how long both took together.
    pub(super) fn event_to_answer(&self, Rating { user, item, stars }: &Rating) -> anyhow::Result<Duration> {
        let began = Instant::now();
        let accepted = self.post("/v1/ratings", &json!({"user": user, "item": item, "rating": stars}))?;
        let place = &accepted["accepted"][0];
        let (topic, partition) = (place["topic"].as_str(), place["partition"].as_u64());
        let topic = topic.with_context(|| format!("not accepted: {accepted}"))?;
        let (partition, offset) = (partition.unwrap_or_default(), place["offset"].as_u64().unwrap_or_default());
        self.recommend(user, &format!("k=1&at_least={topic}:{partition}:{offset}"))?;
        Ok(began.elapsed())
    }

    fn get(&self, path: &str) -> anyhow::Result<Value> {
        let mut answer = self.agent.get(format!("{}{path}", self.base)).call().with_context(|| path.to_owned())?;
        Ok(answer.body_mut().read_json()?)
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let sent = self.agent.post(format!("{}{path}", self.base)).send_json(body);
        Ok(sent.with_context(|| path.to_owned())?.body_mut().read_json()?)
    }
}
