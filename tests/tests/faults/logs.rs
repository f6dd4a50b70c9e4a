//! Logs that no longer reach back far enough, and a topic that has taken the place of another: no process goes on from
//! them, the last words say what is missing, and what they advise works.

use weir_tests::trial::PATIENCE;
use weir_tests::{Broker, Deployment, Trial, topic, wait_until};

use crate::{EVENTS_PER_SECOND, check_refused, deployment, random};

#[test]
fn what_is_gone_from_a_log_is_named_and_another_prefix_learns_it_all() {
    let broker = Broker::shared();
    let first = deployment(broker, "logs");
    let [second, third] = ["second", "third"].map(|name| first.clone().with("PREFIX", broker.topic(name)));
    let mut trial = Trial::start(first.clone(), 1, 1, random(4), EVENTS_PER_SECOND);
    trial.fault("push records that are not published are deleted", |trial| {
        stop_publishing(trial, &first);
        delete_all_records(&first, &first.internal_topic("counting", "pushes"));
        let said = ["the push log of shard", "begins at offset", "are lost", "begin a new generation"];
        trial.instance("server-1").start();
        check_refused(trial.instance("server-1"), "started without them", &said);
        accept_loss(trial, &first, "lacks the push records from offset", &first.internal_topic("counting", "pushes"));
        trial.move_to(second.clone(), 1, 1);
    });
    trial.fault("the push log is deleted and created anew", |trial| {
        let pushes = second.internal_topic("counting", "pushes");
        trial.instance("server-1").kill();
        trial.instance("worker-1").kill();
        trial.without_poison(|| recreate(&second, &pushes));
        trial.instance("server-1").start();
        let said = ["was deleted and created anew", "begin a new generation", "another prefix"];
        check_refused(trial.instance("server-1"), "started on the new one", &[&[&pushes[..]], &said[..]].concat());
        trial.move_to(third.clone(), 1, 1);
    });
    trial.instance("worker-1").kill();
    trial.let_pass(EVENTS_PER_SECOND);
    delete_all_records(&third, third.ratings_topic());
    trial.instance("worker-1").start();
    let said = ["begins at offset", "between are gone", "a longer retention", "another prefix"];
    check_refused(trial.instance("worker-1"), "events were deleted before they were learned", &said);
    assert!(trial.instance("server-1").exit_status().is_none(), "the server has nothing to do with that");
    accept_loss(&mut trial, &third, "are not learned", third.ratings_topic());
}

/// As an operator does: looks what is lost of a log, stops what runs, says yes, and starts again. Whatever comes from then
/// on counts exactly, and what is lost is named among the refused events.
fn accept_loss(trial: &mut Trial, deployment: &Deployment, lost: &str, log: &str) {
    let accept_loss = |arguments: &[&str]| {
        let output = deployment.run(&[&["accept-loss"], arguments].concat());
        (
            output.status.success(),
            [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat(),
        )
    };
    let (shown, said) = accept_loss(&[]);
    assert!(shown && said.contains(lost) && said.contains("nothing was changed"), "{said}");
    println!("{}", said.trim());
    // One of the two runs, as the other cannot. Those who are killed are members until their sessions end, however soon that is.
    let (accepted, said) = accept_loss(&["--yes"]);
    assert!(!accepted && said.contains("stop them first"), "who runs is a member: {said}");
    for name in ["server-1", "worker-1"] {
        trial.instance(name).kill();
    }
    wait_until("the loss is accepted", PATIENCE, || accept_loss(&["--yes"]).0.then_some(()));
    let (_, said) = accept_loss(&[]);
    assert!(said.contains("nothing is lost"), "{said}");
    trial.cluster().start_all();
    trial.check_what_is_new();
    let rejected = topic::read_all(deployment.brokers(), &format!("{}.rejected", deployment.ratings_topic()));
    let named = rejected.iter().any(|record| record.header("reason") == "lost" && record.header("topic") == log);
    assert!(named, "the loss is not among the refused events");
}

/// Kills the server and waits until there is a push that it has not read.
fn stop_publishing(trial: &mut Trial, deployment: &Deployment) {
    trial.instance("server-1").kill();
    let ends = || topic::ends(deployment.brokers(), &deployment.internal_topic("counting", "pushes"));
    let before = ends();
    wait_until("more is pushed to every shard", PATIENCE, || {
        ends().iter().zip(&before).all(|(now, before)| now > before).then_some(())
    });
}

fn delete_all_records(deployment: &Deployment, topic: &str) {
    let ends: Vec<(u32, u64)> = (0..).zip(topic::ends(deployment.brokers(), topic)).collect();
    topic::admin(deployment.brokers()).delete_records(topic, &ends).expect("the records are deleted");
}

fn recreate(deployment: &Deployment, topic: &str) {
    let admin = topic::admin(deployment.brokers());
    admin.delete_topic(topic).expect("the topic is deleted");
    wait_until("the topic is gone", PATIENCE, || admin.partition_count(topic).ok()?.is_none().then_some(()));
    deployment.create_topics();
}
