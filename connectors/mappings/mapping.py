"""A compiled mapping: one source's decoded events to canonical changes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from msgspec import UNSET

from connectors.mappings.attributes import AttributesReader
from connectors.mappings.conditions import compile_condition
from connectors.mappings.dates import milliseconds, not_ahead
from connectors.mappings.debezium import RowChange, is_unavailable, open_envelope, payload
from connectors.mappings.model import NAME, Format, MappingDocument, Operation, Value
from connectors.mappings.order import compile_order
from connectors.mappings.order_model import Ordering, Time
from connectors.mappings.paths import getter
from connectors.mappings.unfit import UnfitError
from connectors.mappings.values import as_text, compile_value
from schemas.canonical import Attributes, record_key
from schemas.documents import load_document
from schemas.messages import Cause, SourceChange
from streams.engine.contract import Message, RejectedError

MAX_RECORD_ID = 256
FROM_RECORD = "(source from the record)"
_TRACE = re.compile(rb"[0-9a-f-]{1,100}")


class Mapping:
    """One source's mapping, compiled. Deterministic and without state: the same message gives the same change."""

    source: str  # `FROM_RECORD` where each event names its own
    topics: tuple[str, ...]
    files: tuple[str, ...]  # glob patterns of the files it reads; empty: any
    format: Format
    delimiter: str
    known_realms: frozenset[str]  # that its records may be of; empty: any
    log_epoch: int | None  # where the log orders its events: raised when their topic was made anew
    columns: frozenset[str]  # of a file: every path there is, as written

    def __init__(self, document: MappingDocument) -> None:
        self.source = document.source if isinstance(document.source, str) else FROM_RECORD
        self.topics = document.topics
        self.files = document.files
        self.format = document.format
        self.delimiter = document.delimiter
        self.columns = frozenset(_paths(document.model_dump()))
        self._debezium = document.format.startswith("debezium")
        time = document.event_time or (Time(path="/source.ts_ms", format="epoch_ms") if self._debezium else None)
        self._realms = None if document.realms is None else frozenset(document.realms)
        self.known_realms = _known_realms(document)
        realm, record_id = compile_value(document.realm), compile_value(document.record_id)
        self._realm, self._record_id = realm.value, record_id.value
        source = () if isinstance(document.source, str) else compile_value(document.source).paths
        self._key = (*realm.paths, *source, *record_id.paths)
        order = document.order or (Ordering(debezium=True) if self._debezium else Ordering(log=True))
        self._order = compile_order(order, document.epoch, debezium=self._debezium)
        self._time = _event_time(time)
        self._operation = _operation(document)
        self.log_epoch = document.epoch if order.log else None
        self._root = getter(document.root or ".")
        self._source = _source(document.source)
        self._attributes = AttributesReader(self.source, document.attributes)

    def changes(
        self, message: Message, document: object, read_key: Callable[[], object] = lambda: None
    ) -> list[SourceChange]:
        """What a decoded event says of its record: one change, or none of an event that says nothing (a heartbeat).

        A Debezium update that makes another record of a row gives two: the old record's deletion, then the new one.
        `read_key` decodes the message's key: it is asked for only when a Debezium delete holds no row.
        Raises RejectedError, whose detail names this mapping and the path, never a value.
        """
        event = payload(document) if self._debezium else document
        if event is None:
            return self._tombstone()
        if not isinstance(event, dict):
            raise RejectedError("bad-value", f"mapping {self.source}: the event is not an object")
        row = open_envelope(event, read_key) if self._debezium else RowChange(event, deleted=False, partial=False)
        change = None if row is None else self._change(message, row, event)
        if row is None or change is None:
            return []
        left = None if row.before is None else self._left(change, row.row, row.before, event)
        return [change] if left is None else [left, change]

    def _tombstone(self) -> list[SourceChange]:
        """Debezium's says nothing new: it follows a delete, for the compaction of the topic."""
        if self._debezium:
            return []
        raise RejectedError(
            "tombstone",
            f"mapping {self.source}: no value, and a mapping of the format {self.format} cannot tell from the key alone"
            " which record that deletes: have the source send deletes as events with the record's id (see operation and"
            " delete_when in docs/mappings.md), and no tombstones",
        )

    def _change(self, message: Message, row: RowChange, event: object) -> SourceChange | None:
        item = row.row
        where = "operation"  # what is being read, for the detail of a rejection
        try:
            operation = "delete" if row.deleted else self._operation(item, event)
            if operation == "ignore":
                return None
            where = "realm"
            realm = self._checked_realm(self._realm(item, event))
            where = "source"
            source = self._source(item, event)
            where = "record_id"
            record = record_key(realm, source, self._checked_id(self._record_id(item, event)))
            where = "order"
            order = self._order(message, item, event)
            where = "event_time"
            cause = Cause(message.ref, self._time(message, item, event), _trace(message))
            where = "root"
            inner = None if operation == "delete" else self._root(item, event)
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self.source}, {where}: {error.what}") from error
        if operation == "delete":
            return SourceChange(record=record, operation="delete", order=order, attributes=Attributes(), cause=cause)
        if not isinstance(inner, dict):
            raise RejectedError("bad-value", f"mapping {self.source}, root: no object there")
        if operation == "patch":
            attributes = self._attributes.patch(inner, event)
            return SourceChange(record=record, operation="patch", order=order, attributes=attributes, cause=cause)
        if row.partial:
            # What the source's log does not hold is unchanged; all the other attributes are named, so this is a patch.
            attributes = self._attributes.partial(inner, event, is_unavailable)
            return SourceChange(record=record, operation="patch", order=order, attributes=attributes, cause=cause)
        attributes = self._attributes.snapshot(inner, event)
        return SourceChange(record=record, operation="snapshot", order=order, attributes=attributes, cause=cause)

    def _left(
        self, change: SourceChange, row: dict[str, object], before: dict[str, object], event: dict[str, object]
    ) -> SourceChange | None:
        """The deletion of the record that a row was before an update, if it was another one."""
        was = event | {"after": before}  # what a path from the top of the event found then
        try:
            if not self._key_changed(row, event, before, was):
                return None
            realm = self._checked_realm(self._realm(before, was))
            record = record_key(realm, self._source(before, was), self._checked_id(self._record_id(before, was)))
        except (UnfitError, RejectedError):
            return None  # no record was taken in by that key, or the log holds too little of the row to tell
        if record == change.record:
            return None
        return SourceChange(
            record=record, operation="delete", order=change.order, attributes=Attributes(), cause=change.cause
        )

    def _key_changed(self, row: object, event: object, before: object, was: object) -> bool:
        """Whether a column of the record's key changed, and `before` has it. Cheaper than a key, for most updates say no."""
        now = [get(row, event) for get in self._key]
        then = [get(before, was) for get in self._key]
        return then != now and not any(old is UNSET and new is not UNSET for old, new in zip(then, now, strict=True))

    def _checked_realm(self, realm: str) -> str:
        if not _is_name(realm) or (self._realms is not None and realm not in self._realms):
            raise RejectedError("unknown-realm", f"mapping {self.source}, realm: missing, or not one this mapping allows")
        return realm

    def _checked_id(self, record_id: str) -> str:
        if not record_id:
            raise RejectedError("missing-record-id", f"mapping {self.source}, record_id: missing or empty")
        if len(record_id) > MAX_RECORD_ID:
            raise RejectedError("too-large", f"mapping {self.source}, record_id: longer than {MAX_RECORD_ID} characters")
        return record_id


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises DocumentError with every problem in it."""
    return Mapping(load_document(path, MappingDocument))


def shipped_mapping(name: str) -> Path:
    """The file of a mapping that comes with singleview: crm, billing, orders, selfcare, partner, or (of files) febrl.

    Raises ValueError.
    """
    folder = Path(__file__).parent / "examples"
    names = sorted(path.stem for path in folder.glob("*.yaml"))
    if name not in names:
        raise ValueError(f"no mapping {name!r} is shipped (there are: {', '.join(names)})")
    return folder / f"{name}.yaml"


@lru_cache(maxsize=256)
def _is_name(realm: str) -> bool:
    return NAME.fullmatch(realm) is not None


def _known_realms(document: MappingDocument) -> frozenset[str]:
    if document.realms is not None:
        return frozenset(document.realms)
    constant = document.realm.constant if isinstance(document.realm, Value) else None
    return frozenset() if constant is None else frozenset({str(constant)})


def _source(source: str | Value) -> Callable[[object, object], str]:
    if isinstance(source, str):
        return lambda _item, _event: source
    value = compile_value(source).value

    def read(item: object, event: object) -> str:
        name = value(item, event)
        if not NAME.fullmatch(name):
            raise UnfitError("unknown-source", "missing, or not 1 to 64 of A-Z a-z 0-9 _ . -")
        return name

    return read


def _paths(part: object) -> Iterator[str]:
    """Every path in a mapping, or a part of one. A characteristic may have the name of a key, but holds a dict."""
    if isinstance(part, dict):
        for key, inner in part.items():
            if key in {"path", "each"} and isinstance(inner, str):
                yield inner
            elif key == "first" and isinstance(inner, list | tuple):
                yield from (path for path in inner if isinstance(path, str))
                yield from _paths(tuple(part for part in inner if not isinstance(part, str)))
            else:
                yield from _paths(inner)
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _paths(inner)


def _event_time(time: Time | None) -> Callable[[Message, object, object], int]:
    """The event's own time in ms; the log's, where the event has none."""
    if time is None:
        return lambda message, _item, _event: message.timestamp
    get, style, zone = getter(time.path), time.format, time.zone

    def read(message: Message, item: object, event: object) -> int:
        value = get(item, event)
        if value is None or value is UNSET:
            return message.timestamp
        at = milliseconds(value, style, zone)
        not_ahead(at, message.timestamp)
        return at

    return read


def _operation(document: MappingDocument) -> Callable[[object, object], str]:
    choose = _choose(document.operation or Operation(always="snapshot"))
    if document.delete_when is None:
        return choose
    deleted = compile_condition(document.delete_when)
    return lambda item, event: "delete" if deleted(item, event) else choose(item, event)


def _choose(operation: Operation) -> Callable[[object, object], str]:
    if operation.path is None:
        always = operation.always or "snapshot"
        return lambda _item, _event: always
    get, path, values, otherwise = getter(operation.path), operation.path, operation.values, operation.otherwise

    def choose(item: object, event: object) -> str:
        found = values.get(as_text(get(item, event), path), otherwise)
        if found is None:
            raise UnfitError("unknown-operation", f"path {path}: none of the values of the mapping")
        return found

    return choose


def _trace(message: Message) -> str:
    for name, value in message.headers:
        if name == "traceparent" and value and _TRACE.fullmatch(value):
            return value.decode()
    return ""
