"""What keeps two clusters apart whatever links them: contradictions that hold between all their members.

A pair's score weighs its own evidence; a cluster knows more. A record without a birth date may link a father's records to
his son's: the clusters contradict each other though neither link does.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain, combinations

from streams.identity.features import LINKING_TYPES, Features, Number, PersonName
from streams.identity.levels import CONFLICTING
from streams.identity.levels.birth import judge_birth
from streams.identity.levels.names import are_other_givens, judge_family, judge_given, judge_suffix
from streams.identity.levels.numbers import judge_numbers


def cluster_veto(left: Sequence[Features], right: Sequence[Features]) -> bool:
    """Whether two clusters must not become one. Symmetric, and independent of the order of members.

    An attribute contradicts only if every cross pair of known values does. Alone, only a generation suffix vetoes; two
    independent contradictions do (birth date, identification, given name), and one does where the rest says who they are:
    attested unrelated given names in one household (couples, twins), other birth dates under one name (father and son).
    An identification they share speaks against all but the suffix.
    """
    left_names = _names(left)
    right_names = _names(right)
    if _suffixes_conflict(left_names, right_names):
        return True
    if _kinds_differ(left, right):
        return False
    births = _births_conflict(left, right)
    givens = _givens_conflict(left_names, right_names)
    if not births and not givens:
        return False
    number = judge_numbers(_numbers(left), _numbers(right), ())
    if number[1] > 0:
        return False
    if births + givens + (number[0] is CONFLICTING) >= 2:
        return True
    if givens:
        return _is_one_household(left, right, left_names, right_names)
    return any(
        judge_given(a, b)[1] > 0 and judge_family(a, b)[1] > 0 for a in left_names for b in right_names
    )  # other birth dates under one name


def may_contradict(records: Sequence[Features]) -> bool:
    """False only if no two clusters of these records contradict each other: no two suffixes, births or given names do.

    Mostly they do not, and one look at each record spares asking about pair after pair of clusters.
    """
    births: set[str] = set()
    sounds: set[str] = set()
    suffixes: set[str] = set()
    for record in records:
        births.add(record.birth)
        for name in record.names:
            suffixes.add(name.suffix)
            if name.attested:  # others never conflict, nor do two that sound the same
                sounds.add(name.given_sound)
    births.discard("")
    suffixes.discard("")
    return (
        len(suffixes) > 1
        or len(sounds) > 1
        or (len(births) > 1 and any(judge_birth(x, y)[0] is CONFLICTING for x, y in combinations(births, 2)))
    )


def _names(cluster: Sequence[Features]) -> list[PersonName]:
    if len(cluster) == 1:
        return list(cluster[0].names)
    return list(dict.fromkeys(chain.from_iterable([record.names for record in cluster])))


def _numbers(cluster: Sequence[Features]) -> list[Number]:
    """Identifications of persons. Accounts are no evidence of another person, so equal ones link but do not speak here."""
    return list(dict.fromkeys(n for record in cluster for n in record.numbers if n.type not in LINKING_TYPES))


def _suffixes_conflict(left: Sequence[PersonName], right: Sequence[PersonName]) -> bool:
    mine = [name for name in left if name.suffix]
    if not mine:
        return False  # by far the most
    theirs = [name for name in right if name.suffix]
    return bool(theirs) and all(judge_suffix(a, b)[0] is CONFLICTING for a in mine for b in theirs)


def _kinds_differ(left: Sequence[Features], right: Sequence[Features]) -> bool:
    """Whether one of them has a person where the other has an organization."""
    mine = {record.kind for record in left if record.kind}
    theirs = {record.kind for record in right if record.kind}
    return bool(mine and theirs) and len(mine | theirs) > 1


def _births_conflict(left: Sequence[Features], right: Sequence[Features]) -> bool:
    mine = {record.birth for record in left if record.birth}
    theirs = {record.birth for record in right if record.birth}
    if not mine or not theirs or not mine.isdisjoint(theirs):
        return False
    return all(judge_birth(x, y)[0] is CONFLICTING for x in mine for y in theirs)


def _givens_conflict(left: Sequence[PersonName], right: Sequence[PersonName]) -> bool:
    """Whether every pair of known given names is of two attested, unrelated ones."""
    mine = [name for name in left if name.given]
    theirs = [name for name in right if name.given]
    if not mine or not theirs:
        return False
    return all(are_other_givens(a, b) for a in mine for b in theirs)


def _values(cluster: Sequence[Features]) -> set[bytes]:
    found = {contact.key for record in cluster for contact in chain(record.emails, record.phones)}
    return found | {place.key for record in cluster for place in record.places if place.key}


def _is_one_household(
    left: Sequence[Features], right: Sequence[Features], left_names: Sequence[PersonName], right_names: Sequence[PersonName]
) -> bool:
    """Whether they share a mailbox, a telephone, an address or a family name."""
    if not _values(left).isdisjoint(_values(right)):
        return True
    return any(judge_family(a, b)[1] > 0 for a in left_names for b in right_names)
