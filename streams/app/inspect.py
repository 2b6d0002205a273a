"""Looking into an embedded data folder: one customer, by its id, an old id, or one of its source records."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from connectors.logs.embedded import EmbeddedLog
from schemas.canonical import Attributes
from schemas.public import PublicCodec
from schemas.topics import CUSTOMER_CHANGES
from schemas.view import CustomerChange, CustomerView
from streams.app.console import WorkError
from streams.app.embedded import data_paths
from streams.app.summary import Tables
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


class Folder:
    """An embedded data folder, opened for reading. No pipeline may be running on it."""

    def __init__(self, data: Path) -> None:
        log, stores = data_paths(data)
        if not log.exists():
            raise WorkError(f"{data} holds no data: run `singleview demo` first, or name a folder with --data")
        self.log = EmbeddedLog(log)
        self.tables = Tables(stores)

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
            view = read_view(store, customer)
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

    def _history(self, ids: set[str]) -> list[CustomerChange]:
        """The change events of an id and of those merged into it, in the order they were published."""
        codec = PublicCodec(self.log.registry())
        keys = {customer.encode() for customer in ids}
        found = [m.value for m in self.log.messages(CUSTOMER_CHANGES) if m.key in keys and m.value]
        return [codec.decode_change(value) for value in found]

    def close(self) -> None:
        self.tables.close()
        self.log.close()

    def __enter__(self) -> Folder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
