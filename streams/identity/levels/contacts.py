"""E-mail addresses and telephone numbers. Generic values, and values held in disjoint periods, are no evidence."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from streams.identity.features import Contact
from streams.identity.levels import CLOSE, DIFFERENT, GENERIC, MISSING, SAME, Judged
from streams.identity.weights import WEIGHTS

_distance = OSA.distance

NO_EVIDENCE: Judged = (GENERIC, 0)


def are_apart(from_x: str, to_x: str, from_y: str, to_y: str) -> bool:
    """Whether one period ends before the other begins. Open ends never do; partial dates count as far as they go."""
    if not (to_x or to_y):
        return False  # by far the most
    return _is_before(to_x, from_y) or _is_before(to_y, from_x)


def _is_before(end: str, begin: str) -> bool:
    known = min(len(end), len(begin))
    return known > 0 and end[:known] < begin[:known]


def _shared(left: Sequence[Contact], right: Sequence[Contact], generic: Collection[bytes]) -> str | None:
    """`same` if a value is shared, `generic` if only generic ones are, else None."""
    found = None
    for a in left:
        for b in right:
            if a.value == b.value and not are_apart(a.valid_from, a.valid_to, b.valid_from, b.valid_to):
                if a.key not in generic:
                    return SAME
                found = GENERIC
    return found


def judge_emails(left: Sequence[Contact], right: Sequence[Contact], generic: Collection[bytes]) -> Judged:
    """A shared mailbox, or one a slip away."""
    return _judge(left, right, generic, _EMAIL)


def judge_phones(left: Sequence[Contact], right: Sequence[Contact], generic: Collection[bytes]) -> Judged:
    """A shared number, or one a slip away."""
    return _judge(left, right, generic, _PHONE)


def _judge(left: Sequence[Contact], right: Sequence[Contact], generic: Collection[bytes], worth: _Worth) -> Judged:
    if not left or not right:
        return MISSING
    shared = _shared(left, right, generic)
    if shared is SAME:
        return worth.same
    if shared is GENERIC:
        return NO_EVIDENCE
    is_slip = worth.is_slip
    for a in left:
        for b in right:
            if is_slip(a.value, b.value):
                return worth.slip
    return worth.different


def _is_email_slip(x: str, y: str) -> bool:
    """One letter wrong; a digit is a deliberate difference (anna1, anna2)."""
    if x[0] != y[0] or _distance(x, y, score_cutoff=1) != 1:
        return False
    return [c for c in x if c.isdigit()] == [c for c in y if c.isdigit()]


def _is_phone_slip(x: str, y: str) -> bool:
    """One digit wrong or two swapped. Numbers that differ in the last digit alone are often issued together."""
    return x[:-1] != y[:-1] and _distance(x, y, score_cutoff=1) == 1


class _Worth(NamedTuple):
    """What a kind of contact is worth at each level, and what is a slip in one."""

    same: Judged
    slip: Judged
    different: Judged
    is_slip: Callable[[str, str], bool]


_EMAIL = _Worth(
    (SAME, WEIGHTS.email_same), (CLOSE, WEIGHTS.email_slip), (DIFFERENT, WEIGHTS.email_different), _is_email_slip
)
_PHONE = _Worth(
    (SAME, WEIGHTS.phone_same), (CLOSE, WEIGHTS.phone_slip), (DIFFERENT, WEIGHTS.phone_different), _is_phone_slip
)


def judge_domains(left: Sequence[Contact], right: Sequence[Contact], generic: Collection[bytes]) -> Judged:
    """The mail domains of two organizations, where their mailboxes differ."""
    if not left or not right:
        return MISSING
    shared = _shared(left, right, generic)
    if shared is SAME:
        return SAME, WEIGHTS.domain_same
    return NO_EVIDENCE if shared is GENERIC else (DIFFERENT, 0)
