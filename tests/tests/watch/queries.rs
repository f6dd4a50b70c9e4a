//! Every query of every panel, and the metrics' own form.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use weir_tests::{Instance, try_wait_until};

use crate::monitor::{found, generate};
use crate::site::Site;

/// What a client of Grafana would choose: all, and a window of a few scrapes.
const CHOICES: [(&str, &str); 4] =
    [("$model", ".*"), ("$generation", ".*"), ("$instance", ".*"), ("$__rate_interval", "10s")];
const PATIENCE: Duration = Duration::from_mins(1);

/// promtool has nothing to say about the metrics of any role.
pub(crate) fn check_metrics(site: &Site) {
    let all = site.servers.iter().chain([&site.worker, &site.gateway]);
    all.for_each(check_metrics_of);
}

fn check_metrics_of(instance: &Instance) {
    let text = instance.ops().get("/metrics").body;
    let mut promtool = Command::new(found("promtool"));
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn().expect("promtool runs");
    child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("promtool ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{}: {said}", instance.name());
}

/// Each query gives at least one number while there is load on everything.
pub(crate) fn all_return_data(site: &Site) {
    let queries: Value = serde_json::from_str(&generate(&["--queries"])).expect("JSON");
    let mut waiting = queries.as_array().cloned().expect("a list");
    assert!(waiting.len() > 100, "{} queries", waiting.len());
    let all = try_wait_until(PATIENCE, || {
        waiting.retain(|query| !returns_data(site, query["query"].as_str().expect("a query")));
        waiting.is_empty().then_some(())
    });
    assert!(all.is_some(), "{} queries return nothing: {waiting:#?}", waiting.len());
}

fn returns_data(site: &Site, query: &str) -> bool {
    let chosen = CHOICES.iter().fold(query.to_owned(), |query, (name, value)| query.replace(name, value));
    site.monitor.query(&chosen).iter().any(|value| value.is_finite())
}
