use std::collections::BTreeMap;

use proptest::prelude::*;
use weir_learn::linear::Learner;
use weir_learn::{passive_aggressive, text};
use weir_ps::{
    Batch, RowTable,
    memory::{Faults, Outcome, Plan, run},
    words,
};
use weir_wire::message::Label;

mod generation;
mod learners;
mod lopsided;
mod several;
mod tenants;

use super::*;
use crate::{Decoder, Input, InputModel};

/// A record: its value, or none to forget its id; its id; its time in seconds.
#[derive(Clone, Debug)]
struct Record {
    id: String,
    value: Option<String>,
    text: Option<String>,
    seconds: i64,
    offset: u64,
}

fn said(id: &str, text: Option<&str>, label: Option<&str>) -> Record {
    let field =
        |name: &str, value: Option<&str>| value.map_or(String::new(), |value| format!(r#","{name}":"{value}""#));
    let value = format!(r#"{{"id":"{id}"{}{}}}"#, field("text", text), field("label", label));
    Record { id: id.into(), value: Some(value), text: text.map(str::to_owned), seconds: 1_000_000, offset: 0 }
}

fn forget(id: &str) -> Record {
    Record { value: None, ..said(id, None, Some("ham")) }
}

fn settings() -> SpamSettings {
    SpamSettings {
        topic: "messages".into(),
        text: text::Settings::try_from(text::HyperParameters { slot_bits: 16, ..text::HyperParameters::default() })
            .unwrap(),
        learning: Learning::two(Learner::PassiveAggressive(passive_aggressive::Settings::default())),
        influence: Influence::default(),
        remembered_ids: 1_000,
        remembered_seconds: 3_600,
        remembered_bytes: 480,
        labels_wait: true,
        policy: Policy::default(),
    }
}

/// Learns records of one source partition each.
fn learn_all(settings: SpamSettings, sources: Vec<Vec<Record>>, plan: &Plan) -> Outcome {
    learn_with(&SpamModel::new(settings), sources, plan)
}

fn learn_with(model: &SpamModel, sources: Vec<Vec<Record>>, plan: &Plan) -> Outcome {
    let numbered = |records: Vec<Record>| -> Vec<Record> {
        records.into_iter().enumerate().map(|(n, record)| Record { offset: n as u64, ..record }).collect()
    };
    let sources: Vec<Vec<Record>> = sources.into_iter().map(numbered).collect();
    let decode = |record: &Record, batch: &mut Batch<SpamEvent>| {
        let payload = record.value.as_deref().map(str::as_bytes);
        let key = Some(record.id.as_bytes());
        let (timestamp_ms, offset) = (record.seconds * 1_000, record.offset);
        model.decoder().decode(Input { key, payload, timestamp_ms, offset }, batch).unwrap();
    };
    run(model, &sources, plan, decode).unwrap()
}

fn learn(records: Vec<Record>) -> Outcome {
    learn_all(settings(), vec![records], &plan(1))
}

/// One batch at a time, so that equal events give equal weights.
fn plan(seed: u64) -> Plan {
    let mut plan = Plan::small(seed, 1, 2);
    plan.worker.limits.in_flight = 1;
    plan.worker.frame_bytes = 4_000;
    plan
}

fn counts(outcome: &Outcome) -> [u64; COUNT_VALUES] {
    let mut counts = [0; COUNT_VALUES];
    for (_, _, row) in rows(outcome, COUNTS) {
        (0..COUNT_VALUES).for_each(|place| counts[place] += words::u64_at(row, place));
    }
    counts
}

fn rows(outcome: &Outcome, table: u8) -> impl Iterator<Item = (u64, Option<&str>, &[u32])> {
    outcome.shards.iter().filter_map(move |rows| rows.table(table)).flat_map(RowTable::iter)
}

/// Weights that are not 0, to six digits: sums may round in other orders.
fn weights(outcome: &Outcome) -> BTreeMap<u64, i64> {
    let rounded = |(key, _, row): (u64, Option<&str>, &[u32])| (key, (f32::from_bits(row[0]) * 1e6).round() as i64);
    rows(outcome, WEIGHTS).map(rounded).filter(|(_, weight)| *weight != 0).collect()
}

#[derive(Debug, PartialEq)]
struct Said {
    offset: u64,
    id: String,
    label: Label,
    margin: f32,
    probability: f32,
    true_label: Option<Label>,
    learned: Option<u64>,
}

fn scored(outcome: &Outcome) -> Vec<Said> {
    let read = |output: &weir_ps::Output| {
        let scored = weir_wire::scored::parse(output.value.as_deref().unwrap()).unwrap();
        assert_eq!((output.stream, output.key.as_deref()), (SCORED, Some(scored.id.as_bytes())));
        assert_eq!((&*scored.source.topic, &*scored.model.name), ("messages", "spam"));
        Said {
            offset: scored.source.offset,
            id: scored.id.into_owned(),
            label: scored.label,
            margin: scored.margin,
            probability: scored.probability,
            true_label: scored.true_label,
            learned: scored.model.learned,
        }
    };
    outcome.outputs.iter().filter(|output| output.stream == SCORED).map(read).collect()
}

const PRIZE: &str = "win a free prize now, call 0800 12345";
const DINNER: &str = "shall we have dinner at home tonight?";

#[test]
fn messages_are_scored_before_they_are_learned() {
    let records = vec![
        said("a", Some(PRIZE), Some("spam")),
        said("b", Some(DINNER), Some("ham")),
        said("c", Some("free prize, call now"), None),
        said("d", Some("dinner at home"), None),
    ];
    let outcome = learn(records);
    let scored = scored(&outcome);
    assert_eq!(scored.len(), 4);
    assert_eq!((scored[0].margin, scored[0].label, scored[0].true_label), (0.0, Label::HAM, Some(Label::SPAM)));
    assert_eq!(scored.iter().map(|said| said.learned).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), Some(2)]);
    assert_eq!((scored[2].label, scored[3].label, scored[2].true_label), (Label::SPAM, Label::HAM, None));
    assert!(scored[2].probability > 0.5 && scored[3].probability < 0.5, "{scored:?}");
    assert_eq!(counts(&outcome), [4, 4, 2, 0, 0]);
}

/// What the records teach, compared with what `same` teach; what they are counted as.
#[track_caller]
fn check(records: Vec<Record>, same: Vec<Record>, expected: [u64; COUNT_VALUES]) {
    let outcome = learn(records);
    assert_eq!(weights(&outcome), weights(&learn(same)));
    assert_eq!(counts(&outcome), expected);
}

#[test]
fn a_label_counts_once_and_another_corrects_it() {
    let spam = || said("a", Some(PRIZE), Some("spam"));
    let ham = || said("a", Some(PRIZE), Some("ham"));
    let text = || said("a", Some(PRIZE), None);
    let only = |label| said("a", None, Some(label));
    let other = || said("b", Some(DINNER), Some("ham"));
    check(vec![spam(), spam(), only("spam")], vec![spam()], [3, 2, 1, 0, 2]);
    check(vec![text(), only("spam"), only("spam")], vec![spam()], [3, 1, 1, 0, 1]);
    check(vec![only("spam"), only("spam"), text(), text()], vec![spam()], [4, 2, 1, 0, 1]);
    check(vec![only("spam"), ham()], vec![ham()], [2, 1, 1, 0, 0]);
    check(vec![spam(), ham()], vec![ham()], [2, 2, 1, 1, 0]);
    check(vec![spam(), only("ham")], vec![ham()], [2, 1, 1, 1, 0]);
    check(vec![other(), text(), only("ham"), spam()], vec![other(), spam()], [4, 3, 2, 1, 0]);
    check(vec![spam(), only("ham"), only("spam")], vec![spam()], [3, 1, 1, 2, 0]);
}

#[test]
fn a_message_that_is_forgotten_begins_anew_and_what_it_taught_stays() {
    let spam = || said("a", Some(PRIZE), Some("spam"));
    let gone = learn(vec![spam(), forget("a")]);
    assert_eq!((rows(&gone, REMEMBERED).count(), rows(&gone, FEATURES).count()), (0, 0));
    assert_eq!(weights(&gone), weights(&learn(vec![spam()])));
    let again = learn(vec![spam(), forget("a"), spam()]);
    assert_eq!(counts(&again), [3, 2, 2, 0, 0], "it teaches again");
    let label = learn(vec![spam(), forget("a"), said("a", None, Some("ham"))]);
    assert_eq!(counts(&label), [3, 1, 1, 0, 0], "there is no text to learn it with");
}

#[test]
fn labels_of_messages_that_are_not_known_are_refused_as_they_came() {
    let later = |record: Record, seconds| Record { seconds: record.seconds + seconds, ..record };
    let strict = SpamSettings { labels_wait: false, ..settings() };
    let text = || said("a", Some(PRIZE), None);
    let spam = || said("a", None, Some("spam"));
    let records = vec![said("b", None, Some("ham")), text(), spam(), forget("a"), spam(), text(), later(spam(), 3_601)];
    let outcome = learn_all(strict, vec![records], &plan(1));
    assert_eq!(counts(&outcome), [4, 2, 1, 0, 0], "refused ones are no events");
    let refused: Vec<_> = outcome.outputs.iter().filter(|output| output.stream == crate::REJECTED).collect();
    let header = |output: &weir_ps::Output, name: &str| {
        let (_, value) = output.headers.iter().find(|(found, _)| *found == name).unwrap();
        String::from_utf8(value.clone()).unwrap()
    };
    let said: Vec<_> = refused.iter().map(|output| (header(output, "reason"), header(output, "offset"))).collect();
    assert_eq!(said, ["0", "4", "6"].map(|offset| ("unknown_id".to_owned(), offset.to_owned())));
    let value = br#"{"id":"b","label":"ham"}"#;
    assert_eq!((refused[0].key.as_deref(), refused[0].value.as_deref()), (Some(&b"b"[..]), Some(&value[..])));
    assert_eq!(
        (header(refused[0], "length"), header(refused[0], "topic")),
        (value.len().to_string(), "messages".into())
    );
}

/// The records that were refused while they were learned.
fn refused(outcome: &Outcome) -> Vec<(Option<Vec<u8>>, Vec<u8>)> {
    let outputs = outcome.outputs.iter().filter(|output| output.stream == crate::REJECTED);
    let headers = |output: &weir_ps::Output| output.headers.iter().flat_map(|(_, value)| value.clone()).collect();
    let mut refused: Vec<_> = outputs.map(|output| (output.value.clone(), headers(output))).collect();
    refused.sort();
    refused
}

/// Messages of each class; nothing where all of them are 0.
fn classes(outcome: &Outcome) -> Vec<Vec<u32>> {
    rows(outcome, CLASSES).map(|(_, _, row)| row.to_vec()).collect()
}

#[test]
fn each_class_counts_its_messages_by_their_latest_label() {
    let classes = |records| classes(&learn(records));
    let spam = || said("a", Some(PRIZE), Some("spam"));
    assert_eq!(classes(vec![spam(), spam(), said("b", Some(DINNER), Some("ham"))]), [vec![1, 0, 1, 0]]);
    assert_eq!(classes(vec![spam(), said("a", None, Some("ham"))]), [vec![0, 0, 1, 0]]);
    assert_eq!(classes(vec![said("a", None, Some("ham")), said("b", Some(DINNER), None)]), Vec::<Vec<u32>>::new());
}

#[test]
fn long_texts_are_taught_by_a_sample() {
    // Words of letters: all digits are one.
    let letters = |number: u64| number.to_string().bytes().map(|digit| char::from(digit + 49)).collect::<String>();
    let long: String = (0..400).map(|number| letters(weir_wire::key(number, "word")) + " ").collect();
    let outcome = learn(vec![said("a", Some(&long), None), said("a", None, Some("spam"))]);
    assert_eq!(counts(&outcome), [2, 1, 1, 0, 0]);
    let taught = weights(&outcome).len();
    assert!((100..=480).contains(&taught), "{taught} features");
    // The whole text has come again, and what the sample taught is taken back.
    let corrected =
        vec![said("a", Some(&long), None), said("a", None, Some("spam")), said("a", Some(&long), Some("ham"))];
    check(corrected, vec![said("a", Some(&long), Some("ham"))], [3, 2, 1, 1, 0]);
}

#[test]
fn messages_are_remembered_within_a_bound_and_a_time() {
    let text = |number: usize, seconds| Record {
        seconds,
        ..said(&format!("m{number}"), Some(&format!("text {number}")), None)
    };
    let bounded = SpamSettings { remembered_ids: 5, ..settings() };
    let mut records: Vec<Record> = (0..40).map(|number| text(number, 1_000 + number as i64)).collect();
    for seed in 0..10 {
        let mut plan = plan(seed);
        plan.faults = Faults { crash_worker: 5, crash_shard: 20, move_source: 0, lose_message: 20 };
        let outcome = learn_all(bounded.clone(), vec![records.clone()], &plan);
        for table in [REMEMBERED, FEATURES] {
            let mut kept: Vec<u64> = rows(&outcome, table).map(|(key, ..)| key).collect();
            assert_eq!(kept.len(), 10, "five on each of two shards");
            kept.sort_unstable();
            let key = |number: usize| weir_wire::key(bounded.hash_seed(), &format!("m{number}"));
            assert!(kept.binary_search(&key(39)).is_ok() && kept.binary_search(&key(0)).is_err(), "seed {seed}");
        }
    }
    records.push(text(40, 1_039 + 3_600));
    records.push(text(41, 1_039 + 3_600));
    let outcome = learn_all(settings(), vec![records], &plan(1));
    // Each shard lets go of what is too old when something new comes.
    assert!(rows(&outcome, REMEMBERED).count() <= 22, "{}", rows(&outcome, REMEMBERED).count());
}

#[test]
fn what_is_remembered_ends_with_its_time() {
    let later = |record: Record, seconds| Record { seconds: record.seconds + seconds, ..record };
    let spam = || said("a", Some(PRIZE), Some("spam"));
    assert_eq!(counts(&learn(vec![spam(), later(spam(), 3_600)])), [2, 2, 1, 0, 1]);
    assert_eq!(counts(&learn(vec![spam(), later(spam(), 3_601)])), [2, 2, 2, 0, 0]);
}

fn events() -> impl Strategy<Value = Vec<Vec<Record>>> {
    let label = || prop::option::of(prop_oneof![Just("spam"), Just("ham")]);
    let event = (0..12_u32, prop::option::weighted(0.7, 0..6_usize), label(), prop::bool::weighted(0.05));
    prop::collection::vec(prop::collection::vec(event, 0..80), 1..4).prop_map(|sources| {
        let record = |source: usize, (id, text, label, gone): (u32, Option<usize>, Option<&str>, bool)| {
            let id = format!("{source}-{id}");
            let texts = [PRIZE, DINNER, "free call", "home", "", "a prize for dinner"];
            match (gone, text, label) {
                (true, ..) | (false, None, None) => forget(&id),
                (false, text, label) if id.ends_with('7') => {
                    tenants::of("a", said(&id, text.map(|text| texts[text]), label))
                }
                (false, text, label) => said(&id, text.map(|text| texts[text]), label),
            }
        };
        let records =
            |(source, events): (usize, Vec<_>)| events.into_iter().map(|event| record(source, event)).collect();
        sources.into_iter().enumerate().map(records).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever crashes, moves or is in flight: each text is scored once, labels count as they do without any of that, and
    /// the same is remembered. What was taught depends on how much was in flight, so the amounts may differ.
    #[test]
    fn counts_are_exact_under_faults(
        sources in events(),
        seed in any::<u64>(),
        (workers, shards, in_flight) in (1..3_u32, 1..4_u32, 1..4_usize),
        (crash_worker, crash_shard, move_source, lose_message) in (0..4_u32, 0..8_u32, 0..4_u32, 0..60_u32),
        labels_wait in any::<bool>(),
    ) {
        let settings = SpamSettings { labels_wait, ..settings() };
        let quiet = learn_all(settings.clone(), sources.clone(), &plan(1));
        let mut faulty = Plan::small(seed, workers, shards);
        faulty.worker.limits.in_flight = in_flight;
        faulty.worker.frame_bytes = 4_000;
        faulty.faults = Faults { crash_worker, crash_shard, move_source, lose_message };
        let outcome = learn_all(settings, sources, &faulty);
        prop_assert_eq!(counts(&outcome), counts(&quiet));
        prop_assert_eq!(refused(&outcome), refused(&quiet));
        prop_assert_eq!(classes(&outcome), classes(&quiet));
        let order = |outcome: &Outcome| {
            let mut scored: Vec<_> = scored(outcome).into_iter().map(|said| (said.id, said.offset, said.learned)).collect();
            scored.sort();
            scored
        };
        prop_assert_eq!(order(&outcome), order(&quiet));
        let known = |outcome: &Outcome| -> BTreeMap<u64, Vec<u32>> {
            // All but what was taught.
            rows(outcome, REMEMBERED).map(|(key, _, row)| (key, vec![row[0], row[2], row[3]])).collect()
        };
        prop_assert_eq!(known(&outcome), known(&quiet));
    }

    /// With one source partition and one batch in flight, what is said of each message does not depend on how events are
    /// cut into batches, save for how sums round.
    #[test]
    fn scores_do_not_depend_on_batches(sources in events(), size in 1..20_usize, seed in any::<u64>()) {
        let source = vec![sources[0].clone()];
        let by_one = { let mut plan = plan(1); plan.batch.events = 1; plan };
        let mut other = plan(seed);
        other.batch.events = size;
        let (expected, found) = (learn_all(settings(), source.clone(), &by_one), learn_all(settings(), source, &other));
        prop_assert_eq!(counts(&expected), counts(&found));
        for (expected, found) in scored(&expected).iter().zip(&scored(&found)) {
            prop_assert_eq!(&expected.id, &found.id);
            prop_assert!((expected.margin - found.margin).abs() < 1e-4, "{:?} {:?}", expected, found);
            prop_assert!((expected.probability - found.probability).abs() < 1e-4, "{:?} {:?}", expected, found);
        }
    }
}
