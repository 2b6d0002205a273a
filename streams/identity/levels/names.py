"""Given and family names. Two attested given names are close only if a nickname or their sound relates them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from rapidfuzz.distance import OSA, JaroWinkler

from streams.identity.features import PersonName
from streams.identity.levels import CLOSE, CONFLICTING, DIFFERENT, MISSING, SAME, Judged
from streams.identity.weights import LIKENESS, WEIGHTS

_likeness = JaroWinkler.similarity
_distance = OSA.distance


NamesJudged: TypeAlias = tuple[Judged, Judged, Judged, Judged]
"""Given name, middle name, family name and suffix of the pair of names, one from each record, that agrees best."""

NAMELESS: NamesJudged = (MISSING, MISSING, MISSING, MISSING)


def judge_names(left: Sequence[PersonName], right: Sequence[PersonName]) -> NamesJudged:
    """The best pair of names; the suffix conflicts only if it does in every pair that knows it."""
    if len(left) == 1 and len(right) == 1:
        return judge_pair(left[0], right[0])
    if not left or not right:
        return NAMELESS
    judged = [judge_pair(a, b) for a in left for b in right]
    given, middle, family, _ = max(judged, key=_rank)
    suffixes = [suffix for *_, suffix in judged if suffix is not MISSING]
    return given, middle, family, max(suffixes, key=lambda suffix: suffix[1]) if suffixes else MISSING


def _rank(judged: NamesJudged) -> tuple[int, NamesJudged]:
    given, middle, family, _ = judged
    return given[1] + middle[1] + family[1], judged


def judge_pair(a: PersonName, b: PersonName) -> NamesJudged:
    """One name against one name, each as it stands or, where that fits better, with given and family name swapped."""
    given = judge_given(a, b)
    family = judge_family(a, b)
    if given[1] < 0 and (swapped := _judge_swapped(a, b)) is not None:
        given, family = swapped
    middle = _judge_middle(a, b) if a.middle and b.middle else MISSING
    suffix = judge_suffix(a, b) if a.suffix and b.suffix else MISSING
    return given, middle, family, suffix


def are_other_givens(a: PersonName, b: PersonName) -> bool:
    """Whether `judge_pair` finds that their given names conflict."""
    return judge_given(a, b)[0] is CONFLICTING and _judge_swapped(a, b) is None


def judge_given(a: PersonName, b: PersonName) -> Judged:
    """How the given names compare; nicknames, called middle names and initials included."""
    x, y = a.given, b.given
    if not x or not y:
        return MISSING
    if len(x) == 1 or len(y) == 1:
        return _judge_initial(a, b)
    bits = a.given_bits if a.given_bits < b.given_bits else b.given_bits
    if x == y:
        return SAME, bits
    if not set(a.forms).isdisjoint(b.forms) or _is_called_by_middle(a, b) or _is_called_by_middle(b, a):
        return CLOSE, bits + WEIGHTS.given_known_as
    if a.given_sound == b.given_sound:
        return CLOSE, bits + WEIGHTS.given_sounds
    if a.attested and b.attested:
        return CONFLICTING, WEIGHTS.given_conflicting
    if _is_spelt_close(x, y):
        return CLOSE, bits + WEIGHTS.given_spelt_close
    return DIFFERENT, WEIGHTS.given_different


def _judge_initial(a: PersonName, b: PersonName) -> Judged:
    """An initial fits a name that begins with it; with a further name written out (M Eugène), that name counts."""
    if len(a.given) > 1 and a.given in b.middle.split():
        return CLOSE, a.given_bits + WEIGHTS.given_known_as
    if len(b.given) > 1 and b.given in a.middle.split():
        return CLOSE, b.given_bits + WEIGHTS.given_known_as
    if a.given[0] == b.given[0]:
        return CLOSE, WEIGHTS.given_initial
    return DIFFERENT, WEIGHTS.given_different


def _is_spelt_close(x: str, y: str) -> bool:
    """Alike as a whole, or one slip apart: in short names a slip weighs too much for the likeness."""
    return _likeness(x, y) >= LIKENESS.name or (len(x) > 3 and len(y) > 3 and _distance(x, y, score_cutoff=1) <= 1)


def _is_called_by_middle(a: PersonName, b: PersonName) -> bool:
    """Whether `a` is called by a further given name of `b`, or writes both as one word."""
    middle = b.middle
    return bool(middle) and (a.given in middle.split() or a.given == b.given + middle.replace(" ", ""))


def _judge_middle(a: PersonName, b: PersonName) -> Judged:
    x, y = a.middle, b.middle
    if not x or not y:
        return MISSING
    if x == y or (x[0] == y[0] and (len(x) == 1 or len(y) == 1)):
        return SAME, WEIGHTS.middle_same
    if x[0] != y[0] and set(x.split()).isdisjoint(y.split()):
        return DIFFERENT, WEIGHTS.middle_conflicting
    return CLOSE, 0


def judge_family(a: PersonName, b: PersonName) -> Judged:
    """How the family names compare; one shared word of a double name is close."""
    x, y = a.family, b.family
    if not x or not y:
        return MISSING
    if len(x) == 1 or len(y) == 1:
        return (CLOSE, WEIGHTS.family_initial) if x[0] == y[0] else (DIFFERENT, WEIGHTS.family_different)
    bits = a.family_bits if a.family_bits < b.family_bits else b.family_bits
    if x == y:
        return SAME, bits
    if a.family_sound == b.family_sound:
        return CLOSE, bits + WEIGHTS.family_sounds
    if _is_spelt_close(x, y):
        return CLOSE, bits + WEIGHTS.family_spelt_close
    if (" " in x or " " in y) and not set(x.split()).isdisjoint(y.split()):
        return CLOSE, bits + WEIGHTS.family_part
    return DIFFERENT, WEIGHTS.family_different


def _judge_swapped(a: PersonName, b: PersonName) -> tuple[Judged, Judged] | None:
    """Both names, if each stands in the other's field. The frequencies are of the wrong field: the lower ones count."""
    if not (a.given and a.family and b.given and b.family):
        return None
    if not (_is_spelt_close(a.given, b.family) and _is_spelt_close(a.family, b.given)):
        return None
    given_bits = min(a.given_bits, b.given_bits) + WEIGHTS.swapped
    family_bits = min(a.family_bits, b.family_bits) + WEIGHTS.swapped
    return (CLOSE, given_bits), (CLOSE, family_bits)


def judge_suffix(a: PersonName, b: PersonName) -> Judged:
    """Generation suffixes are written only to tell father and son apart."""
    if not a.suffix or not b.suffix:
        return MISSING
    if a.suffix == b.suffix:
        return SAME, WEIGHTS.suffix_same
    if {a.suffix, b.suffix} == {"jr", "2"}:  # John Smith Jr. is also John Smith II
        return CLOSE, 0
    return CONFLICTING, WEIGHTS.suffix_conflicting
