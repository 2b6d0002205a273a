"""One attribute at a time: how two values compare, and what that is worth. Every function is symmetric and pure.

A result is a `Judged`: the level's name and its weight in centibits. Missing values are neutral.
"""

from __future__ import annotations

from typing import TypeAlias

Judged: TypeAlias = tuple[str, int]

SAME, CLOSE, DIFFERENT, CONFLICTING = "same", "close", "different", "conflicting"
GENERIC = "generic"
CAPPED, APART = "capped", "apart"  # rules over several attributes
MISSING: Judged = ("missing", 0)
