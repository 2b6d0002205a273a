"""Birth dates, whole or partial, with the errors people make when they type them."""

from __future__ import annotations

from streams.identity.levels import CLOSE, CONFLICTING, DIFFERENT, MISSING, SAME, Judged
from streams.identity.weights import WEIGHTS

_WHOLE, _MONTH, _YEAR = 8, 6, 4


def judge_birth(x: str, y: str) -> Judged:
    """Two of YYYY, YYYYMM, YYYYMMDD. A difference within one slip of the keyboard is close."""
    if not x or not y:
        return MISSING
    if x == y and len(x) == _WHOLE:
        return SAME, WEIGHTS.birth_same_january_first if x.endswith("0101") else WEIGHTS.birth_same
    known = min(len(x), len(y))
    if known < _WHOLE:
        return _judge_partial(x[:known], y[:known])
    agreeing = (x[:4] == y[:4]) + (x[4:6] == y[4:6]) + (x[6:] == y[6:])
    if agreeing == 0:
        return CONFLICTING, WEIGHTS.birth_conflicting
    if agreeing == 1 and x[:4] == y[:4] and x[4:6] == y[6:] and x[6:] == y[4:6]:
        return CLOSE, WEIGHTS.birth_slip
    if agreeing == 2:
        return CLOSE, WEIGHTS.birth_slip if _is_slip(x, y) else WEIGHTS.birth_partly
    return CONFLICTING, WEIGHTS.birth_conflicting


def _judge_partial(x: str, y: str) -> Judged:
    if x == y:
        return CLOSE, WEIGHTS.birth_year_same if len(x) == _YEAR else WEIGHTS.birth_month_same
    if _is_slip(x, y):
        return DIFFERENT, 0
    return CONFLICTING, WEIGHTS.birth_conflicting


def _is_slip(x: str, y: str) -> bool:
    """One digit wrong, or two neighbours swapped."""
    wrong = [i for i, (a, b) in enumerate(zip(x, y, strict=True)) if a != b]
    if len(wrong) == 1:
        return True
    return len(wrong) == 2 and wrong[1] == wrong[0] + 1 and x[wrong[0]] == y[wrong[1]] and x[wrong[1]] == y[wrong[0]]
