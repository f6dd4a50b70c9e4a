//! A topic that is given more partitions while it is read.

use weir_tests::counting::{Counter, check_counts};
use weir_tests::weir::covered;
use weir_tests::{Broker, Cluster, Deployment, Event, Load, Producer, Random, alone, topic, wait_until};

use crate::PATIENCE;

const BEFORE: u32 = 2;
const AFTER: u32 = 5;

#[test]
fn partitions_that_are_added_under_load_are_read_from_their_first_event() {
    let _alone = alone();
    let deployment = Deployment::new(Broker::shared(), "grown").with("MODELS", "counting");
    let deployment = deployment.with("KAFKA__PARTITIONS", BEFORE);
    // They would be noticed within half a minute; nobody needs to wait for that here.
    let deployment = deployment.with("KAFKA__SETTINGS__TOPIC_METADATA_REFRESH_INTERVAL_MS", 1_000);
    let mut cluster = Cluster::start(deployment, 2, 2);
    let (brokers, name) = (cluster.deployment().brokers().to_owned(), cluster.deployment().ratings_topic().to_owned());
    let counter = Counter::new(Random::new(5), 300, 100);
    let load = Load::start(Producer::new(&brokers, &name), 1_000, events(&counter, 0..BEFORE));
    wait_until("events are written", PATIENCE, || (load.written() > 2_000).then_some(()));
    topic::admin(&brokers).create_partitions(&name, AFTER).expect("more partitions");
    wait_until("the topic has grown", PATIENCE, || {
        (topic::ends(&brokers, &name).len() == AFTER as usize).then_some(())
    });
    // At once, before any worker can have noticed.
    let grown = Producer::new(&brokers, &name);
    let mut event = events(&counter, BEFORE..AFTER);
    drop(grown.send((0..300).map(|_| event())));
    wait_until("the new partitions are learned", PATIENCE, || {
        let offsets = covered(&cluster.rest(), "counting", &name)?;
        let offsets = offsets.as_array().filter(|offsets| offsets.len() == AFTER as usize)?.clone();
        offsets.iter().all(|offset| offset.as_u64() > Some(0)).then_some(())
    });
    let more = Load::start(grown, 1_000, event);
    wait_until("more events are written", PATIENCE, || (more.written() > 2_000).then_some(()));
    let written = load.stop() + more.stop() + 300;
    let ends = topic::ends(&brokers, &name);
    assert_eq!((ends.len(), ends.iter().sum::<u64>()), (AFTER as usize, written));
    cluster.wait_contained("counting", &ends, PATIENCE);
    check_counts(&cluster.rest(), &counter.tally());
    // What was stored and published with fewer partitions is gone on from.
    cluster.kill_all();
    cluster.start_all();
    drop(Producer::new(&brokers, &name).send((0..500).map(|_| counter.clone().event())));
    cluster.wait_contained("counting", &topic::ends(&brokers, &name), PATIENCE);
    check_counts(&cluster.rest(), &counter.tally());
}

/// Events in these partitions by turns.
fn events(counter: &Counter, partitions: std::ops::Range<u32>) -> impl FnMut() -> Event + Send + use<> {
    let (mut counter, mut turns) = (counter.clone(), partitions.cycle());
    move || Event { partition: turns.next(), ..counter.event() }
}
