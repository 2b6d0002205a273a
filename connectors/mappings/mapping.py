"""A compiled mapping: one source's decoded events to canonical changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from msgspec import UNSET

from connectors.mappings.absent import NONE, Presence
from connectors.mappings.around import Around
from connectors.mappings.around import reading as around_message
from connectors.mappings.attributes import CHARACTERISTIC, AttributesReader, Names, Skipped
from connectors.mappings.conditions import Test, compile_condition
from connectors.mappings.connect import Opened, open_payload
from connectors.mappings.dates import milliseconds, not_ahead
from connectors.mappings.debezium import RowChange, open_envelope
from connectors.mappings.encoded import encodable_parts, refuse_encoded
from connectors.mappings.model import NAME, Format, MappingDocument, Operation, Value
from connectors.mappings.order import compile_order
from connectors.mappings.order_model import Ordering, Time
from connectors.mappings.paths import Getter, first_step, getter, opened
from connectors.mappings.reading import Reading, Unread
from connectors.mappings.rows import cloud_event, names_in, rows_of
from connectors.mappings.unchanged import Placeholders
from connectors.mappings.unfit import UnfitError
from connectors.mappings.unfound import places
from connectors.mappings.values import as_text, compile_value
from schemas.canonical import Attributes, record_key
from schemas.documents import load_document
from schemas.messages import Cause, Order, SourceChange
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
    patches: bool  # it makes no snapshots: what it does not map stays as it was

    def __init__(self, document: MappingDocument) -> None:
        self.source = document.source if isinstance(document.source, str) else FROM_RECORD
        self.topics = document.topics
        self.files = document.files
        self.format = document.format
        self.delimiter = document.delimiter
        self.columns = frozenset(path for _, path in places(document))
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
        self._log_order = compile_order(Ordering(log=True), document.epoch)
        self._time = _event_time(time)
        self._placeholders = Placeholders(document.unavailable)
        encodable = encodable_parts(document) if document.format == "debezium" else frozenset()
        self._id_encodable = "record_id" in encodable
        self._encodable = tuple(sorted(encodable - {"record_id"}))
        self._operation = _operation(document)
        self.log_epoch = document.epoch if order.log else None
        self._root = _root(document.root or (".",))
        self._source = _source(document.source)
        self._attributes = AttributesReader(self.source, document.attributes)
        self.presence = Presence(self._attributes.texts, document.absent)
        self._split = None if document.split is None else getter(document.split)
        self._changed = [getter(path) for path in document.changed or ()]
        self._tombstones = document.tombstones or ("ignore" if self._debezium else "refuse")
        self.patches = document.operation is not None and document.operation.patches
        self._unwraps = self._debezium or all(first_step(path) != "payload" for path in self.columns)
        self._looks_around = any(path.startswith("//") for path in self.columns)
        self._columns = document.format == "avro"
        placed = [path for where, path in places(document) if where.startswith("order.")]
        self._rows_share_order = all(path.startswith("/") for path in placed)

    def changes(
        self,
        message: Message,
        document: object,
        read_key: Callable[[], object] = lambda: None,
        read_schema: Callable[[], str] = lambda: "",
        reading: Reading | None = None,
    ) -> list[SourceChange]:
        """What a decoded event says of its record: one change, or none of an event that says nothing (a heartbeat).

        A Debezium update that makes another record of a row gives two: the old record's deletion, then the new one. An
        event of several rows gives the changes of each. `read_key` and `read_schema` decode the message's key and name its
        schema: they are asked for only where something is read from there.
        `reading` is told what became of the event beside its changes. Without it the first row that is refused refuses the
        event, and absent paths are empty.
        Raises RejectedError, whose detail names this mapping and the path, never a value.
        """
        try:
            opened = open_payload(document) if self._unwraps else Opened(document)
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self.source}: {error.what}") from error
        if not self._looks_around:
            return self._changes(message, opened, read_key, reading, None)
        around = Around(message, lambda: open_payload(read_key()).payload, lambda: opened.schema or read_schema())
        with around_message(around):
            return self._changes(message, opened, read_key, reading, around)

    def _changes(
        self,
        message: Message,
        opened: Opened,
        read_key: Callable[[], object],
        reading: Reading | None,
        around: Around | None,
    ) -> list[SourceChange]:
        event = opened.payload
        if not message.value or self._placeholders.may_be_in(message.value):
            event = self._placeholders.mark(event)
        if event is None:
            return self._tombstone(message, read_key)
        if self._split is not None:
            return self._rows(message, event, self._split, reading, around)
        if not isinstance(event, dict):
            hint = " (an array: split: . makes an event of each)" if isinstance(event, list) else ""
            raise RejectedError("bad-value", f"mapping {self.source}: the event is not an object{hint}")
        if not self._debezium:
            event = cloud_event(event)
            row: RowChange | None = RowChange(event, deleted=False, columns=self._columns or opened.typed)
        else:
            row = open_envelope(event, read_key)
        change = None if row is None else self._change(message, row, event, reading)
        if row is None or change is None:
            return []
        left = None if row.before is None else self._left(change, row.row, row.before, event)
        return [change] if left is None else [left, change]

    def _rows(
        self, message: Message, event: object, split: Getter, reading: Reading | None, around: Around | None
    ) -> list[SourceChange]:
        """A change for each row of an event, in their order."""
        try:
            items = rows_of(split, event)
            if items is None:
                if self._operation(None, event) == "ignore":
                    return []
                raise UnfitError("bad-value", "no list there")
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self.source}, split: {error.what}") from error
        changes = []
        if reading is not None:
            reading.rows = True
        for number, item in enumerate(items):
            if around is not None:
                around.row = number
            row = RowChange(item, deleted=False, columns=self._columns)
            try:
                change = self._change(message, row, event, reading, number)
            except RejectedError as error:
                rejected = RejectedError(error.reason, f"row {number}: {error.detail}")
                if reading is None:
                    raise rejected from error
                reading.refused.append(rejected)
            else:
                changes += [change] if change else []
        return changes

    def _tombstone(self, message: Message, read_key: Callable[[], object]) -> list[SourceChange]:
        """Says nothing new where it follows a delete, for the compaction of the topic; else its key names a record."""
        if self._tombstones == "ignore":
            return []
        if self._tombstones == "delete":
            return [self._deleted_by_key(message, open_payload(read_key()).payload)]
        raise RejectedError(
            "tombstone",
            f"mapping {self.source}: no value. If the source deletes so, say tombstones: delete (the record's id is then"
            " read from the key); if a delete with the record's id comes before, say tombstones: ignore",
        )

    def _deleted_by_key(self, message: Message, key: object) -> SourceChange:
        where = "realm"
        try:
            realm = self._checked_realm(self._realm(key if isinstance(key, dict) else {}, key))
            where = "source"
            source = self._source(key, key)
            where = "record_id"
            found = self._record_id(key, key) if isinstance(key, dict) else as_text(key, "//key")
            record = record_key(realm, source, self._checked_id(found))
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self.source}, key of a tombstone, {where}: {error.what}") from error
        try:
            order = self._order(message, key, key)
        except (UnfitError, RejectedError):
            order = self._log_order(message, None, None)  # where the key says no order, the log does
        cause = Cause(message.ref, message.timestamp, _trace(message))
        return SourceChange(record=record, operation="delete", order=order, attributes=Attributes(), cause=cause)

    def _change(
        self, message: Message, row: RowChange, event: object, reading: Reading | None, number: int | None = None
    ) -> SourceChange | None:
        item = row.row
        where = "operation"  # what is being read, for the detail of a rejection
        try:
            operation = "delete" if row.deleted else self._operation(item, event)
            if operation == "ignore":
                return None
            where = "realm"
            fields: object = item if isinstance(item, dict) or not row.deleted else {}
            realm = self._checked_realm(self._realm(fields, event))
            where = "source"
            source = self._source(fields, event)
            where = "record_id"
            found = self._record_id(item, event) if fields is item else as_text(item, "//key")
            if self._id_encodable:
                refuse_encoded(found)
            record = record_key(realm, source, self._checked_id(found, event))
            where = "order"
            order = self._order(message, fields, event)
            where = "event_time"
            cause = Cause(message.ref, self._time(message, item, event), _trace(message))
            where = "root"
            inner = None if operation == "delete" else self._root(item, event)
            names = self._names(item, event) if self._changed and operation == "patch" else None
        except UnfitError as error:
            raise RejectedError(error.reason, f"mapping {self.source}, {where}: {error.what}") from error
        if number is not None:
            cause = Cause(f"{cause.ref}#{number}", cause.time, cause.trace)
            if self._rows_share_order:
                order = Order(order.scope, (*order.position, number))
        if operation == "delete":
            return SourceChange(record=record, operation="delete", order=order, attributes=Attributes(), cause=cause)
        if inner is None:
            if reading is not None:
                reading.empty = True
            return None
        if not isinstance(inner, dict):
            raise RejectedError("bad-value", f"mapping {self.source}, root: no object there")
        skipped = Skipped()
        if operation == "patch" or row.patch:
            attributes = self._patch(message, inner, event, names, reading, skipped)
        else:
            kept = self._kept(message, inner, event, reading, columns=row.columns)
            attributes = self._attributes.snapshot(inner, event, kept, skipped)
            # What the source's log does not hold, its events do not have any more, or nobody can read, stays as it was. All
            # the other attributes are named, so this is a patch.
            operation = "patch" if kept or skipped else "snapshot"
        for name, unfit in skipped.unread:
            detail = f"mapping {self.source}, attribute {name.removeprefix(CHARACTERISTIC)}: {unfit.what}"
            if reading is None:
                raise RejectedError(unfit.reason, detail) from unfit
            reading.unread.append(Unread(self.source, name, unfit.reason, detail))
        self._refuse_encoded(attributes)
        return SourceChange(
            record=record,
            operation="patch" if operation == "patch" or row.patch else "snapshot",
            order=order,
            attributes=attributes,
            cause=cause,
        )

    def _refuse_encoded(self, attributes: Attributes) -> None:
        """See encoded.py."""
        for name in self._encodable:
            try:
                for part in getattr(attributes, name) or ():
                    refuse_encoded(part.value if name == "identifications" else part.id)
            except UnfitError as error:
                raise RejectedError(error.reason, f"mapping {self.source}, attribute {name}: {error.what}") from error

    def _patch(
        self, message: Message, inner: object, event: object, names: Names | None, reading: Reading | None, skipped: Skipped
    ) -> Attributes:
        if reading is not None and reading.seen is not None:
            looked = reading.seen.look(message, self.presence.absent(inner, event), whole=False, columns=False)
            reading.empty |= looked.empty
        if names is None:
            return self._attributes.patch(inner, event, skipped)
        return self._attributes.changed(inner, event, names, skipped)

    def _kept(
        self, message: Message, inner: object, event: object, reading: Reading | None, *, columns: bool
    ) -> frozenset[str]:
        """The attributes of a snapshot that stay as they were, because what they are read from is gone from the topic."""
        if reading is None or reading.seen is None:
            return NONE
        looked = reading.seen.look(message, self.presence.absent(inner, event), whole=True, columns=columns)
        reading.empty |= looked.empty
        reading.whole = True
        return looked.kept

    def _names(self, item: object, event: object) -> Names:
        return frozenset(name for get in self._changed for name in names_in(get(item, event)))

    def _left(
        self, change: SourceChange, row: object, before: dict[str, object], event: dict[str, object]
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

    def _checked_id(self, record_id: str, event: object = None) -> str:
        if not record_id:
            envelope = not self._debezium and isinstance(event, dict) and event.keys() >= {"op", "before", "after"}
            hint = " (the event is Debezium's envelope: the format debezium reads it)" if envelope else ""
            raise RejectedError("missing-record-id", f"mapping {self.source}, record_id: missing or empty{hint}")
        if len(record_id) > MAX_RECORD_ID:
            raise RejectedError("too-large", f"mapping {self.source}, record_id: longer than {MAX_RECORD_ID} characters")
        return record_id


def load_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file. Raises DocumentError with every problem in it."""
    return Mapping(load_document(path, MappingDocument))


def shipped_mapping(name: str) -> Path:
    """The file of a mapping that comes with singleview, such as crm, mysql or (of files) febrl: see docs/mappings.md.

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


def _root(texts: tuple[str, ...]) -> Getter:
    """The first object there is. Null where all are null or absent, and one of them is null."""
    getters = [getter(text) for text in texts]

    def find(item: object, event: object) -> object:
        found: list[object] = []
        for get in getters:
            found.append(opened(get(item, event)))
            if found[-1] is not None and found[-1] is not UNSET:
                return found[-1]
        return None if None in found else UNSET

    return find if len(getters) > 1 or texts[0] != "." else getters[0]


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
    for condition, what in ((document.delete_when, "delete"), (document.ignore_when, "ignore")):
        if condition is not None:
            choose = _unless(compile_condition(condition), what, choose)
    return choose


def _unless(fits: Test, what: str, otherwise: Callable[[object, object], str]) -> Callable[[object, object], str]:
    return lambda item, event: what if fits(item, event) else otherwise(item, event)


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
