"""A schema registry that is asked in the background: whoever reads events never waits long for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from connectors.registry import RegistryAwayError
from schemas.registry import SchemaRegistry

PATIENCE_SECONDS = 1.0
"""How long the first to ask for a schema waits. A batch waits with it, and its transaction ends within 10 s."""


class Registry(SchemaRegistry, Protocol):
    """One that also finds schemas by the GUID in a header."""

    def schema_by_guid(self, guid: str) -> str: ...


class _Answer:
    """A question on its way, in a thread of its own."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self.asked = time.monotonic()
        self.came = threading.Event()
        self.schema: str | None = None
        self.error: Exception | None = None
        threading.Thread(target=self._run, args=(ask,), name="schema registry", daemon=True).start()

    def _run(self, ask: Callable[[], str]) -> None:
        try:
            self.schema = ask()
        except Exception as error:  # whoever asked raises it
            self.error = error
        self.came.set()


class AskedInBackground:
    """A `SchemaRegistry`. What is not answered soon is RegistryAwayError, and found when it is asked for again."""

    def __init__(self, registry: Registry, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._registry = registry
        self._patience = patience_seconds
        self._answers: dict[int | str, _Answer] = {}

    def register(self, subject: str, schema: str) -> int:
        return self._registry.register(subject, schema)

    def schema(self, schema_id: int) -> str:
        return self._ask(schema_id, lambda: self._registry.schema(schema_id))

    def schema_by_guid(self, guid: str) -> str:
        return self._ask(guid, lambda: self._registry.schema_by_guid(guid))

    def _ask(self, which: int | str, ask: Callable[[], str]) -> str:
        """Raises what the registry raises; then the next call asks anew."""
        answer, patience = self._answers.get(which), 0.0  # only the first waits
        if answer is None:
            answer, patience = self._answers.setdefault(which, _Answer(ask)), self._patience
        if not answer.came.wait(patience):
            seconds = time.monotonic() - answer.asked
            raise RegistryAwayError(f"the schema registry has not answered for {seconds:.0f} s what schema {which} is")
        if answer.error is not None:
            del self._answers[which]
            raise answer.error
        assert answer.schema is not None
        return answer.schema
