"""Which mapped paths an event lacks, and whether that means that its attributes are empty.

In a snapshot an absent key empties its attribute, unless no event of the topic had the path lately: then the attribute stays
as it was, and the path is reported. A column that was renamed, or events of another type, would erase data otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Literal, NamedTuple

from msgspec import UNSET

from connectors.mappings.model import EVERYWHERE
from connectors.mappings.paths import Getter, getter, only_step, parse_path
from connectors.mappings.unfit import UnfitError
from streams.engine.contract import LARGEST_NOTE, Message

log = logging.getLogger(__name__)

SPAN = 10_000
"""Offsets of a partition. A path was seen lately if an earlier event of this span had it, or any of the span before."""

PATIENCE = 20
"""So many events in a row lack a path that this process never saw, before it is logged: sparse sources begin so, too."""

BEFORE_ALL = -1
"""The offset of sightings of which no more is known than that they were before."""

NONE: frozenset[str] = frozenset()


class Presence:
    """The paths that attributes are read from."""

    def __init__(self, texts: Mapping[str, tuple[str, ...]], options: Mapping[str, Literal["keep", "empty"]]) -> None:
        """`texts`: by attribute; `options`: what the mapping says of absent paths, by attribute or for all others."""
        inside = {name: frozenset(t for t in paths if parse_path(t).start != "message") for name, paths in texts.items()}
        self.attributes = {name: paths for name, paths in inside.items() if paths}
        self.paths: frozenset[str] = NONE.union(*self.attributes.values())
        self.options = {
            name: options.get(name) or options.get(name.partition(".")[0]) or options.get(EVERYWHERE)
            for name in self.attributes
        }
        self._keys = {step: text for text in self.paths if (step := only_step(text)) is not None}
        self._simple = frozenset(self._keys)
        self._same = all(step == text for step, text in self._keys.items())
        self._pairs = _pairs(self.paths)
        pairs = frozenset(text for _, keys in self._pairs for text, _ in keys.values())
        self._deep = [(text, getter(text)) for text in sorted(self.paths - pairs) if only_step(text) is None]

    def absent(self, item: object, event: object) -> frozenset[str]:
        """The paths that are nowhere in an event; mostly none."""
        missing = self._simple.difference(item) if type(item) is dict else self._simple
        if missing and not self._same:
            missing = frozenset(self._keys[step] for step in missing)
        for parent, keys in self._pairs:
            inner = item.get(parent) if type(item) is dict else None
            if type(inner) is not dict or not keys.keys() <= inner.keys():
                missing |= {text for text, get in keys.values() if _is_absent(get, item, event)}
        if self._deep:
            missing |= {text for text, get in self._deep if _is_absent(get, item, event)}
        return missing


def _pairs(paths: frozenset[str]) -> list[tuple[str, dict[str, tuple[str, Getter]]]]:
    """Paths of two steps, by the first: (first, {second: the path}). Those of one object are looked up together."""
    found: dict[str, dict[str, tuple[str, Getter]]] = {}
    for text in sorted(paths):
        start, steps = parse_path(text)
        if start == "item" and len(steps) == 2:
            found.setdefault(steps[0], {})[steps[1]] = text, getter(text)
    return list(found.items())


def _is_absent(get: Getter, item: object, event: object) -> bool:
    """A path that leads through something that is no object is no absent one: who reads from it says what is wrong."""
    try:
        return get(item, event) is UNSET
    except UnfitError:
        return False


class Sightings:
    """Which paths the events of one partition had lately.

    What it says of an event depends only on the events before it, also when a batch is done again: of each path the first
    sighting in each span is kept, and spans are forgotten only when a batch begins, which has been committed up to there.
    """

    def __init__(self) -> None:
        self.first: dict[str, int] = {}  # offset of the first sighting ever
        self._spans: dict[int, dict[str, int]] = {}

    def begin(self, offset: int) -> None:
        """A batch begins at an offset."""
        oldest = offset // SPAN - 1
        if self._spans and min(self._spans) < oldest:
            self._spans = {number: span for number, span in self._spans.items() if number >= oldest}

    def note(self, offset: int, paths: frozenset[str], absent: frozenset[str]) -> None:
        """An event has all of the paths that are not absent."""
        span = self._spans.setdefault(offset // SPAN, {})
        if len(span) == len(paths):
            return
        for path in paths.difference(absent, span):
            span[path] = offset
            self.first.setdefault(path, offset)

    def summary(self, offset: int, paths: Sequence[str]) -> str:
        """What was seen before an offset, for `restore`: `paths` as bits of hexadecimal numbers."""
        number = offset // SPAN
        this, before = self._spans.get(number, {}), self._spans.get(number - 1, {})
        seen = [_bits(paths, {path for path, at in span.items() if at < offset}) for span in (this, before, self.first)]
        return ".".join(f"{number:x}" for number in (number, *seen)) if any(seen) else ""

    def restore(self, summary: str, paths: Sequence[str]) -> None:
        """Begins with what a summary says."""
        number, this, before, ever = (int(text, 16) for text in summary.split("."))
        sets = [dict.fromkeys(_of_bits(paths, bits), BEFORE_ALL) for bits in (this, before, ever)]
        self._spans = {number: sets[0], number - 1: sets[1]}
        self.first = sets[2]

    def lately(self, path: str, offset: int) -> bool:
        number = offset // SPAN
        seen = self._spans.get(number, {}).get(path)
        return (seen is not None and seen < offset) or path in self._spans.get(number - 1, {})

    def ever(self, path: str, offset: int) -> bool:
        seen = self.first.get(path)
        return seen is not None and seen < offset


def _bits(paths: Sequence[str], among: Collection[str]) -> int:
    return sum(1 << at for at, path in enumerate(paths) if path in among)


def _of_bits(paths: Sequence[str], bits: int) -> Iterator[str]:
    return (path for at, path in enumerate(paths) if bits >> at & 1)


class Looked(NamedTuple):
    """What the absent paths of an event mean."""

    kept: frozenset[str]  # attributes that stay as they were
    empty: bool  # the event has none of the mapped paths


_ALL_THERE = Looked(NONE, empty=False)


class Seen:
    """What a process has seen of the paths of one mapping, by topic and partition."""

    def __init__(self, source: str, presence: Presence) -> None:
        self._source = source
        self._presence = presence
        self._partitions: dict[tuple[str, int], Sightings] = {}
        self._paths = sorted(presence.paths)
        self._version = blake2b("\n".join(self._paths).encode(), digest_size=4).hexdigest()
        self.reported: dict[tuple[str, str], int] = {}  # (topic, path) -> events that lacked it in a row
        self._logged: set[tuple[str, str]] = set()

    def begin(self, message: Message) -> None:
        """A batch of a partition begins with this message."""
        self._of(message.topic, message.partition).begin(message.offset)

    def remember(self, topic: str, partition: int, offset: int) -> str:
        """What the events before an offset had, for `recall`; empty if nothing."""
        summary = self._of(topic, partition).summary(offset, self._paths)
        note = f"{self._version}.{summary}" if summary else ""
        return note if len(note) <= LARGEST_NOTE else ""

    def recall(self, topic: str, partition: int, note: str) -> None:
        """A partition is read from here on. What is remembered of other paths, as the mapping was then, is of no use."""
        sightings = self._partitions[topic, partition] = Sightings()
        version, _, summary = note.partition(".")
        if version == self._version:
            sightings.restore(summary, self._paths)

    def look(self, message: Message, absent: frozenset[str], *, whole: bool, columns: bool) -> Looked:
        """Notes what an event has. `whole`: it is a snapshot; `columns`: its source writes every column, be it null."""
        presence, sightings = self._presence, self._of(message.topic, message.partition)
        sightings.note(message.offset, presence.paths, absent)
        if self.reported:
            self._found(message.topic, absent)
        empty = bool(absent) and len(absent) == len(presence.paths)
        if not absent or not whole:
            return Looked(NONE, empty)
        kept = set()
        for name, paths in presence.attributes.items():
            if missing := paths & absent:
                option = presence.options[name]
                if option == "keep" and len(missing) == len(paths):
                    kept.add(name)
                elif option is None and self._gone(message, paths, missing, sightings, columns=columns, empty=empty):
                    kept.add(name)
                    self._report(message, missing, sightings, columns=columns)
        return Looked(frozenset(kept), empty)

    def _gone(
        self,
        message: Message,
        paths: frozenset[str],
        missing: frozenset[str],
        sightings: Sightings,
        *,
        columns: bool,
        empty: bool,
    ) -> bool:
        """Whether paths of an attribute are missing because they are gone, not because there is no value."""
        if len(missing) == len(paths):
            other = empty and len(self._presence.attributes) > 1  # an event of another type, most likely
            return other or columns or not any(sightings.lately(path, message.offset) for path in missing)
        return columns and any(sightings.ever(path, message.offset) for path in missing)

    def _report(self, message: Message, missing: frozenset[str], sightings: Sightings, *, columns: bool) -> None:
        for path in missing:
            place = (message.topic, path)
            self.reported[place] = self.reported.get(place, 0) + 1
            certain = columns or sightings.ever(path, message.offset) or self.reported[place] >= PATIENCE
            if certain and place not in self._logged:
                self._logged.add(place)
                log.warning(
                    "mapping %s: no event of %s has %s lately, since %s: what is read from there stays as it was. Correct"
                    " the mapping, or say in it what an absent path means (absent: keep or empty)",
                    self._source,
                    message.topic,
                    path,
                    message.ref,
                )

    def _found(self, topic: str, absent: frozenset[str]) -> None:
        for place in [place for place in self.reported if place[0] == topic and place[1] not in absent]:
            del self.reported[place]
            self._logged.discard(place)

    def _of(self, topic: str, partition: int) -> Sightings:
        found = self._partitions.get((topic, partition))
        if found is None:
            found = self._partitions[topic, partition] = Sightings()
        return found
