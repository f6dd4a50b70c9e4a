//! What is shown: figures, one user, one message, and addresses to try.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::feed::{Scored, Shared};
use super::quality::Figures;
use super::rest::{Recommended, Rest};

/// Answers whose times are remembered.
const TIMES: usize = 100;
const ITEMS: usize = 3;
/// People of the made-up world who are asked what they think of their recommendations.
const PEOPLE: usize = 20;
/// Characters of a message that fit into a line.
const TEXT: usize = 44;

/// Gathers one picture after the other.
pub(super) struct Shown {
    rest: Arc<Rest>,
    address: SocketAddr,
    times: VecDeque<Duration>,
    before: (Duration, u64),
}

/// Everything at one moment.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    address: SocketAddr,
    elapsed: Duration,
    /// Ratings and messages.
    learned: (u64, u64),
    /// Events a second since the picture before, and since the beginning.
    speed: (f64, f64),
    /// Median and longest of the last answers.
    answer: (Duration, Duration),
    ratings: Figures,
    messages: Figures,
    user: String,
    /// What they have rated last, the latest first.
    rated: Vec<(String, f32)>,
    recommended: Recommended,
    /// What people think in truth of what they are recommended, and of all on offer, on average.
    truth: Option<(f32, f32)>,
    scored: Option<Scored>,
    /// Lines of files that were no events to show.
    passed_over: u64,
}

impl Shown {
    pub(super) fn new(rest: Arc<Rest>, address: SocketAddr) -> Self {
        Self { rest, address, times: VecDeque::new(), before: (Duration::ZERO, 0) }
    }

    /// The picture of now.
    ///
    /// # Errors
    /// A question is not answered, or nothing is sent any more.
    pub(super) fn refresh(&mut self, feed: &Shared, elapsed: Duration) -> anyhow::Result<Picture> {
        anyhow::ensure!(!feed.has_ended(), "no more events are sent");
        if let Some(rating) = feed.rating()? {
            self.times.push_back(self.rest.event_to_answer(&rating)?);
        }
        if self.times.len() > TIMES {
            self.times.pop_front();
        }
        let seen = feed.seen();
        let recommended = match seen.user.as_str() {
            "" => Recommended::default(),
            user => self.rest.recommend(user, &format!("k={ITEMS}"))?,
        };
        let learned = feed.learned();
        Ok(Picture {
            address: self.address,
            elapsed,
            learned,
            speed: self.speed(learned.0 + learned.1, elapsed),
            answer: median_and_longest(&self.times),
            ratings: seen.squared_errors.figures(),
            messages: seen.mistakes.figures(),
            truth: self.truth(feed)?,
            user: seen.user,
            rated: seen.rated.into(),
            recommended,
            scored: seen.scored,
            passed_over: feed.passed_over(),
        })
    }

    /// Asks for the recommendations of some people, and the world for what they think of them.
    fn truth(&self, feed: &Shared) -> anyhow::Result<Option<(f32, f32)>> {
        if feed.world(|_| Some(())).is_none() {
            return Ok(None);
        }
        let (mut these, mut all) = (Vec::new(), Vec::new());
        for user in (0..PEOPLE).map(|number| format!("user-{number}")) {
            let recommended = self.rest.recommend(&user, &format!("k={ITEMS}"))?;
            these.extend(recommended.items.iter().filter_map(|(item, _)| feed.world(|world| world.truth(&user, item))));
            all.extend(feed.world(|world| world.average(&user)));
        }
        Ok((!these.is_empty()).then(|| (mean(&these), mean(&all))))
    }

    /// Events a second since this was asked before, and in all.
    fn speed(&mut self, events: u64, elapsed: Duration) -> (f64, f64) {
        let (then, before) = std::mem::replace(&mut self.before, (elapsed, events));
        let rate = |events: u64, time: Duration| events as f64 / time.as_secs_f64().max(1e-3);
        (rate(events.saturating_sub(before), elapsed.saturating_sub(then)), rate(events, elapsed))
    }
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

fn median_and_longest(times: &VecDeque<Duration>) -> (Duration, Duration) {
    let mut sorted: Vec<Duration> = times.iter().copied().collect();
    sorted.sort_unstable();
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    (at(sorted.len() / 2), at(sorted.len().saturating_sub(1)))
}

impl Picture {
    /// The figures alone, for where there is no terminal.
    pub(super) fn line(&self) -> String {
        let (seconds, speed, answer) = (self.elapsed.as_secs(), self.speed.0, self.answer.0.as_millis());
        let (ratings, messages) = self.qualities();
        format!(
            "{seconds} s: {speed:.0} events a second; answers after {answer} ms; ratings: {ratings}; messages: {messages}"
        )
    }

