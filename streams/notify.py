"""`notify`: each subscriber gets the changes it asked for, of the attributes it asked for, masked as its entry says.

Inbox `customer-changes`, no store. Event ids stay, so a subscriber may drop repetitions by them. eTOM 1.3.6.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias

import msgspec
from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.canonical import LIST_ATTRIBUTES
from schemas.documents import Document
from schemas.outline import Outline, Part
from schemas.public import PublicCodec, PublicFormatError
from schemas.registry import RegistryError, UnknownSchemaError
from schemas.topics import subscriber_topic
from schemas.view import VIEW_ATTRIBUTES, EventType
from streams.engine.contract import Message, Outbox, RejectedError, Store, TransientError
from streams.survivorship.engine import BEST_OF

MaskName: TypeAlias = Literal["hash", "last4", "redact"]
Mask: TypeAlias = Callable[[str], str]

HIDDEN = "***"
CHANGED_NAMES: tuple[str, ...] = (*VIEW_ATTRIBUTES, "members", "member_count", "aliases")
"""What a change may name, `characteristics.<key>` besides."""
TWINS = BEST_OF | {names: name for name, names in BEST_OF.items()}
"""Attributes that tell the same: the best of a list, and the list."""


class Subscriber(Document):
    """One subscriber to change notifications; its topic is `notify.<name>`. What is left out means everything."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
    realms: tuple[str, ...] | None = None
    events: tuple[EventType, ...] | None = None
    attributes: tuple[str, ...] | None = None
    """Attributes to pass; `characteristics` are all of them, `characteristics.<key>` is one."""
    always: tuple[EventType, ...] = ("CustomerDeleteEvent", "CustomerMergeEvent", "CustomerSplitEvent")
    """Events that pass although no attribute of theirs does: a reader that misses them keeps what is gone."""
    mask: dict[str, MaskName] = Field(default_factory=dict)
    """By attribute, for all its texts, or `attribute.field`, for one field of its elements: `phones.value` (and `raw`)."""
    secret: SecretStr | None = None
    """Where the key of the `hash` mask is found: without a key, a phone number could be found by trying all."""

    @field_validator("attributes")
    @classmethod
    def _attributes_exist(cls, attributes: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for attribute in attributes or ():
            if attribute not in CHANGED_NAMES and not attribute.startswith("characteristics."):
                raise ValueError(
                    f"{attribute!r} is no attribute (allowed: {', '.join(CHANGED_NAMES)}, characteristics.<key>)"
                )
        return attributes

    @field_validator("mask")
    @classmethod
    def _masked_exist(cls, mask: dict[str, MaskName]) -> dict[str, MaskName]:
        for path in mask:
            attribute, _, field = path.partition(".")
            if attribute not in CHANGED_NAMES:
                raise ValueError(f"{path!r} is no attribute (allowed: {', '.join(CHANGED_NAMES)})")
            allowed = _fields(attribute)
            if field and allowed is not None and field not in allowed:
                raise ValueError(f"{path!r}: {attribute} has no such field (allowed: {', '.join(allowed) or 'none'})")
        return mask

    @model_validator(mode="after")
    def _hash_has_secret(self) -> Subscriber:
        if "hash" in self.mask.values() and not (self.secret and self.secret.get_secret_value()):
            raise ValueError("the mask `hash` needs a `secret`")
        return self


def _fields(attribute: str) -> list[str] | None:
    """The text fields of an attribute's elements; None for characteristics, whose keys are free."""
    if attribute == "characteristics":
        return None
    element = LIST_ATTRIBUTES.get(BEST_OF.get(attribute, attribute))
    return [field for field in element.__struct_fields__ if field not in {"verified", "granted"}] if element else []


class Notify:
    """Sends each change on to the subscribers that asked for it. Deterministic; keeps nothing."""

    name = "notify"

    def __init__(
        self, subscribers: Sequence[Subscriber], codec: PublicCodec, secrets: Mapping[str, SecretStr] | None = None
    ) -> None:
        """`secrets`: the keys of the `hash` masks, by subscriber. Whoever masks so must have one."""
        self._views = [_View(subscriber, codec, secrets or {}) for subscriber in subscribers]
        self._codec = codec

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Nothing to fetch."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:  # noqa: ARG002  (the contract)
        if message.value is None:
            raise RejectedError("malformed-message", f"{message.ref}: has no value")
        try:
            outline = self._codec.outline_change(message.value)
            for view in self._views:
                seen = view.of(outline)
                if seen is not None:
                    value = message.value if seen is outline.parts else outline.only(seen)
                    out.send(view.topic, message.key, value, message.headers)
        except PublicFormatError as error:
            raise RejectedError("malformed-message", f"{message.ref}: {error}") from error
        except UnknownSchemaError as error:
            raise RejectedError("unknown-schema", f"{message.ref}: {error}") from error
        except RegistryError as away:
            raise TransientError(str(away)) from away


class _Treatment(NamedTuple):
    """What becomes of one attribute's changes."""

    passes: bool
    whole: Mask | None  # for all its texts
    fields: Mapping[str, Mask]  # for one field of its elements

    @property
    def hides(self) -> bool:
        return self.whole is not None or bool(self.fields)


class _View:
    """What one subscriber sees of a change."""

    def __init__(self, subscriber: Subscriber, codec: PublicCodec, secrets: Mapping[str, SecretStr]) -> None:
        self.topic = subscriber_topic(subscriber.name)
        self._subscriber = subscriber
        self._codec = codec
        secret = secrets[subscriber.name].get_secret_value() if "hash" in subscriber.mask.values() else ""
        self._masks = {path: _mask(name, secret) for path, name in _with_twins(subscriber.mask).items()}
        self._sees_all = subscriber.attributes is None and not self._masks
        self._treatment = lru_cache(maxsize=4096)(self._treat)

    def of(self, outline: Outline) -> list[Part] | None:
        """The parts it sees, masked: the outline's own if all; None if the change is not for this subscriber.

        Raises PublicFormatError.
        """
        asked = self._subscriber
        if asked.realms is not None and outline.realm not in asked.realms:
            return None
        if asked.events is not None and outline.event_type not in asked.events:
            return None
        if self._sees_all:
            return outline.parts
        kept = []
        for part in outline.parts:
            treatment = self._treatment(part.attribute)
            if treatment.passes:
                kept.append(self._hide(part, treatment) if treatment.hides else part)
        if len(kept) == len(outline.parts) and kept == outline.parts:
            return outline.parts
        if not kept and outline.event_type not in asked.always:
            return None
        return kept

    def _treat(self, attribute: str) -> _Treatment:
        asked, top = self._subscriber.attributes, attribute.partition(".")[0]
        whole = self._masks.get(attribute) or self._masks.get(top)
        prefix = f"{attribute}."
        fields = {path.removeprefix(prefix): mask for path, mask in self._masks.items() if path.startswith(prefix)}
        if fields:
            fields.setdefault("raw", whole or _mask("redact", ""))  # or the raw text would tell what its field hides
        return _Treatment(asked is None or attribute in asked or top in asked, whole, fields)

    def _hide(self, part: Part, treatment: _Treatment) -> Part:
        change = self._codec.decode_part(part)
        before, after = (_hide_text(text, treatment.whole, treatment.fields) for text in (change.before, change.after))
        return self._codec.encode_part(msgspec.structs.replace(change, before=before, after=after))


def _with_twins(masks: Mapping[str, MaskName]) -> dict[str, MaskName]:
    """These masks, each also of the attribute that tells the same: `names.given` hides little if `name.given` passes.

    A mask of an attribute's own goes first, and so does one of all of it: it may hide more than the field that is lent.
    """
    lent: dict[str, MaskName] = {}
    for path, mask in masks.items():
        attribute, dot, field = path.partition(".")
        twin = TWINS.get(attribute)
        if twin and twin not in masks:
            lent[twin + dot + field] = mask
    return {**lent, **masks}


def _hide_text(text: str | None, whole: Mask | None, fields: Mapping[str, Mask]) -> str | None:
    if text is None:
        return None
    return msgspec.json.encode(_hide_value(msgspec.json.decode(text), whole, fields)).decode()


def _hide_value(value: Any, whole: Mask | None, fields: Mapping[str, Mask]) -> Any:
    if isinstance(value, str):
        return whole(value) if whole else value
    if isinstance(value, list):
        return [_hide_value(element, whole, fields) for element in value]
    if isinstance(value, dict):
        return {name: _hide_value(part, fields.get(name, whole), fields) for name, part in value.items()}
    return value


def _mask(name: MaskName, secret: str) -> Mask:
    if name == "redact":
        return lambda text: HIDDEN if text else text
    if name == "last4":
        return lambda text: HIDDEN + (text[-4:] if len(text) >= 8 else "")
    key = hashlib.blake2b(secret.encode()).digest()
    return lambda text: hashlib.blake2b(text.encode(), key=key, digest_size=16).hexdigest()
