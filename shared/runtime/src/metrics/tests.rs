use std::time::Duration;

use super::*;

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.encode(true).expect("encoded")).expect("text")
}

/// Moves every metric once.
fn touch(metrics: &Metrics) {
    let (model, second) = ("recommender", Duration::from_secs(1));
    metrics.role_failed("worker");
    metrics.transaction_committed("worker", model, second);
    metrics.transaction_failed("worker", model);
    metrics.frame_skipped("server", model, "magic");
    metrics.broker_error("worker");
    let worker = &metrics.worker;
    worker.events(model, EventOutcome::Learned, 5);
    worker.rejected(model, "empty_id", 1);
    worker.batch_committed(model, 6, second);
    worker.pull_sent(model, false);
    worker.pull_sent(model, true);
    worker.reply_used(model, second, 3);
    worker.reply_dropped(model);
    worker.pushed(model, 7, 100);
    worker.cache_used(model, 2, 1, 3);
    worker.waiting(model, 1, 2, 3);
    worker.offset_committed(model, 0, 6);
    let server = &metrics.server;
    server.applied(model, 0, 1, 7, 9);
    server.pull_answered(model);
    server.pull_waits(model);
    server.pull_dropped(model);
    server.rows(model, 0, 7, 2);
    server.published(model, 0, 2, second, 9);
    server.stored(model, 0, 4_096, second);
    server.store_discarded("damaged");
    server.restored(model, second);
    let gateway = &metrics.gateway;
    gateway.request("/v1/users/{user}", "GET", 200, second);
    gateway.event_produced();
    gateway.event_failed();
    gateway.at_least(true);
    gateway.materialised(model, 8, 7);
    gateway.covered(model, 0, 6);
}

#[test]
fn every_metric_is_ours_and_says_what_it_is() {
    let metrics = Metrics::new(Registry::new()).expect("registered");
    touch(&metrics);
    let text = text(&metrics);
    let mut families = 0;
    for line in text.lines() {
        let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
        assert!(name.starts_with("weir_"), "{line}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            families += 1;
            assert!(help.split_once(' ').is_some_and(|(_, help)| help.len() > 10), "{line}");
        }
    }
    // Those named in `names`, and what the process collector adds.
    assert!(families >= 45 + 6, "{families}:\n{text}");
}

#[test]
fn event_functions_move_what_belongs_together() {
    let metrics = Metrics::new(Registry::new()).expect("registered");
    touch(&metrics);
    let text = text(&metrics);
    for line in [
        "weir_ready 1",
        "weir_role_restarts_total{role=\"worker\"} 1",
        "weir_transactions_total{model=\"recommender\",outcome=\"failed\",role=\"worker\"} 1",
        "weir_worker_events_total{model=\"recommender\",outcome=\"rejected\"} 1",
        "weir_worker_rejected_total{model=\"recommender\",reason=\"empty_id\"} 1",
        "weir_worker_batch_events_sum{model=\"recommender\"} 6",
        "weir_worker_pulls_total{model=\"recommender\"} 2",
        "weir_worker_pulls_repeated_total{model=\"recommender\"} 1",
        "weir_server_publish_rows_count{model=\"recommender\"} 1",
        "weir_server_barrier_offset{model=\"recommender\",shard=\"0\"} 9",
        "weir_gateway_requests_total{method=\"GET\",route=\"/v1/users/{user}\",status=\"200\"} 1",
        "weir_gateway_covered_offset{model=\"recommender\",partition=\"0\"} 6",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_went_to_another_is_no_longer_shown() {
    let metrics = Metrics::new(Registry::new()).expect("registered");
    touch(&metrics);
    metrics.server.shard_gone("recommender", 0);
    metrics.worker.partition_gone("recommender", 0);
    let text = text(&metrics);
    assert!(!text.contains("shard=\"0\"") && !text.contains("weir_worker_committed_offset"), "{text}");
    // A second loss of the same shard is no error.
    metrics.server.shard_gone("recommender", 0);
}

#[test]
fn one_registry_takes_one_set() {
    let registry = Registry::new();
    Metrics::new(registry.clone()).expect("registered");
    assert!(matches!(Metrics::new(registry), Err(Error::Metrics(_))));
}
