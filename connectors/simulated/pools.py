"""Base data from Faker, drawn once per seed and country, then combined freely: Faker itself is too slow per customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib.util import find_spec
from random import Random
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from connectors.simulated.countries import COUNTRIES, Country
from connectors.simulated.wordlists import surname_halves

if TYPE_CHECKING:
    from faker import Faker

_DRAWS = 600
_PLACES = 250
_STREETS = 400
_COMMON_FAMILIES = 450
_RARE_FAMILIES = 1_600


class Place(NamedTuple):
    city: str
    region: str | None
    prefix: str  # of its postcodes


class Pool(NamedTuple):
    """Names and places of one country; names in order of frequency, the commonest first."""

    country: Country
    male: tuple[str, ...]
    female: tuple[str, ...]
    families: tuple[str, ...]
    streets: tuple[str, ...]
    places: tuple[Place, ...]


class MissingFakerError(Exception):
    """The simulation's base data cannot be had: the message says what to install."""


def need_faker() -> None:
    """Raises MissingFakerError where the package is not installed: it comes with an extra, for the simulation alone."""
    if find_spec("faker") is None:
        raise MissingFakerError(
            "the simulated sources need the package faker: install singleview with its extra, pip install 'singleview[demo]'"
        )


@lru_cache(maxsize=2)
def draw_pools(seed: int) -> Mapping[str, Pool]:
    """The pools of all countries. Takes about a second; the same seed gives the same pools. Raises MissingFakerError."""
    need_faker()
    return MappingProxyType({code: _draw(country, seed) for code, country in COUNTRIES.items()})


def _draw(country: Country, seed: int) -> Pool:
    from faker import Faker  # noqa: PLC0415 - it may be missing

    faker = Faker(country.locale)
    faker.seed_instance(seed)
    rng = Random(f"{seed}/{country.code}")  # noqa: S311  # simulated data, nothing secret
    common = _distinct(faker.last_name, _DRAWS)[:_COMMON_FAMILIES]
    return Pool(
        country=country,
        male=_distinct(faker.first_name_male, _DRAWS),
        female=_distinct(faker.first_name_female, _DRAWS),
        families=common + _rare_families(country, set(common), rng),
        streets=_distinct(faker.street_name, _STREETS),
        places=_places(faker, country, rng),
    )


def _distinct(draw: Callable[[], str], times: int) -> tuple[str, ...]:
    """What was drawn, each once, most frequent first."""
    counts: dict[str, int] = {}
    for _ in range(times):
        value = draw().strip()
        counts[value] = counts.get(value, 0) + 1
    return tuple(sorted(counts, key=lambda value: -counts[value]))


def _rare_families(country: Country, taken: set[str], rng: Random) -> tuple[str, ...]:
    """Most surnames are rare, which a list of common ones does not show: put together from two halves."""
    halves = surname_halves(country.locale[:2])
    names = [first + second for first in halves["first"] for second in halves["second"] if first + second not in taken]
    rng.shuffle(names)
    return tuple(names[:_RARE_FAMILIES])


def _places(faker: Faker, country: Country, rng: Random) -> tuple[Place, ...]:
    cities = _distinct(faker.city, _PLACES)
    return tuple(Place(city, _region(faker, country), _prefix(faker, country, rng)) for city in cities)


def _region(faker: Faker, country: Country) -> str | None:
    if country.code == "US":
        return str(faker.state_abbr())
    return str(faker.county()) if country.code in {"GB", "IE"} else None


def _prefix(faker: Faker, country: Country, rng: Random) -> str:
    code = str(faker.postcode())
    if country.code == "GB":
        return code.partition(" ")[0]
    if country.code == "IE":
        return f"{'ACDEFHKNPRTVWXY'[rng.randrange(15)]}{rng.randrange(10, 100)}"
    return code[:3]
