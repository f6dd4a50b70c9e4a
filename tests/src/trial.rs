//! A weir under load that is checked while the load goes on: the counting learner as the exact measure of exactly-once.
//!
//! A [`Trial`] writes events, bad ones among them, and garbage to weir's own topics, from its start to its end. Faults
//! happen in between. A check closes a cohort of users and items: their counts are final from then on, so they can be
//! compared one by one while the next cohort is being written.

mod poison;
mod stream;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub use poison::Poison;
pub use stream::Stream;

use crate::counting::{Tally, check_exact, check_exact_among, check_recommender};
use crate::weir::READY_TIMEOUT;
use crate::{Cluster, Deployment, Instance, Load, Producer, Random, Role, topic, wait_until};

/// A killed worker's open transaction hides what others committed for 11 s; a broker takes a quarter of a minute to
/// come back; restores come on top.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// Events written before a fault begins, and again after its end, so that it falls into the load.
const MARGIN: usize = 2_000;
const SKIPPED: &str = "weir_frames_skipped_total";

/// Servers, workers and a gateway, under a load whose counts are known.
#[derive(Debug)]
pub struct Trial {
    cluster: Cluster,
    stream: Stream,
    load: Load,
    poison: Option<Poison>,
    poisoned: u64,
    random: Random,
    began: Instant,
}

impl Trial {
    /// Starts the processes, then the load of about `per_second` events.
    ///
    /// # Panics
    /// When something does not start; so in all methods, where what they do or check fails.
    #[must_use]
    pub fn start(
        deployment: Deployment,
        servers: usize,
        workers: usize,
        mut random: Random,
        per_second: usize,
    ) -> Self {
        let cluster = Cluster::start(deployment, servers, workers);
        let (brokers, input) = (cluster.deployment().brokers(), cluster.deployment().ratings_topic());
        let stream = Stream::new(Random::new(random.next()), topic::ends(brokers, input).len());
        let made = stream.clone();
        let load = Load::start(Producer::new(brokers, input), per_second, move || made.event());
        wait_until("the load begins", PATIENCE, || (load.written() > MARGIN as u64).then_some(()));
        let mut trial = Self { cluster, stream, load, poison: None, poisoned: 0, random, began: Instant::now() };
        trial.start_poison();
        trial
    }

