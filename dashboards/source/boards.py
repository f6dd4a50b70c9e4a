"""The dashboards. `M` chooses by model and instance, `Q` by model and generation, `I` by instance."""

from .panels import BAD, GOOD, WARN, Dashboard, Panel, Row

M = 'model=~"$model", instance=~"$instance"'
Q = 'model=~"$model", generation=~"$generation"'
I = 'instance=~"$instance"'
RATE = "$__rate_interval"


def rate(metric, choice, by):
    return f"sum by ({by}) (rate({metric}{{{choice}}}[{RATE}]))"


def quantile(share, metric, choice, by):
    return f"histogram_quantile({share}, sum by (le, {by}) (rate({metric}_bucket{{{choice}}}[{RATE}])))"


def both(metric, choice, by, legend):
    """The median and the 99th percentile."""
    return [
        (quantile(0.5, metric, choice, by), f"p50 {legend}"),
        (quantile(0.99, metric, choice, by), f"p99 {legend}"),
    ]


def mean(measure, window):
    return f'weir:quality_mean:{window}{{{Q}, measure="{measure}"}}'


MODEL = "{{model}}"
GENERATION = "{{model}} {{generation}}"

OVERVIEW = Dashboard(
    "overview",
    "weir: overview",
    "Is it well, how fresh are its answers, how good are its predictions.",
    [
        Row("Is it well", [
            Panel("Not ready", "Processes that answer and say that they are not ready, or that do not answer. Those that are "
                  "not known to Prometheus are not in it.", "none",
                  [(f'count(up{{job="weir", {I}}} == 0) or vector(0)', "down"),
                   (f"count(weir_ready{{{I}}} == 0) or vector(0)", "not ready")],
                  "stat", [(None, GOOD), (1, BAD)], 6, ["WeirRoleDown"]),
            Panel("Processes", "Processes that answer, by version.", "none",
                  [(f"count by (version) (weir_build_info{{{I}}})", "{{version}}")], "stat", width=6),
            Panel("Alerts", "Alerts of weir that fire.", "none",
                  [('count(ALERTS{alertname=~"Weir.*", alertstate="firing"}) or vector(0)', "firing")],
                  "stat", [(None, GOOD), (1, BAD)], 6),
            Panel("Oldest event that answers lack", "Age of the oldest sampled event that a gateway does not contain yet.", "s",
                  [(f"max by (model) (weir_gateway_freshness_lag_seconds{{{M}}})", MODEL)],
                  "stat", [(None, GOOD), (5, WARN), (30, BAD)], 6, ["WeirGatewayStale"]),
        ]),
        Row("How fresh, how good", [
            Panel("From event to answer", "Time from an event's being written until answers contain it, measured once a second "
                  "with the newest event of each input partition.", "s",
                  both("weir_gateway_freshness_seconds", M, "model", MODEL), thresholds=[(None, GOOD), (1, BAD)],
                  alerts=["WeirFreshnessBeyondTarget"]),
            Panel("Error of predicted ratings", "Root of the mean squared error of ratings predicted before they were learned, "
                  "and what the mean of all ratings would have been wrong by.", "none",
                  [(f"sqrt({mean('squared_error', 'short')})", f"RMSE {GENERATION}"),
                   (f"sqrt({mean('mean_squared_error', 'short')})", f"of the mean {GENERATION}")],
                  alerts=["WeirQualityDropped"]),
            Panel("Messages taken for what they are", "Share of labelled messages whose label was predicted before it was "
                  "learned.", "percentunit", [(f"1 - {mean('error', 'short')}", GENERATION)]),
        ]),
        Row("How much", [
            Panel("Events learned", "Events whose batch was committed.", "eps",
                  [(rate("weir_worker_events_total", M, "model, outcome"), "{{model}} {{outcome}}")],
                  alerts=["WeirInputStalled"]),
            Panel("Requests", "Requests by class of status.", "reqps",
                  [(f'sum by (code) (label_replace(rate(weir_gateway_requests_total{{{I}}}[{RATE}]), "code", "${{1}}xx", '
                    '"status", "(.).*"))', "{{code}}")]),
            Panel("Memory against its bound", "Resident memory, as a share of what the control group or the machine allows.",
                  "percentunit",
                  [(f"weir_process_resident_memory_bytes{{{I}}} / weir_process_memory_limit_bytes{{{I}}}", "{{instance}}")],
                  thresholds=[(None, GOOD), (0.9, BAD)], alerts=["WeirMemoryNearBound"]),
        ]),
    ],
)

