"""Faust with a table on RocksDB, at least once. Run by the Python of its own environment: standard library and Faust only."""

from __future__ import annotations

import json
import sys
from typing import Any

import faust

PARTITIONS = 4


def make_app(task: dict[str, str]) -> faust.App:
    app = faust.App(
        task["group"],
        broker=f"kafka://{task['brokers']}",
        store="rocksdb://?driver=rocksdict",
        datadir=task["folder"],
        topic_partitions=PARTITIONS,
        topic_disable_leader=True,
        processing_guarantee="at_least_once",
        web_enabled=False,
    )
    source = app.topic(task["source"], key_type=str, value_type=dict, key_serializer="raw", value_serializer="json")
    output = app.topic(task["output"], key_type=str, value_type=dict, key_serializer="raw", value_serializer="json")
    rows = app.Table("rows", partitions=PARTITIONS, key_type=str, value_type=dict)

    @app.agent(source)
    async def merge(stream: Any) -> None:
        async for key, fields in stream.items():
            row = rows.get(key) or {"count": 0, "merged": {}}
            row["count"] += 1
            row["merged"].update(fields)
            rows[key] = row
            await output.send(key=key, value=row)

    return app


if __name__ == "__main__":
    faust_app = make_app(json.loads(sys.argv[1]))
    faust.Worker(faust_app, loglevel="WARNING").execute_from_commandline()
