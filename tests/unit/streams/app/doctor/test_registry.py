from __future__ import annotations

from typing import cast

import pytest

from connectors.registry import ConfluentRegistry, IncompatibleSchemaError
from schemas.registry import RegistryError
from streams.app.doctor.registry import _compatibility
from streams.app.doctor.report import Status


class FakeRegistry:
    """Keeps subjects; refuses second versions if it is strict."""

    def __init__(self, *, strict: bool = False, broken: bool = False) -> None:
        self.subjects: dict[str, list[str]] = {}
        self.deleted: list[str] = []
        self._strict = strict
        self._broken = broken

    def register(self, subject: str, schema: str) -> int:
        versions = self.subjects.setdefault(subject, [])
        if versions and self._broken:
            raise RegistryError("the registry went away")
        if versions and self._strict:
            raise IncompatibleSchemaError("refused")
        versions.append(schema)
        return len(versions)

    def delete(self, subject: str) -> None:
        self.deleted.append(subject)
        del self.subjects[subject]


def as_registry(fake: FakeRegistry) -> ConfluentRegistry:
    return cast(ConfluentRegistry, fake)


def test_a_registry_that_refuses_the_incompatible_schema_is_fine_and_left_clean() -> None:
    fake = FakeRegistry(strict=True)
    assert _compatibility(as_registry(fake), "sv.").status is Status.OK
    assert len(fake.deleted) == 1
    assert fake.deleted[0].startswith("sv.doctor-")
    assert fake.subjects == {}


def test_a_registry_that_accepts_anything_is_an_error_whatever_it_says_of_itself_and_left_clean() -> None:
    fake = FakeRegistry()
    found = _compatibility(as_registry(fake), "sv.")
    assert found.status is Status.ERROR
    assert "BACKWARD" in found.fix
    assert fake.subjects == {}


def test_a_registry_that_goes_away_in_the_middle_is_not_taken_for_a_strict_one() -> None:
    with pytest.raises(RegistryError, match="went away"):
        _compatibility(as_registry(FakeRegistry(broken=True)), "sv.")
