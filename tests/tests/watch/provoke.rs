//! One thing after the other goes wrong, and the alert that is meant for it fires.

use std::process::Command;
use std::sync::atomic::Ordering;

use weir_tests::{Role, wait_until};

use crate::alerts::{Fired, check_silent};
use crate::site::Site;

/// What fires for nothing but its own reason, however busy the machine is.
const SILENT: [&str; 5] =
    ["WeirRoleDown", "WeirInputStalled", "WeirQualityDropped", "WeirRejectsRising", "WeirMemoryNearBound"];
/// Less than any process of weir takes.
const FEW_BYTES: &str = "1000000";

/// Provokes every alert that can be.
pub(crate) fn each_alert(site: &mut Site) {
    let mut fired = Fired::default();
    for alert in SILENT {
        check_silent(site, alert);
    }
    fired.wait(site, "WeirStoreOld", ("instance", site.servers[1].ops().address()));
    little_memory(site, &mut fired);
    bad_events(site, &mut fired);
    other_tastes(site, &mut fired);
    restless_group(site, &mut fired);
    dead_worker(site, &mut fired);
    servers_that_stand_still(site, &mut fired);
    broker_that_stands_still(site, &mut fired);
    slow_publishing(site, &mut fired);
    no_more_events(site, &mut fired);
    fired.check_all(site);
}

fn little_memory(site: &mut Site, fired: &mut Fired) {
    let pid = site.gateway.pid().to_string();
    let limit = |bytes: &str| {
        let status = Command::new("prlimit").args(["--pid", &pid, &format!("--rss={bytes}:unlimited")]).status();
        assert!(status.expect("prlimit runs").success());
    };
    limit(FEW_BYTES);
    fired.wait(site, "WeirMemoryNearBound", ("instance", site.gateway.ops().address()));
    limit("unlimited");
    Fired::wait_ended(site, "WeirMemoryNearBound");
}

fn bad_events(site: &Site, fired: &mut Fired) {
    site.write_refused(500);
    fired.wait(site, "WeirRejectsRising", ("model", "recommender"));
}

fn other_tastes(site: &Site, fired: &mut Fired) {
    site.turned.store(true, Ordering::Relaxed);
    fired.wait(site, "WeirQualityDropped", ("measure", "squared_error"));
    site.turned.store(false, Ordering::Relaxed);
}

/// Workers under new names come and go, and each moves the partitions of all.
fn restless_group(site: &Site, fired: &mut Fired) {
    // The group has moved at the start, too.
    Fired::wait_ended(site, "WeirRebalancesFlapping");
    let mut number = 0;
    let mut guests = Vec::new();
    fired.wait_while(site, "WeirRebalancesFlapping", ("role", "worker"), || {
        let has_joined = guests.last_mut().is_none_or(|guest: &mut weir_tests::Instance| guest.is_ready());
        if has_joined && number < 8 {
            number += 1;
            guests.push(site.deployment.start(Role::Worker, &format!("guest-{number}")));
        }
    });
}

fn dead_worker(site: &mut Site, fired: &mut Fired) {
    Fired::wait_ended(site, "WeirGatewayStale");
    site.worker.kill();
    fired.wait(site, "WeirRoleDown", ("instance", site.worker.ops().address()));
    fired.wait(site, "WeirGatewayStale", ("model", "recommender"));
    site.worker.start();
    // What has waited is learned now, and was late.
    fired.wait(site, "WeirFreshnessBeyondTarget", ("model", "recommender"));
    site.worker.wait_ready();
    Fired::wait_ended(site, "WeirRoleDown");
    Fired::wait_ended(site, "WeirGatewayStale");
}

/// Workers read on and wait for rows.
fn servers_that_stand_still(site: &mut Site, fired: &mut Fired) {
    site.servers.iter_mut().for_each(weir_tests::Instance::pause);
    fired.wait(site, "WeirLagGrowing", ("model", "recommender"));
    site.servers.iter_mut().for_each(weir_tests::Instance::resume);
    site.servers.iter_mut().for_each(weir_tests::Instance::wait_ready);
    Fired::wait_ended(site, "WeirLagGrowing");
}

/// A quota of Kafka's makes a server publish more slowly than it applies.
fn slow_publishing(site: &mut Site, fired: &mut Fired) {
    let client = format!("{}.server-0", site.deployment.internal_topic("recommender", "server"));
    site.broker.limit_producer(&client, Some(1));
    fired.wait(site, "WeirBarrierOld", ("instance", site.servers[0].ops().address()));
    site.broker.limit_producer(&client, None);
    site.servers.iter_mut().for_each(weir_tests::Instance::wait_ready);
}

/// How often the broker stands still until a worker is caught at its commit.
const PAUSES: usize = 5;

/// Transactions wait for their commit, and are given up after a quarter of a minute. One that was only about to send its
/// offsets is given up sooner, and hangs for nobody; then the broker stands still once more.
fn broker_that_stands_still(site: &mut Site, fired: &mut Fired) {
    Fired::wait_ended(site, "WeirTransactionsFailing");
    let hangs = (0..PAUSES).any(|_| {
        site.broker.pause();
        let hangs = fired.fires(site, "WeirTransactionHanging", ("role", "worker"));
        if !hangs {
            site.broker.resume();
            site.servers.iter_mut().for_each(weir_tests::Instance::wait_ready);
            site.worker.wait_ready();
        }
        hangs
    });
    assert!(hangs, "the broker stood still {PAUSES} times, and no transaction of a worker was said to hang");
    fired.wait(site, "WeirTransactionsFailing", ("role", "worker"));
    site.broker.resume();
    site.servers.iter_mut().for_each(weir_tests::Instance::wait_ready);
    site.worker.wait_ready();
}

fn no_more_events(site: &mut Site, fired: &mut Fired) {
    let learned = || site.monitor.query("sum(rate(weir_worker_events_total[10s]))").first().copied().unwrap_or(0.0);
    wait_until("events are learned again", std::time::Duration::from_mins(1), || (learned() > 0.0).then_some(()));
    site.stop_load();
    fired.wait(site, "WeirInputStalled", ("topic", site.deployment.ratings_topic()));
}
