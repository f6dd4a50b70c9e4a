"""Recording and alert rules. All windows and bounds are in `Bounds`, so that a test can shorten them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """What the rules wait for."""

    # How often rules are evaluated.
    interval: str = "15s"
    # What counts as now, as before, and as the past.
    short: str = "5m"
    middle: str = "1h"
    long: str = "1d"
    # How long most alerts wait until they fire, and those that are urgent.
    wait: str = "5m"
    urgent: str = "1m"
    lag_records: float = 1000
    lag_seconds: float = 30
    freshness_seconds: float = 1
    stale_seconds: float = 30
    # A measure of error that is so many times what it was, over at least so many predictions.
    quality_ratio: float = 1.2
    quality_events: float = 200
    rejected_share: float = 0.01
    rejected_ratio: float = 3
    barrier_seconds: float = 60
    store_seconds: float = 300
    open_seconds: float = 10
    failed: float = 2
    rebalances: float = 5
    memory_share: float = 0.9


PRODUCTION = Bounds()
# For the test that provokes every alert on real processes: the same rules, and minutes become seconds.
QUICK = Bounds(
    interval="1s", short="10s", middle="20s", long="40s", wait="2s", urgent="2s", lag_records=100, lag_seconds=3,
    stale_seconds=4, quality_events=50, barrier_seconds=3, store_seconds=20, open_seconds=3, failed=0, rebalances=2,
)


@dataclass(frozen=True)
class Recording:
    """One recorded expression."""

    name: str
    expr: str


@dataclass(frozen=True)
class Alert:
    """One alert. `severity` is page or ticket."""

    name: str
    expr: str
    wait: str
    severity: str
    summary: str
    says: str


def recordings(b):
    """What panels and alerts share."""
    freshness = "sum by (model, le) (rate(weir_gateway_freshness_seconds_bucket[{}]))".format(b.short)

    def rejected(window, past=""):
        refused = f"sum by (model) (rate(weir_worker_rejected_total[{window}]{past}))"
        return f"{refused} / (sum by (model) (rate(weir_worker_events_total[{window}]{past})) > 0)"

    found = [
        Recording("weir:events:rate", f"sum by (model, topic, outcome) (rate(weir_worker_events_total[{b.short}]))"),
        Recording("weir:freshness_seconds:p50", f"histogram_quantile(0.5, {freshness})"),
        Recording("weir:freshness_seconds:p99", f"histogram_quantile(0.99, {freshness})"),
        Recording("weir:rejected_ratio:short", rejected(b.short)),
        Recording("weir:rejected_ratio:long", rejected(b.long, f" offset {b.short}")),
    ]
    for name, window in (("short", b.short), ("middle", b.middle), ("long", b.long)):
        by = "sum by (model, generation, measure)"
        total = f"{by} (rate(weir_worker_quality_total[{window}]))"
        events = f"({by} (rate(weir_worker_quality_events_total[{window}])) > 0)"
        found.append(Recording(f"weir:quality_mean:{name}", f"{total} / {events}"))
    return found


def alerts(b):
    """All alerts. Each is on a panel, in the README, in the unit tests, and provoked in a test."""
    moved = "sum by (model, topic) (rate(weir_worker_events_total[{}]{}))"
    past = f"weir:quality_mean:long offset {b.short}"
    enough = (
        f"sum by (model, generation, measure) (increase(weir_worker_quality_events_total[{b.short}])) > {b.quality_events}"
    )
    # Shares and sizes are neither good nor bad, and rates of one class are of too few events to be compared so closely.
    other = "(ranking|blend)_reward|false_.*|share_.*|mean_features"
    worse = f'weir:quality_mean:short{{measure!~"{other}"}} > {b.quality_ratio} * {past}'
    lower = f'weir:quality_mean:short{{measure="ranking_reward"}} < {past} / {b.quality_ratio}'
    barrier, store = "weir_server_barrier_timestamp_seconds", "weir_server_store_write_timestamp_seconds"
    return [
        Alert(
            "WeirRoleDown", 'up{job="weir"} == 0 or weir_ready == 0', b.urgent, "page",
            "{{ $labels.instance }} is down or not ready",
            "It does not answer, or says at /health/ready why it is not ready. Shards and partitions of a process that is "
            "gone go to others after kafka.session_timeout_ms.",
        ),
        Alert(
            "WeirInputStalled",
            f"{moved.format(b.short, '')} == 0 and {moved.format(b.middle, f' offset {b.short}')} > 0",
            b.wait, "ticket", "no events of {{ $labels.topic }} are learned any more",
            "There were some in the time before. Either nobody writes to the topic, or workers stand still; then there is "
            "lag.",
        ),
        Alert(
            "WeirLagGrowing",
            f"sum by (model) (weir_worker_lag_records) > {b.lag_records} "
            f"and sum by (model) (deriv(weir_worker_lag_records[{b.short}])) > 0 "
            f"and max by (model) (weir_worker_lag_seconds) > {b.lag_seconds}",
            b.wait, "page", "workers of {{ $labels.model }} fall behind their input",
            "More comes in than is learned, and the oldest event has waited for long.",
        ),
        Alert(
            "WeirFreshnessBeyondTarget", f"weir:freshness_seconds:p99 > {b.freshness_seconds}", b.wait, "ticket",
            "answers of {{ $labels.model }} contain events too late",
            "One event in a hundred takes {{ $value | humanizeDuration }} from its being written until answers contain it.",
        ),
        Alert(
            "WeirGatewayStale", f"max by (instance, model) (weir_gateway_freshness_lag_seconds) > {b.stale_seconds}",
            b.urgent, "page", "{{ $labels.instance }} answers from an old {{ $labels.model }}",
            "An event that is {{ $value | humanizeDuration }} old is not in its answers.",
        ),
        Alert(
            "WeirQualityDropped", f"({worse} or {lower}) and {enough}", b.wait, "ticket",
            "{{ $labels.model }} {{ $labels.generation }} predicts worse than it did",
            "The mean of {{ $labels.measure }} is {{ $value }} now, against its own past: other data, or other settings.",
        ),
        Alert(
            "WeirRejectsRising",
            f"weir:rejected_ratio:short > {b.rejected_share} and "
            f"weir:rejected_ratio:short > {b.rejected_ratio} * weir:rejected_ratio:long",
            b.wait, "ticket", "more events of {{ $labels.model }} are refused than before",
            "{{ $value | humanizePercentage }} of the events; they are in the rejected topic, each with its reason.",
        ),
        Alert(
            "WeirBarrierOld",
            f"time() - {barrier} > {b.barrier_seconds} and weir_server_applied_offset > weir_server_barrier_offset",
            b.urgent, "page", "shard {{ $labels.shard }} of {{ $labels.model }} does not publish",
            "It has applied pushes, and its last barrier is {{ $value | humanizeDuration }} old: gateways lack them, and a "
            "restart has to read them again.",
        ),
        Alert(
            "WeirStoreOld",
            f"{barrier} - {store} > {b.store_seconds} or increase(weir_server_store_failures_total[{b.middle}]) > 0",
            b.urgent, "ticket", "the local store of {{ $labels.model }} is old on {{ $labels.instance }}",
            "A restart has to read more of the changelog. Nothing is lost.",
        ),
        Alert(
            "WeirTransactionsFailing",
            f'sum by (role, model) (increase(weir_transactions_total{{outcome="failed"}}[{b.short}])) > {b.failed}',
            b.urgent, "page", "transactions of {{ $labels.role }}s of {{ $labels.model }} fail",
            "Each failure restarts the role from what is committed. Nothing is lost, but it costs time.",
        ),
        Alert(
            "WeirTransactionHanging",
            f"max by (instance, role, model) (weir_transaction_open_seconds) > {b.open_seconds}",
            "0s", "page", "a transaction of {{ $labels.instance }} does not end",
            "Until it does, readers of committed records wait. It has been open for {{ $value | humanizeDuration }}.",
        ),
        Alert(
            "WeirRebalancesFlapping",
            f'max by (role, model) (increase(weir_rebalances_total{{kind="assigned"}}[{b.short}])) > {b.rebalances}',
            b.urgent, "ticket", "{{ $labels.role }}s of {{ $labels.model }} keep moving partitions",
            "Each time their cache is cold or shards are restored.",
        ),
        Alert(
            "WeirMemoryNearBound",
            f"weir_process_resident_memory_bytes / weir_process_memory_limit_bytes > {b.memory_share}",
            b.wait, "page", "{{ $labels.instance }} is about to run out of memory",
            "It takes {{ $value | humanizePercentage }} of what it may.",
        ),
    ]
