"""What may change between two starts, what may not, and what to do then. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import msgspec

from schemas.versions import Release
from streams.app.config import ConfigurationError
from streams.app.facts.model import Facts, Source
from streams.engine.store import ANEW, lost_table


class Verdict(NamedTuple):
    """The outcome of a comparison."""

    refused: tuple[str, ...]  # nothing may run like this; each with what to do
    told: tuple[str, ...]  # changes that are in order, for the operator to see
    facts: Facts  # to be kept from now on, if nothing is refused


def compare(kept: Facts | None, now: Facts, accepted: Collection[str] = ()) -> Verdict:
    """`kept`: None of a deployment whose facts were never kept: it is taken as it is found.

    `accepted`: table topics whose content an operator has brought back, so that their new ids are right.
    """
    if kept is None:
        return Verdict(() if now.tables else tuple(_shared_sources((), now.sources)), (), now)
    refused = (
        *_release(kept, now),
        *_secret(kept, now),
        *_realms(kept.realms, now.realms),
        *_partitions(kept, now),
        *_moved_topics(kept, now),
        *_shared_sources(kept.sources, now.sources),
        *_tables(kept.tables, now.tables, accepted),
    )
    told = (*_new_and_gone(kept, now), *_recreated(kept.inputs, now.inputs))
    tables = {**kept.tables, **now.tables}
    facts = msgspec.structs.replace(
        now, secret=now.secret or kept.secret, realms={**kept.realms, **now.realms}, tables=tables
    )
    return Verdict(refused, told, facts)


class FactsError(ConfigurationError):
    """The deployment is not what it was: says what is not, each with what to do."""

    def __init__(self, refused: Collection[str]) -> None:
        super().__init__("this is not the deployment as it was:\n" + "\n".join(f"- {one}" for one in refused))


def judge_members(running: Iterable[tuple[str, Release]], own: Release) -> list[str]:
    """Which members (name, release) do not go together with this release; each with what to do."""
    strange: dict[Release, list[str]] = {}
    for name, release in running:
        if not own.runs_beside(release):
            strange.setdefault(release, []).append(name)
    return [
        f"members of release {release.name} run ({', '.join(sorted(names))}), and this is {own.name}: the two do not"
        " understand all of each other's messages. Stop those first, then start this release everywhere"
        for release, names in sorted(strange.items())
    ]


def _release(kept: Facts, now: Facts) -> Iterator[str]:
    own = now.written_by
    if own.reads(kept.generation):
        return
    if kept.generation > own.generation:
        yield (
            f"release {kept.release} has run here and wrote what {own.name} cannot read: start {kept.release} or a newer one"
        )
    else:
        yield (
            f"release {kept.release} ran here last, and {own.name} no longer reads what it wrote: run a release between the"
            " two first"
        )


def _secret(kept: Facts, now: Facts) -> Iterator[str]:
    if now.secret and kept.secret not in {"", now.secret}:
        yield (
            "the secret (SINGLEVIEW_SECRET, or what `secret:` names) is not the one of this deployment: customer ids and"
            f" match keys are made with it, and records would leave their customers. Set the one of before; {ANEW}"
        )


def _realms(kept: Mapping[str, int], now: Mapping[str, int]) -> Iterator[str]:
    wrong = [realm for realm, number in now.items() if kept.get(realm, number) != number]
    if not wrong:
        return
    was = ", ".join(f"{realm} has number {kept[realm]}, not {now[realm]}" for realm in wrong)
    right = ", ".join(f"{realm}: {kept.get(realm, number)}" for realm, number in now.items())
    yield (
        f"realms: {was}: all that is known of a realm is in the partition of `identity` with its number. Write"
        f" realms: {{{right}}}; a new realm takes any number"
    )


def _partitions(kept: Facts, now: Facts) -> Iterator[str]:
    if kept.partitions != now.partitions:
        yield (
            f"partitions: this deployment has {kept.partitions}, not {now.partitions}: a record's place depends on it. Write"
            f" partitions: {kept.partitions}; {ANEW}"
        )


def _moved_topics(kept: Facts, now: Facts) -> Iterator[str]:
    was = {topic: source.name for source in kept.sources for topic in source.topics}
    for source in now.sources:
        for topic in source.topics:
            if was.get(topic, source.name) != source.name:
                yield (
                    f"sources: topic {topic} was read as source {was[topic]}, not {source.name}: its records would stay as"
                    f" they are beside new ones of the same customers. Write source: {was[topic]}; or have the new source"
                    " publish to a topic of its own"
                )


def _shared_sources(kept: Sequence[Source], now: Sequence[Source]) -> Iterator[str]:
    """Two mappings of one source, unless they were there before: whatever they do, they have done."""
    for first, second in combinations(now, 2):
        if first.meets(second) and not (first in kept and second in kept):
            yield (
                f"sources: two mappings say source: {first.name} ({_topics(first)}; {_topics(second)}), and may speak of the"
                " same records: each would wipe what the other says. Put the topics into one mapping, or give each a source"
                " of its own: records of one person find each other by an identification"
            )


def _topics(source: Source) -> str:
    return ", ".join(source.topics)


def _tables(kept: Mapping[str, str], now: Mapping[str, str], accepted: Collection[str]) -> Iterator[str]:
    for topic, number in kept.items():
        if topic not in now:
            yield lost_table(f"{topic} is gone", topic)
        elif now[topic] != number and topic not in accepted:
            yield lost_table(f"{topic} was deleted and created again", topic)


def _new_and_gone(kept: Facts, now: Facts) -> Iterator[str]:
    for realm in now.realms.keys() - kept.realms.keys():
        yield f"realm {realm} is new"
    for realm in kept.realms.keys() - now.realms.keys():
        yield f"realm {realm} is not configured any more: its customers stay, and its events are dead letters"
    was, there = {s.name for s in kept.sources}, {s.name for s in now.sources}
    for source in there - was:
        yield f"source {source} is new"
    for source in was - there:
        yield f"source {source} is not configured any more: it is not read, and its records stay"
    for name in set(now.subscribers) - set(kept.subscribers):
        yield f"subscriber {name} is new"
    for name in set(kept.subscribers) - set(now.subscribers):
        yield f"subscriber {name} is not configured any more: it gets nothing, and its topic stays"
    if kept.release != now.release:
        yield f"release {now.release} after {kept.release}"


def _recreated(kept: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for topic, number in now.items():
        if kept.get(topic, number) != number:
            yield f"source topic {topic} was deleted and created again"
