"""The stores on this machine: that they can be opened, and whether the next start can use them.

A store that cannot be used is no loss while its table topic is whole: it is rebuilt from that, which takes time. A running
process keeps the newest rows in memory, so a store may look older here than it is.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from connectors.logs.topics import DELETE_RETENTION_MS, topic_ids
from schemas.topics import table_topic
from streams.app.broker import quiet
from streams.app.doctor.report import Check, Status, error, ok, warning
from streams.app.exposition import folder_bytes
from streams.app.wiring import STATEFUL, Deployment
from streams.customers import rows as customer_rows
from streams.engine.overlay import Backing
from streams.engine.store import Sync
from streams.records import TALLIES, TALLY_KEY
from tables.rocks import RocksStore, StoreOptions

AREA = "stores"
DAY_MS = 24 * 3_600_000


def check_stores(deployment: Deployment, *, on_kafka: bool) -> Iterator[Check]:
    """`on_kafka`: whether the brokers can be asked."""
    configuration = deployment.configuration
    tables = {name: deployment.names.physical(table_topic(name)) for name in sorted(STATEFUL)}
    ids = topic_ids(quiet(configuration.kafka_settings), list(tables.values())) if on_kafka else {}
    found = sorted(configuration.data_folder.glob("*/*/*"))
    folders = [path for path in found if path.is_dir() and path.name.isdigit() and path.parent.name in STATEFUL]
    for folder in folders:
        yield from _store(folder, ids.get(tables[folder.parent.name]), int(time.time() * 1000))
    if not folders:
        yield ok(AREA, str(configuration.data_folder), "none on this machine")


def _store(folder: Path, topic_id: str | None, now_ms: int) -> Iterator[Check]:
    what = "/".join(folder.parts[-3:])
    try:
        store = RocksStore(folder, StoreOptions.bounded(0), read_only=True)
    except Exception as failed:  # the binding has no error of its own
        fix = f"if its process does not run, delete {folder}: it is rebuilt from the table topic"
        yield error(AREA, what, f"cannot be opened ({type(failed).__name__})", fix)
        return
    sync = store.sync
    lacking = list(_lacking(what, folder.parent.name, store))
    store.release()
    yield judge(what, sync, folder_bytes(folder), topic_id, now_ms)
    yield from lacking


def _lacking(what: str, processor: str, store: Backing) -> Iterator[Check]:
    """Whether records or customers of this store wait for what does not come."""
    if processor == "records" and (row := store.get(TALLY_KEY)):
        records = TALLIES.decode(row)
        yield waits(what, "records without a customer", records.without_customer, records.asking)
    if processor == "customers" and (row := store.get(customer_rows.TALLY_KEY)):
        customers = customer_rows.TALLIES.decode(row)
        yield waits(what, "customers not settled", customers.unsettled, customers.asking)


def waits(what: str, kind: str, count: int, lasting: int) -> Check:
    """`lasting`: those of them that have asked again already."""
    found = f"{count:,} {kind}, {lasting:,} of them for more than 90 s"
    if not lasting:
        return ok(AREA, what, found)
    fix = (
        "see the dead letters of `records`, `identity` and `customers` for what was refused; once that is mended,"
        " `singleview settle` asks for it at once"
    )
    return warning(AREA, what, found, fix)


def judge(what: str, sync: Sync | None, size: int, topic_id: str | None, now_ms: int) -> Check:
    """Whether a store that can be opened can also be used."""
    found = f"{size / 2**20:.1f} MiB"
    if sync is None:
        return ok(AREA, what, f"{found}, nothing on disk yet")
    days = (now_ms - sync.timestamp) / DAY_MS if sync.timestamp else 0.0
    found = f"{found}, at offset {sync.offset:,}, in touch {_age(days)} ago"
    rebuilt = "nothing to do: it is rebuilt at the next start, which takes longer. To make room now, delete its folder"
    if topic_id is not None and sync.topic_id != topic_id:
        keep = "keep it, if nobody deleted that topic on purpose: it may be the only copy of what was there"
        return warning(AREA, what, f"{found}; of a table topic that is gone", keep)
    if days * DAY_MS > DELETE_RETENTION_MS / 2:
        return warning(AREA, what, f"{found}; older than the topic keeps deletions", rebuilt)
    return Check(AREA, what, Status.OK, found)


def _age(days: float) -> str:
    if days >= 1:
        return f"{days:.1f} days"
    hours = days * 24
    return f"{hours:.1f} h" if hours >= 1 else f"{max(0.0, hours * 60):.0f} min"
