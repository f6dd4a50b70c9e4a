//! Kafka's own command for consumer groups, as an operator uses it.

use std::process::Command;
use std::time::Duration;

use crate::kafka_jars;
use crate::wait::wait_until;

const COMMAND: &str = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand";
/// A group can be changed when its members are gone; a static one that was killed goes with its session.
const PATIENCE: Duration = Duration::from_mins(1);

/// Deletes a group with all its committed offsets, as soon as nobody is a member any more.
///
/// # Panics
/// When Kafka refuses.
pub fn delete_group(brokers: &str, group: &str) {
    until_done(brokers, &["--delete", "--group", group], "was successful");
}

/// Moves the committed offsets of a group in all partitions of `topic` by so many records, as soon as nobody is a member
/// any more.
///
/// # Panics
/// When Kafka refuses.
pub fn shift_offsets(brokers: &str, group: &str, topic: &str, by: i64) {
    let by = format!("--shift-by={by}");
    let arguments = ["--reset-offsets", "--group", group, "--topic", topic, &by, "--execute"];
    until_done(brokers, &arguments, topic);
}

/// Calls the command until it says `done` and no error.
fn until_done(brokers: &str, arguments: &[&str], done: &str) {
    let mut said = String::new();
    wait_until(&format!("{arguments:?} works"), PATIENCE, || {
        said = consumer_groups(brokers, arguments);
        (said.contains(done) && !said.contains("Error")).then_some(())
    });
    println!("{}", said.trim());
}

fn consumer_groups(brokers: &str, arguments: &[&str]) -> String {
    let kafka = kafka_jars::fetch().unwrap_or_else(|problem| panic!("{problem}"));
    let mut command = Command::new(&kafka.java);
    command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp"]).arg(kafka.jars.join("*"));
    // Of its log only errors: they would look like one of the command's own.
    command.args(["-Dorg.slf4j.simpleLogger.defaultLogLevel=off", COMMAND, "--bootstrap-server", brokers]);
    let output = command.args(arguments).output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat()
}
