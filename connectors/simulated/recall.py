"""The best any matcher could do: which true pairs have something in common once all systems have said what they say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

from rapidfuzz import fuzz

from connectors.simulated.capture import JUNK_BIRTH, JUNK_EMAILS, Held
from connectors.simulated.corruption import plain, without_accents
from connectors.simulated.records import SystemRecord
from connectors.simulated.stream import stories

_ALIKE = 80  # ratio of two whole names, of 100, above which a person calls them alike


class Reach(NamedTuple):
    """Pairs of records of one customer, counted."""

    records: int
    pairs: int
    in_common: int  # joined, directly or over other records of the customer, by records that share an informative value
    evident: int  # likewise by an equal identification, or by two of: name, birth date, contact
    identified: int  # the two records hold an equal identification
    hard: int  # they do not, and contradict each other in a value both hold

    @property
    def best_recall(self) -> float:
        """What no matcher can exceed."""
        return self.in_common / self.pairs if self.pairs else 1.0

    @property
    def evident_recall(self) -> float:
        """What a matcher reaches that joins exactly where two kinds of evidence agree."""
        return self.evident / self.pairs if self.pairs else 1.0


class Evidence(NamedTuple):
    """The informative values of one record: junk and empty values are not."""

    names: frozenset[str]
    line: str
    births: frozenset[str]
    contacts: frozenset[str]
    identifications: frozenset[str]

    def shares_any(self, other: Evidence) -> bool:
        return self.shares_identification(other) or self._agreeing(other) >= 1

    def is_evident(self, other: Evidence) -> bool:
        return self.shares_identification(other) or self._agreeing(other) >= 2

    def shares_identification(self, other: Evidence) -> bool:
        return not self.identifications.isdisjoint(other.identifications)

    def contradicts(self, other: Evidence) -> bool:
        """Both hold a name, birth date or contact, and they are not the same."""
        return self.names != other.names or any(
            mine and theirs and mine.isdisjoint(theirs)
            for mine, theirs in ((self.births, other.births), (self.contacts, other.contacts))
        )

    def _agreeing(self, other: Evidence) -> int:
        alike = self.line and other.line and fuzz.token_sort_ratio(self.line, other.line) >= _ALIKE
        names = bool(alike) or not self.names.isdisjoint(other.names)
        births = not self.births.isdisjoint(other.births)
        return names + births + (not self.contacts.isdisjoint(other.contacts))


def reachable_recall(customers: int, seed: int) -> Reach:
    """Generates the customers and counts. Records deleted in the end do not count."""
    total = Reach(0, 0, 0, 0, 0, 0)
    for story in stories(customers, seed):
        evidence = [evidence_of(record) for record in story.records if not record.deleted]
        counted = Reach(
            records=len(evidence),
            pairs=len(evidence) * (len(evidence) - 1) // 2,
            in_common=_joined(evidence, Evidence.shares_any),
            evident=_joined(evidence, Evidence.is_evident),
            identified=sum(a.shares_identification(b) for a, b in combinations(evidence, 2)),
            hard=sum(not a.shares_identification(b) and a.contradicts(b) for a, b in combinations(evidence, 2)),
        )
        total = Reach(*(was + more for was, more in zip(total, counted, strict=True)))
    return total


def evidence_of(record: SystemRecord) -> Evidence:
    """What a record holds in the end."""
    held = record.held
    words = " ".join(filter(None, (held.given, held.family, held.organization)))
    tokens = frozenset(plain(word) for word in words.split())
    identifications = {
        f"{kind} {value}"
        for kind, value in (
            ("passport", held.passport),
            ("national", held.national_id),
            ("tax", held.tax_id),
            ("registration", held.registration),
            ("customer", record.record_id if record.source == "crm" else held.crm_number),
        )
        if value
    }
    return Evidence(
        names=frozenset(token for token in tokens if len(token) > 2),
        line=without_accents(words).lower(),
        births=_births(held),
        contacts=_contacts(held),
        identifications=frozenset(identifications),
    )


def _births(held: Held) -> frozenset[str]:
    """The birth date in both readings of day and month."""
    if held.birth is None or held.birth == JUNK_BIRTH:
        return frozenset()
    year, month, day = held.birth.split("-")
    return frozenset({held.birth, f"{year}-{day}-{month}"})


def _contacts(held: Held) -> frozenset[str]:
    phones = {phone for phone in (held.mobile, held.landline) if phone and phone.startswith("+")}
    emails = {held.email} if held.email and held.email not in JUNK_EMAILS else set()
    places = {f"{held.address.house} {held.address.city}"} if held.address else set()
    return frozenset(phones | emails | places)


def _joined(evidence: Sequence[Evidence], joins: Callable[[Evidence, Evidence], bool]) -> int:
    """How many pairs are in one component when every pair that `joins` is an edge."""
    groups: list[list[Evidence]] = []
    for one in evidence:
        mine = [group for group in groups if any(joins(one, other) for other in group)]
        groups = [group for group in groups if group not in mine]
        groups.append([one, *(member for group in mine for member in group)])
    return sum(len(group) * (len(group) - 1) // 2 for group in groups)
