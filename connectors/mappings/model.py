"""What a mapping document may say: one YAML file per source, validated before anything is read.

The models of list elements are derived from the canonical record: a mapping cannot name a field that does not exist there.
`docs/mappings.md` explains every option; `mapping.py` compiles the document to functions.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self, TypeAlias, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag, create_model, field_validator, model_validator

from connectors.mappings.dates import date_reader, zone_named
from connectors.mappings.fields import PathText, Scalar, one_or_many, short_for
from connectors.mappings.order_model import Ordering, Time
from connectors.mappings.patterns import safe_pattern
from schemas.canonical import ATTRIBUTES, LIST_ATTRIBUTES, Part
from schemas.documents import Document

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""How a realm and a source are named: no slash (they stand before one in a record's key), nothing to escape."""


def _checked_pattern(text: object) -> object:
    if isinstance(text, str):
        safe_pattern(text)
    return text


class PhoneTransform(Document):
    """To E.164. Without `+` or `00`, a number is read as one of `default_region` (alpha-2, alpha-3 or a country's name)."""

    default_region: ValueText | None = None
    international: bool = False  # written with the country code but without `+`, as an MSISDN


class DateTransform(Document):
    """To ISO 8601, perhaps partial. The first format that fits and lies within `years` wins."""

    formats: Annotated[tuple[str, ...], BeforeValidator(one_or_many), Field(min_length=1)] = ("iso",)
    years: tuple[int, int] = (1850, 2100)
    otherwise: Literal["reject", "empty", "keep"] = "reject"
    zone: str | None = None  # a time with an offset, or in seconds, is the day it was there

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str | None) -> str | None:
        if zone is not None:
            zone_named(zone)
        return zone

    @field_validator("formats")
    @classmethod
    def _known(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for text in formats:
            date_reader(text)
        return formats


class MapTransform(Document):
    """A table of values, compared without regard to case; without `otherwise`, what is not in it stays as it is."""

    values: dict[str, Scalar]
    otherwise: Scalar | None = None


class Transform(Document):
    """A transform with options: exactly one key."""

    phone: PhoneTransform | None = None
    date: Annotated[DateTransform, BeforeValidator(lambda x: {"formats": x} if isinstance(x, str | list) else x)] | None = (
        None
    )
    map: (
        Annotated[
            MapTransform,
            BeforeValidator(lambda x: {"values": x} if isinstance(x, dict) and not isinstance(x.get("values"), dict) else x),
        ]
        | None
    ) = None
    extract: Annotated[str, Field(max_length=200), BeforeValidator(_checked_pattern)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a transform has exactly one key: phone, date, map or extract")
        return self


Word: TypeAlias = Literal["trim", "lower", "upper", "title", "digits", "email", "country", "phone", "date"]
AnyTransform: TypeAlias = Annotated[
    Annotated[Word, Tag("word")] | Annotated[Transform, Tag("options")],
    Discriminator(lambda given: "options" if isinstance(given, dict | Transform) else "word"),
]


class Value(Document):
    """Where one value comes from, and what is done to it. A bare string is a path."""

    path: PathText | None = None
    constant: Scalar | None = None
    concat: tuple[ValueText, ...] | None = Field(None, min_length=1)
    first: tuple[ValueText, ...] | None = Field(None, min_length=1)
    separator: str = " "
    transform: Annotated[tuple[AnyTransform, ...], BeforeValidator(one_or_many)] = ()
    default: Scalar | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if len(self.model_fields_set & {"path", "constant", "concat", "first"}) != 1:
            raise ValueError("a value needs exactly one of path, constant, concat, first")
        return self


ValueText: TypeAlias = Annotated[Value, short_for("path")]


class Condition(Document):
    """True when the value at `path` equals, is one of, or (`present`) is there and not null."""

    path: PathText
    equals: Scalar | None = None
    one_of: tuple[Scalar, ...] | None = None
    present: bool | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if len(self.model_fields_set - {"path"}) != 1:
            raise ValueError("a condition needs exactly one of equals, one_of, present")
        return self


class Operation(Document):
    """What an event does to its record: always the same, or by a value of the event."""

    always: Literal["snapshot", "patch"] | None = None
    path: PathText | None = None
    values: dict[str, Literal["snapshot", "patch", "delete", "ignore"]] = Field(default_factory=dict)
    otherwise: Literal["snapshot", "patch", "delete", "ignore"] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.always is None) == (self.path is None):
            raise ValueError("an operation is snapshot or patch, or {path, values}")
        return self


class Element(Document):
    """One element of a list attribute, or with `each` one for every item found there (an object counts as one item)."""

    each: PathText | None = None
    when: Condition | None = None


SPLITTERS = {"names": "split_name", "addresses": "split_street"}
"""Beside the fields of an element: one line that is taken apart into them."""


def _element_model(attribute: str, part: type[Part]) -> type[Element]:
    names = [*part.__struct_fields__, *([SPLITTERS[attribute]] if attribute in SPLITTERS else [])]
    fields: dict[str, Any] = dict.fromkeys(names, (ValueText | None, None))
    return create_model(f"{part.__name__}Element", __base__=Element, **fields)


def _attributes_model() -> type[Document]:
    fields: dict[str, Any] = {}
    for name in ATTRIBUTES:
        if name in LIST_ATTRIBUTES:
            element = _element_model(name, LIST_ATTRIBUTES[name])
            fields[name] = (Annotated[tuple[element, ...], BeforeValidator(one_or_many)] | None, None)  # type: ignore[valid-type]
        elif name == "characteristics":
            fields[name] = (dict[str, ValueText] | None, None)
        else:
            fields[name] = (ValueText | None, None)
    return cast(type[Document], create_model("AttributesMapping", __base__=Document, **fields))


PhoneTransform.model_rebuild()
Value.model_rebuild()
AttributesMapping = _attributes_model()
Format: TypeAlias = Literal["json", "avro", "debezium", "debezium-avro", "csv"]
SourceText: TypeAlias = Annotated[
    Annotated[str, Tag("name")] | Annotated[Value, Tag("value")],
    Discriminator(lambda given: "value" if isinstance(given, dict | Value) else "name"),
]


class MappingDocument(Document):
    """A whole mapping. Paths outside `attributes` start at the event, or at the row of a Debezium event."""

    source: SourceText
    topics: tuple[str, ...] = ()
    files: Annotated[tuple[str, ...], BeforeValidator(one_or_many)] = ()  # glob patterns, for `resolve`
    format: Format
    delimiter: str = ","
    realm: ValueText
    realms: tuple[str, ...] | None = None
    record_id: ValueText
    order: Annotated[Ordering, BeforeValidator(lambda x: {x: True} if isinstance(x, str) else x)] | None = None
    epoch: int = Field(0, ge=0, lt=2**31)
    operation: Annotated[Operation, BeforeValidator(lambda x: {"always": x} if isinstance(x, str) else x)] | None = None
    delete_when: Condition | None = None
    event_time: Annotated[Time, short_for("path")] | None = None
    root: PathText | None = None
    attributes: AttributesMapping  # type: ignore[valid-type]

    @field_validator("source")
    @classmethod
    def _named(cls, source: str | Value) -> str | Value:
        if isinstance(source, str) and not NAME.fullmatch(source):
            raise ValueError("a source's name is 1 to 64 of A-Z a-z 0-9 _ . -")
        return source

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if len(delimiter) != 1 or (not delimiter.isprintable() and delimiter != "\t") or delimiter in '" ':
            raise ValueError('a delimiter is one character, such as ";" or "\\t"')
        return delimiter

    @model_validator(mode="after")
    def _fits_format(self) -> Self:
        debezium = self.format.startswith("debezium")
        if self.format == "csv" and self.topics:
            raise ValueError("the format csv is for files: leave topics out")
        if self.format != "csv" and "delimiter" in self.model_fields_set:
            raise ValueError("delimiter is for the format csv")
        if self.topics and not debezium and self.order is None:
            raise ValueError("order is missing: name what orders a record's events, or {log: true} as a last resort")
        if not debezium and self.order is not None and self.order.debezium:
            raise ValueError("order {debezium: true} needs the format debezium or debezium-avro")
        if debezium and (self.operation or self.root):
            raise ValueError("operation and root come with the Debezium envelope: leave them out")
        return self
