"""Real parts for the tests: a Kafka broker and a schema registry, found or started on this machine.

`launch_kafka()` and `launch_registry()` start a part of their own for whoever calls; the pytest fixtures `kafka` and
`registry` (tests/conftest.py) share one for the session. `python -m tests.parts kafka registry` runs them for a developer.
"""

from __future__ import annotations

from tests.parts.find import (
    KAFKA_ENV,
    REGISTRY_ENV,
    REQUIRE_ENV,
    launch_kafka,
    launch_registry,
    set_backward_compatibility,
)
from tests.parts.part import MissingPartError, Part, PartStartError, SecondListener

__all__ = [
    "KAFKA_ENV",
    "REGISTRY_ENV",
    "REQUIRE_ENV",
    "MissingPartError",
    "Part",
    "PartStartError",
    "SecondListener",
    "launch_kafka",
    "launch_registry",
    "set_backward_compatibility",
]
