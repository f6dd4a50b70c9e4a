//! How long a killed server is away: from the start of its successor until it answers pulls, and until answers contain what
//! was sent after the kill.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use weir_kafka::{AckedSender, OutRecord};
use weir_models::Named;
use weir_runtime::Settings;

use super::distribution::Distribution;
use super::events::Event;
use super::pipeline::{Running, wait};
use crate::topics;

const HTTP_TIMEOUT: Duration = Duration::from_secs(2);

/// A server in a process of its own, which is killed with this value.
struct Server {
    child: Child,
    /// Where it serves health and metrics.
    ops: SocketAddr,
}

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
        let ops = weir_runtime::bind("ops", "127.0.0.1:0")?.local_addr()?;
        command.arg("--ops").arg(ops.to_string());
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
        Ok(Self { child: child.context("start a server")?, ops })
    }

    /// Waits until it answers, then until `contained`; it was started at `began`.
    fn recover(&self, began: Instant, contained: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Recovery> {
        let is_ready = || self.get("/health/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"));
        wait("the server is ready", || (is_ready().then_some(()), 0))?;
        let answering = began.elapsed();
        let phase = |phase: &str| {
            let name = "weir_server_restore_phase_duration_seconds_sum{";
            let seconds = self.sum_with(name, phase).context("the server shows no metrics")?;
            Ok::<_, anyhow::Error>(Duration::from_secs_f64(seconds))
        };
        let (loading, reading) = (phase("\"store\"")?, phase("\"changelog\"")?);
        contained()?;
        Ok(Recovery { answering, loading, reading, contained: began.elapsed() })
    }

    /// The sum of a metric's values.
    fn sum(&self, metric: &str) -> Option<f64> {
        self.sum_with(metric, "")
    }

    fn sum_with(&self, metric: &str, label: &str) -> Option<f64> {
        let text = self.get("/metrics")?;
        let lines = text.lines().filter(|line| line.starts_with(metric) && line.contains(label));
        Some(lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// What it answers to a GET, with its head; none where nobody answers.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.ops, HTTP_TIMEOUT).ok()?;
        stream.set_read_timeout(Some(HTTP_TIMEOUT)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    /// SIGKILL, and waits until it is gone.
    fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // It may have ended by itself; then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
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

/// One recovery: times from the start of the server's process, except the two phases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recovery {
    /// Until it answers pulls.
    answering: Duration,
    /// Of that, loading the local store, and reading the changelog behind it.
    loading: Duration,
    reading: Duration,
    /// Until answers of the gateway contain what was sent while the server was away.
    contained: Duration,
}

/// All recoveries, phase by phase; the first one is the one that counts.
pub(super) fn distributions(recoveries: &[Recovery]) -> Vec<Distribution> {
    let of = |what, time: fn(&Recovery) -> Duration| {
        Distribution::of(what, &recoveries.iter().map(time).collect::<Vec<_>>())
    };
    vec![
        of("start of the server until it answers pulls", |recovery| recovery.answering),
        of("of it loading the local store", |recovery| recovery.loading),
        of("of it reading the changelog", |recovery| recovery.reading),
        of("start until answers contain what was sent meanwhile", |recovery| recovery.contained),
    ]
}

/// Kills the server of a model that has learned up to `ends` so many times under load.
pub(super) fn measure(
    settings: &Settings,
    ends: &[u64],
    (kills, rate): (usize, f64),
    next: impl FnMut() -> Event + Send,
) -> anyhow::Result<Vec<Recovery>> {
    let data = tempfile::tempdir().context("a directory for the server")?;
    let mut server = Server::start(settings, data.path())?;
    let running = Running::start(settings, &[crate::roles::Role::Worker])?;
    let load = Arc::new(Load { acknowledged: 0.into(), latest: Mutex::default(), stop: false.into() });
    let outcome = std::thread::scope(|scope| {
        let sending = scope.spawn(|| load.run(settings, rate, next));
        let outcome = (|| {
            running.wait_covered(Named::Recommender.name(), ends)?;
            println!("the server holds {} rows", server.sum("weir_server_rows{").unwrap_or_default());
            let mut recoveries = Vec::new();
            for _ in 0..kills {
                wait_contained(&running, load.wait_for_one()?)?;
                server.kill();
                let sent = load.wait_for_one()?;
                let began = Instant::now();
                server = Server::start(settings, data.path())?;
                let recovery = server.recover(began, || wait_contained(&running, sent))?;
                recoveries.push(recovery);
                println!("kill {} of {kills}: {recovery:.2?}", recoveries.len());
            }
            Ok::<_, anyhow::Error>(recoveries)
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
