//! How well the spam filter does on a file of labelled messages, progressively and in the file's order:
//! `cargo run --release -p weir-learn --example spam -- SMSSpamCollection`
//!
//! Lines of `spam` or `ham`, a tab, and the text.

use std::{env, error::Error, fs, time::Instant};

use weir_learn::{
    calibration,
    passive_aggressive::{self, Label, Settings},
    text::{self, Extractor},
};

type Message<'a> = (Label, &'a str);

fn main() -> Result<(), Box<dyn Error>> {
    let path = env::args().nth(1).ok_or("usage: spam FILE")?;
    let contents = String::from_utf8_lossy(&fs::read(path)?).into_owned();
    let messages: Vec<Message<'_>> = contents.lines().filter_map(parse).collect();
    quality(&messages);
    speed(&messages);
    Ok(())
}

fn parse(line: &str) -> Option<Message<'_>> {
    match line.split_once('\t')? {
        ("spam", text) => Some((Label::Positive, text)),
        ("ham", text) => Some((Label::Negative, text)),
        _ => None,
    }
}

/// The learner as a whole: weights by slot, and room for those of one message.
struct Filter {
    extractor: Extractor,
    table: Vec<f32>,
    weights: Vec<f32>,
}

impl Filter {
    fn new() -> Self {
        let settings = text::Settings::default();
        let table = vec![0.0; settings.slots() as usize];
        Self { extractor: Extractor::new(settings), table, weights: Vec::new() }
    }

    /// Scores and then learns a message, and returns its margin.
    fn learn(&mut self, settings: Settings, (label, text): Message<'_>) -> f32 {
        let features = self.extractor.extract(text);
        self.weights.clear();
        self.weights.extend(features.slots.iter().map(|&slot| self.table[slot as usize]));
        let lesson = passive_aggressive::lesson(&settings, &self.weights, features.value, label);
        if lesson.loss > 0.0 {
            for &slot in features.slots {
                self.table[slot as usize] += lesson.change;
            }
        }
        lesson.margin
    }
}

fn quality(messages: &[Message<'_>]) {
    let mut filter = Filter::new();
    let mut calibration = calibration::INITIAL;
    let (mut blocked, mut missed) = (0, 0);
    let (mut fitted, mut plain) = (Bins::default(), Bins::default());
    for &message in messages {
        let margin = filter.learn(Settings::default(), message);
        match (message.0, Label::of_margin(margin)) {
            (Label::Negative, Label::Positive) => blocked += 1,
            (Label::Positive, Label::Negative) => missed += 1,
            _ => {}
        }
        fitted.add(calibration::probability(&calibration, margin), message.0);
        plain.add(passive_aggressive::sigmoid(margin), message.0);
        calibration::learn(&mut calibration, margin, message.0);
    }
    let accuracy = 100.0 - percent(blocked + missed, messages.len());
    println!("{} messages: accuracy {accuracy:.2} %, ham blocked {blocked}, spam missed {missed}", messages.len());
    println!("calibration error: sigmoid {:.2} %, fitted {:.2} %, {calibration:?}", plain.error(), fitted.error());
}

/// Passes over all messages of which the fastest counts: the first ones find cold memory, and other work may interrupt any.
const PASSES: usize = 20;

fn speed(messages: &[Message<'_>]) {
    let mut filter = Filter::new();
    let mut features = 0;
    let extracted = fastest(|| {
        features = messages.iter().map(|message| filter.extractor.extract(message.1).slots.len()).sum();
    });
    let learned = fastest(|| {
        filter.table.fill(0.0);
        for &message in messages {
            filter.learn(Settings::default(), message);
        }
    });
    let (count, features) = (messages.len() as f64, features as f64);
    println!(
        "{:.1} features a message, extracted {:.0}/s, extracted, scored and learned {:.0}/s",
        features / count,
        count / extracted,
        count / learned,
    );
}

/// Seconds of the fastest pass.
fn fastest(mut pass: impl FnMut()) -> f64 {
    let seconds = (0..PASSES).map(|_| {
        let begun = Instant::now();
        pass();
        begun.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}

fn percent(part: usize, whole: usize) -> f64 {
    100.0 * part as f64 / whole.max(1) as f64
}

/// Messages by predicted probability: how many, how many of them are spam, and the sum of the probabilities.
#[derive(Default)]
struct Bins([(f64, f64, f64); 10]);

impl Bins {
    fn add(&mut self, probability: f32, label: Label) {
        let bin = &mut self.0[((probability * 10.0) as usize).min(9)];
        bin.0 += 1.0;
        bin.1 += f64::from(u8::from(label == Label::Positive));
        bin.2 += f64::from(probability);
    }

    /// The mean distance between predicted and true frequency, in percent.
    fn error(&self) -> f64 {
        let messages: f64 = self.0.iter().map(|bin| bin.0).sum();
        100.0 * self.0.iter().map(|bin| (bin.2 - bin.1).abs()).sum::<f64>() / messages
    }
}
