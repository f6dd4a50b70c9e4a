use std::collections::BTreeSet;
use std::time::Duration;

use super::*;

fn text(metrics: &Metrics) -> String {
    String::from_utf8(metrics.encode(true).expect("encoded")).expect("text")
}

/// Moves every metric once.
fn touch(metrics: &Metrics) {
    let (model, second) = ("recommender", Duration::from_secs(1));
    metrics.role_failed("worker");
    assert_eq!(metrics.roles_failed(), 1);
    metrics.transaction_committed("worker", model, second);
    metrics.transaction_failed("worker", model);
    metrics.frame_skipped("server", model, "magic");
    metrics.broker_error("worker");
    metrics.rebalanced("worker", model, Moved::Assigned);
    metrics.fenced("worker");
    metrics.transaction_open("worker", model, second);
    let figures = ClientFigures { round_trip: second, sent_bytes: 10, ..ClientFigures::default() };
    metrics.kafka.client(["worker", model, "member"], &figures, &ClientFigures { sent_bytes: 4, ..figures });
    metrics.kafka.log(["worker", model, "input"], 0, 9, 1);
    let worker = &metrics.worker;
    worker.events(model, "ratings", EventOutcome::Learned, 5);
    worker.rejected(model, "ratings", "empty_id", 1);
    worker.batch_committed(model, 6, second);
    worker.pull_sent(model, false);
    worker.pull_sent(model, true);
    worker.reply_used(model, second, 3);
    worker.reply_dropped(model);
    worker.pushed(model, 7, 100);
    worker.pulled_bytes(model, 20);
    worker.cache_used(model, 2, 1, 3);
    worker.waiting(model, 1, 2, 3);
    worker.offset_committed(model, 0, 6);
    worker.lag(model, 0, 2, second);
    worker.taken_over(model, second);
    worker.measured(model, "g1", "squared_error", 2.5, 2);
    worker.measured(model, "g1", "squared_error", f64::NAN, 1);
    metrics.policies_begin(["too_large"]);
    metrics.policy_rejected("too_large");
    metrics.gateway.catalogue_begins(["too_large"]);
    metrics.gateway.item_refused("too_large");
    let server = &metrics.server;
    server.applied(model, 0, 1, 7, 9);
    server.let_go(model, "users", "age", 1);
    server.pull_answered(model);
    server.pull_waits(model);
    server.pull_dropped(model);
    server.push_applied(model, second);
    server.lag(model, 0, 3);
    server.rows(model, 0, "users", 7);
    server.held(model, 0, ShardSize { parameters: 70, memory_bytes: 999 }, 2);
    server.published_bytes(model, 512);
    server.replied_bytes(model, 80);
    server.published(model, 0, 2, second, 9);
    server.store_paused(model, second);
    server.stored(model, 0, (4_096, 8_192), second);
    server.shard_restored(model, 0, (7, 3), 2);
    server.push_log_begins(model, 0, 4);
    server.store_failed(model);
    server.store_discarded("damaged");
    server.restore_phase(model, "store", second);
    server.restored(model, second);
    let gateway = &metrics.gateway;
    gateway.request("/v1/users/{user}", "GET", 200, second);
    gateway.event_produced();
    gateway.event_failed();
    gateway.at_least(true);
    gateway.materialised(model, 8, 7);
    gateway.covered(model, 0, 6);
    gateway.loaded(model, second);
    gateway.fresh(model, second);
    gateway.behind(model, second);
    drop(gateway.request_begins());
}

#[test]
fn every_metric_is_ours_and_says_what_it_is() {
    let metrics = Metrics::new(Registry::new()).expect("registered");
    touch(&metrics);
    let text = text(&metrics);
    let mut shown = BTreeSet::new();
    for line in text.lines() {
        let name = line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).unwrap_or(line);
        assert!(name.starts_with("weir_"), "{line}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            shown.insert(help.split(' ').next().unwrap_or_default().to_owned());
            assert!(help.split_once(' ').is_some_and(|(_, help)| help.len() > 10), "{line}");
        }
    }
    // What a runtime says is only known inside of one.
    let known = metrics.families().iter().map(|family| family.name.clone());
    let known: BTreeSet<String> = known.filter(|name| !name.starts_with("weir_tokio_")).collect();
    assert_eq!(shown, known, "every family is moved by `touch`, and every one shown is known");
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
        "weir_worker_events_total{model=\"recommender\",outcome=\"rejected\",topic=\"ratings\"} 1",
        "weir_worker_rejected_total{model=\"recommender\",reason=\"empty_id\"} 1",
        "weir_worker_batch_events_sum{model=\"recommender\"} 6",
        "weir_worker_pulls_total{model=\"recommender\"} 2",
        "weir_worker_pulls_repeated_total{model=\"recommender\"} 1",
        "weir_server_publish_rows_count{model=\"recommender\"} 1",
        "weir_server_barrier_offset{model=\"recommender\",shard=\"0\"} 9",
        "weir_server_parameter_bytes{model=\"recommender\",shard=\"0\"} 280",
        "weir_kafka_sent_bytes_total{client=\"member\",model=\"recommender\",role=\"worker\"} 6",
        "weir_worker_quality_total{generation=\"g1\",measure=\"squared_error\",model=\"recommender\"} 2.5",
        "weir_worker_quality_events_total{generation=\"g1\",measure=\"squared_error\",model=\"recommender\"} 2",
        "weir_gateway_requests_in_flight 0",
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
    metrics.server.shard_gone("recommender", 0, ["users"]);
    metrics.kafka.log_gone(["worker", "recommender", "input"], 0);
    metrics.worker.partition_gone("recommender", 0);
    let text = text(&metrics);
    assert!(
        !text.contains("shard=\"0\"")
            && !text.contains("weir_worker_committed_offset{")
            && !text.contains("weir_worker_lag"),
        "{text}"
    );
    // A second loss of the same shard is no error.
    metrics.server.shard_gone("recommender", 0, ["users"]);
}

#[test]
fn one_registry_takes_one_set() {
    let registry = Registry::new();
    Metrics::new(registry.clone()).expect("registered");
    assert!(matches!(Metrics::new(registry), Err(Error::Metrics(_))));
}

#[tokio::test]
async fn inside_a_runtime_it_says_how_busy_that_is() {
    let metrics = Metrics::new(Registry::new()).expect("registered");
    let text = text(&metrics);
    assert!(text.contains("weir_tokio_workers 1\n") && text.contains("weir_tokio_busy_seconds_total "), "{text}");
}
