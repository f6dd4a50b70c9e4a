//! How long a single event takes at a given rate: a rating until answers contain it, a message until it is scored.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_kafka::{AckedSender, Isolation, OutRecord, Reader, StartAt};
use weir_models::Named;
use weir_runtime::Settings;
use weir_wire::scored;

use super::distribution::Distribution;
use super::events::Event;
use super::pipeline::Running;
use crate::topics;

/// How often it is looked how far answers reach: what a time may be too long by.
const LOOK: Duration = Duration::from_micros(300);
/// Events of the first part are not counted: coordinators are looked up, caches are cold.
pub(super) const WARM_UP: Duration = Duration::from_secs(2);
/// How long the last events may take.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
const RECORDS: usize = 1_000;

/// A place in an input topic.
type Place = (u32, u64);

/// The two kinds of events, in this order everywhere.
pub(super) const MODELS: [Named; 2] = [Named::Recommender, Named::Spam];

/// How much is sent, and how fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Ratings a second, and as many messages.
    pub(super) rate: f64,
    pub(super) duration: Duration,
}

/// An event that the broker has.
#[derive(Clone, Copy, Debug)]
struct Sent {
    model: usize,
    place: Place,
    at: Instant,
}

/// When what was seen.
#[derive(Default)]
struct Seen {
    /// By model: partition, offset next to read, and when answers reached that far.
    covered: [Vec<(u32, u64, Instant)>; 2],
    scored: HashMap<Place, Instant>,
}

/// Sends ratings and messages in turns and returns the distributions: ratings to answers, messages to answers, messages to scores.
pub(super) fn measure(
    settings: &Settings,
    running: &Running,
    load: Load,
    mut next: [Box<dyn FnMut() -> Event>; 2],
) -> anyhow::Result<Vec<Distribution>> {
    let inputs: [Arc<str>; 2] = [settings.topics.ratings.as_str().into(), settings.topics.messages.as_str().into()];
    let sender = AckedSender::open(&topics::connection(settings))?;
    let (sent, stop) = (Arc::<Mutex<Vec<Sent>>>::default(), AtomicBool::new(false));
    let began = Instant::now();
    let (mut seen, total) = std::thread::scope(|scope| {
        let scores = scope.spawn(|| read_scores(settings, &stop));
        let outcome = (|| {
            let (mut seen, mut total) = (Seen::default(), 0_usize);
            while began.elapsed() < load.duration + WARM_UP {
                // As many as are due by now, so that a late moment is made up for.
                while (total as f64) < began.elapsed().as_secs_f64() * load.rate * 2.0 {
                    let model = total % 2;
                    send(&sender, &inputs[model], model, (next[model])(), &sent)?;
                    total += 1;
                }
                look(running, &mut seen);
                std::thread::sleep(LOOK);
            }
            wait_for_the_last(running, &sent, total, &mut seen)?;
            Ok::<_, anyhow::Error>((seen, total))
        })();
        // The last message's score is committed with what answers contain by now.
        std::thread::sleep(POLL * 5);
        stop.store(true, Ordering::Release);
        let scores = scores.join().map_err(|_| anyhow::anyhow!("the reader of scores ended in a panic"))??;
        outcome.map(|(seen, total)| (Seen { scored: scores, ..seen }, total))
    })?;
    let sent = std::mem::take(&mut *sent.lock().unwrap_or_else(PoisonError::into_inner));
    anyhow::ensure!(sent.len() == total, "the broker took {} of {total} events", sent.len());
    distributions(&sent, &mut seen, began + WARM_UP)
}

fn send(
    sender: &AckedSender,
    topic: &Arc<str>,
    model: usize,
    (key, value): Event,
    sent: &Arc<Mutex<Vec<Sent>>>,
) -> anyhow::Result<()> {
    let (at, sent) = (Instant::now(), Arc::clone(sent));
    let acked = move |outcome: weir_kafka::Result<Place>| {
        if let Ok(place) = outcome {
            sent.lock().unwrap_or_else(PoisonError::into_inner).push(Sent { model, place, at });
        }
    };
    sender.send_acked(&OutRecord::new(Arc::clone(topic), None, Some(key), Some(value)), Box::new(acked))?;
    Ok(())
}

/// Notes how far answers reach now.
fn look(running: &Running, seen: &mut Seen) {
    for (model, known) in MODELS.iter().zip(&mut seen.covered) {
        let now = Instant::now();
        for (partition, next) in (0_u32..).zip(running.covered(model.name())) {
            let before = known.iter().rev().find(|(number, ..)| *number == partition);
            if before.is_none_or(|(_, known, _)| *known < next) {
                known.push((partition, next, now));
            }
        }
    }
}

fn wait_for_the_last(running: &Running, sent: &Mutex<Vec<Sent>>, total: usize, seen: &mut Seen) -> anyhow::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        look(running, seen);
        let done = {
            let sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.len() == total
                && MODELS.iter().enumerate().all(|(model, named)| {
                    let covered = running.covered(named.name());
                    let contained =
                        |(partition, offset): Place| covered.get(partition as usize).is_some_and(|next| *next > offset);
                    sent.iter().filter(|event| event.model == model).all(|event| contained(event.place))
                })
        };
        if done {
            return Ok(());
        }
        anyhow::ensure!(Instant::now() < deadline, "not all events are in the answers after {PATIENCE:?}");
        std::thread::sleep(LOOK * 10);
    }
}

/// When each message's score could be read.
fn read_scores(settings: &Settings, stop: &AtomicBool) -> anyhow::Result<HashMap<Place, Instant>> {
    let connection = topics::connection(settings);
    let partitions = (0..settings.kafka.partitions).map(|partition| (partition, StartAt::Beginning));
    let starts: Vec<_> = partitions.collect();
    let reader = Reader::open(&connection, &settings.topics.scored, &starts, Isolation::ReadCommitted)?;
    let mut seen = HashMap::new();
    while !stop.load(Ordering::Acquire) {
        reader.poll(POLL, RECORDS, &mut |record| {
            if let Ok(score) = scored::parse(record.payload.unwrap_or_default()) {
                seen.insert((score.source.partition, score.source.offset), Instant::now());
            }
        })?;
    }
    Ok(seen)
}

fn distributions(sent: &[Sent], seen: &mut Seen, counted_from: Instant) -> anyhow::Result<Vec<Distribution>> {
    let (mut answers, mut scores) = ([Vec::new(), Vec::new()], Vec::new());
    for Sent { model, place, at } in sent.iter().filter(|event| event.at >= counted_from) {
        let reached = |(partition, next, _): &&(u32, u64, Instant)| *partition == place.0 && *next > place.1;
        let (.., when) = seen.covered[*model].iter().find(reached).context("an event is not in the answers")?;
        answers[*model].push(when.saturating_duration_since(*at));
        if *model == 1 {
            let when = seen.scored.get(place).context("a message has no score")?;
            scores.push(when.saturating_duration_since(*at));
        }
    }
    Ok(vec![
        Distribution::of("rating to answer", &answers[0]),
        Distribution::of("message to answer", &answers[1]),
        Distribution::of("message to score", &scores),
    ])
}
