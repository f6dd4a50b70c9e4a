//! How long a killed server is away: from the start of its successor until answers contain what was sent after the kill.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_kafka::{AckedSender, OutRecord};
use weir_models::Named;
use weir_runtime::Settings;

use super::events::Event;
use super::pipeline::{Running, wait};
use crate::topics;

/// A server in a process of its own, which is killed with this value.
struct Server(Child);

impl Server {
    fn start(settings: &Settings, data: &Path) -> anyhow::Result<Self> {
        let mut command = Command::new(std::env::current_exe().context("the path of this program")?);
        command.args([
            "server",
            "--name",
            "bench-server",
            "--brokers",
            &settings.brokers,
            "--prefix",
            &settings.prefix,
        ]);
        command.arg("--models").arg(settings.models.join(",")).arg("--data-dir").arg(data);
        let recommender = &settings.recommender;
        let own = [
            ("topics.ratings".to_owned(), settings.topics.ratings.clone()),
            ("recommender.factors".to_owned(), recommender.factors.to_string()),
            ("recommender.ranking.factors".to_owned(), recommender.ranking.factors.to_string()),
            ("server.shards".to_owned(), settings.server.shards.to_string()),
        ];
        let kafka =
            settings.kafka.settings.iter().map(|(name, value)| (format!("kafka.settings.{name}"), value.clone()));
        for (setting, value) in own.into_iter().chain(kafka) {
            command.arg("--set").arg(format!("{setting}={value}"));
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Ok(Self(child.context("start a server")?))
    }

    /// SIGKILL, and waits until it is gone.
    fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ratings that are sent on and on.
struct Load {
    /// How many were acknowledged, and where the latest one is.
    acknowledged: AtomicU64,
    latest: Mutex<Option<(u32, u64)>>,
    stop: AtomicBool,
}

impl Load {
    fn run(self: &Arc<Self>, settings: &Settings, rate: f64, mut next: impl FnMut() -> Event) -> anyhow::Result<()> {
        let sender = AckedSender::open(&topics::connection(settings))?;
        let (topic, began) = (Arc::<str>::from(settings.topics.ratings.as_str()), Instant::now());
        let mut sent = 0_u64;
        while !self.stop.load(Ordering::Acquire) {
            while (sent as f64) < began.elapsed().as_secs_f64() * rate {
                let ((key, value), load) = (next(), Arc::clone(self));
                let record = OutRecord::new(Arc::clone(&topic), None, Some(key), Some(value));
                sender.send_acked(&record, Box::new(move |outcome| load.acknowledge(&outcome)))?;
                sent += 1;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(sender.flush(Duration::from_secs(10))?)
    }

    fn acknowledge(&self, outcome: &weir_kafka::Result<(u32, u64)>) {
        if let Ok(place) = outcome {
            *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(*place);
            self.acknowledged.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Where an event is that is sent from now on.
    fn wait_for_one(&self) -> anyhow::Result<(u32, u64)> {
        let before = self.acknowledged.load(Ordering::Acquire);
        wait("the broker takes ratings", || {
            let now = self.acknowledged.load(Ordering::Acquire);
            let latest = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
            (latest.filter(|_| now > before), now)
        })
    }
}

/// Kills the server of a model that has learned up to `ends` so many times under load; the time of each recovery.
pub(super) fn measure(
    settings: &Settings,
    ends: &[u64],
    (kills, rate): (usize, f64),
    next: impl FnMut() -> Event + Send,
) -> anyhow::Result<Vec<Duration>> {
    let data = tempfile::tempdir().context("a directory for the server")?;
    let mut server = Server::start(settings, data.path())?;
    let running = Running::start(settings, &[crate::roles::Role::Worker])?;
    let load = Arc::new(Load { acknowledged: 0.into(), latest: Mutex::default(), stop: false.into() });
    let outcome = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load.run(settings, rate, next));
        let outcome = (|| {
            running.wait_covered(Named::Recommender.name(), ends)?;
            let mut times = Vec::new();
            for _ in 0..kills {
                wait_contained(&running, load.wait_for_one()?)?;
                server.kill();
                let sent = load.wait_for_one()?;
                let began = Instant::now();
                server = Server::start(settings, data.path())?;
                wait_contained(&running, sent)?;
                times.push(began.elapsed());
                println!("kill {} of {kills}: back after {:.2} s", times.len(), began.elapsed().as_secs_f64());
            }
            Ok::<_, anyhow::Error>(times)
        })();
        load.stop.store(true, Ordering::Release);
        sending.join().map_err(|_| anyhow::anyhow!("the load ended in a panic"))??;
        outcome
    });
    running.stop()?;
    outcome
}

fn wait_contained(running: &Running, (partition, offset): (u32, u64)) -> anyhow::Result<()> {
    wait("answers contain what was sent", || {
        let covered = running.covered(Named::Recommender.name());
        let contained = covered.get(partition as usize).is_some_and(|next| *next > offset);
        (contained.then_some(()), covered.iter().sum())
    })
}
