"""Writes views in the schema `avro/customer-view.avsc`, attribute by attribute: one that did not change is copied.

Each function here writes one record of the schema, its fields in the schema's order. That it is the schema's is tested, with
fastavro as the judge.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias, TypeVar

from schemas.avro_writer import FLAG, SOME, ZERO, long, optional_string, plain, string, strings, varint
from schemas.avro_writer import SHORT as S
from schemas.canonical import (
    Account,
    Address,
    Consent,
    Email,
    Identification,
    Name,
    Phone,
    RelatedParty,
    Subscription,
    ThirdPartyService,
)
from schemas.view import CustomerView, Provenance, Sourced

Encode: TypeAlias = Callable[[Any], bytes]
T = TypeVar("T")


def format_of_pieces(schema: Mapping[str, Any]) -> str:
    """Pieces of one format may stand in one view: it is another if the schema of the attributes is."""
    attributes = next(field for field in schema["fields"] if field["name"] == "attributes")
    return blake2b(json.dumps(attributes).encode(), digest_size=4).hexdigest()


def encode_piece(attribute: str, value: Any) -> bytes:
    """One attribute, encoded; empty for an empty one."""
    return _PIECES[attribute](value) if value else b""


def encode_view(view: CustomerView) -> bytes:
    """A view, encoded."""
    return join_pieces(view, {name: encode_piece(name, getattr(view.attributes, name)) for name in _PIECES})


def join_pieces(view: CustomerView, pieces: Mapping[str, bytes]) -> bytes:
    """A view, encoded, whose attributes are `pieces`; those in the view itself are not looked at."""
    return b"".join(
        (
            string(view.customer_id),
            string(view.realm),
            long(view.version),
            string(view.status),
            *[pieces.get(name) or ZERO for name in _PIECES],
            strings(view.members),
            long(view.member_count),
            strings(view.aliases),
            optional_string(view.merged_into),
            string(view.rules_version),
            varint(view.event_time),
            varint(view.processed_at),
            strings(view.cut),
        )
    )


@lru_cache(maxsize=8192)
def _provenance(it: Provenance) -> bytes:
    """Cached: what one record said at one time has one provenance, unless others said it too."""
    return b"".join((string(it.record), string(it.rule), varint(it.time), long(it.count), strings(it.also)))


@plain("use", "prefix", "given", "middle", "family", "suffix", "full", "organization")
def _name(it: Name) -> str:
    return (
        f"{S[len(it.use)]}{it.use}{S[len(it.prefix)]}{it.prefix}{S[len(it.given)]}{it.given}"
        f"{S[len(it.middle)]}{it.middle}{S[len(it.family)]}{it.family}{S[len(it.suffix)]}{it.suffix}"
        f"{S[len(it.full)]}{it.full}{S[len(it.organization)]}{it.organization}"
    )


@plain("type", "issuer", "value", "raw", "valid_from", "valid_to")
def _identification(it: Identification) -> str:
    return (
        f"{S[len(it.type)]}{it.type}{S[len(it.issuer)]}{it.issuer}{S[len(it.value)]}{it.value}"
        f"{S[len(it.raw)]}{it.raw}{S[len(it.valid_from)]}{it.valid_from}{S[len(it.valid_to)]}{it.valid_to}"
    )


@plain("value", "raw", "use", "valid_from", "valid_to", "verified")
def _contact(it: Email | Phone) -> str:
    return (
        f"{S[len(it.value)]}{it.value}{S[len(it.raw)]}{it.raw}{S[len(it.use)]}{it.use}"
        f"{S[len(it.valid_from)]}{it.valid_from}{S[len(it.valid_to)]}{it.valid_to}{FLAG[it.verified]}"
    )


@plain(
    *("use", "unit", "house", "street", "locality", "region", "postcode", "country", "raw"),
    *("valid_from", "valid_to", "verified"),
)
def _address(it: Address) -> str:
    return (
        f"{S[len(it.use)]}{it.use}{S[len(it.unit)]}{it.unit}{S[len(it.house)]}{it.house}{S[len(it.street)]}{it.street}"
        f"{S[len(it.locality)]}{it.locality}{S[len(it.region)]}{it.region}{S[len(it.postcode)]}{it.postcode}"
        f"{S[len(it.country)]}{it.country}{S[len(it.raw)]}{it.raw}"
        f"{S[len(it.valid_from)]}{it.valid_from}{S[len(it.valid_to)]}{it.valid_to}{FLAG[it.verified]}"
    )


@plain("id", "type", "status", "name")
def _account(it: Account) -> str:
    return f"{S[len(it.id)]}{it.id}{S[len(it.type)]}{it.type}{S[len(it.status)]}{it.status}{S[len(it.name)]}{it.name}"


@plain("id", "product", "status", "start", "end")
def _subscription(it: Subscription) -> str:
    return (
        f"{S[len(it.id)]}{it.id}{S[len(it.product)]}{it.product}{S[len(it.status)]}{it.status}"
        f"{S[len(it.start)]}{it.start}{S[len(it.end)]}{it.end}"
    )


@plain("id", "provider", "product", "status", "start", "end")
def _third_party_service(it: ThirdPartyService) -> str:
    return (
        f"{S[len(it.id)]}{it.id}{S[len(it.provider)]}{it.provider}{S[len(it.product)]}{it.product}"
        f"{S[len(it.status)]}{it.status}{S[len(it.start)]}{it.start}{S[len(it.end)]}{it.end}"
    )


@plain("role", "record", "name")
def _related_party(it: RelatedParty) -> str:
    return f"{S[len(it.role)]}{it.role}{S[len(it.record)]}{it.record}{S[len(it.name)]}{it.name}"


@plain("purpose", "channel", "at", "granted")
def _consent(it: Consent) -> str:
    return f"{S[len(it.purpose)]}{it.purpose}{S[len(it.channel)]}{it.channel}{S[len(it.at)]}{it.at}{FLAG[it.granted]}"


def _one(encode: Callable[[T], bytes]) -> Encode:
    """A union of null and a value with its provenance; not null."""

    def encode_one(it: Sourced[T]) -> bytes:
        return SOME + encode(it.value) + _provenance(it.provenance)

    return encode_one


def _many(encode: Callable[[T], bytes]) -> Encode:
    """An array of values with their provenance; not empty."""

    def encode_many(them: Sequence[Sourced[T]]) -> bytes:
        if len(them) == 1:
            (it,) = them
            return b"".join((SOME, encode(it.value), _provenance(it.provenance), ZERO))
        return b"".join((long(len(them)), *[encode(it.value) + _provenance(it.provenance) for it in them], ZERO))

    return encode_many


def _characteristics(them: Mapping[str, Sourced[str]]) -> bytes:
    found = [string(key) + string(it.value) + _provenance(it.provenance) for key, it in them.items()]
    return b"".join((long(len(them)), *found, ZERO))


def _totals(them: Mapping[str, int]) -> bytes:
    return b"".join((long(len(them)), *[string(key) + long(total) for key, total in them.items()], ZERO))


_PIECES: dict[str, Encode] = {
    "kind": _one(string),
    "status": _one(string),
    "name": _one(_name),
    "names": _many(_name),
    "birth_date": _one(string),
    "gender": _one(string),
    "identifications": _many(_identification),
    "emails": _many(_contact),
    "phones": _many(_contact),
    "address": _one(_address),
    "addresses": _many(_address),
    "accounts": _many(_account),
    "subscriptions": _many(_subscription),
    "third_party_services": _many(_third_party_service),
    "related_parties": _many(_related_party),
    "consents": _many(_consent),
    "characteristics": _characteristics,
    "totals": _totals,
}
"""How each attribute is written, in the order of the schema."""
