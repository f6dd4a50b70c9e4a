//! Manifests as kustomize makes them, against the schemas of an old and the newest Kubernetes, and a practice checker.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use weir_tests::place;

use crate::tools::{python, repository, run};

const OVERLAYS: [&str; 2] = ["dev", "production"];
/// The oldest for which everything here is in a stable version, and the newest that the validator knows.
const VERSIONS: [&str; 2] = ["1.27", "1.37"];
/// The operator's own resources have no schema among those of Kubernetes.
const FOREIGN: &str = "monitoring.coreos.com/v1";

/// One overlay, built into a file and read as JSON documents.
fn built(overlay: &str) -> (PathBuf, Vec<Value>) {
    let mut kubectl = Command::new("kubectl");
    kubectl.arg("kustomize").arg(repository("k8s/overlays").join(overlay));
    let text = run(&mut kubectl, "kubectl 1.27 or newer");
    let path = place::log_dir().join(format!("{overlay}.yaml"));
    fs::write(&path, text).expect("written");
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))";
    let read = run(python().args(["-c", script]).arg(&path), "Debian: python3");
    (path, serde_json::from_str(&read).expect("documents"))
}

fn of_kind<'a>(documents: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    documents.iter().filter(move |document| document["kind"] == kind)
}

#[test]
fn overlays_are_valid_for_an_old_and_the_newest_kubernetes() {
    for overlay in OVERLAYS {
        let (path, documents) = built(overlay);
        for version in VERSIONS {
            let mut validator = python();
            validator.args(["-m", "kubernetes_validate", "-k", version, "--strict"]).arg(&path);
            let said = run(&mut validator, "Debian: python3-pip");
            let passed = said.lines().filter(|line| line.contains(" passed for resource ")).count();
            let foreign = documents.iter().filter(|document| document["apiVersion"] == FOREIGN).count();
            assert_eq!(passed + foreign, documents.len(), "{overlay} on {version}:\n{said}");
        }
    }
}

#[test]
fn overlays_and_image_follow_good_practice() {
    let exceptions = repository("k8s/checkov.yaml");
    let check = |file: PathBuf, framework: &str| {
        let mut checkov = python();
        checkov.args(["-m", "checkov.main", "--skip-download", "--quiet", "--compact", "--framework", framework]);
        run(checkov.arg("--config-file").arg(&exceptions).arg("-f").arg(file), "Debian: python3-pip");
    };
    for overlay in OVERLAYS {
        check(built(overlay).0, "kubernetes");
    }
    check(repository("docker/Dockerfile"), "dockerfile");
}

/// What weir's promises rest on, and no schema knows of.
#[test]
fn pods_keep_their_names_and_have_the_time_to_stop() {
    for overlay in OVERLAYS {
        let (_, documents) = built(overlay);
        let sets: Vec<&Value> = of_kind(&documents, "StatefulSet").collect();
        assert_eq!(sets.len(), 2, "servers and workers have stable names");
        for workload in sets.into_iter().chain(of_kind(&documents, "Deployment")) {
            let (name, pod) = (&workload["metadata"]["name"], &workload["spec"]["template"]["spec"]);
            let container = &pod["containers"][0];
            let arguments: Vec<&str> =
                container["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert!(arguments.windows(2).any(|pair| pair == ["--name", "$(POD_NAME)"]), "{name}: {arguments:?}");
            let grace = pod["terminationGracePeriodSeconds"].as_u64().unwrap_or(0);
            assert!(grace > 20, "{name}: shutdown_timeout_ms is 20 s by default, {grace} s are given");
            assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/health/ready", "{name}");
            assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/health/live", "{name}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
        }
        let settings = of_kind(&documents, "ConfigMap").next().expect("settings");
        let file = place::log_dir().join(format!("{overlay}.toml"));
        fs::write(&file, settings["data"]["weir.toml"].as_str().expect("weir.toml")).expect("written");
        run(Command::new(weir_tests::weir::binary()).arg("config").arg("--config").arg(&file), "the build");
    }
}

/// In production nothing that can be several is one, and everything has its budget.
#[test]
fn production_survives_the_loss_of_a_node() {
    let (_, documents) = built("production");
    let mut replicas = of_kind(&documents, "StatefulSet").map(|set| set["spec"]["replicas"].as_u64().unwrap_or(0));
    assert!(replicas.all(|replicas| replicas >= 2));
    assert_eq!(of_kind(&documents, "PodDisruptionBudget").count(), 3);
    let scaler = of_kind(&documents, "HorizontalPodAutoscaler").next().expect("an autoscaler");
    assert!(scaler["spec"]["minReplicas"].as_u64() >= Some(2), "{scaler}");
    assert_eq!(of_kind(&documents, "ServiceMonitor").count() + of_kind(&documents, "PrometheusRule").count(), 2);
    let most = documents.iter().filter(|document| document["metadata"]["namespace"] != "weir");
    assert!(most.clone().all(|document| document["kind"] == "Namespace"), "{:?}", most.collect::<Vec<_>>());
}
