//! `weir demo`: all of weir in one process, on a broker of its own and a synthetic world, to be looked at.
//!
//! It shows what runs, so it asks as a user would, over REST. What is shown of the world's truth is known only here.

mod campaigns;
mod feed;
mod lane;
mod quality;
mod rest;
mod screen;
mod show;
mod sources;
mod world;

#[cfg(test)]
pub(crate) use campaigns::Mailbox;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_kafka::Embedded;
use weir_runtime::{Settings, Sources};

use crate::arguments::Demo;
use crate::learner::built_in;
use crate::roles::{Role, Running};
use crate::topics;
use feed::Feed;
use rest::Rest;
use screen::Screen;
use sources::{Messages, Ratings};

const BANNER: &str = "\
weir demo. The broker is librdkafka's mock cluster inside this process, for trying only: it keeps nothing, isolates no
transactions, and no role is ever started again on it. Events that are not of a file are synthetic, made up from a seed.";

/// How long the roles may take to be ready.
const READY: Duration = Duration::from_mins(1);
/// How often a terminal is refreshed; elsewhere a line is printed every few of these.
const REFRESH: Duration = Duration::from_millis(500);

/// Runs until told to stop, or for as long as the command says.
///
/// # Errors
/// A port is taken, or a role fails: this broker keeps nothing that it could start again from.
pub(crate) fn run(command: &Demo) -> anyhow::Result<()> {
    println!("{BANNER}");
    let ratings = Ratings::open(command.ratings.as_deref(), command.seed)?;
    let messages = Messages::open(command.messages.as_deref(), command.seed)?;
    let embedded = Embedded::start()?;
    let data = tempfile::tempdir().context("a directory for the stores")?;
    let settings = settings(command, embedded.brokers(), data.path())?;
    let learners = built_in(&settings)?;
    embedded.create_topics(&topics::specs(&settings)?)?;
    let running = Running::start(&learners, &Role::ALL, settings)?;
    let outcome = show(command, &running, (ratings, messages));
    running.stop().and(outcome)
}

/// The defaults, small batches so that what is on the way stays small, and no settings of the environment: they are
/// for a Kafka.
fn settings(command: &Demo, brokers: &str, data: &Path) -> anyhow::Result<Settings> {
    let data = data.to_str().context("the temporary directory's name is not Unicode")?;
    let given = [
        ("brokers", brokers),
        ("data_dir", data),
        ("listen", &command.listen),
        ("prefix", "demo"),
        ("models", "recommender,spam"),
        ("worker.batch_events", "256"),
        ("worker.reply_partitions", "1"),
        // The embedded broker lets a fetch that finds nothing wait to its end, whatever arrives meanwhile.
        ("kafka.settings.fetch.wait.max.ms", "10"),
        ("log.filter", "warn"),
    ];
    let arguments = given.map(|(setting, value)| (setting.to_owned(), value.to_owned())).to_vec();
    Ok(Settings::load(&Sources { arguments, ..Sources::default() })?)
}

fn show(command: &Demo, running: &Running, sources: (Ratings, Messages)) -> anyhow::Result<()> {
    let gateway = running.gateway.as_ref().context("a demo has a gateway")?;
    let address = running.address.context("a gateway has an address")?;
    wait_ready(running)?;
    let rest = Arc::new(Rest::new(address));
    let feed = Feed::start(&running.context, gateway, Arc::clone(&rest), sources)?;
    let (began, mut screen) = (Instant::now(), Screen::new());
    let mut shown = show::Shown::new(rest, address);
    let over = || command.duration.is_some_and(|duration| began.elapsed() >= duration);
    let mut last = None;
    while !over() && !running.context.shutdown.wait(REFRESH) {
        check(running)?;
        match shown.refresh(&feed.shared, began.elapsed()) {
            Ok(picture) => screen.draw(last.insert(picture)),
            // It was told to stop while it asked.
            Err(_) if running.context.shutdown.is_requested() => break,
            Err(error) => return Err(feed.stop().err().unwrap_or(error)),
        }
    }
    feed.stop()?;
    check(running)?;
    if let Some(picture) = &last {
        screen.finish(picture);
    }
    Ok(())
}

fn wait_ready(running: &Running) -> anyhow::Result<()> {
    let began = Instant::now();
    while !running.context.health.is_ready() {
        check(running)?;
        anyhow::ensure!(began.elapsed() < READY, "the roles are not ready after {READY:?}; see the log above");
        if running.context.shutdown.wait(Duration::from_millis(20)) {
            break;
        }
    }
    Ok(())
}

/// A role that failed would be started again from what this broker keeps, which is nothing.
fn check(running: &Running) -> anyhow::Result<()> {
    let failures = running.context.metrics.roles_failed();
    anyhow::ensure!(
        failures == 0,
        "a role failed, as the log above says, and the demo's broker keeps nothing to go on from"
    );
    Ok(())
}
