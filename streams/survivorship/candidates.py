"""What the strategies choose among."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from schemas.view import Provenance, Sourced

V = TypeVar("V")

MAX_ALSO = 16  # names of agreeing records kept in a provenance; the count says how many there are


class Candidate(msgspec.Struct, Generic[V], frozen=True, gc=False):
    """One member's value of one attribute, or one element of its list."""

    value: V
    record: str
    time: int  # event time of the value, ms
    rank: int  # of its source in the rule's list; 0 is best
    position: int = 0  # of the element in the record's list


def last_resort(candidate: Candidate[V]) -> tuple[int, int, str, int]:
    """Orders any two candidates of one attribute: newest, best source, then record key and position, which never tie."""
    return (-candidate.time, candidate.rank, candidate.record, candidate.position)


def is_verified(value: object) -> bool:
    """Whether the source vouches for the value. Kinds of values that cannot say so are not verified."""
    return getattr(value, "verified", False)


def alone(chosen: Candidate[V], rule: str) -> Sourced[V]:
    """The chosen value with its provenance, if no other record states it."""
    return Sourced(chosen.value, _of_one(chosen.record, chosen.time, rule))


def sourced(chosen: Candidate[V], agreeing: Sequence[Candidate[V]], rule: str) -> Sourced[V]:
    """The chosen value with its provenance; `agreeing` state the same value and include the chosen one."""
    if len(agreeing) == 1:
        return alone(chosen, rule)
    records = {candidate.record for candidate in agreeing}
    if len(records) == 1:
        return alone(chosen, rule)
    also = tuple(sorted(records - {chosen.record})[:MAX_ALSO])
    return Sourced(
        chosen.value,
        Provenance(record=chosen.record, time=chosen.time, rule=rule, count=len(records), also=also),
    )


@lru_cache(maxsize=8192)
def _of_one(record: str, time: int, rule: str) -> Provenance:
    """One object for all that a record said at one time."""
    return Provenance(record=record, time=time, rule=rule)
