//! A broker that goes and comes back: told, survived, nothing lost.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use weir_kafka::{AckedSender, Admin, Connection, Error, GroupSettings, Member, MemberEvent, Sender, StartAt};
use weir_tests::{Broker, wait_until};

use crate::support::{PATIENCE, record, spec};

/// A role that reads the topic and does no more than a role must.
struct Role<'a> {
    connection: &'a Connection,
    topic: &'a Arc<str>,
    member: Member,
    seen: BTreeSet<String>,
}

impl<'a> Role<'a> {
    fn start(connection: &'a Connection, topic: &'a Arc<str>) -> Self {
        Self { connection, topic, member: join(connection, topic), seen: BTreeSet::new() }
    }

    fn step(&mut self) {
        let seen = &mut self.seen;
        let polled = self.member.poll(Duration::from_millis(50), 100, &mut |record| {
            seen.insert(String::from_utf8_lossy(record.payload.unwrap_or_default()).into_owned());
        });
        match polled {
            Ok(polled) => polled.events.iter().for_each(|event| self.answer(event)),
            // What it was away for may have been longer than its session; nothing else may have happened.
            Err(Error::SessionLost { .. }) => {
                self.member.close();
                self.member = join(self.connection, self.topic);
            }
            Err(error) => panic!("a lost broker is no error: {error}"),
        }
    }

    fn answer(&self, event: &MemberEvent) {
        match event {
            MemberEvent::Assigned(_) => self.member.assign(&[(0, StartAt::Beginning)]).expect("it is assigned"),
            MemberEvent::Revoked { .. } => self.member.unassign().expect("it is given up"),
            MemberEvent::EndOfPartition(_) => {}
        }
    }

    fn knows(&self, payload: &str, connected: bool) -> Option<()> {
        (self.seen.contains(payload) && self.member.stats().connected() == connected).then_some(())
    }
}

fn join(connection: &Connection, topic: &Arc<str>) -> Member {
    Member::join(connection, GroupSettings::new("group", &**topic, "one")).expect("it joins")
}

#[test]
fn a_member_outlives_the_loss_of_the_broker() {
    let mut broker = Broker::private();
    let connection = Connection::new(broker.brokers(), "weir-test");
    let topic: Arc<str> = broker.topic("input").into();
    let admin = Admin::connect(&connection, PATIENCE).unwrap();
    admin.ensure_topics(&[spec(&topic, 1, false)]).unwrap();
    let (acked, plain) = (AckedSender::open(&connection).unwrap(), Sender::open(&connection).unwrap());
    acked.send_acked(&record(&topic, 0, "before"), Box::new(|_| {})).unwrap();
    let mut role = Role::start(&connection, &topic);
    wait_until("the first record", PATIENCE, || {
        role.step();
        role.knows("before", true)
    });

    broker.stop();
    wait_until("the loss is noticed", PATIENCE, || {
        role.step();
        role.knows("before", false)
    });
    plain.send(&record(&topic, 0, "lost")).unwrap();
    wait_until("the plain record is given up", PATIENCE, || {
        (plain.stats().failed.load(Ordering::Relaxed) == 1).then_some(())
    });

    broker.restart();
    acked.send_acked(&record(&topic, 0, "after"), Box::new(|_| {})).unwrap();
    wait_until("the broker is noticed and the record after it is read", 2 * PATIENCE, || {
        role.step();
        role.knows("after", true)
    });
    assert!(!role.seen.contains("lost"));

    // Nor does anything need a broker to end.
    broker.stop();
    let began = Instant::now();
    role.member.close();
    drop((acked, plain, admin));
    assert!(began.elapsed() < Duration::from_secs(10), "ending took {:?}", began.elapsed());
}