    fn qualities(&self) -> (String, String) {
        let (ratings, messages) = (&self.ratings, &self.messages);
        let right = |wrong: f64| 100.0 * (1.0 - wrong);
        let of_ratings = match ratings.answers {
            0 => "none predicted yet".to_owned(),
            _ => format!("RMSE {:.3}, running mean {:.3}", ratings.model.sqrt(), ratings.baseline.sqrt()),
        };
        let of_messages = match messages.answers {
            0 => "none scored yet".to_owned(),
            _ => format!("{:.1} % right, more frequent label {:.1} %", right(messages.model), right(messages.baseline)),
        };
        (of_ratings, of_messages)
    }
}

impl fmt::Display for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (of_ratings, of_messages) = self.qualities();
        writeln!(formatter, "events    {:.0} a second now, {:.0} in all", self.speed.0, self.speed.1)?;
        write!(formatter, "learned   {} ratings, {} messages", self.learned.0, self.learned.1)?;
        if self.passed_over > 0 {
            write!(formatter, "; {} lines passed over, which rate or label nothing", self.passed_over)?;
        }
        let (median, longest) = (self.answer.0.as_millis(), self.answer.1.as_millis());
        writeln!(formatter, "\nanswers   contain a rating {median} ms after it is sent, {longest} ms at most")?;
        let (ratings, messages) = (self.ratings.answers, self.messages.answers);
        writeln!(formatter, "ratings   {of_ratings} (last {ratings}, each predicted before it was learned)")?;
        writeln!(formatter, "messages  {of_messages} (last {messages}, each scored before it was learned)")?;
        self.user(formatter)?;
        if let Some(Scored { message, probability }) = &self.scored {
            let (text, label) = (shortened(&message.text), if message.spam { "spam" } else { "ham" });
            writeln!(formatter, "message   spam with {:.0} %, in truth {label}: {text}", 100.0 * probability)?;
        }
        self.addresses(formatter)
    }
}

impl Picture {
    /// One user's recommendations, and why to believe them.
    fn user(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { user, rated, recommended, truth, .. } = self;
        let rated: Vec<String> = rated.iter().map(|(item, stars)| format!("{item} ({stars})")).collect();
        let items: Vec<&str> = recommended.items.iter().map(|(item, _)| item.as_str()).collect();
        writeln!(formatter, "user      {user}, who has last rated {}", rated.join(", "))?;
        writeln!(formatter, "          recommended: {} ({})", items.join(", "), recommended.source)?;
        match truth {
            Some((these, all)) => writeln!(
                formatter,
                "truth     what {PEOPLE} people are recommended would get {these:.2} stars from them, all items {all:.2}"
            ),
            None => Ok(()),
        }
    }

    /// What can be asked from another terminal.
    fn addresses(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (address, user) = (self.address, &self.user);
        writeln!(formatter, "try       curl 'http://{address}/v1/users/{user}/recommendations?k=5'")?;
        if let Some(Scored { message, .. }) = &self.scored {
            let body = json!({"messages": [{"id": message.id, "text": message.text}]}).to_string();
            let body = body.replace('\'', "'\\''");
            let header = "-H 'content-type: application/json'";
            writeln!(formatter, "          curl 'http://{address}/v1/messages/score' {header} -d '{body}'")?;
        }
        write!(formatter, "          curl 'http://{address}/v1/models'")
    }
}

fn shortened(text: &str) -> String {
    let short: String = text.chars().take(TEXT).collect();
    if short.len() < text.len() { format!("{short}...") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(millis: &[u64], median: u64, longest: u64) {
        let times = millis.iter().copied().map(Duration::from_millis).collect();
        let expected = (Duration::from_millis(median), Duration::from_millis(longest));
        assert_eq!(median_and_longest(&times), expected, "{millis:?}");
    }

    #[test]
    fn the_median_is_in_the_middle() {
        check(&[], 0, 0);
        check(&[7], 7, 7);
        check(&[9, 1, 5], 5, 9);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(shortened("short"), "short");
        assert_eq!(shortened(&"ü".repeat(TEXT + 1)), format!("{}...", "ü".repeat(TEXT)));
    }
}
