//! Events on their way into the topics, never further ahead of the gateway than the embedded broker can bear.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use weir_gateway::Gateway;
use weir_kafka::{AckedSender, OutRecord};
use weir_runtime::{Context, TopicSettings};
use weir_wire::Record;
use weir_wire::message::{self, Label, MessageEvent};
use weir_wire::rating::{self, RatingEvent};

use super::campaigns::Message;
use super::lane::Lane;
use super::quality::{Losses, RunningMean};
use super::rest::Rest;
use super::sources::{Messages, Ratings};
use super::world::{Rating, World};
use crate::topics;

/// A rating changes some ten rows of at most 300 bytes, a message a hundred of 60: what is on its way at a time stays
/// far below the 5 MiB of any one partition. More would be learned no faster, and answers would wait for it.
const RATINGS_LEAD: u64 = 400;
const MESSAGES_LEAD: u64 = 200;
/// Events that are sent together.
const RATINGS: usize = 100;
const MESSAGES: usize = 50;
/// Ratings of the user shown that are remembered.
const RATED: usize = 3;
const LOOK: Duration = Duration::from_millis(2);
const DELIVERY: Duration = Duration::from_secs(10);

/// The thread that sends.
pub(super) struct Feed {
    pub(super) shared: Arc<Shared>,
    thread: JoinHandle<anyhow::Result<()>>,
}

/// What the display reads of it.
pub(super) struct Shared {
    stop: AtomicBool,
    ratings: Lane,
    messages: Lane,
    sources: Mutex<(Ratings, Messages)>,
    seen: Mutex<Seen>,
}

/// What came of asking before sending.
#[derive(Clone, Default)]
pub(super) struct Seen {
    stars: RunningMean,
    spam: RunningMean,
    /// Of predicted ratings and of their running mean.
    pub(super) squared_errors: Losses,
    /// 1 for each wrong label, of the model and of the more frequent label.
    pub(super) mistakes: Losses,
    /// The last message that was asked about.
    pub(super) scored: Option<Scored>,
    /// Whose recommendations are shown, and what they have rated last.
    pub(super) user: String,
    pub(super) rated: VecDeque<(String, f32)>,
}

/// A message with what was said of it before it was learned.
#[derive(Clone, Debug)]
pub(super) struct Scored {
    pub(super) message: Message,
    pub(super) probability: f64,
}

