"""What the chaos run of the pipeline would notice; no broker needed."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable

import pytest

from tests.chaos.outcome import Expected, Found, problems
from tests.chaos.words import strange_words
from tests.e2e.views import comparable


def change(customer: str, version: int, attribute: str) -> dict[str, object]:
    return {
        "customer_id": customer,
        "version": version,
        "event_id": f"{customer}:{version}",
        "event_type": "CustomerAttributeValueChangeEvent",
        "changes": [{"attribute": attribute}],
    }


def view(customer: str, version: int, member: str) -> dict[str, object]:
    return {"customer_id": customer, "version": version, "status": "active", "members": [member], "birth_date": "2000-01-01"}


def well() -> Found:
    return Found(
        [view("a", 2, "north/crm/1"), view("b", 1, "north/crm/2")],
        [change("a", 1, "name"), change("b", 1, "birth_date"), change("a", 2, "phones")],
        {"warehouse": ["a:1", "b:1", "a:2"], "mdm": ["a:1", "a:2"]},
        Counter({"malformed-json": 1}),
    )


WANTED = Expected(comparable(well().views), Counter({"malformed-json": 1}))


def set_birth_date(found: Found) -> None:
    found.views[0]["birth_date"] = "1999-01-01"


ALTERED: dict[str, Callable[[Found], object]] = {
    "1 views are missing": lambda found: found.views.pop(),
    "1 views are too many": lambda found: found.views.append(view("c", 1, "north/crm/3")),
    "1 views differ": set_birth_date,
    "1 customers whose versions have gaps or repetitions": lambda found: found.changes.pop(0),
    "1 event ids are there twice": lambda found: found.changes.append(change("b", 1, "birth_date")),
    "1 customers whose last change is not their view's": lambda found: found.changes.pop(),
    "1 changes warehouse never got": lambda found: found.notified["warehouse"].pop(),
    "1 notifications warehouse got twice": lambda found: found.notified["warehouse"].append("b:1"),
    "1 notifications mdm did not ask for": lambda found: found.notified["mdm"].append("b:1"),
    "dead letters {'malformed-json': 1, 'processor-error': 1}": lambda found: found.letters.update(["processor-error"]),
}


def test_what_is_as_the_embedded_pipeline_s_is_well() -> None:
    assert problems(well(), WANTED) == []


@pytest.mark.parametrize("problem", ALTERED)
def test_whatever_is_lost_doubled_or_different_is_noticed(problem: str) -> None:
    altered = copy.deepcopy(well())
    ALTERED[problem](altered)
    assert any(said.startswith(problem) for said in problems(altered, WANTED))


def line(level: str, message: str, logger: str = "streams.app") -> str:
    return json.dumps({"level": level, "logger": logger, "message": message})


@pytest.mark.parametrize(
    "said",
    [
        line("ERROR", "it broke"),
        line("WARNING", "process a-0 ended with exit code 1: starts again in 0.5 s"),
        "failed: it broke",
    ],
)
def test_an_error_an_end_of_its_own_and_words_without_form_are_strange(said: str) -> None:
    assert len(list(strange_words(said))) == 1


def test_a_killed_child_and_a_broken_connection_are_not_strange() -> None:
    killed = line("WARNING", "process a-0 ended by SIGKILL: starts again in 0.5 s")
    assert list(strange_words(f"{killed}\n{line('ERROR', 'connection refused', 'librdkafka')}")) == []
