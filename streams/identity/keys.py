"""Match keys: the values a record is looked up by. Two records are compared iff they share a key that is on.

Every kind of evidence that can carry a match has a key, so a pair that only an off key would have found has little to show
for itself: a telephone so many share is generic and no evidence, a name so many bear needs a birth date, a place or a
contact beside it, and those have keys of their own. Hence a second attribute refines a key only where that finds what no
other key does: each kind costs every record a row.
"""

from __future__ import annotations

from functools import lru_cache

from streams.identity.features import Features
from streams.identity.kinds import KINDS, match_key
from streams.identity.model import MatchKey
from streams.identity.standardise.address import street_core
from streams.identity.standardise.sound import skeleton
from streams.identity.standardise.text import CACHE
from streams.identity.weights import LIMITS

_ORDER = {code: position for position, code in enumerate(KINDS)}


def match_keys(features: Features, secret: bytes) -> tuple[MatchKey, ...]:
    """The keys of one record: at most `LIMITS.keys`, without duplicates, a pure function of the features and the secret."""
    found: list[MatchKey] = []
    areas = [place.postcode or place.locality for place in features.places]
    _value_keys(features, areas, secret, found)
    if features.names:
        _name_keys(features, secret, found)
    found += [domain.key for domain in features.domains]
    for name in features.organizations:
        found.append(match_key(secret, "organization", " ".join(sorted(name.split()))))
        first = name.split()[0]
        found += [match_key(secret, "organization_place", first, area) for area in areas if area]
    keys = tuple(dict.fromkeys(found))
    if len(keys) <= LIMITS.keys:
        return keys
    return tuple(sorted(keys, key=lambda key: _ORDER[key[0]])[: LIMITS.keys])


def _value_keys(features: Features, areas: list[str], secret: bytes, found: list[MatchKey]) -> None:
    """Identifications, contact values and addresses; an area, house and given name, for streets that are spelt otherwise."""
    found += [number.key for number in features.numbers]
    found += [email.key for email in features.emails]
    found += [phone.key for phone in features.phones]
    if not areas:
        return
    givens = dict.fromkeys([sound for name in features.names for sound in _sounds(name.forms)])
    for place, area in zip(features.places, areas, strict=True):
        if place.key:
            found.append(place.key)
        spot = place.house or skeleton(street_core(place.street))
        if area and spot:
            found += [match_key(secret, "address_given", area, spot, given) for given in givens]


def _name_keys(features: Features, secret: bytes, found: list[MatchKey]) -> None:
    """Names with birth date and place, and alone. Given and family name are interchangeable: people swap them."""
    add = found.append  # in loops: most have one round, and a comprehension costs a call
    birth = features.birth
    postcodes = dict.fromkeys([place.postcode for place in features.places if place.postcode])
    calendar = ""
    if len(birth) == 8:
        calendar = birth[:4] + "".join(sorted((birth[4:6], birth[6:])))  # day and month are interchangeable too
        for postcode in postcodes:
            add(match_key(secret, "birth_postcode", calendar, postcode))
        for place in features.places:
            if place.house:
                add(match_key(secret, "birth_house", calendar, place.house))
    for name in features.names:
        families = _family_sounds(name.family)
        givens = _sounds(name.forms)
        if calendar:
            for word in givens + families:
                add(match_key(secret, "word_birth", word, calendar))
        for family in families:
            for postcode in postcodes:
                add(match_key(secret, "family_postcode", family, postcode))
            for given in givens:
                both = f"{given}+{family}" if given < family else f"{family}+{given}"
                add(match_key(secret, "name", both))


@lru_cache(maxsize=CACHE)
def _sounds(words: tuple[str, ...]) -> tuple[str, ...]:
    """How words sound, say every formal name a given name may stand for."""
    return tuple(dict.fromkeys([sound for word in words if (sound := skeleton(word))]))


@lru_cache(maxsize=CACHE)
def _family_sounds(family: str) -> tuple[str, ...]:
    """How the words of the family name sound, of a long one the first two."""
    return _sounds(tuple(family.split()[:2]))
