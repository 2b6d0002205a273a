"""Quix Streams, exactly once, as it comes. Run by the Python of its own environment: standard library and Quix only."""

from __future__ import annotations

import json
import sys
from typing import Any

from quixstreams import Application, State


def merge(fields: dict[str, Any], state: State) -> dict[str, Any]:
    row = state.get("row") or {"count": 0, "merged": {}}
    row["count"] += 1
    row["merged"].update(fields)
    state.set("row", row)
    return row


def main(task: dict[str, str]) -> None:
    app = Application(
        broker_address=task["brokers"],
        consumer_group=task["group"],
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        state_dir=task["folder"],
        loglevel="WARNING",
    )
    source = app.topic(task["source"], key_deserializer="bytes", value_deserializer="json")
    output = app.topic(task["output"], key_serializer="bytes", value_serializer="json")
    app.dataframe(source).apply(merge, stateful=True).to_topic(output)
    app.run()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
