//! Every learner through worker and shards, held against the same learner on rows in memory.

use weir_learn::evaluate::messages::{Filter, Options};
use weir_learn::linear::Learner;
use weir_learn::passive_aggressive::{self as pa, Variant};
use weir_learn::{adagrad, arow, ftrl};
use weir_ps::Schema as _;

use super::*;
use crate::ExpectedLayout;

fn learners() -> Vec<Learner> {
    let of = |variant| {
        let values = pa::HyperParameters { variant, ..pa::HyperParameters::default() };
        Learner::PassiveAggressive(pa::Settings::try_from(values).unwrap())
    };
    let penalised = ftrl::HyperParameters { l1: 0.01, l2: 0.1, ..ftrl::HyperParameters::default() };
    vec![
        of(Variant::Pa),
        of(Variant::PaI),
        of(Variant::PaII),
        Learner::Arow(arow::Settings::default()),
        Learner::Ftrl(ftrl::Settings::default()),
        Learner::Ftrl(ftrl::Settings::try_from(penalised).unwrap()),
        Learner::AdaGrad(adagrad::Settings::default()),
    ]
}

/// Texts of two kinds that share words.
fn messages() -> Vec<(String, &'static str)> {
    let word = |number: u64| format!("w{}", weir_wire::key(number, "word") % 60);
    let message = |number: u64| {
        let is_spam = weir_wire::key(number, "class").is_multiple_of(3);
        let words: Vec<String> = (0..6).map(|place| word(number * 8 + place)).collect();
        let topic = if is_spam { "win a prize" } else { "see you at home" };
        (format!("{topic} {}", words.join(" ")), if is_spam { "spam" } else { "ham" })
    };
    (0..150).map(message).collect()
}

#[test]
fn each_learner_says_of_every_message_what_it_says_without_a_server() {
    for learner in learners() {
        let settings = SpamSettings { learning: Learning::two(learner), ..settings() };
        let mut filter = Filter::new(learner, settings.text, Options::default());
        let mut extractor = text::Extractor::new(settings.text);
        let messages = messages();
        let record =
            |(number, (text, label)): (usize, &(String, &str))| said(&number.to_string(), Some(text), Some(label));
        let outcome = learn_all(settings, vec![messages.iter().enumerate().map(record).collect()], &plan(7));
        let scored = scored(&outcome);
        assert_eq!(scored.len(), messages.len());
        for (said, (text, label)) in scored.iter().zip(&messages) {
            let truth = if *label == "spam" { pa::Label::Positive } else { pa::Label::Negative };
            let expected = filter.next(extractor.extract(text).slots, truth);
            let name = learner.name();
            assert!((said.margin - expected.margin).abs() < 1e-4, "{name}: {said:?}, not {expected:?}");
            assert!((said.probability - expected.probability).abs() < 1e-4, "{name}: {said:?}, not {expected:?}");
        }
        let right = scored.iter().zip(&messages).skip(50).filter(|(said, (_, label))| said.label.as_str() == *label);
        assert!(right.count() >= 95, "{}", learner.name());
    }
}

/// Whoever answers from a copy of the rows says what the next message of a worker would be told.
#[test]
fn each_learners_rows_are_read_alike_by_those_who_answer() {
    for learner in learners() {
        let settings = SpamSettings { learning: Learning::two(learner), ..settings() };
        let record =
            |(number, (text, label)): (usize, &(String, &str))| said(&number.to_string(), Some(text), Some(label));
        let mut records: Vec<Record> = messages().iter().enumerate().map(record).collect();
        let text = "win a prize w1 w2 w3";
        records.push(said("asked", Some(text), None));
        let outcome = learn_all(settings.clone(), vec![records], &plan(7));
        let row = |table, key| outcome.shards.iter().find_map(|shard| shard.table(table)?.get(key));
        let mut scorer = TextScorer::new(settings.text, settings.learning);
        let score = scorer.score(Content::new(text, None), 0, row);
        let by_worker = scored(&outcome).pop().unwrap();
        assert!((score.margin - by_worker.margin).abs() < 1e-5, "{}: {score:?} {by_worker:?}", learner.name());
        assert!((score.probability - by_worker.probability).abs() < 1e-5, "{}", learner.name());
        let explanation = scorer.explain(Content::new(text, None), 0, row);
        assert_eq!(explanation.spam[0].part, "prize", "{}: {explanation:?}", learner.name());
    }
}

#[test]
fn rows_of_another_learner_are_refused_and_those_of_another_variant_are_not() {
    let layout = |learner| {
        let schema = SpamSchema::new(&SpamSettings { learning: Learning::two(learner), ..settings() });
        assert_eq!(schema.tables()[usize::from(WEIGHTS)].width, learner.width());
        ExpectedLayout::new("cluster", weir_ps::Partitioner::Hash { shards: 1 }, 1, &schema)
    };
    let all = learners();
    for (place, learner) in all.iter().enumerate() {
        for (other_place, other) in all.iter().enumerate() {
            let found = layout(*learner).check(layout(*other).written());
            let alike = std::mem::discriminant(learner) == std::mem::discriminant(other);
            assert_eq!(found.is_ok(), alike, "{place} {other_place}: {found:?}");
        }
    }
    let refused = layout(all[3]).check(layout(all[6]).written()).unwrap_err();
    assert!(refused.contains("settings is spam.learner.adagrad = 2, expected spam.learner.arow = 2"), "{refused}");
}
