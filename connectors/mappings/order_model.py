"""What a mapping may say of the order of a record's events, and of times."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from connectors.mappings.fields import PathText, one_or_many, short_for
from schemas.documents import Document


class Time(Document):
    """A point in time. A bare string is the path of an ISO 8601 time."""

    path: PathText
    format: Literal["iso", "epoch_s", "epoch_ms", "epoch_us"] = "iso"


class Ordering(Document):
    """What orders the events of one record: exactly one key."""

    sequence: Annotated[tuple[PathText, ...], BeforeValidator(one_or_many), Field(min_length=1)] | None = None
    timestamp: Annotated[Time, short_for("path")] | None = None
    debezium: Literal[True] | None = None
    log: Literal[True] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("an order has exactly one key: sequence, timestamp, debezium or log")
        return self
