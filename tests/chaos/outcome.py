"""What everybody finds in the public topics in the end, compared with the embedded pipeline over the same events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from confluent_kafka import Message

from benchmarks.cluster import Cluster
from connectors.simulated import SourceEvent
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW, DEAD_LETTERS, subscriber_topic
from streams.app.config import Configuration
from streams.app.embedded import Pipeline
from streams.app.wiring import Deployment
from streams.engine.contract import Headers
from streams.engine.dead_letters import reason_of
from tests.chaos.site import PREFIX, SUBSCRIBERS
from tests.e2e.views import View, comparable, latest_views

ALWAYS = frozenset({"CustomerDeleteEvent", "CustomerMergeEvent", "CustomerSplitEvent"})
SHOWN = 3
"""Examples of each problem."""

Decode = Callable[[bytes], dict[str, Any]]


class Expected(NamedTuple):
    """What the embedded pipeline makes of the events."""

    views: dict[frozenset[str], View]
    letters: Counter[str]  # dead letters by reason


class Found(NamedTuple):
    """What is in the public topics."""

    views: list[View]  # the latest of each customer
    changes: list[dict[str, Any]]  # in the order a reader meets them
    notified: dict[str, list[str]]  # event ids by subscriber
    letters: Counter[str]  # dead letters by reason


def expected(config: Path, events: Sequence[SourceEvent]) -> Expected:
    with Pipeline(Deployment(Configuration.load(config))) as pipeline:
        for _ in pipeline.publish(events, 0):
            pass
        for _ in pipeline.run():
            pass
        letters = Counter(reason_of(message.headers) for message in pipeline.log.messages(DEAD_LETTERS))
        return Expected(comparable(latest_views(pipeline.log)), letters)


def found(cluster: Cluster, decode: Decode) -> Found:
    """Reads every public topic from its beginning, as a read-committed reader does."""
    latest = dict(_read(cluster, CUSTOMER_VIEW))
    return Found(
        [decode(value) for value in latest.values() if value is not None],
        [decode(value) for _, value in _read(cluster, CUSTOMER_CHANGES) if value is not None],
        {
            str(subscriber["name"]): [decode(value)["event_id"] for _, value in _read(cluster, _topic(subscriber)) if value]
            for subscriber in SUBSCRIBERS
        },
        Counter(reason_of(_headers(message)) for message in cluster.read_all(PREFIX + DEAD_LETTERS)),
    )


def problems(found: Found, wanted: Expected) -> list[str]:
    """What is not as it should be; nothing if all is well."""
    said = [*_views(comparable(found.views), wanted.views), *_versions(found.changes, found.views)]
    for subscriber in SUBSCRIBERS:
        said += _notifications(subscriber, found.notified[str(subscriber["name"])], found.changes)
    if found.letters != wanted.letters:
        said.append(f"dead letters {dict(found.letters)}, of the embedded pipeline {dict(wanted.letters)}")
    return said


def _headers(message: Message) -> Headers:
    return tuple(message.headers() or ())  # type: ignore[arg-type]  # its stubs say they may be text


def _topic(subscriber: dict[str, Any]) -> str:
    return subscriber_topic(subscriber["name"])


def _read(cluster: Cluster, topic: str) -> Iterator[tuple[bytes | None, bytes | None]]:
    return ((message.key(), message.value()) for message in cluster.read_all(PREFIX + topic))


def _views(found: dict[frozenset[str], View], wanted: dict[frozenset[str], View]) -> Iterator[str]:
    yield from _some("views are missing", (sorted(members) for members in wanted.keys() - found.keys()))
    yield from _some("views are too many", (sorted(members) for members in found.keys() - wanted.keys()))
    yield from _some(
        "views differ",
        (
            f"{sorted(members)} in {[name for name in view if view[name] != wanted[members].get(name)]}"
            for members, view in found.items()
            if members in wanted and view != wanted[members]
        ),
    )


def _versions(changes: Sequence[dict[str, Any]], views: Sequence[View]) -> Iterator[str]:
    """Of each customer 1, 2, 3 ... in the order a reader meets them, up to that of its view; event ids once."""
    versions: dict[str, list[int]] = {}
    for change in changes:
        versions.setdefault(change["customer_id"], []).append(change["version"])
    wrong = (f"{name}: {found}" for name, found in versions.items() if found != list(range(1, len(found) + 1)))
    yield from _some("customers whose versions have gaps or repetitions", wrong)
    newest = {view["customer_id"]: view["version"] for view in views}
    behind = (
        f"{name}: {found[-1]}, view {newest.get(name)}" for name, found in versions.items() if newest.get(name) != found[-1]
    )
    yield from _some("customers whose last change is not their view's", behind)
    yield from _some("event ids are there twice", _repeated(change["event_id"] for change in changes))


def _notifications(subscriber: dict[str, Any], notified: Sequence[str], changes: Sequence[dict[str, Any]]) -> Iterator[str]:
    name, asked = subscriber["name"], subscriber.get("attributes")
    due = {
        change["event_id"]
        for change in changes
        if asked is None or change["event_type"] in ALWAYS or any(part["attribute"] in asked for part in change["changes"])
    }
    yield from _some(f"changes {name} never got", due - set(notified))
    yield from _some(f"notifications {name} did not ask for", set(notified) - due)
    yield from _some(f"notifications {name} got twice", _repeated(notified))


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _some(what: str, found: Iterable[object]) -> Iterator[str]:
    every = [str(one) for one in found]
    if every:
        yield f"{len(every)} {what}, e.g. {'; '.join(every[:SHOWN])}"
