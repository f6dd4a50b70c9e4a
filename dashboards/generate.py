#!/usr/bin/env python3
"""Makes everything that is made from dashboards/source. Needs nothing but Python.

generate.py                     writes dashboards, rules and the operator's resource
generate.py --check             says which of them are not what would be written; exit code 1 if any
generate.py --quick FILE        writes the rules with windows of seconds, for the test that provokes each alert
generate.py --queries           prints every query of every panel as JSON, for the test that runs them
generate.py --runbook URL       with this address of the README in links
"""

import argparse
import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True

from source import boards, machinery, panels, rules
from source.alerts import PRODUCTION, QUICK, alerts, recordings

HERE = Path(__file__).resolve().parent
DASHBOARDS = [boards.OVERVIEW, boards.QUALITY, machinery.SERVER, machinery.KAFKA, boards.API]
VARIABLES = [
    panels.datasource(),
    panels.variable("model", "Model", "weir_gateway_rows"),
    panels.variable("generation", "Generation", "weir_worker_quality_events_total"),
    panels.variable("instance", "Instance", "weir_build_info"),
]


def dashboard_of(alert):
    """The address of the panel where the alert begins."""
    for board in DASHBOARDS:
        for number, panel, _ in panels.places(board):
            if alert in getattr(panel, "alerts", []):
                return f"/d/{board.uid}?viewPanel={number}"
    raise SystemExit(f"{alert} is on no panel")


def rules_of(bounds, runbook, indent=""):
    return rules.rules_yaml(bounds, recordings(bounds), alerts(bounds), dashboard_of, runbook, indent)


def outputs(runbook):
    """Every file that is made, by its path from here."""
    for board in DASHBOARDS:
        made = panels.render(board, DASHBOARDS, VARIABLES, runbook)
        yield f"grafana/{board.name}.json", json.dumps(made, indent=1) + "\n"
    yield "prometheus/rules.yaml", rules.GENERATED + rules_of(PRODUCTION, runbook)
    operator = rules.operator_yaml(rules_of(PRODUCTION, runbook, "  "))
    yield "../k8s/monitoring/prometheus-rule.yaml", rules.GENERATED + operator


def queries():
    """Every query with where it stands."""
    for board in DASHBOARDS:
        for _, panel, _ in panels.places(board):
            for expression, _ in getattr(panel, "queries", []):
                yield {"dashboard": board.name, "panel": panel.title, "query": expression}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--quick", metavar="FILE")
    parser.add_argument("--queries", action="store_true")
    parser.add_argument("--runbook", default="README.md", metavar="URL")
    arguments = parser.parse_args()

    def runbook(alert):
        return f"{arguments.runbook}#{alert.lower()}"

    if arguments.quick:
        Path(arguments.quick).write_text(rules_of(QUICK, runbook))
        return
    if arguments.queries:
        print(json.dumps(list(queries()), indent=1))
        return
    old = []
    for name, text in outputs(runbook):
        path = HERE / name
        if arguments.check:
            old += [name] if not path.is_file() or path.read_text() != text else []
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    if old:
        sys.exit(f"not what dashboards/generate.py makes: {', '.join(old)}; run it")


if __name__ == "__main__":
    main()
