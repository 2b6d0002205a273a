"""Events that cannot be processed: kept whole, explained, and no harm to any other. On the embedded log."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from schemas.topics import DEAD_LETTERS
from streams.app.config import Configuration
from streams.app.embedded import Pipeline
from streams.app.wiring import Deployment
from streams.engine.contract import Message
from streams.engine.dead_letters import PREFIX, reason_of
from streams.engine.outbox import Outgoing
from tests.e2e.bad_events import (
    AGENCY,
    AGENCY_MAPPING,
    BILLING,
    ORDERS,
    PERSONAL,
    Event,
    agency_event,
    bad_events,
    deployment,
    good_events,
    mixed,
)
from tests.e2e.processes import SECRET
from tests.e2e.views import View, comparable, latest_views

NOW = 1_800_000_000_000  # later than every event of the simulated systems: one from the future is refused


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SINGLEVIEW_SECRET", SECRET)


class Run:
    """What a pipeline made of events."""

    def __init__(self, config: Path, events: Sequence[Event] = ()) -> None:
        with Pipeline(Deployment(Configuration.load(config))) as pipeline:
            log = pipeline.log
            log.begin()
            log.append((Outgoing(e.topic, e.key, e.value, e.headers), NOW) for e in events)
            log.commit()
            for _ in pipeline.run():
                pass
            self.views: dict[frozenset[str], View] = comparable(latest_views(log))
            self.letters = list(log.messages(DEAD_LETTERS))
            self.stopped = pipeline.workers["intake"].stopped
            self.consumed = {topic: log.offset("intake", log.topic(topic), 0) for topic in (ORDERS, BILLING, AGENCY)}

    @property
    def records(self) -> set[str]:
        return {record for members in self.views for record in members}


def good(folder: Path) -> list[Event]:
    """Good events, encoded with the schemas of a folder's registry."""
    with Pipeline(Deployment(Configuration.load(deployment(folder)))) as pipeline:
        return list(good_events(pipeline.registry))


def why(letter: Message) -> dict[str, str]:
    return {name.removeprefix(PREFIX): (text or b"").decode() for name, text in letter.headers if name.startswith(PREFIX)}


def test_bad_events_are_dead_letters_and_the_good_ones_around_them_are_unaffected(tmp_path: Path) -> None:
    folders = [tmp_path / "clean", tmp_path / "dirty"]
    for folder in folders:
        folder.mkdir()
    events = good(folders[0])
    assert events == good(folders[1]), "both registries give the same ids"
    clean = Run(folders[0] / "singleview.yaml", events)
    dirty = Run(folders[1] / "singleview.yaml", mixed(events, bad_events(), seed=5))
    assert dirty.views == clean.views
    assert len(dirty.letters) == len(clean.letters) + len(bad_events())
    assert dirty.stopped == {}
    assert len(clean.records) > 40


def test_a_dead_letter_has_the_original_bytes_and_says_what_where_and_why(tmp_path: Path) -> None:
    good(tmp_path)
    bad = bad_events()
    run = Run(tmp_path / "singleview.yaml", bad)
    letters = {letter.key: letter for letter in run.letters}
    offsets = dict.fromkeys((ORDERS, BILLING, AGENCY), 0)
    for event in bad:
        letter = letters.pop(event.key)
        assert letter.value == event.value
        assert letter.headers[: len(event.headers)] == event.headers
        said = why(letter)
        assert said.pop("exception.message")
        assert said == {
            "topic": event.topic,
            "partition": "0",
            "offset": str(offsets[event.topic]),
            "connector.name": "singleview",
            "stage": "intake",
            "exception.class.name": event.reason,
        }
        offsets[event.topic] += 1
    assert letters == {}


def test_no_header_and_no_line_of_the_log_holds_a_personal_value(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    good(tmp_path)
    with caplog.at_level(logging.DEBUG):
        run = Run(tmp_path / "singleview.yaml", [*bad_events(), *(stray(number) for number in range(50))])
    for letter in run.letters:
        assert PERSONAL.encode() in (letter.value or b"")
        assert PERSONAL not in str(why(letter))
    assert run.stopped[AGENCY]
    assert PERSONAL not in str(run.stopped)
    assert PERSONAL not in caplog.text
    assert "stopped reading agency.people" in caplog.text


def stray(number: int) -> Event:
    """An event of the agency whose birth date is none."""
    return agency_event(number, born=f"{PERSONAL} {number}")


STOP_RULE: dict[str, Any] = {"dead_letters": {"stop_share": 0.5, "window": 20, "least": 10}}


def test_a_source_of_mostly_dead_letters_is_stopped_and_goes_on_where_it_was_once_it_is_corrected(tmp_path: Path) -> None:
    events = good(tmp_path)
    others = [event for event in events if event.topic != AGENCY]
    people = [agency_event(number, born="2000-01-01") for number in range(40)]
    wrong = AGENCY_MAPPING.replace("record_id: id", "record_id: number")
    config = deployment(tmp_path, agency=wrong, **STOP_RULE)

    first = Run(config, [*people, *others])
    assert first.stopped.keys() == {AGENCY}
    assert "missing-record-id" in first.stopped[AGENCY]
    assert "then start again" in first.stopped[AGENCY]
    assert first.consumed[AGENCY] == len(first.letters) == 9, "stopped before the tenth"
    assert not any(record.startswith("north/agency/") for record in first.records)
    for topic in (ORDERS, BILLING):
        assert first.consumed[topic] == sum(event.topic == topic for event in others)

    again = Run(config)
    assert again.stopped.keys() == {AGENCY}
    assert again.consumed[AGENCY] == len(again.letters) == 18, "as long as nothing was corrected, it stops again"

    corrected = Run(deployment(tmp_path, **STOP_RULE))
    assert corrected.stopped == {}
    assert corrected.consumed[AGENCY] == len(people)
    assert len(corrected.letters) == 18, "kept, to be sent again by whoever corrected the mapping"
    assert {r for r in corrected.records if "/agency/" in r} == {f"north/agency/P{n}" for n in range(18, 40)}
    assert {r for r in corrected.records if "/agency/" not in r} == first.records


def test_some_dead_letters_do_not_stop_a_source(tmp_path: Path) -> None:
    good(tmp_path)
    people = [stray(number) if number % 3 == 0 else agency_event(number) for number in range(60)]
    run = Run(deployment(tmp_path, **STOP_RULE), people)
    assert run.stopped == {}
    assert len(run.letters) == 20
    assert {reason_of(letter.headers) for letter in run.letters} == {"bad-date"}
