//! What operators write to the control topic, and who wins.

use std::sync::Barrier;
use std::thread;

use weir_tests::{Broker, Deployment, kills};

/// What a command said, and whether it did what it was told.
pub(crate) fn said(deployment: &Deployment, arguments: &[&str]) -> (bool, String) {
    let output = deployment.run(arguments);
    let text = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    (output.status.success(), text)
}

#[track_caller]
pub(crate) fn done(deployment: &Deployment, arguments: &[&str]) -> String {
    let (done, said) = said(deployment, arguments);
    assert!(done, "{arguments:?}: {said}");
    said
}

#[track_caller]
pub(crate) fn refused(deployment: &Deployment, arguments: &[&str], part: &str) {
    let (done, said) = said(deployment, arguments);
    assert!(!done && said.contains(part), "{arguments:?} does not say {part:?}: {said}");
}

#[test]
fn operators_are_told_what_is_not_possible() {
    let deployment = kills::deployment(Broker::shared(), "operators").with("GENERATIONS__PROMOTE_WITHIN_MS", 500);
    let list = done(&deployment, &["models"]);
    assert!(list.contains("model counting, version 0") && list.contains("g1     live"), "{list}");
    refused(&deployment, &["promote", "counting", "g2"], "there is no generation g2");
    refused(&deployment, &["promote", "counting", "two"], "names no generation");
    refused(&deployment, &["promote", "spam", "g2"], "not one of the setting models (counting)");
    refused(&deployment, &["retire", "counting", "g1"], "only one that does not serve can be retired");
    refused(&deployment, &["rollback", "counting"], "no generation that served before g1 is kept");
    let train = |set: &str| ["train", "counting", "--detach", "--set", set].map(str::to_owned);
    for (set, part) in [("recommender.factors=many", "recommender.factors"), ("server.shards=0", "server.shards")] {
        let arguments = train(set);
        refused(&deployment, &arguments.each_ref().map(String::as_str), part);
    }
    deployment.create_topics();
    let begun = done(&deployment, &["train", "counting", "--detach", "--set", "server.shards=2"]);
    assert!(begun.contains("generation g2 of model counting begins, with server.shards=2"), "{begun}");
    let list = done(&deployment, &["models"]);
    assert!(
        list.contains("version 1") && list.contains("g2     training") && list.contains("server.shards=2"),
        "{list}"
    );
    refused(&deployment, &["retire", "counting", "g2", "--seen", "0"], "at version 1, not at 0");
    done(&deployment, &["retire", "counting", "g2", "--seen", "1"]);
    refused(&deployment, &["promote", "counting", "g2"], "generation g2 is retired");
    assert!(done(&deployment, &["models"]).contains("g2     retired"));
}

/// Each round two commands want to promote, a generation each, having seen the same version.
#[test]
fn of_two_promotions_at_once_exactly_one_wins() {
    let deployment = kills::deployment(Broker::shared(), "clash");
    deployment.create_topics();
    // Nothing is in the log, so that they have caught up by being there.
    for _ in 0..2 {
        done(&deployment, &["train", "counting"]);
    }
    let mut version = version(&deployment);
    for round in 0..5 {
        // Of g2 and g3 both are shadows at the beginning of each round.
        let (together, seen) = (Barrier::new(2), version.to_string());
        let outcomes = thread::scope(|scope| {
            let promote = |generation: &'static str| {
                let (together, seen, deployment) = (&together, &seen, &deployment);
                scope.spawn(move || {
                    together.wait();
                    said(deployment, &["promote", "counting", generation, "--seen", seen])
                })
            };
            [promote("g2"), promote("g3")].map(|thread| thread.join().expect("it ends"))
        });
        let won = outcomes.iter().filter(|(done, _)| *done).count();
        let told =
            |text: &str| text.contains("somebody else changes generations") || text.contains("somebody has changed");
        let lost = outcomes.iter().filter(|(done, said)| !done && told(said)).count();
        assert_eq!((won, lost), (1, 1), "round {round}: {outcomes:?}");
        let list = done(&deployment, &["models"]);
        assert_eq!(list.matches(" live ").count(), 1, "{list}");
        done(&deployment, &["rollback", "counting"]);
        version += 2;
        assert_eq!(self::version(&deployment), version, "each change is one version");
    }
}

fn version(deployment: &Deployment) -> u64 {
    let list = done(deployment, &["models"]);
    let version = list.lines().find_map(|line| line.strip_prefix("model counting, version "));
    version.and_then(|version| version.parse().ok()).unwrap_or_else(|| panic!("no version in {list}"))
}
