"""Match keys: the values a record is looked up by. Two records are compared iff they share a key that is on.

Every kind of evidence that can carry a match has a key, so a pair that only an off key would have found has little to show
for itself: a telephone so many share is generic and no evidence, a name so many bear needs a birth date, a place or a
contact beside it, and those have keys of their own. Hence a second attribute refines a key only where that finds what no
other key does: each kind costs every record a row.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.identity.features import NUMBER_KIND, Features, PersonName, digest
from streams.identity.model import KeyKind, MatchKey
from streams.identity.standardise.address import street_core
from streams.identity.standardise.sound import skeleton
from streams.identity.weights import LIMITS

KINDS: Mapping[str, KeyKind] = {
    kind.name: kind
    for kind in (
        KeyKind("registration", limit=0, links=True),
        KeyKind("identification", limit=40, distinct_names=6),  # a document is one person's, but names are mistyped, too
        KeyKind("email", limit=40, distinct_names=6),  # a family of six may share a mailbox
        KeyKind("phone", limit=40, distinct_names=6),
        KeyKind("address", limit=40, distinct_names=12),  # grown-up children, tenants, who lived there before
        KeyKind("word_birth", limit=50),  # any word of the name, so that one wrong word does not hide the pair
        KeyKind("birth_postcode", limit=50),
        KeyKind("birth_house", limit=50),
        KeyKind("family_postcode", limit=30),
        KeyKind("name", limit=30),
        KeyKind("address_given", limit=50),
        KeyKind("organization", limit=40),
        KeyKind("organization_place", limit=50),
        KeyKind("mail_domain", limit=30, distinct_names=3),  # an organization's own, unless others use it
    )
}
"""Every kind of match key, strongest first: the order in which a record's keys are kept when it has too many."""

_ORDER = {name: position for position, name in enumerate(KINDS)}


def match_keys(features: Features, secret: bytes) -> tuple[MatchKey, ...]:
    """The keys of one record: at most `LIMITS.keys`, without duplicates, a pure function of the features and the secret.

    Digests are keyed blake2b, so nothing personal can be read or guessed from a key without the realm's secret.
    """
    found: dict[MatchKey, None] = {}
    _value_keys(features, secret, found)
    if features.names:
        _name_keys(features, secret, found)
    for domain in features.domains:
        found[MatchKey("mail_domain", domain.digest)] = None
    for name in features.organizations:
        words = " ".join(sorted(name.split()))
        _add(found, secret, "organization", words)
        for place in features.places:
            _add(found, secret, "organization_place", name.split()[0], place.postcode or place.locality)
    if len(found) <= LIMITS.keys:
        return tuple(found)
    return tuple(sorted(found, key=lambda key: _ORDER[key.kind])[: LIMITS.keys])


def _add(found: dict[MatchKey, None], secret: bytes, kind: str, *parts: str) -> None:
    if all(parts):
        found[MatchKey(kind, digest(secret, kind, *parts))] = None


def _value_keys(features: Features, secret: bytes, found: dict[MatchKey, None]) -> None:
    """Identifications, contact values and addresses; an area, house and given name, for streets that are spelt otherwise."""
    for number in features.numbers:
        kind = NUMBER_KIND.get(number.type, "identification")
        found[MatchKey(kind, number.digest)] = None
    for email in features.emails:
        found[MatchKey("email", email.digest)] = None
    for phone in features.phones:
        found[MatchKey("phone", phone.digest)] = None
    if not features.places:
        return
    givens = dict.fromkeys(sound for name in features.names for sound in _given_sounds(name))
    for place in features.places:
        if place.digest:
            found[MatchKey("address", place.digest)] = None
        area = place.postcode or place.locality
        spot = place.house or skeleton(street_core(place.street))
        for given in givens:
            _add(found, secret, "address_given", area, spot, given)


def _name_keys(features: Features, secret: bytes, found: dict[MatchKey, None]) -> None:
    """Names with birth date and place, and alone. Given and family name are interchangeable: people swap them."""
    birth = features.birth
    postcodes = dict.fromkeys(place.postcode for place in features.places if place.postcode)
    calendar = ""
    if len(birth) == 8:
        calendar = birth[:4] + "".join(sorted((birth[4:6], birth[6:])))  # day and month are interchangeable too
        for postcode in postcodes:
            _add(found, secret, "birth_postcode", calendar, postcode)
        for place in features.places:
            _add(found, secret, "birth_house", calendar, place.house)
    for name in features.names:
        families = _family_sounds(name)
        givens = _given_sounds(name)
        if calendar:
            for word in (*givens, *families):
                _add(found, secret, "word_birth", word, calendar)
        for family in families:
            for postcode in postcodes:
                _add(found, secret, "family_postcode", family, postcode)
            for given in givens:
                _add(found, secret, "name", "+".join(sorted((given, family))))


def _given_sounds(name: PersonName) -> tuple[str, ...]:
    """How every formal name the given name may stand for sounds."""
    return tuple(dict.fromkeys(skeleton(form) for form in name.forms))


def _family_sounds(name: PersonName) -> tuple[str, ...]:
    """How the words of the family name sound, of a long one the first two."""
    return tuple(dict.fromkeys(skeleton(word) for word in name.family.split()[:2]))
