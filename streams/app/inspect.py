"""Looking at one customer, by its id, an old id, or one of its source records: embedded, or in a deployment on Kafka."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.text import Text

from connectors.logs.embedded import EmbeddedLog
from connectors.registry import ConfluentRegistry
from schemas.canonical import Attributes
from schemas.messages import UnknownVersionError
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES
from schemas.view import CustomerChange, CustomerView
from streams.app.broker import reach
from streams.app.config import Configuration
from streams.app.console import UsageError, WorkError, err, stages
from streams.app.copies import Copies
from streams.app.defaults import DEFAULT_CONFIG, DEFAULT_FOLDER
from streams.app.embedded import data_paths
from streams.app.summary import Tables
from streams.app.wiring import Deployment
from streams.customers import read_view
from streams.records import RECORD_ROWS, row_key


class Member(NamedTuple):
    """A source record of the customer, as `records` keeps it."""

    record: str
    version: int
    attributes: Attributes


class Inspection(NamedTuple):
    """Everything about one customer."""

    asked: str
    view: CustomerView
    members: list[Member]
    history: list[CustomerChange]


Changes = Callable[[Collection[str]], Iterable[bytes]]
"""The change events of customer ids, each id's in order."""


class Inspector:
    """Looks into the tables of a deployment."""

    def __init__(self, tables: Tables, changes: Changes, codec: PublicCodec) -> None:
        self.tables = tables
        self._changes = changes
        self._codec = codec

    def inspect(self, what: str) -> Inspection:
        """Raises WorkError if nothing is known under this name."""
        customer = self._customer_of_record(what) if "/" in what else what
        view = self._view(customer)
        seen = {customer}
        while view.merged_into and view.merged_into not in seen:
            seen.add(view.merged_into)
            view = self._view(view.merged_into)
        members = [self._member(record) for record in view.members]
        ids = {view.customer_id, *view.aliases}
        return Inspection(what, view, members, self._history(ids))

    def _customer_of_record(self, record: str) -> str:
        for store in self.tables.partitions("records"):
            found = store.get(row_key(record))
            if found:
                row = RECORD_ROWS.decode(found)
                if row.customer is None:
                    raise WorkError(f"source record {record} was deleted and belongs to no customer")
                return row.customer
        raise WorkError(f"there is no source record {record} (a record is named realm/source/id)")

    def _view(self, customer: str) -> CustomerView:
        for store in self.tables.partitions("customers"):
            try:
                view = read_view(store, customer, self._codec)
            except UnknownVersionError as error:
                raise WorkError(f"{error}: it is renewed with the customer's next change") from error
            if view:
                return view
        raise WorkError(f"there is no customer {customer}")

    def _member(self, record: str) -> Member:
        for store in self.tables.partitions("records"):
            found = store.get(row_key(record))
            if found:
                row = RECORD_ROWS.decode(found)
                return Member(record, row.version, row.attributes)
        raise WorkError(f"source record {record} is a member, but its row is missing")

    def _history(self, ids: Collection[str]) -> list[CustomerChange]:
        """The change events of an id and of those merged into it, in the order they were published."""
        return sorted(map(self._codec.decode_change, self._changes(ids)), key=lambda change: change.processing_time)


class Place(NamedTuple):
    """Where to look: a deployment on Kafka, or an embedded data folder. One of them."""

    config: Path | None
    data: Path | None

    def __str__(self) -> str:
        return f"the deployment of {self.config}" if self.config else f"the data folder {self.data}"


def find_place(data: Path | None, config: Path | None) -> Place:
    """What was named; else the deployment in the current folder, as other commands take it; else a demo's data there.

    Raises UsageError if both were named.
    """
    if config and data:
        raise UsageError("--config looks into a deployment and --data into a folder: name one of them")
    if data or config:
        return Place(config, data)
    return Place(DEFAULT_CONFIG, None) if DEFAULT_CONFIG.exists() else Place(None, DEFAULT_FOLDER)


@contextmanager
def open_place(data: Path | None, config: Path | None, processors: Collection[str], *, quiet: bool) -> Iterator[Inspector]:
    """The deployment or data folder that is meant (`find_place`); says which unless `quiet`."""
    place = find_place(data, config)
    if not quiet:
        err.print(Text(f"looking into {place}", style="dim"), soft_wrap=True)
    if place.config:
        with open_deployment(place.config, processors, quiet=quiet) as found:
            yield found
    else:
        assert place.data
        with open_folder(place.data) as found:
            yield found


@contextmanager
def open_folder(data: Path) -> Iterator[Inspector]:
    """An embedded data folder. No pipeline may be running on it. Raises WorkError if it holds nothing."""
    path, stores = data_paths(data)
    if not path.exists():
        raise WorkError(
            f"{data} holds no data: run `singleview demo` first, or name a folder with --data, or a deployment with --config"
        )
    log = EmbeddedLog(path)

    def changes(customers: Collection[str]) -> Iterator[bytes]:
        keys = {customer.encode() for customer in customers}
        return (m.value for m in log.messages(CUSTOMER_CHANGES) if m.key in keys and m.value)

    with closing(log), Tables(stores) as tables:
        yield Inspector(tables, changes, PublicCodec(log.registry()))


@contextmanager
def open_deployment(config: Path, processors: Collection[str], *, quiet: bool) -> Iterator[Inspector]:
    """A deployment on Kafka, running or not, as it is now. Reads the tables of `processors` first."""
    deployment = Deployment(Configuration.load(config))
    reach(deployment.configuration.kafka_settings)
    with closing(Copies(deployment)) as copies:
        with stages(quiet=quiet) as progress:
            copies.refresh(processors, progress)
        with (
            ConfluentRegistry(deployment.configuration.registry_settings) as registry,
            Tables(copies.folder) as tables,
        ):
            yield Inspector(tables, copies.changes, deployment.codec(registry))
