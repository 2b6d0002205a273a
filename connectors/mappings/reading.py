"""What became of a message beside its changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.mappings.absent import Seen
from schemas.messages import SourceChange
from streams.engine.contract import RejectedError


class Unread(NamedTuple):
    """An attribute of an event that cannot be read, and stays as it was."""

    source: str
    attribute: str
    reason: str
    detail: str


@dataclass(slots=True)
class Reading:
    """Filled while a mapping reads a message."""

    seen: Seen | None = None  # what this process knows of the topic's paths; None: absent paths are empty
    document: object = None  # the message's value, decoded
    changes: list[SourceChange] = field(default_factory=list)
    refused: list[RejectedError] = field(default_factory=list)  # rows of the message that cannot be mapped
    unread: list[Unread] = field(default_factory=list)  # attributes that stay as they were
    rows: bool = False  # it is an event of several rows
    empty: bool = False  # it has none of the mapped paths
    whole: bool = False  # it is a snapshot
