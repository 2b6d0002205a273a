"""What a mapping may say of the order of a record's events, and of times."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.mappings.dates import zone_named
from connectors.mappings.fields import PathText, one_or_many, short_for
from connectors.mappings.paths import parse_path
from connectors.mappings.places import BY_BINLOG
from schemas.documents import Document

_GTIDS = frozenset({"gtid", "gtids", "gtid_set", "executed_gtid_set"})


class Time(Document):
    """A point in time. A bare string is the path of an ISO 8601 time. `zone` is where one without an offset was written."""

    path: PathText
    format: Literal["iso", "epoch_s", "epoch_ms", "epoch_us", "epoch_ns"] = "iso"
    zone: str = "UTC"

    @field_validator("zone")
    @classmethod
    def _known(cls, zone: str) -> str:
        zone_named(zone)
        return zone


class Place(Document):
    """One part of a position: the first of its paths that is there, else the default. A bare string is a path."""

    path: PathText | None = None
    first: Annotated[tuple[PathText, ...], BeforeValidator(one_or_many), Field(min_length=1)] | None = None
    format: Literal["number", "hex", "text"] = "number"
    width: Annotated[int, Field(ge=1, le=500)] | None = None  # of text, in characters
    default: int | Literal["lowest", "highest"] | None = None

    @property
    def paths(self) -> tuple[str, ...]:
        return self.first or (self.path or "",)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.model_fields_set & {"path", "first"}) != 1:
            raise ValueError("a part of a sequence has exactly one of path, first")
        if (self.format == "text") != (self.width is not None):
            raise ValueError("width is how many characters a text always has: format: text needs it, other formats do not")
        for path in self.paths:
            steps = parse_path(path).steps
            if steps and steps[-1].lower() in _GTIDS:
                raise ValueError(f"a GTID does not order changes: write {BY_BINLOG}")
        return self


class Ordering(Document):
    """What orders the events of one record: exactly one key."""

    sequence: (
        Annotated[
            tuple[Annotated[Place, short_for("path")], ...], BeforeValidator(one_or_many), Field(min_length=1, max_length=20)
        ]
        | None
    ) = None
    timestamp: Annotated[Time, short_for("path")] | None = None
    debezium: Literal[True] | None = None
    log: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("an order has exactly one key: sequence, timestamp, debezium or log")
        return self
