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
    decimal: Annotated[int, Field(ge=0, le=99)] | None = None  # digits behind the point, of a number in base64

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError("a transform has exactly one key: phone, date, map, extract or decimal")
        return self


Word: TypeAlias = Literal["trim", "lower", "upper", "title", "digits", "email", "country", "phone", "date", "hex", "as_is"]
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
    """True when the value at `path` equals, is one of, (`present`) is there and not null, or is of a type."""

    path: PathText
    equals: Scalar | None = None
    one_of: tuple[Scalar, ...] | None = None
    present: bool | None = None
    type: Literal["text", "number", "boolean", "object", "list"] | None = None

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if len(self.model_fields_set - {"path"}) != 1:
            raise ValueError("a condition needs exactly one of equals, one_of, present, type")
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

    @property
    def patches(self) -> bool:
        """Whether it never is a snapshot."""
        return "snapshot" not in {self.always, self.otherwise, *self.values.values()}


class Element(Document):
    """One element of a list attribute, or with `each` one for every item found there (an object counts as one item).

    With `each`, `when` is asked of every item.
    """

    each: PathText | None = None
    when: Condition | None = None


class ListedValue(Document):
    """The value of the first item that fits and has one."""

    each: PathText
    when: Condition | None = None
    value: ValueText


def _has_each(given: object) -> bool:
    return isinstance(given, dict) and "each" in given


def _is_each(given: object) -> bool:
    return isinstance(given, dict) and isinstance(given.get("each"), str) and {"name", "value"} <= given.keys()


class Characteristics(Document):
    """Characteristics out of a list: the name and the value of each come from an item."""

    each: PathText
    when: Condition | None = None
    name: ValueText
    value: ValueText


SPLITTERS = {"names": "split_name", "addresses": "split_street"}
"""Beside the fields of an element: one line that is taken apart into them."""


def _element_model(attribute: str, part: type[Part]) -> type[Element]:
    names = [*part.__struct_fields__, *([SPLITTERS[attribute]] if attribute in SPLITTERS else [])]
    fields: dict[str, Any] = dict.fromkeys(names, (ValueText | None, None))
    return create_model(f"{part.__name__}Element", __base__=Element, **fields)


CharacteristicText: TypeAlias = Annotated[
    Annotated[ListedValue, Tag("listed")] | Annotated[ValueText, Tag("value")],
    Discriminator(lambda given: "listed" if isinstance(given, ListedValue) or _has_each(given) else "value"),
]
CharacteristicsText: TypeAlias = Annotated[
    Annotated[Characteristics, Tag("each")] | Annotated[dict[str, CharacteristicText], Tag("named")],
    Discriminator(lambda given: "each" if isinstance(given, Characteristics) or _is_each(given) else "named"),
]
"""By name; or out of a list, told by its three keys: a characteristic may be called `each`, too."""


def _attributes_model() -> type[Document]:
    fields: dict[str, Any] = {}
    for name in ATTRIBUTES:
        if name in LIST_ATTRIBUTES:
            element = _element_model(name, LIST_ATTRIBUTES[name])
            fields[name] = (Annotated[tuple[element, ...], BeforeValidator(one_or_many)] | None, None)  # type: ignore[valid-type]
        elif name == "characteristics":
            fields[name] = (Annotated[tuple[CharacteristicsText, ...], BeforeValidator(one_or_many)] | None, None)
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


Absent: TypeAlias = Literal["keep", "empty"]
EVERYWHERE = "otherwise"
"""In `absent`: all attributes that are not named there."""


def _absent_everywhere(given: object) -> object:
    return {EVERYWHERE: given} if isinstance(given, str) else given


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
    ignore_when: Condition | None = None
    event_time: Annotated[Time, short_for("path")] | None = None
    root: Annotated[tuple[PathText, ...], BeforeValidator(one_or_many), Field(min_length=1)] | None = None
    split: PathText | None = None
    unavailable: Annotated[tuple[str, ...], BeforeValidator(one_or_many)] = ()  # beside Debezium's own placeholder
    tombstones: Literal["refuse", "ignore", "delete"] | None = None
    changed: Annotated[tuple[PathText, ...], BeforeValidator(one_or_many), Field(min_length=1)] | None = None
    absent: Annotated[dict[str, Absent], BeforeValidator(_absent_everywhere)] = Field(default_factory=dict)
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
        if debezium and self.root:
            raise ValueError("root comes with the Debezium envelope: leave it out")
        if debezium and self.operation and self.operation.always != "patch":
            raise ValueError("the operation comes with the Debezium envelope: leave it out, or say patch")
        if (debezium or self.format == "csv") and self.split:
            raise ValueError(f"split is not for the format {self.format}, whose events hold one row each")
        return self

    @field_validator("absent")
    @classmethod
    def _of_attributes(cls, absent: dict[str, Absent]) -> dict[str, Absent]:
        for name in absent:
            if name not in {*ATTRIBUTES, EVERYWHERE} and not name.startswith("characteristics."):
                raise ValueError(f"{name!r} is no attribute: {', '.join(ATTRIBUTES)}, characteristics.NAME or {EVERYWHERE}")
        return absent

    @model_validator(mode="after")
    def _fits_tombstones(self) -> Self:
        if self.tombstones and self.format == "csv":
            raise ValueError("tombstones come from topics: leave them out in a mapping of files")
        return self
