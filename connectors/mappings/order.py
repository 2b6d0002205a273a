"""Compiles what orders the events of one record."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import cast

from msgspec import UNSET

from connectors.mappings.dates import microseconds
from connectors.mappings.debezium_order import position
from connectors.mappings.order_model import Ordering
from connectors.mappings.paths import getter
from connectors.mappings.unfit import UnfitError
from schemas.messages import Order
from streams.engine.contract import Message

_MAX_SEQUENCE = 2**63
_SEQUENCE = re.compile(r"\s*\d{1,19}\s*", re.ASCII)


def compile_order(order: Ordering, epoch: int) -> Callable[[Message, object, object], Order]:
    """How a message is placed among its record's. Positions begin with the epoch: raising it puts all that follows later."""
    if order.log:
        return lambda message, _item, _event: Order(f"p{message.partition}", (epoch, message.offset))
    if order.debezium:
        return lambda _message, _item, event: Order("lsn", (epoch, *position(cast("dict[str, object]", event))))
    if order.timestamp is not None:
        get, style = getter(order.timestamp.path), order.timestamp.format
        return lambda _message, item, event: Order("time", (epoch, microseconds(_there(get(item, event)), style)))
    steps = [(getter(path), path) for path in order.sequence or ()]
    return lambda _message, item, event: Order("seq", (epoch, *(_sequence(get(item, event), path) for get, path in steps)))


def _there(value: object) -> object:
    if value is None or value is UNSET:
        raise UnfitError("missing-order", "no time there")
    return value


def _sequence(value: object, path: str) -> int:
    if isinstance(value, str) and _SEQUENCE.fullmatch(value):
        value = int(value)
    if type(value) is not int or not -_MAX_SEQUENCE <= value < _MAX_SEQUENCE:
        raise UnfitError("missing-order", f"path {path}: a whole number of 64 bits was expected")
    return value