QUALITY = Dashboard(
    "quality",
    "weir: learning quality",
    "How good predictions are that were made before the event was learned, by model and generation, over three windows.",
    [
        Row("Ratings", [
            Panel("RMSE", "Root of the mean squared error of predicted ratings, over a short, a middle and a long window "
                  "(5 minutes, an hour, a day as shipped).", "none",
                  [(f"sqrt({mean('squared_error', window)})", f"{window} {GENERATION}")
                   for window in ("short", "middle", "long")], alerts=["WeirQualityDropped"]),
            Panel("Mean absolute error", "Of predicted ratings.", "none",
                  [(mean("absolute_error", window), f"{window} {GENERATION}") for window in ("short", "middle", "long")]),
            Panel("Better than the mean", "RMSE over that of the running mean of all ratings; below 1 something is learned.",
                  "none",
                  [(f"sqrt({mean('squared_error', window)} / ignoring (measure) {mean('mean_squared_error', window)})",
                    f"{window} {GENERATION}") for window in ("short", "middle", "long")],
                  thresholds=[(None, GOOD), (1, BAD)]),
        ]),
        Row("Choices", [
            Panel("Pairs in the right order", "Share of pairs of a chosen item and a drawn one in which the chosen one stood "
                  "higher; 0.5 is chance.", "percentunit",
                  [(mean("ranking_reward", window), f"{window} {GENERATION}") for window in ("short", "middle", "long")]),
            Panel("Predictions measured", "Events that the measures are made of, a second.", "eps",
                  [(f"sum by (model, generation, measure) (rate(weir_worker_quality_events_total{{{Q}}}[{RATE}]))",
                    "{{model}} {{generation}} {{measure}}")], width=16),
        ]),
        Row("Messages", [
            Panel("Accuracy", "Share of labelled messages whose label was predicted.", "percentunit",
                  [(f"1 - {mean('error', window)}", f"{window} {GENERATION}") for window in ("short", "middle", "long")]),
            Panel("Log loss", "Of the probability of the label that came.", "none",
                  [(mean("log_loss", window), f"{window} {GENERATION}") for window in ("short", "middle", "long")]),
            Panel("Log loss over its past", "The short window's over the long one's: above 1 it gets worse.", "none",
                  [(f"{mean('log_loss', 'short')} / {mean('log_loss', 'long')}", GENERATION)],
                  thresholds=[(None, GOOD), (1.5, BAD)]),
            Panel("Ham blocked, spam missed", "Shares of the messages of each class that were taken for the other.", "percentunit",
                  [(mean("false_positive", "middle"), f"ham {GENERATION}"), (mean("false_negative", "middle"), f"spam {GENERATION}")]),
            Panel("Actions", "Shares of all messages.", "percentunit",
                  [(mean(f"share_{name}", "short"), f"{name} {GENERATION}") for name in ("accepted", "reviewed", "rejected")]),
            Panel("Labels", "Shares of labels learned that moved the weights, and that corrected another.", "percentunit",
                  [(mean(f"share_{name}", "middle"), f"{name} {GENERATION}") for name in ("updates", "corrections")]),
        ]),
    ],
)

