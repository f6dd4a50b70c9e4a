//! A broker that goes and comes back: told, survived, nothing lost.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use weir_kafka::{
    AckedSender, Admin, Connection, Error, GroupSettings, IdleGroup, Member, MemberEvent, OutRecord, Sender, StartAt,
};
use weir_tests::{Broker, try_wait_until, wait_until};

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

/// Where a record is, or why it may not be there.
type Outcome = Result<(u32, u64), Error>;

/// A record that is sent until it is acknowledged: after an error it is open whether it is there.
struct Repeated<'a> {
    sender: &'a AckedSender,
    record: OutRecord,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
    sent: Cell<usize>,
}

impl<'a> Repeated<'a> {
    fn send(sender: &'a AckedSender, record: OutRecord) -> Self {
        let repeated = Self { sender, record, outcomes: Arc::default(), sent: Cell::new(0) };
        repeated.again();
        repeated
    }

    /// Sends it again if all that was sent has failed.
    fn again(&self) {
        let outcomes = self.outcomes.lock().unwrap();
        if outcomes.len() == self.sent.get() && !outcomes.iter().any(Result::is_ok) {
            let known = Arc::clone(&self.outcomes);
            let acked = move |outcome| known.lock().unwrap().push(outcome);
            self.sender.send_acked(&self.record, Box::new(acked)).unwrap();
            self.sent.set(self.sent.get() + 1);
        }
    }
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
    let after = Repeated::send(&acked, record(&topic, 0, "after"));
    let noticed = try_wait_until(2 * PATIENCE, || {
        role.step();
        after.again();
        role.knows("after", true)
    });
    let (seen, connected) = (&role.seen, role.member.stats().connected());
    assert!(noticed.is_some(), "seen {seen:?}, connected {connected}, sent with {:?}", after.outcomes.lock().unwrap());
    assert!(!role.seen.contains("lost"));

    // Nor does anything need a broker to end.
    broker.stop();
    let began = Instant::now();
    role.member.close();
    drop((acked, plain, admin));
    assert!(began.elapsed() < Duration::from_secs(10), "ending took {:?}", began.elapsed());
}

#[test]
fn a_group_is_known_to_be_idle_while_the_broker_still_loads_its_groups() {
    let mut broker = Broker::private();
    let connection = Connection::new(broker.brokers(), "weir-test");
    let topic: Arc<str> = broker.topic("input").into();
    Admin::connect(&connection, PATIENCE).unwrap().ensure_topics(&[spec(&topic, 1, false)]).unwrap();
    let idle = IdleGroup::open(&connection, "nobody", &topic, PATIENCE).unwrap();
    // The first member of all makes the broker create its groups; a restart makes it load them.
    for _ in 0..2 {
        let mut role = Role::start(&connection, &topic);
        let sender = AckedSender::open(&connection).unwrap();
        let sent = Repeated::send(&sender, record(&topic, 0, "sent"));
        wait_until("the member reads", PATIENCE, || {
            idle.check_idle().expect("nobody is a member");
            sent.again();
            role.step();
            role.knows("sent", true)
        });
        role.member.close();
        broker.restart();
        idle.check_idle().expect("nobody is a member");
    }
}
