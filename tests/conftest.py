"""Fixtures for every test: the real parts, shared by the session."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from typing import NoReturn

import pytest
from hypothesis import settings

from tests.command_line import CommandLine
from tests.parts import (
    KAFKA_ENV,
    REGISTRY_ENV,
    REQUIRE_ENV,
    MissingPartError,
    Part,
    launch_kafka,
    launch_registry,
    set_backward_compatibility,
)
from tests.parts.versions import KAFKA_THAT_MAY_BE_KILLED

settings.register_profile("project", deadline=None)  # how long an example takes is a matter of the machine's other work
settings.load_profile("project")


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of a real Kafka, shared by the session: use names under `unique`."""
    given = os.environ.get(KAFKA_ENV)
    if given:
        yield given
    else:
        yield from _running(launch_kafka)


@pytest.fixture
def own_kafka() -> Iterator[Part]:
    """A broker nobody else uses and nobody has used: may be killed. Costs some seconds each."""
    try:
        part = launch_kafka(version=KAFKA_THAT_MAY_BE_KILLED)
    except MissingPartError as error:
        cannot_run(str(error))
    with part:
        yield part


@pytest.fixture(scope="session")
def registry() -> Iterator[str]:
    """URL of a real schema registry with backward compatibility, shared by the session: use subjects under `unique`."""
    given = os.environ.get(REGISTRY_ENV)
    if given:
        set_backward_compatibility(given)
        yield given
    else:
        yield from _running(launch_registry)


@pytest.fixture
def unique() -> str:
    """A name prefix no other test has, for topics, groups and subjects."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
def singleview(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line, in this process: `singleview("show", "x")`."""
    return CommandLine(monkeypatch, capsys)


def _running(launch: Callable[[], Part]) -> Iterator[str]:
    try:
        part = launch()
    except MissingPartError as error:
        cannot_run(str(error))
    try:
        yield part.address
    finally:
        part.close()


def cannot_run(reason: str) -> NoReturn:
    """Skip the test that needs the part, or fail it where parts are required."""
    if os.environ.get(REQUIRE_ENV) == "1":
        pytest.fail(f"{REQUIRE_ENV}=1, but {reason}", pytrace=False)
    pytest.skip(reason)
