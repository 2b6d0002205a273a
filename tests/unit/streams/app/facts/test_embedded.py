"""An embedded deployment is compared with what it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.logs.embedded import EmbeddedLog
from schemas.topics import DEAD_LETTERS
from streams.app.config import Configuration
from streams.app.embedded import LOG_FILE, Pipeline
from streams.app.facts import FactsError
from streams.app.facts.embedded import NOTE
from streams.app.wiring import Deployment
from streams.engine.outbox import Outgoing
from tests.e2e.views import latest_views

MAPPING = """
source: crm
topics: [people]
format: json
realm: {path: realm}
record_id: id
order: {sequence: seq}
attributes:
  names: {given: given, family: family}
  birth_date: {path: born, transform: {date: iso}}
  emails: {value: mail}
"""


class Place:
    """A folder with a configuration that may change between two starts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "m.yaml").write_text(MAPPING)

    def start(self, *events: bytes, **settings: Any) -> Pipeline:
        document = {"realms": {"north": 0, "south": 1}, "sources": ["m.yaml"], "data": "data", **settings}
        path = self._folder / "singleview.yaml"
        path.write_text(yaml.safe_dump(document))
        pipeline = Pipeline(Deployment(Configuration.load(path)))
        pipeline.log.begin()
        pipeline.log.append((Outgoing("people", None, event), 1) for event in events)
        pipeline.log.commit()
        for _ in pipeline.run():
            pass
        return pipeline

    def customers(self, *events: bytes, **settings: Any) -> int:
        with self.start(*events, **settings) as pipeline:
            assert list(pipeline.log.messages(DEAD_LETTERS)) == []
            return sum(view["status"] == "active" for view in latest_views(pipeline.log))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a" * 32)
    return Place(tmp_path)


def person(number: int, realm: str = "north") -> bytes:
    who = {"given": "Ada", "family": "Moss", "born": "1980-05-17", "mail": "ada@moss.example"}
    return json.dumps({"id": str(number), "seq": 1, "realm": realm, **who}).encode()


def test_another_secret_is_refused_and_the_old_one_goes_on(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.customers(person(1)) == 1
    monkeypatch.setenv("SINGLEVIEW_SECRET", "b" * 32)
    with pytest.raises(FactsError, match=r"the secret .* is not the one of this deployment"):
        place.start(person(2))
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a" * 32)
    assert place.customers(person(2)) == 1


def test_swapped_realm_numbers_are_refused_with_the_old_ones(place: Place) -> None:
    place.customers(person(1))
    with pytest.raises(FactsError, match=r"Write realms: \{north: 0, south: 1\}"):
        place.start(realms={"north": 1, "south": 0})


def test_a_realm_on_a_new_number_is_taken_in_and_one_that_is_gone_keeps_its_number(place: Place) -> None:
    place.customers(person(1), person(1, "south"))
    assert place.customers(person(1, "west"), realms={"north": 0, "south": 1, "west": 2}) == 3
    assert place.customers(realms={"north": 0}) == 3
    with pytest.raises(FactsError, match="west has number 2, not 1"):
        place.start(realms={"north": 0, "west": 1})


def test_a_log_without_facts_is_taken_as_it_is_found(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place.customers(person(1))
    log = EmbeddedLog(tmp_path / "data" / LOG_FILE)
    log.set_note(NOTE, "")
    log.close()
    monkeypatch.setenv("SINGLEVIEW_SECRET", "b" * 32)
    place.customers()
    monkeypatch.setenv("SINGLEVIEW_SECRET", "a" * 32)
    with pytest.raises(FactsError, match="secret"):
        place.start()