    /// The processes, to do something to.
    pub fn cluster(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// One process.
    pub fn instance(&mut self, name: &str) -> &mut Instance {
        self.cluster.instance(name)
    }

    /// Events written so far.
    #[must_use]
    pub fn written(&self) -> u64 {
        self.load.written()
    }

    /// Waits until so many more events are written.
    pub fn let_pass(&self, events: usize) {
        let goal = self.load.written() + events as u64;
        wait_until("the load goes on", PATIENCE, || (self.load.written() >= goal).then_some(()));
    }

    /// From here on others come: users and items that nobody has rows for yet, so that tables and stores grow.
    pub fn grow(&self) {
        let _ = self.stream.close_cohort();
    }

    /// Lets something happen with load before, meanwhile and afterwards, then checks.
    pub fn fault(&mut self, what: &str, fault: impl FnOnce(&mut Self)) {
        let began = self.began.elapsed();
        self.let_pass(MARGIN);
        fault(self);
        self.let_pass(MARGIN);
        self.check();
        let (took, written) = (self.began.elapsed().saturating_sub(began), self.load.written());
        println!("{what}: exact after {took:.1?}; {written} events so far");
    }

    /// Kills everything and goes on with another deployment on the same input, which it learns from the beginning.
    pub fn move_to(&mut self, deployment: Deployment, servers: usize, workers: usize) {
        self.stop_poison();
        self.cluster.kill_all();
        self.cluster = Cluster::start(deployment, servers, workers);
        self.start_poison();
    }

    /// Does something to topics of weir while nobody writes garbage to them.
    pub fn without_poison(&mut self, action: impl FnOnce()) {
        self.stop_poison();
        action();
        self.start_poison();
    }

    /// Compares all counts that are final by now with what was written. The load goes on.
    pub fn check(&mut self) {
        let made = self.stream.close_cohort();
        wait_until("the cohort is written", PATIENCE, || (self.load.written() >= made).then_some(()));
        self.wait_contained();
        check_exact_among(&self.cluster.rest(), &self.stream.tally(), |id| self.stream.is_closed(id));
    }

    /// Lets a new cohort come and compares its counts alone: what came before need not be exact any more.
    pub fn check_what_is_new(&mut self) {
        let _ = self.stream.close_cohort();
        self.let_pass(MARGIN);
        let made = self.stream.close_cohort();
        wait_until("the cohort is written", PATIENCE, || (self.load.written() >= made).then_some(()));
        self.wait_contained();
        check_exact_among(&self.cluster.rest(), &self.stream.tally(), |id| self.stream.is_latest(id));
    }

    /// Ends the load and checks everything: all counts as the gateway has them, all counts as a gateway reads them from
    /// the changelogs, and that each bad event was rejected once by each model. What is left are the processes.
    ///
    /// # Panics
    /// When anything differs.
    #[must_use]
    pub fn finish(mut self) -> Cluster {
        self.check_poison_is_counted();
        self.stop_poison();
        let Self { mut cluster, stream, load, poisoned, .. } = self;
        let written = load.stop();
        let (tally, garbage, repeats) = (stream.tally(), stream.garbage(), stream.repeats());
        let ends = topic::ends(cluster.deployment().brokers(), cluster.deployment().ratings_topic());
        // Not of the broker's doing, nor of ours.
        assert_eq!(ends.iter().sum::<u64>(), written, "events that were not written once");
        assert_eq!(tally.users.values().sum::<u64>() + garbage + repeats, written);
        let models: Vec<String> = cluster.deployment().models().map(str::to_owned).collect();
        for model in &models {
            cluster.wait_contained(model, &ends, PATIENCE);
        }
        check_models(&cluster, &models, &tally);
        cluster.restart_gateway();
        check_models(&cluster, &models, &tally);
        check_rejected(cluster.deployment(), garbage);
        println!(
            "{written} events, {garbage} of them bad and {repeats} sent twice, and {poisoned} records of garbage on weir's \
             own topics: exact"
        );
        cluster
    }

    fn start_poison(&mut self) {
        let random = Random::new(self.random.next());
        self.poison = Some(Poison::start(self.cluster.deployment(), "counting", random));
    }

    fn stop_poison(&mut self) {
        self.poisoned += self.poison.take().map_or(0, Poison::stop);
    }

    fn wait_contained(&mut self) {
        let ends = topic::ends(self.cluster.deployment().brokers(), self.cluster.deployment().ratings_topic());
        self.cluster.wait_contained("counting", &ends, PATIENCE);
    }

    /// Every role has met garbage, has counted it, and goes on.
    fn check_poison_is_counted(&mut self) {
        self.cluster.wait_ready();
        for role in [Role::Server, Role::Worker, Role::Gateway] {
            let name = role.as_str();
            wait_until(&format!("a {name} counts garbage"), READY_TIMEOUT, || {
                self.cluster.of(role).any(|instance| instance.metric_with(SKIPPED, name) > 0.0).then_some(())
            });
        }
    }
}

/// What each model has counted.
fn check_models(cluster: &Cluster, models: &[String], tally: &Tally) {
    for model in models {
        match model.as_str() {
            "counting" => check_exact(&cluster.rest(), tally),
            "recommender" => check_recommender(&cluster.rest(), tally),
            other => panic!("what {other} should have counted is not known"),
        }
    }
}

/// Each bad event is in the topic of rejected events, once for each model that reads it.
fn check_rejected(deployment: &Deployment, garbage: u64) {
    let rejected = topic::read_all(deployment.brokers(), &format!("{}.rejected", deployment.ratings_topic()));
    let mut times: BTreeMap<_, usize> = BTreeMap::new();
    for record in &rejected {
        *times.entry((record.header("partition"), record.header("offset"))).or_default() += 1;
    }
    let models = deployment.models().count();
    let wrong: Vec<_> = times.iter().filter(|(_, times)| **times != models).collect();
    assert!(wrong.is_empty(), "not rejected once by each of {models} models: {wrong:?}");
    assert_eq!(times.len() as u64, garbage, "events that were rejected, and those that were bad");
}
