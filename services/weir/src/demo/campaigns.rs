//! Synthetic messages with something to learn: people who write to each other, and spam campaigns that come and go.
//!
//! Pure and seeded, as the world of ratings is. Words are made of syllables, so that nobody takes them for real ones.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, Zipf};

/// Words that everybody uses.
const COMMON: usize = 600;
const ZIPF: f64 = 0.9;
/// Share of the messages that are spam.
const SPAM: f64 = 0.25;
/// Campaigns at a time, and the words that each is told by.
const CAMPAIGNS: usize = 3;
const CAMPAIGN_WORDS: usize = 12;
/// Messages after which a campaign takes the place of the oldest.
const NEW_CAMPAIGN_EVERY: u64 = 1_500;
const SYLLABLES: [&str; 20] = [
    "ba", "de", "fi", "go", "hu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "lan", "mer", "tis",
    "ron", "sul",
];

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) spam: bool,
}

/// Makes one message after the other.
pub(crate) struct Mailbox {
    random: StdRng,
    usage: Zipf<f64>,
    common: Vec<String>,
    campaigns: VecDeque<Vec<String>>,
    made: u64,
}

impl Mailbox {
    /// The mailbox of this seed.
    ///
    /// # Errors
    /// Never in practice: the distribution's parameters are constants.
    pub(crate) fn new(seed: u64) -> anyhow::Result<Self> {
        let (random, usage) = (StdRng::seed_from_u64(seed), Zipf::new(COMMON as f64, ZIPF)?);
        let mut mailbox = Self { random, usage, common: Vec::new(), campaigns: VecDeque::new(), made: 0 };
        mailbox.common = (0..COMMON).map(|_| mailbox.word(2)).collect();
        (0..CAMPAIGNS).for_each(|_| mailbox.begin_campaign());
        Ok(mailbox)
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Message {
        self.made += 1;
        if self.made.is_multiple_of(NEW_CAMPAIGN_EVERY) {
            self.campaigns.pop_front();
            self.begin_campaign();
        }
        let spam = self.random.random_bool(SPAM);
        let mut words: Vec<String> = (0..self.random.random_range(4..12)).map(|_| self.common_word()).collect();
        if spam {
            let campaign = self.random.random_range(0..self.campaigns.len());
            for _ in 0..self.random.random_range(2..6) {
                let word = self.campaigns[campaign][self.random.random_range(0..CAMPAIGN_WORDS)].clone();
                let place = self.random.random_range(0..=words.len());
                words.insert(place, word);
            }
        }
        Message { id: format!("message-{}", self.made), text: words.join(" "), spam }
    }

    fn begin_campaign(&mut self) {
        let words = (0..CAMPAIGN_WORDS).map(|_| self.word(3)).collect();
        self.campaigns.push_back(words);
    }

    fn common_word(&mut self) -> String {
        let rank = self.usage.sample(&mut self.random) as usize;
        self.common[rank.clamp(1, COMMON) - 1].clone()
    }

    fn word(&mut self, syllables: usize) -> String {
        (0..syllables).map(|_| SYLLABLES[self.random.random_range(0..SYLLABLES.len())]).collect()
    }
}
