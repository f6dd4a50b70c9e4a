"""Rules as Prometheus's YAML, and as the resource that the Prometheus operator reads."""

import json

GENERATED = "# Made by dashboards/generate.py. Do not edit.\n"


def rules_yaml(bounds, recordings, alerts, dashboard, runbook, indent=""):
    """Two groups: what is recorded, and the alerts. Every text is a JSON string, which YAML reads as it stands."""
    lines = ["groups:", "  - name: weir-recordings", f"    interval: {bounds.interval}", "    rules:"]
    for recording in recordings:
        lines += [f"      - record: {recording.name}", f"        expr: {json.dumps(recording.expr)}"]
    lines += ["  - name: weir-alerts", f"    interval: {bounds.interval}", "    rules:"]
    for alert in alerts:
        lines += [
            f"      - alert: {alert.name}",
            f"        expr: {json.dumps(alert.expr)}",
            f"        for: {alert.wait}",
            "        labels:",
            f"          severity: {alert.severity}",
            "        annotations:",
            f"          summary: {json.dumps(alert.summary)}",
            f"          description: {json.dumps(alert.says)}",
            f"          dashboard: {json.dumps(dashboard(alert.name))}",
            f"          runbook_url: {json.dumps(runbook(alert.name))}",
        ]
    return "".join(f"{indent}{line}\n" for line in lines)


def operator_yaml(rules):
    """The same for the Prometheus operator."""
    head = ["apiVersion: monitoring.coreos.com/v1", "kind: PrometheusRule", "metadata:", "  name: weir", "spec:"]
    return "".join(f"{line}\n" for line in head) + rules
