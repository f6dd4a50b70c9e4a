//! The SMS Spam Collection in the order of its file.

use std::collections::BTreeMap;

use weir_tests::data::{Message, messages};
use weir_tests::weir::covered;
use weir_tests::{Event, Place, alone, wait_until};

use crate::filter::{Counts, Filter, PATIENCE, Scored, deployment};

/// Messages in a hundred that are taken for what they are before they are learned.
const ACCURATE: f64 = 97.5;

fn events(messages: &[Message]) -> impl Iterator<Item = Event> {
    messages.iter().map(|message| Event::keyed(&message.id, &message.event()))
}

/// Each message is scored once, at its place, with the label that it came with; how many in a hundred are right.
fn check_scored(scored: &BTreeMap<Place, Scored>, places: &[Place], messages: &[Message]) -> f64 {
    assert_eq!((scored.len(), places.len()), (messages.len(), messages.len()));
    let mut right = 0;
    for (place, message) in places.iter().zip(messages) {
        let said = scored.get(place).unwrap_or_else(|| panic!("{place:?} is not scored"));
        assert_eq!((&said.id, said.true_label.as_ref()), (&message.id, Some(&message.label)));
        assert_eq!(said.label == "spam", said.margin > 0.0, "{said:?}");
        assert!((0.0..=1.0).contains(&said.probability), "{said:?}");
        right += usize::from(said.label == message.label);
    }
    100.0 * right as f64 / messages.len() as f64
}

fn all_learned(messages: &[Message]) -> Counts {
    let count = messages.len() as u64;
    Counts { events: count, scored: count, learned: count, ..Counts::default() }
}

/// With one batch in flight, which is the default, it does not matter how the messages are cut into batches.
#[test]
fn one_partition_is_learned_alike_in_batches_of_any_size() {
    let _alone = alone();
    let messages = messages();
    let mut said = Vec::new();
    for size in [16, 4_096] {
        let deployment = deployment(&format!("one-{size}"), 1).with("WORKER__BATCH_EVENTS", size);
        let mut filter = Filter::start(deployment.with("SPAM__HISTORY_SHARE", 0), 1, 1);
        let places = filter.write(events(&messages));
        filter.wait_contained();
        let scored = filter.scored();
        let accuracy = check_scored(&scored, &places, &messages);
        println!("{} messages through one partition in batches of {size}: {accuracy:.2} %", messages.len());
        assert!(accuracy >= ACCURATE, "{accuracy} % in batches of {size}");
        assert_eq!(filter.counts(), all_learned(&messages));
        said.push(scored);
    }
    let different = said[0].values().zip(said[1].values()).filter(|(one, other)| one.label != other.label).count();
    assert_eq!(different, 0, "messages that are taken for something else in other batches");
    let apart = said[0].values().zip(said[1].values()).map(|(one, other)| (one.margin - other.margin).abs());
    let most = apart.fold(0.0, f64::max);
    assert!(most < 1e-3, "margins are up to {most} apart, more than sums round");
}

#[test]
fn four_partitions_are_learned_with_everything_killed_in_the_middle() {
    let _alone = alone();
    let messages = messages();
    // Small batches, so that the kill meets some on their way.
    let deployment = deployment("four", 4).with("WORKER__BATCH_EVENTS", 32);
    let mut filter = Filter::start(deployment, 2, 2);
    let places = filter.write(events(&messages));
    let topic = filter.cluster.deployment().messages_topic().to_owned();
    let learned = |filter: &Filter| -> u64 {
        let offsets = covered(&filter.rest(), "spam", &topic).unwrap_or_default();
        offsets.as_array().into_iter().flatten().filter_map(serde_json::Value::as_u64).sum()
    };
    wait_until("the first messages are learned", PATIENCE, || (learned(&filter) > 300).then_some(()));
    filter.cluster.kill_all();
    filter.cluster.start_all();
    filter.wait_contained();
    let accuracy = check_scored(&filter.scored(), &places, &messages);
    println!("{} messages through four partitions: {accuracy:.2} %", messages.len());
    assert!(accuracy >= ACCURATE, "{accuracy} %");
    assert_eq!(filter.counts(), all_learned(&messages));

    filter.cluster.kill_all();
    filter.cluster.delete_data();
    filter.cluster.start_all();
    // All of it again: every message is known by now, on shards that have read everything anew.
    drop(filter.write(events(&messages)));
    filter.wait_contained();
    let count = messages.len() as u64;
    let twice = Counts { events: 2 * count, scored: 2 * count, learned: count, corrected: 0, repeated: count };
    assert_eq!(filter.counts(), twice);
}
