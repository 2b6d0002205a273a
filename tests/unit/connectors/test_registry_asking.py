"""A registry asked in the background."""

from __future__ import annotations

import threading

import pytest

from connectors.registry import RegistryAwayError
from connectors.registry_asking import AskedInBackground
from schemas.registry import UnknownSchemaError


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()
        self.asked: list[int] = []
        self.error: Exception | None = None

    def register(self, subject: str, schema: str) -> int:
        return 7

    def schema(self, schema_id: int) -> str:
        self.asked.append(schema_id)
        assert self.let.wait(30)
        if self.error:
            raise self.error
        return f"schema {schema_id}"

    def schema_by_guid(self, guid: str) -> str:
        return f"schema of {guid}"


def test_a_slow_registry_is_waited_for_once_and_its_answer_is_found_later() -> None:
    slow = Slow()
    registry = AskedInBackground(slow, patience_seconds=0.01)
    for _ in range(3):
        with pytest.raises(RegistryAwayError, match="has not answered for 0 s what schema 5 is"):
            registry.schema(5)
    slow.let.set()
    registry._answers[5].came.wait(30)
    assert [registry.schema(5), registry.schema(5)] == ["schema 5", "schema 5"]
    assert slow.asked == [5]
    assert registry.schema_by_guid("0af7") == "schema of 0af7"


def test_what_the_registry_refuses_is_refused_and_asked_anew() -> None:
    quick = Slow()
    quick.let.set()
    quick.error = UnknownSchemaError("no such schema")
    registry = AskedInBackground(quick, patience_seconds=30)
    for _ in range(2):
        with pytest.raises(UnknownSchemaError):
            registry.schema(5)
    assert quick.asked == [5, 5]
    assert registry.register("s", "{}") == 7