API = Dashboard(
    "api",
    "weir: API",
    "What gateways answer, how fast, and what it costs them.",
    [
        Row("Requests", [
            Panel("By route", "Requests a second.", "reqps",
                  [(rate("weir_gateway_requests_total", I, "route, method"), "{{method}} {{route}}")]),
            Panel("By status", "Requests a second.", "reqps",
                  [(rate("weir_gateway_requests_total", I, "status"), "{{status}}")]),
            Panel("Under way", "Requests that are not answered yet; a gateway takes 1,024.", "none",
                  [(f"weir_gateway_requests_in_flight{{{I}}}", "{{instance}}")],
                  thresholds=[(None, GOOD), (900, BAD)]),
            Panel("Time by route, 99th percentile", "Those that wait for at_least are in it.", "s",
                  [(quantile(0.99, "weir_gateway_request_duration_seconds", I, "route"), "{{route}}")]),
            Panel("Time, all routes", "Median and 99th percentile.", "s",
                  both("weir_gateway_request_duration_seconds", I, "instance", "{{instance}}")),
            Panel("Requests with at_least", "That waited until an event was contained: covered, or not in time.", "reqps",
                  [(rate("weir_gateway_at_least_total", I, "outcome"), "{{outcome}}")]),
        ]),
        Row("Answers", [
            Panel("Events taken over REST", "Acknowledged by the broker, or failed.", "eps",
                  [(rate("weir_gateway_events_produced_total", I, "outcome"), "{{outcome}}")]),
            Panel("Offsets covered", "How far answers reach, by input partition.", "none",
                  [(f"weir_gateway_covered_offset{{{M}}}", "{{model}} {{partition}} {{instance}}")]),
            Panel("Oldest event that answers lack", "By gateway.", "s",
                  [(f"weir_gateway_freshness_lag_seconds{{{M}}}", "{{model}} {{instance}}")],
                  thresholds=[(None, GOOD), (30, BAD)], alerts=["WeirGatewayStale"]),
            Panel("Rows in memory", "By gateway.", "none",
                  [(f"weir_gateway_rows{{{M}}}", "{{model}} {{instance}}")]),
            Panel("Changelog taken in", "Records a second.", "eps",
                  [(rate("weir_gateway_changelog_records_total", M, "model, instance"), "{{model}} {{instance}}")]),
            Panel("Loads", "How long the last start took to read the changelog.", "s",
                  [(f"weir_gateway_load_duration_seconds_sum{{{M}}} / weir_gateway_load_duration_seconds_count{{{M}}}",
                    "{{model}} {{instance}}")]),
        ]),
        Row("Catalogue", [
            Panel("Items", "With a record in the catalogue's topic, by gateway: open to be shown, or hidden.", "none",
                  [(f"weir_gateway_catalogue_items{{{I}}}", "{{visibility}} {{instance}}")]),
            Panel("Records refused", "That say nothing of an item, or for which there is no room, by reason.", "none",
                  [(f"sum by (reason) (increase(weir_gateway_catalogue_refused_total{{{I}}}[{RATE}]))", "{{reason}}")]),
        ]),
        Row("Processes", [
            Panel("Processor", "Cores in use.", "none",
                  [(f"rate(weir_process_cpu_seconds_total{{{I}}}[{RATE}])", "{{instance}}")]),
            Panel("Memory", "Resident.", "bytes", [(f"weir_process_resident_memory_bytes{{{I}}}", "{{instance}}")]),
            Panel("Open files", "Against what the system allows.", "percentunit",
                  [(f"weir_process_open_fds{{{I}}} / weir_process_max_fds{{{I}}}", "{{instance}}")],
                  thresholds=[(None, GOOD), (0.8, BAD)]),
            Panel("Threads", "Of the process.", "none", [(f"weir_process_threads{{{I}}}", "{{instance}}")]),
            Panel("HTTP threads busy", "Share of the time of the threads that serve HTTP.", "percentunit",
                  [(f"rate(weir_tokio_busy_seconds_total{{{I}}}[{RATE}]) / weir_tokio_workers{{{I}}}", "{{instance}}")]),
            Panel("HTTP tasks", "Alive, and waiting for a thread.", "none",
                  [(f"weir_tokio_alive_tasks{{{I}}}", "alive {{instance}}"),
                   (f"weir_tokio_queued_tasks{{{I}}}", "waiting {{instance}}")]),
        ]),
    ],
)
