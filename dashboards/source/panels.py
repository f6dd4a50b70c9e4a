"""Panels and dashboards as Grafana's JSON. Nothing here knows of weir."""

from dataclasses import dataclass, field

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24
HEIGHT = 8
# Grafana's names of colours.
GOOD, WARN, BAD = "green", "orange", "red"


@dataclass
class Panel:
    """One panel. Queries are (expression, legend); thresholds are (from, colour), the first from anywhere."""

    title: str
    says: str
    unit: str
    queries: list
    kind: str = "timeseries"
    thresholds: list = field(default_factory=list)
    width: int = 8
    # The alerts that begin here.
    alerts: list = field(default_factory=list)


@dataclass
class Row:
    """A heading and the panels below it."""

    title: str
    panels: list


@dataclass
class Dashboard:
    """One dashboard; its file and address are made from `name`."""

    name: str
    title: str
    says: str
    rows: list

    @property
    def uid(self):
        return f"weir-{self.name}"


def render(dashboard, others, variables, runbook):
    """The dashboard as Grafana provisions it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.says,
        "tags": ["weir"],
        "timezone": "browser",
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "schemaVersion": 39,
        "time": {"from": "now-1h", "to": "now"},
        "timepicker": {},
        "templating": {"list": variables},
        "annotations": {"list": []},
        "links": [
            _link(other.title, other.says, f"/d/{other.uid}", "dashboard") for other in others if other.name != dashboard.name
        ],
        "panels": list(_panels(dashboard, runbook)),
    }


def places(dashboard):
    """Each panel with its number and its place."""
    number, y = 0, 0
    for row in dashboard.rows:
        number += 1
        yield number, row, {"h": 1, "w": WIDTH, "x": 0, "y": y}
        y, x = y + 1, 0
        for panel in row.panels:
            height = HEIGHT if panel.kind == "timeseries" else HEIGHT // 2
            if x + panel.width > WIDTH:
                x, y = 0, y + height
            number += 1
            yield number, panel, {"h": height, "w": panel.width, "x": x, "y": y}
            x += panel.width
        y += height


def _panels(dashboard, runbook):
    for number, panel, place in places(dashboard):
        if isinstance(panel, Row):
            yield {"id": number, "type": "row", "title": panel.title, "gridPos": place, "collapsed": False, "panels": []}
        else:
            yield _panel(number, panel, place, runbook)


def _panel(number, panel, place, runbook):
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "gridPos": place,
        "datasource": DATASOURCE,
        "targets": [_target(index, *query) for index, query in enumerate(panel.queries)],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel.kind),
        "links": [_link(f"What to do: {alert}", "The README's entry", runbook(alert), "doc") for alert in panel.alerts],
    }


def _target(index, expression, legend):
    return {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend, "datasource": DATASOURCE}


def _defaults(panel):
    steps = panel.thresholds or [(None, GOOD)]
    defaults = {
        "unit": panel.unit,
        "thresholds": {"mode": "absolute", "steps": [{"value": start, "color": colour} for start, colour in steps]},
    }
    if panel.kind == "timeseries":
        style = "line" if panel.thresholds else "off"
        defaults["custom"] = {"lineWidth": 1, "fillOpacity": 8, "showPoints": "never", "thresholdsStyle": {"mode": style}}
        defaults["min"] = 0
    return defaults


def _options(kind):
    if kind == "timeseries":
        return {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return {
        "reduceOptions": {"calcs": ["lastNotNull"], "values": False, "fields": ""},
        "colorMode": "value",
        "graphMode": "area",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "percentChangeColorMode": "standard",
    }


def _link(title, tooltip, url, icon):
    inside = url.startswith("/d/")
    return {
        "title": title,
        "type": "link",
        "icon": icon,
        "tooltip": tooltip,
        "url": url,
        "tags": [],
        "asDropdown": False,
        "targetBlank": not inside,
        "includeVars": inside,
        "keepTime": inside,
    }


def datasource():
    """The variable that chooses the Prometheus."""
    return {"name": "datasource", "type": "datasource", "label": "Prometheus", "query": "prometheus", "hide": 0}


def variable(name, label, metric):
    """A variable of the values that a metric's label has."""
    query = f"label_values({metric}, {name})"
    return {
        "name": name,
        "type": "query",
        "label": label,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": f"variable-{name}"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        "hide": 0,
    }
