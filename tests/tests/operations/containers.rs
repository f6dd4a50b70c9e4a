//! The image's recipe, compose, and the events of its demo. `docker/try` builds and runs them where an engine can be had.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use serde_json::Value;
use weir_tests::weir::binary;

use crate::tools::{files, python, repository, run};

/// Cargo wants every manifest of the workspace, and the layer of dependencies has nothing else.
#[test]
fn the_image_copies_every_manifest() {
    let recipe = fs::read_to_string(repository("docker/Dockerfile")).expect("the Dockerfile");
    for folder in ["shared", "services"] {
        for entry in fs::read_dir(repository(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("a name");
            let line = format!("\nCOPY {folder}/{name}/Cargo.toml {folder}/{name}/\n");
            assert!(recipe.contains(&line), "no{line}in docker/Dockerfile");
        }
    }
}

fn compose() -> Value {
    let script = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    let read = run(python().args(["-c", script]).arg(repository("docker/compose.yaml")), "Debian: python3");
    serde_json::from_str(&read).expect("JSON")
}

#[test]
fn compose_is_valid() {
    let mut command = Command::new("docker-compose");
    command.args(["--profile", "demo", "config", "--quiet"]).current_dir(repository("docker"));
    run(&mut command, "Debian: docker-compose");
}

#[test]
fn every_service_is_pinned_bounded_and_starts_in_order() {
    let compose = compose();
    let services = compose["services"].as_object().expect("services");
    let volumes = compose["volumes"].as_object().expect("volumes");
    for (name, service) in services {
        let image = service["image"].as_str().expect("an image");
        let tag = image.rsplit_once(':').map(|(_, tag)| tag);
        assert!(
            tag.is_some_and(|tag| tag != "latest" && tag.contains(|c: char| c.is_ascii_digit())),
            "{name}: {image}"
        );
        assert!(service["mem_limit"].is_string() && service["cpus"].is_number(), "{name} has no limits");
        assert_eq!(service["restart"], "unless-stopped", "{name}");
        let is_weir = image.starts_with("weir:");
        let after_kafka = service["depends_on"]["kafka"]["condition"] == "service_healthy";
        assert_eq!(is_weir, after_kafka, "{name} starts when Kafka answers");
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = volume.as_str().and_then(|volume| volume.split(':').next()).expect("a volume");
            let is_there = match source.strip_prefix("../") {
                Some(path) => repository(path).exists(),
                None => volumes.contains_key(source),
            };
            assert!(is_there, "{name}: {source}");
        }
    }
}

/// Prometheus scrapes every process of weir that compose starts.
#[test]
fn prometheus_scrapes_all_of_compose() {
    let settings = fs::read_to_string(repository("dashboards/prometheus/prometheus.yml")).expect("prometheus.yml");
    let scraped = settings.lines().filter_map(|line| line.trim().strip_prefix("- ")?.strip_suffix(":9100"));
    let compose = compose();
    let services = compose["services"].as_object().expect("services").iter();
    let roles = services.filter(|(_, service)| service["build"].is_object()).map(|(name, _)| name.as_str());
    assert_eq!(scraped.collect::<BTreeSet<_>>(), roles.collect::<BTreeSet<_>>());
}

/// No service gets a variable that `weir`, which refuses unknown ones, would stumble over. The first demo did.
#[test]
fn every_environment_is_taken() {
    let compose = compose();
    for (name, service) in compose["services"].as_object().expect("services") {
        if !service["image"].as_str().is_some_and(|image| image.starts_with("weir:")) {
            continue;
        }
        let mut config = Command::new(binary());
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            config.env(variable, value.as_str().unwrap_or_else(|| panic!("{name}: {variable} is no text")));
        }
        run(config.arg("config"), "the build");
    }
}

#[test]
fn scripts_are_sound() {
    for script in ["docker/feed", "docker/healthcheck", "docker/try"] {
        let path = repository(script);
        run(Command::new("bash").arg("-n").arg(&path), "bash");
        let mode = fs::metadata(&path).expect("a script").permissions().mode();
        assert!(mode & 0o111 != 0, "{script} cannot be run");
    }
    assert!(!files("docker", "yaml").is_empty());
}

/// Workers would take all of the demo's events.
#[test]
fn the_demos_events_are_taken() {
    for kind in ["ratings", "messages"] {
        let dir = tempfile::tempdir().expect("a folder");
        // In place of the command: takes the first thousands, and ends the endless stream.
        let fake = dir.path().join("weir");
        let taken = dir.path().join("taken.json");
        fs::write(&fake, format!("#!/bin/sh\nhead -n 3000 > {}\n", taken.display())).expect("written");
        fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).expect("set");
        let path = format!("{}:{}", dir.path().display(), std::env::var("PATH").unwrap_or_default());
        let mut feed = Command::new(repository("docker/feed"));
        // Its pipe breaks when enough is taken, which is how it ends.
        let _ = feed.arg(kind).env("PATH", path).stderr(Stdio::null()).status().expect("bash runs");
        assert_eq!(fs::read_to_string(&taken).expect("events").lines().count(), 3_000);
        run(Command::new(binary()).args(["validate", kind]).arg(&taken), "the build");
    }
}
