//! The demo as a process: it needs nothing, shows that something is learned, and ends when it should.

use std::process::{Command, Output};

/// The number in `text` after `before`.
#[track_caller]
fn number(text: &str, before: &str) -> f64 {
    let Some((_, rest)) = text.rsplit_once(before) else { panic!("no {before:?} in {text}") };
    let end = rest.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(rest.len());
    rest[..end].parse().unwrap_or_else(|error| panic!("no number after {before:?} in {text}: {error}"))
}

fn demo(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("WEIR_")) {
        command.env_remove(name);
    }
    // The settings of a deployment must not reach it.
    command.env("WEIR_BROKERS", "127.0.0.1:1").env("WEIR_SERVER__SHARDS", "0");
    command.arg("demo").args(arguments).output().expect("weir runs")
}

#[test]
fn it_learns_without_a_kafka_and_ends_by_itself() {
    let output = demo(&["--for", "10s", "--listen", "127.0.0.1:0", "--seed", "3"]);
    let [said, problems] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    println!("{said}");
    assert!(output.status.success(), "{}\n{said}\n{problems}", output.status);
    assert!(said.contains("made up from a seed") && said.contains("for trying only"), "the banner: {said}");
    assert!(number(&said, "a second now, ") > 0.0 && number(&said, "learned   ") > 0.0, "{said}");
    let (model, mean) = (number(&said, "RMSE "), number(&said, "running mean "));
    assert!(model < mean, "RMSE {model} of the model, {mean} of the running mean\n{said}");
    let (model, majority) = (number(&said, "messages  "), number(&said, "more frequent label "));
    assert!(model > majority, "{model} % of the labels right, {majority} % by the more frequent one\n{said}");
    assert!(said.contains("recommended: item-") && said.contains("curl 'http://127.0.0.1:"), "{said}");
}

#[test]
fn what_it_does_not_understand_is_one_sentence() {
    for (arguments, part) in [(["--for", "soon"], "for example 30s"), (["--listen", "nowhere"], "setting listen")] {
        let output = demo(&arguments);
        let problems = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && problems.contains(part), "{arguments:?}: {problems}");
    }
}