impl Feed {
    /// Begins to send.
    pub(super) fn start(
        context: &Context,
        gateway: &Gateway,
        rest: Arc<Rest>,
        sources: (Ratings, Messages),
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            stop: AtomicBool::new(false),
            ratings: Lane::new(gateway, "recommender", RATINGS_LEAD)?,
            messages: Lane::new(gateway, "spam", MESSAGES_LEAD)?,
            sources: Mutex::new(sources),
            seen: Mutex::default(),
        });
        let sender = AckedSender::open(&topics::connection(&context.settings))?;
        let (context, feeding) = (context.clone(), Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("feed".into()).spawn(move || {
            let outcome = feeding.run(&context, &sender, &rest);
            // The display looks whether this has ended.
            feeding.stop.store(true, Ordering::Release);
            // Nobody answers any more once the process was told to stop.
            if context.shutdown.is_requested() { Ok(()) } else { outcome }
        });
        Ok(Self { shared, thread: thread.context("a thread that sends")? })
    }

    /// Ends it.
    ///
    /// # Errors
    /// Why it had ended before.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        self.shared.stop.store(true, Ordering::Release);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Shared {
    /// Whether it has ended by itself.
    pub(super) fn has_ended(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Ratings and messages that answers contain.
    pub(super) fn learned(&self) -> (u64, u64) {
        (self.ratings.covered(), self.messages.covered())
    }

    /// Ratings and messages of files that were no events with a rating, or with a label.
    pub(super) fn passed_over(&self) -> u64 {
        let sources = lock(&self.sources);
        sources.0.passed_over() + sources.1.passed_over()
    }

    /// What came of asking so far.
    pub(super) fn seen(&self) -> Seen {
        lock(&self.seen).clone()
    }

    /// Looks at the made-up world as it is now; none where the ratings are of a file.
    pub(super) fn world<T>(&self, look: impl FnOnce(&World) -> Option<T>) -> Option<T> {
        look(lock(&self.sources).0.world()?)
    }

    /// One more rating, for the display to send by itself; none at the end of a file.
    ///
    /// # Errors
    /// The file cannot be read on.
    pub(super) fn rating(&self) -> anyhow::Result<Option<Rating>> {
        let rating = lock(&self.sources).0.next()?;
        if let Some(rating) = &rating {
            lock(&self.seen).rated(rating);
            self.ratings.took(1);
        }
        Ok(rating)
    }

    fn run(&self, context: &Context, sender: &AckedSender, rest: &Rest) -> anyhow::Result<()> {
        let TopicSettings { ratings, messages, .. } = &context.settings.topics;
        let (ratings, messages) = (Arc::from(ratings.as_str()), Arc::from(messages.as_str()));
        while !self.stop.load(Ordering::Acquire) && !context.shutdown.is_requested() {
            let sent = self.send_ratings(&ratings, sender, rest)? | self.send_messages(&messages, sender, rest)?;
            if !sent {
                std::thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    /// Asks what the next ratings will be, then sends them; false if there are none, or no room for them.
    fn send_ratings(&self, topic: &Arc<str>, sender: &AckedSender, rest: &Rest) -> anyhow::Result<bool> {
        if !self.ratings.fits(RATINGS as u64) {
            return Ok(false);
        }
        let chunk = chunk(RATINGS, || lock(&self.sources).0.next())?;
        if chunk.is_empty() {
            return Ok(false);
        }
        let predicted = rest.predict(&chunk[..self.ratings.asked(&chunk)])?;
        let mut seen = lock(&self.seen);
        for (Rating { stars, .. }, said) in chunk.iter().zip(predicted) {
            let (stars, mean) = (f64::from(*stars), seen.stars.or(said));
            seen.squared_errors.add((said - stars).powi(2), (mean - stars).powi(2));
        }
        for rating in &chunk {
            seen.rated(rating);
        }
        drop(seen);
        self.ratings.took(chunk.len() as u64);
        send(topic, sender, chunk.iter().map(rating_record))?;
        Ok(true)
    }

    /// Asks what the next messages are, then sends them; false if there are none, or no room for them.
    fn send_messages(&self, topic: &Arc<str>, sender: &AckedSender, rest: &Rest) -> anyhow::Result<bool> {
        if !self.messages.fits(MESSAGES as u64) {
            return Ok(false);
        }
        let chunk = chunk(MESSAGES, || lock(&self.sources).1.next())?;
        if chunk.is_empty() {
            return Ok(false);
        }
        let said = rest.score(&chunk[..self.messages.asked(&chunk)])?;
        let mut seen = lock(&self.seen);
        chunk.iter().zip(said).for_each(|(message, probability)| seen.scored(message, probability));
        for message in &chunk {
            seen.spam.learn(one_if(message.spam));
        }
        drop(seen);
        self.messages.took(chunk.len() as u64);
        send(topic, sender, chunk.iter().map(message_record))?;
        Ok(true)
    }
}

impl Seen {
    fn rated(&mut self, Rating { user, item, stars }: &Rating) {
        self.stars.learn(f64::from(*stars));
        if self.user.is_empty() {
            self.user.clone_from(user);
        }
        if self.user == *user {
            self.rated.truncate(RATED - 1);
            self.rated.push_front((item.clone(), *stars));
        }
    }

    fn scored(&mut self, message: &Message, probability: f64) {
        let wrong = |spam: bool| one_if(spam != message.spam);
        let often = self.spam.or(0.0) > 0.5;
        self.mistakes.add(wrong(probability > 0.5), wrong(often));
        self.scored = Some(Scored { message: message.clone(), probability });
    }
}

fn one_if(is: bool) -> f64 {
    f64::from(u8::from(is))
}

/// The next events, fewer where they end.
fn chunk<E>(most: usize, mut next: impl FnMut() -> anyhow::Result<Option<E>>) -> anyhow::Result<Vec<E>> {
    let mut chunk = Vec::with_capacity(most);
    while chunk.len() < most
        && let Some(event) = next()?
    {
        chunk.push(event);
    }
    Ok(chunk)
}

/// Sends records and waits for all of them; the embedded broker acknowledges at once.
fn send(topic: &Arc<str>, sender: &AckedSender, records: impl Iterator<Item = Record>) -> anyhow::Result<()> {
    let (acked, outcomes) = mpsc::channel();
    let mut sent = 0;
    for Record { key, payload } in records {
        let acked = acked.clone();
        let record = OutRecord::new(Arc::clone(topic), None, Some(key), payload);
        sender.send_acked(&record, Box::new(move |outcome| drop(acked.send(outcome))))?;
        sent += 1;
    }
    for _ in 0..sent {
        outcomes.recv_timeout(DELIVERY).context("an event was not acknowledged")??;
    }
    Ok(())
}

fn rating_record(Rating { user, item, stars }: &Rating) -> Record {
    let (user, item) = (user.as_str().into(), item.as_str().into());
    rating::to_record(&RatingEvent::Rated { user, item, rating: Some(*stars), ts: None, event: None, id: None })
}

fn message_record(Message { id, text, spam }: &Message) -> Record {
    let label = Some(if *spam { Label::SPAM } else { Label::HAM });
    let (id, text) = (id.as_str().into(), Some(text.as_str().into()));
    message::to_record(&MessageEvent::Message {
        id,
        text,
        label,
        ts: None,
        tenant: None,
        content_type: None,
        sender: None,
    })
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
