"""Which release this is, and which it goes together with: the one place for it.

Messages and rows carry a version byte each (`schemas/messages.py`), and a reader that meets a newer one stops. A generation
says more: that members of two releases understand all the other does. It is raised by whatever a member of the release
before must not meet in its inbox, be it a new version byte or only another meaning.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from typing import NamedTuple

GENERATION = 2
"""Of this release; 0.1.0 has 1. Members of one generation may run side by side."""

READS_BACK = 2
"""Rows and messages of so many generations before are read, too."""

_CLIENT_ID = re.compile(r"singleview-(?P<release>[0-9A-Za-z.+!]+)-g(?P<generation>\d{1,9})$")


class Release(NamedTuple):
    """A release of singleview, as members of a group name theirs."""

    name: str
    generation: int

    def runs_beside(self, other: Release) -> bool:
        return self.generation == other.generation

    def reads(self, generation: int) -> bool:
        """Whether it can go on from the rows and messages of that generation."""
        return self.generation - READS_BACK <= generation <= self.generation


FIRST = Release("0.1.0 or older", 1)
"""Members that do not say what they are."""


def installed() -> str:
    """The version of singleview that runs."""
    try:
        return version("singleview")
    except PackageNotFoundError:
        return "unknown"


def this_release() -> Release:
    return Release(installed(), GENERATION)


def client_id(release: Release, before: str = "") -> str:
    """How a member of a group says what it is: brokers tell it to whoever asks who is in the group."""
    own = f"singleview-{release.name}-g{release.generation}"
    return f"{before}.{own}" if before else own


def release_of(client: str) -> Release:
    """The release of a group's member, by its client id."""
    found = _CLIENT_ID.search(client)
    return Release(found["release"], int(found["generation"])) if found else FIRST
