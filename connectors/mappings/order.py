"""Compiles what orders the events of one record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias, cast

from msgspec import UNSET

from connectors.mappings.dates import microseconds, not_ahead
from connectors.mappings.debezium_order import log_position
from connectors.mappings.order_model import Ordering, Place, Time
from connectors.mappings.paths import Getter, getter
from connectors.mappings.places import LOG_FILE, hex_places, number_places, text_places
from connectors.mappings.unfit import UnfitError
from schemas.messages import TEXT_SCOPE, Order
from schemas.position import HIGHEST, LOWEST, Position
from schemas.position import Place as PositionPlace
from streams.engine.contract import Message

ReadOrder: TypeAlias = Callable[[Message, object, object], Order]
"""(message, current item, whole event) -> how it is placed among its record's. Raises UnfitError."""

_ENDS: dict[str, PositionPlace] = {"lowest": LOWEST, "highest": HIGHEST}


def compile_order(order: Ordering, epoch: int, *, debezium: bool = False) -> ReadOrder:
    """Positions begin with the epoch: raising it puts all that follows later."""
    if order.log:
        return lambda message, _item, _event: Order(f"p{message.partition}", (epoch, message.offset))
    if order.debezium:
        return lambda _message, _item, event: _in_log(event, epoch)
    if order.timestamp is not None:
        return _by_time(order.timestamp, epoch)
    return _by_sequence(order.sequence or (), epoch, debezium=debezium)


def _in_log(event: object, epoch: int) -> Order:
    found = log_position(cast("dict[str, object]", event))
    return Order(found.scope, (epoch, *found.position))


def _by_time(time: Time, epoch: int) -> ReadOrder:
    get, style, zone = getter(time.path), time.format, time.zone

    def read(message: Message, item: object, event: object) -> Order:
        found = get(item, event)
        if found is None or found is UNSET:
            raise UnfitError("missing-order", f"path {time.path}: no time there")
        moment = microseconds(found, style, zone)
        not_ahead(moment // 1_000, message.timestamp)
        return Order("time", (epoch, moment))

    return read


def _by_sequence(sequence: tuple[Place, ...], epoch: int, *, debezium: bool) -> ReadOrder:
    if len(sequence) == 1 and (place := sequence[0]) == Place(path=place.path):
        return _by_number(getter(place.path or ""), place, epoch, debezium=debezium)
    parts = [_part(place, debezium=debezium) for place in sequence]
    scope = TEXT_SCOPE if any(place.format == "text" for place in sequence) else "seq"

    def read(_message: Message, item: object, event: object) -> Order:
        found = [part(item, event) for part in parts]
        position: Position = tuple(place for _, places in found for place in places)
        file = next((name for name, _ in found if name), "")
        return Order(f"{scope}:{file}" if file else scope, (epoch, *position))

    return read


def _by_number(get: Getter, place: Place, epoch: int, *, debezium: bool) -> ReadOrder:
    """As `_by_sequence` for one number, which is what most have."""
    part = _part(place, debezium=debezium)

    def read(_message: Message, item: object, event: object) -> Order:
        value = get(item, event)
        if type(value) is int and -(2**63) <= value < 2**63:
            return Order("seq", (epoch, value))
        file, position = part(item, event)
        return Order(f"seq:{file}" if file else "seq", (epoch, *position))

    return read


Part: TypeAlias = Callable[[object, object], tuple[str, Position]]
"""(current item, whole event) -> the name of the log file it is a number of, else empty; and the place or places."""


def _part(place: Place, *, debezium: bool) -> Part:
    paths = [(getter(path), path) for path in place.paths]
    default = _ENDS[place.default] if isinstance(place.default, str) else place.default
    has_default = place.default is not None

    def read(item: object, event: object) -> tuple[str, Position]:
        for get, path in paths:
            value = get(item, event)
            if value is None or value is UNSET or value == "":
                continue
            if place.format == "text":
                return "", text_places(value, path, place.width or 0)
            if place.format == "hex":
                return "", hex_places(value, path)
            if isinstance(value, str) and (file := LOG_FILE.fullmatch(value)):
                return file["name"], (int(file["number"]),)
            return "", number_places(value, path)
        if has_default:
            return "", (default,)
        if debezium and isinstance(event, dict) and event.get("op") == "r":
            return "", (LOWEST,)  # a row of a snapshot, whose source had no position to give
        raise _nothing(place)

    return read


def _nothing(place: Place) -> UnfitError:
    name = place.paths[0] if len(place.paths) == 1 else f"[{', '.join(place.paths)}]"
    key = "path" if len(place.paths) == 1 else "first"
    return UnfitError(
        "missing-order",
        f"path {', '.join(place.paths)}: nothing there. If rows of a first load have none, which are older than all that"
        f" follows, write `order: {{sequence: {{{key}: {name}, default: lowest}}}}`",
    )
