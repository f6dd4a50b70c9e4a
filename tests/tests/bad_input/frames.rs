//! Records on weir's own topics that are not weir's: counted, passed over, and nobody stumbles.

use weir_tests::{Event, Producer, topic, wait_until};

use crate::{PATIENCE, Site};

/// Counters of skipped records, by what is skipped where.
const SKIPPED: &str = "weir_frames_skipped_total";

#[test]
fn foreign_frames_are_counted_and_skipped() {
    let site = Site::open("frames");
    site.rate("before", "item");
    site.wait_contained();
    let asked = write_garbage(&site, "pushes", 0) + write_garbage(&site, "pulls", 0);
    let published = write_garbage(&site, "parameters", 0);
    // A worker reads one partition of the replies, which one depends on its name.
    let replies = site.deployment.internal_topic("recommender", "replies");
    let partitions = topic::ends(site.deployment.brokers(), &replies).len();
    let answered: Vec<usize> =
        (0..partitions).map(|partition| write_garbage(&site, "replies", partition as u32)).collect();
    site.rate("after", "item");
    site.wait_contained();
    assert_eq!((site.events("before"), site.events("after")), (Some(1), Some(1)));
    for (role, expected) in [("server", asked), ("gateway", published), ("worker", answered[0])] {
        wait_until(&format!("the {role} has counted all of them"), PATIENCE, || {
            (site.instance.metric_of(SKIPPED, role) >= expected as f64).then_some(())
        });
    }
    assert!(site.instance.is_ready());
}

/// The garbage lies in the logs for good: a restart from nothing must get past it too.
#[test]
fn foreign_frames_do_not_stop_a_restore() {
    let mut site = Site::open("restore");
    site.rate("before", "item");
    site.wait_contained();
    for kind in ["pushes", "parameters"] {
        write_garbage(&site, kind, 0);
    }
    site.rate("between", "item");
    site.wait_contained();
    site.instance.kill();
    site.instance.delete_data();
    site.instance.start();
    site.instance.wait_ready();
    site.rate("after", "item");
    site.wait_contained();
    for user in ["before", "between", "after"] {
        assert_eq!(site.events(user), Some(1), "{user}");
    }
}

/// Writes records that are no frames of this model; how many.
fn write_garbage(site: &Site, kind: &str, partition: u32) -> usize {
    let values: [&[u8]; 4] = [b"", b"not a frame", &[0xff; 100], b"{\"user\": \"u\", \"item\": \"i\"}"];
    let events = values.map(|value| Event { key: Some(b"foreign".to_vec()), ..Event::raw(partition, value) });
    let topic = site.deployment.internal_topic("recommender", kind);
    Producer::new(site.deployment.brokers(), &topic).send(events).len()
}
