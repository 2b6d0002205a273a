"""The survivorship rules document: one rule an attribute, validated, with a version that changes with its content."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from schemas.canonical import LIST_ATTRIBUTES
from schemas.documents import Document, load_document

Choice: TypeAlias = Literal["most_recent", "source_priority", "longest", "verified"]
"""A strategy that chooses one of several values."""

ListStrategy: TypeAlias = Literal["union", "most_recent", "source_priority", "longest"]
"""What may be done with lists: keep the elements of all, or choose the list of one record."""


def _distinct(sources: tuple[str, ...]) -> tuple[str, ...]:
    for source in sources:
        if sources.count(source) > 1:
            raise ValueError(f"{source!r} stands in the list twice")
    return sources


SourceName: TypeAlias = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^/]+$")]
Sources: TypeAlias = Annotated[tuple[SourceName, ...], AfterValidator(_distinct)]


class ValueRule(Document):
    """How one value is chosen among the members'. Empty values are never candidates."""

    strategy: Choice
    then: tuple[Choice, ...] = ()
    """Tie-breakers, in order; after them always the newest, the best source and the lowest record key."""
    sources: Sources | None = None
    """Best first, instead of the document's."""


class BestRule(ValueRule):
    """How the best element is chosen among all elements of the members' lists."""

    uses: tuple[str, ...] = ()
    """Elements of these uses before others, best first, whatever the strategy. The empty use is one."""


class ListRule(Document):
    """How a list is made of the members' lists."""

    strategy: ListStrategy = "union"
    then: tuple[Choice, ...] | None = None
    """Tie-breakers, in order; for `union` among elements that are the same one (default: source_priority)."""
    sources: Sources | None = None
    """Best first, instead of the document's."""
    key: tuple[str, ...] = ()
    """Of `union`: fields in which two elements must agree to be the same one. Case and spaces do not count. If empty, the
    attribute's default."""
    date: str | None = None
    """Of `union`: a field with the element's own date; the latest wins among elements that are the same one. If None, the
    attribute's default."""
    limit: int = Field(default=200, ge=1, le=1000)
    """How many elements the view shows."""

    @model_validator(mode="after")
    def _options_fit(self) -> ListRule:
        if self.strategy != "union" and (self.key or self.date):
            raise ValueError(f"`{self.strategy}` takes one record's list as it is: `key` and `date` belong to `union`")
        return self


class AttributeRules(Document):
    """A rule for each attribute of the view; those a document leaves out are as here."""

    kind: ValueRule = ValueRule(strategy="most_recent")
    status: ValueRule = ValueRule(strategy="most_recent")
    name: BestRule = BestRule(strategy="most_recent")
    names: ListRule = ListRule(key=("prefix", "given", "middle", "family", "suffix", "full", "organization"))
    birth_date: ValueRule = ValueRule(strategy="most_recent")
    gender: ValueRule = ValueRule(strategy="most_recent")
    identifications: ListRule = ListRule(key=("type", "issuer", "value"))
    emails: ListRule = ListRule(key=("value",))
    phones: ListRule = ListRule(key=("value",))
    address: BestRule = BestRule(strategy="most_recent")
    addresses: ListRule = ListRule(key=("unit", "house", "street", "locality", "region", "postcode", "country"))
    accounts: ListRule = ListRule(key=("id", "type"))
    subscriptions: ListRule = ListRule(key=("id",))
    third_party_services: ListRule = ListRule(key=("provider", "id"))
    related_parties: ListRule = ListRule(key=("role", "record", "name"))
    consents: ListRule = ListRule(key=("purpose", "channel"), date="at")

    @field_validator(*LIST_ATTRIBUTES)
    @classmethod
    def _fields_exist(cls, rule: ListRule, info: ValidationInfo) -> ListRule:
        element = LIST_ATTRIBUTES[str(info.field_name)]
        allowed = [field.name for field in msgspec.structs.fields(element) if field.type is str]
        for field in (*rule.key, *((rule.date,) if rule.date else ())):
            if field not in allowed:
                raise ValueError(f"{field!r} is no text field of its elements (allowed: {', '.join(allowed)})")
        return rule

    def of_list(self, attribute: str) -> ListRule:
        """The rule of a list attribute, with the default's key and date where it has none of its own."""
        rule: ListRule = getattr(self, attribute)
        default: ListRule = type(self).model_fields[attribute].default
        return rule.model_copy(update={"key": rule.key or default.key, "date": rule.date or default.date})


class Rules(Document):
    """A survivorship rules document."""

    version: Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9._-]+$")]
    sources: Sources = ()
    """Source systems, the most trusted first; those not listed come after, all equal."""
    attributes: AttributeRules = AttributeRules()
    characteristics: dict[str, ValueRule] = Field(default_factory=dict)
    """By key; `*` is for keys not named."""

    @cached_property
    def full_version(self) -> str:
        """The declared version and a hash of the content: equal only for equal rules."""
        digest = hashlib.blake2b(self.model_dump_json().encode(), digest_size=4).hexdigest()
        return f"{self.version}+{digest}"

    def characteristic(self, key: str) -> ValueRule:
        """The rule of a characteristic."""
        return self.characteristics.get(key) or self.characteristics.get("*") or ValueRule(strategy="most_recent")


DEFAULT_RULES = Path(__file__).with_name("default.yaml")


def load_rules(path: Path) -> Rules:
    """The rules of a file. Raises DocumentError, which names every problem's line."""
    return load_document(path, Rules)


def default_rules() -> Rules:
    """The rules that come with singleview."""
    return load_rules(DEFAULT_RULES)
