"""Faust with a table on RocksDB, at least once. Run by the Python of its own environment: standard library, Faust."""

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
    source = app.topic(task["source"], key_serializer="raw", value_serializer="json")
    output = app.topic(task["output"], key_serializer="raw", value_serializer="json")
    rows = app.Table("rows", partitions=PARTITIONS)

    @app.agent(source)  # type: ignore[untyped-decorator]  # Faust is not in the environment that checks types
    async def merge(stream: Any) -> None:
        async for key, fields in stream.items():
            name = key.decode()
            row = rows.get(name) or {"count": 0, "merged": {}}
            row["count"] += 1
            row["merged"].update(fields)
            rows[name] = row
            await output.send(key=key, value=row)

    return app


if __name__ == "__main__":
    faust_app = make_app(json.loads(sys.argv[1]))
    faust.Worker(faust_app, loglevel="WARNING").execute_from_commandline()
