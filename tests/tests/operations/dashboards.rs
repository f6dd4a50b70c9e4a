//! Dashboards and rules are what their source makes, valid by Grafana's schema and by promtool, and documented.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::tools::{files, node_modules, python, repository, run};

const PROMETHEUS: &str = "Debian: prometheus, prometheus-alertmanager";

#[test]
fn what_is_generated_is_up_to_date() {
    run(Command::new("python3").arg(repository("dashboards/generate.py")).arg("--check"), "Debian: python3");
}

#[test]
fn grafanas_model_knows_every_field() {
    let script = repository("tests/tests/operations/round_trip.py");
    run(python().arg(script).args(files("dashboards/grafana", "json")), "Debian: python3");
}

#[test]
fn grafanas_types_take_every_field() {
    let modules = node_modules();
    let mut sources = Vec::new();
    for path in files("dashboards/grafana", "json") {
        // The one enumeration that dashboards have; a text is no member of it.
        let json = fs::read_to_string(&path).expect("a dashboard");
        let json = json.replace("\"mode\": \"absolute\"", "\"mode\": ThresholdsMode.Absolute");
        let source = modules.join(path.with_extension("ts").file_name().expect("a name"));
        let head = "import { type Dashboard, ThresholdsMode } from '@grafana/schema';\nexport const made: Dashboard = ";
        fs::write(&source, format!("{head}{json};\n")).expect("written");
        sources.push(source);
    }
    let mut compiler = Command::new("node_modules/.bin/tsc");
    compiler.args(["--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "bundler"]);
    compiler.args(["--module", "esnext", "--target", "esnext"]).args(sources).current_dir(&modules);
    run(&mut compiler, "Debian: nodejs, npm");
}

#[test]
fn rules_are_valid_and_fire_and_keep_still_in_their_unit_tests() {
    let folder = repository("dashboards/prometheus");
    run(Command::new("promtool").args(["check", "rules", "rules.yaml"]).current_dir(&folder), PROMETHEUS);
    run(Command::new("promtool").args(["test", "rules", "rules-test.yaml"]).current_dir(&folder), PROMETHEUS);
    run(Command::new("amtool").args(["check-config", "alertmanager.yml"]).current_dir(&folder), PROMETHEUS);
    let syntax = ["check", "config", "--syntax-only", "prometheus.yml"];
    run(Command::new("promtool").args(syntax).current_dir(&folder), PROMETHEUS);
}

/// Each alert has a unit test, firing and not, and an entry in the README that its link leads to.
#[test]
fn every_alert_is_tested_and_explained() {
    let rules = fs::read_to_string(repository("dashboards/prometheus/rules.yaml")).expect("rules");
    let tests = fs::read_to_string(repository("dashboards/prometheus/rules-test.yaml")).expect("tests");
    let readme = fs::read_to_string(repository("README.md")).expect("README.md");
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() >= 11, "{alerts:?}");
    for alert in alerts {
        let expression = format!("expr: 'ALERTS{{alertname=\"{alert}\", alertstate=\"firing\"}}'");
        let mut cases = tests.split(&expression).skip(1).map(|rest| rest.split("- expr:").next().unwrap_or_default());
        assert!(cases.clone().any(|case| case.contains("exp_samples: []")), "{alert} is never silent in a unit test");
        assert!(cases.any(|case| case.contains("value: 1")), "{alert} never fires in a unit test");
        assert!(readme.contains(&format!("\n#### {alert}\n")), "{alert} has no entry in README.md");
    }
}

/// The names that compose gives to Prometheus, Grafana and the rules fit together.
#[test]
fn provisioning_leads_to_the_dashboards() {
    let script = "import json, sys, yaml; print(json.dumps([yaml.safe_load(open(path)) for path in sys.argv[1:]]))";
    let paths = ["datasources.yaml", "dashboards.yaml"].map(|name| repository("dashboards/provisioning").join(name));
    let read = run(python().args(["-c", script]).args(paths), "Debian: python3");
    let read: Value = serde_json::from_str(&read).expect("JSON");
    assert_eq!(read[0]["datasources"][0]["type"], "prometheus");
    assert_eq!(read[1]["providers"][0]["options"]["path"], "/var/lib/grafana/dashboards");
    let compose = fs::read_to_string(repository("docker/compose.yaml")).expect("compose.yaml");
    for mount in [
        "../dashboards/grafana:/var/lib/grafana/dashboards:ro",
        "../dashboards/provisioning/datasources.yaml:/etc/grafana/provisioning/datasources/weir.yaml:ro",
        "../dashboards/provisioning/dashboards.yaml:/etc/grafana/provisioning/dashboards/weir.yaml:ro",
        "../dashboards/prometheus/rules.yaml:/etc/prometheus/rules.yaml:ro",
    ] {
        assert!(compose.contains(mount), "{mount}");
    }
}
