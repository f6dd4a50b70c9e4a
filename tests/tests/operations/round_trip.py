"""Reads each dashboard by Grafana's own model and writes it again: a field that gets lost is one that Grafana does not know."""

import json
import sys

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard


def differences(before, after, place):
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key in after:
                yield from differences(value, after[key], f"{place}.{key}")
            elif value is not None:
                yield f"{place}.{key} is not known"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after)):
            yield from differences(one, other, f"{place}[{index}]")
    elif before != after:
        yield f"{place}: {before!r} becomes {after!r}"


def main():
    register_default_plugins()
    found = []
    for path in sys.argv[1:]:
        with open(path) as file:
            before = json.load(file)
        after = json.loads(JSONEncoder().encode(Dashboard.from_json(before)))
        found += differences(before, after, path)
    if found:
        sys.exit("\n".join(found))


if __name__ == "__main__":
    main()
