"""What is installed is what the lock files name: they cover pyproject.toml, with hashes, and say nothing of where from."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {"run": "build", "demo": "demo", "dev": "dev"}
"""By lock file: the extra it is of."""

PINNED = re.compile(r"^([a-z0-9-]+)==([^ ;\\]+)", re.MULTILINE)


def lock(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text()


def pins(name: str) -> dict[str, str]:
    return dict(PINNED.findall(lock(name)))


def wanted(extra: str) -> list[Requirement]:
    """What the project asks for with an extra, and with those that it includes."""
    found = [*map(Requirement, PROJECT["dependencies"])]
    for text in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            found += [one for inner in requirement.extras for one in wanted(inner)]
        else:
            found.append(requirement)
    return found


@pytest.mark.parametrize(("name", "extra"), LOCKS.items())
def test_a_lock_has_all_that_the_project_asks_for_in_a_version_it_allows(name: str, extra: str) -> None:
    pinned = pins(name)
    for requirement in wanted(extra):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not in requirements/{name}.lock: run make lock"
        assert requirement.specifier.contains(version), f"{requirement} is locked as {version}: run make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_its_hashes_and_no_place_it_comes_from(name: str) -> None:
    packages = re.split(r"\n(?=[a-z0-9])", lock(name).strip())
    assert len(packages) == len(pins(name)) > 30
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"://|--index|--find-links|--extra-index|@ ", lock(name))


def test_the_locks_agree_and_the_image_has_no_package_of_the_simulation_or_the_tests() -> None:
    run, demo, dev = pins("run"), pins("demo"), pins("dev")
    assert run.items() <= demo.items() <= dev.items()
    assert "faker" in demo
    assert not {"faker", "pytest", "mypy", "hypothesis"} & set(run)


def test_the_image_and_make_install_nothing_else() -> None:
    for file in ("Dockerfile", "Makefile"):
        text = (ROOT / file).read_text()
        assert "--require-hashes" in text
        assert "--no-deps --no-build-isolation" in text
