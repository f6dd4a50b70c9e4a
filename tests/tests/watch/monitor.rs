//! A real Prometheus with the shipped rules, and a real Alertmanager behind it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use weir_tests::http::segment;
use weir_tests::{Client, Process, place, ports, wait_until};

const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Both, and how to ask them.
pub(crate) struct Monitor {
    prometheus: Client,
    alertmanager: Client,
    _processes: [Process; 2],
    _dir: TempDir,
}

impl Monitor {
    /// Scrapes these addresses once a second.
    pub(crate) fn start(targets: &[String]) -> Self {
        let dir = tempfile::Builder::new().prefix("weir-watch-").tempdir().expect("a temporary folder");
        let (port, alerts) = (ports::reserve(), ports::reserve());
        generate(&["--quick", &dir.path().join("rules.yaml").display().to_string()]);
        write(dir.path(), "alertmanager.yml", "route: {receiver: none, group_wait: 0s}\nreceivers: [{name: none}]\n");
        write(dir.path(), "prometheus.yml", &settings(targets, alerts));
        let manager = start("alertmanager", "prometheus-alertmanager", dir.path(), |command| {
            command.arg("--config.file=alertmanager.yml").arg("--storage.path=alerts").arg("--cluster.listen-address=");
            command.arg(format!("--web.listen-address=127.0.0.1:{alerts}"));
        });
        let server = start("prometheus", "prometheus", dir.path(), |command| {
            command.arg("--config.file=prometheus.yml").arg("--storage.tsdb.path=data");
            command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        });
        let monitor = Self {
            prometheus: Client::new(port),
            alertmanager: Client::new(alerts),
            _processes: [manager, server],
            _dir: dir,
        };
        for (name, client) in [("prometheus", &monitor.prometheus), ("alertmanager", &monitor.alertmanager)] {
            wait_until(&format!("{name} is ready"), START_TIMEOUT, || {
                client.try_get("/-/ready").filter(|answer| answer.status == 200)
            });
        }
        monitor
    }

    /// The samples that a query gives now.
    ///
    /// # Panics
    /// When Prometheus refuses the query.
    pub(crate) fn query(&self, expression: &str) -> Vec<f64> {
        let answer = self.prometheus.get(&format!("/api/v1/query?query={}", segment(expression)));
        assert_eq!(answer.status, 200, "{expression}: {}", answer.body);
        let found = answer.json();
        let samples = found["data"]["result"].as_array().cloned().unwrap_or_default();
        samples.iter().filter_map(|sample| sample["value"][1].as_str()?.parse().ok()).collect()
    }

    /// The names of all alert rules.
    pub(crate) fn rules(&self) -> Vec<String> {
        let answer = self.prometheus.get("/api/v1/rules?type=alert").expect(200);
        let groups = answer["data"]["groups"].as_array().cloned().unwrap_or_default();
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
        rules.filter_map(|rule| Some(rule["name"].as_str()?.to_owned())).collect()
    }

    /// The alerts of this name that Alertmanager has been told of and that have not ended, by their labels.
    pub(crate) fn firing(&self, alert: &str) -> Vec<Value> {
        let filter = segment(&format!("alertname=\"{alert}\""));
        let answer = self.alertmanager.get(&format!("/api/v2/alerts?filter={filter}"));
        let found = answer.json().as_array().cloned().unwrap_or_default();
        found.into_iter().map(|alert| alert["labels"].clone()).collect()
    }
}

/// Runs `dashboards/generate.py`; what it printed.
pub(crate) fn generate(arguments: &[&str]) -> String {
    let script = place::workspace_root().join("dashboards/generate.py");
    let output = Command::new("python3").arg(script).args(arguments).output().expect("python3 runs");
    assert!(output.status.success(), "generate.py {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn start(name: &str, program: &str, dir: &Path, configure: impl FnOnce(&mut Command)) -> Process {
    let log = place::log_dir().join(format!("{name}.log"));
    fs::write(&log, "").expect("a log");
    let process = Process::start(name, &log, &found(program), |command| {
        command.current_dir(dir);
        configure(command);
    });
    process.quiet()
}

/// A program on the path.
pub(crate) fn found(program: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut candidates = std::env::split_paths(&path).map(|folder| folder.join(program));
    candidates.find(|candidate| candidate.is_file()).unwrap_or_else(|| {
        panic!("{program} is not there: install Debian's packages prometheus and prometheus-alertmanager")
    })
}

fn settings(targets: &[String], alerts: u16) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [rules.yaml]\n\
         alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alerts}']}}]}}]}}\n\
         scrape_configs: [{{job_name: weir, static_configs: [{{targets: {targets:?}}}]}}]\n"
    )
}

fn write(dir: &Path, name: &str, text: &str) {
    fs::write(dir.join(name), text).unwrap_or_else(|error| panic!("cannot write {name}: {error}"));
}
