"""`notify`: each subscriber gets the changes it asked for, of the attributes it asked for, masked as its entry says.

Inbox `customer-changes`, no store. Event ids stay, so a subscriber may drop repetitions by them. eTOM 1.3.6.3.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.canonical import LIST_ATTRIBUTES
from schemas.documents import Document
from schemas.public import PublicCodec, PublicFormatError
from schemas.registry import UnknownSchemaError
from schemas.topics import subscriber_topic
from schemas.view import VIEW_ATTRIBUTES, AttributeChange, CustomerChange, EventType
from streams.engine.contract import Message, Outbox, RejectedError, Store
from streams.survivorship.engine import BEST_OF

MaskName: TypeAlias = Literal["hash", "last4", "redact"]
Mask: TypeAlias = Callable[[str], str]

HIDDEN = "***"
CHANGED_NAMES: tuple[str, ...] = (*VIEW_ATTRIBUTES, "members", "member_count", "aliases")
"""What a change may name, `characteristics.<key>` besides."""


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
    """Key of the `hash` mask: without it, a phone number could be found by trying all."""

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

    def __init__(self, subscribers: Sequence[Subscriber], codec: PublicCodec) -> None:
        self._views = [_View(subscriber) for subscriber in subscribers]
        self._codec = codec

    def prepare(self, batch: Sequence[Message], store: Store) -> None:
        """Nothing to fetch."""

    def process(self, message: Message, store: Store, out: Outbox) -> None:  # noqa: ARG002  (the contract)
        if message.value is None:
            raise RejectedError("malformed-message", f"{message.ref}: has no value")
        try:
            change = self._codec.decode_change(message.value)
        except PublicFormatError as error:
            raise RejectedError("malformed-message", f"{message.ref}: {error}") from error
        except UnknownSchemaError as error:
            raise RejectedError("unknown-schema", f"{message.ref}: {error}") from error
        for view in self._views:
            seen = view.of(change)
            if seen is not None:
                value = message.value if seen is change else self._codec.encode_change(seen)
                out.send(view.topic, message.key, value, message.headers)


class _View:
    """What one subscriber sees of a change."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.topic = subscriber_topic(subscriber.name)
        self._subscriber = subscriber
        secret = subscriber.secret.get_secret_value() if subscriber.secret else ""
        self._masks = {path: _mask(name, secret) for path, name in subscriber.mask.items()}

    def of(self, change: CustomerChange) -> CustomerChange | None:
        """The change, projected and masked; None if it is not for this subscriber."""
        asked = self._subscriber
        if asked.realms is not None and change.realm not in asked.realms:
            return None
        if asked.events is not None and change.event_type not in asked.events:
            return None
        kept = tuple(self._hide(each) for each in change.changes if self._passes(each.attribute))
        if kept == change.changes:
            return change
        if not kept and change.event_type not in asked.always:
            return None
        return msgspec.structs.replace(change, changes=kept)

    def _passes(self, attribute: str) -> bool:
        asked = self._subscriber.attributes
        return asked is None or attribute in asked or attribute.partition(".")[0] in asked

    def _hide(self, change: AttributeChange) -> AttributeChange:
        top = change.attribute.partition(".")[0]
        whole = self._masks.get(change.attribute) or self._masks.get(top)
        prefix = f"{change.attribute}."
        fields = {path.removeprefix(prefix): mask for path, mask in self._masks.items() if path.startswith(prefix)}
        if whole is None and not fields:
            return change
        if fields:
            fields.setdefault("raw", whole or _mask("redact", ""))  # or the raw text would tell what its field hides
        before, after = (_hide_text(text, whole, fields) for text in (change.before, change.after))
        return AttributeChange(attribute=change.attribute, before=before, after=after)


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
