"""Base data from Faker, drawn once per seed and country, then combined freely: Faker itself is too slow per customer."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from faker import Faker

from connectors.simulated.countries import COUNTRIES, Country

_DRAWS = 900
_PLACES = 400
_STREETS = 500
_COMMON_FAMILIES = 450
_RARE_FAMILIES = 1_600

# Two halves of surnames: most surnames are rare, which no list of common ones shows.
_HALVES: dict[str, tuple[str, str]] = {
    "en": (
        "Ash Ald Ather Bark Beck Black Brad Broad Brock Burn Cald Cart Chad Clay Cran Crow Dal Dun East Ed Elm Fair Farn Fen Gar "
        "Green Grim Hal Hard Hart Hather Hay Heath Hind Hol Kirk Lang Lin Long Lyd Mar Mel Mid Nether North Oak Pen Pick Rad Red "
        "Rock Row Rush Sal Shel Sher Stan Stock Sut Thorn Thur Wake Wal War West Whit Win Wood Wyn",
        "acre bourne brook bury by combe cott croft dale den don field fold ford gate grave ham hill house hurst land ley low man "
        "mere more mouth ridge shaw stead stone thorpe ton twistle water well wick wood worth wright",
    ),
    "de": (
        "Alt Auer Bären Berg Birken Blumen Brand Breit Buchen Dorn Eichen Eisen Engel Falken Feld Fichten Fink Frei Gold Grün Hagen "
        "Hasel Hirsch Hohen Holz Kalten Kirch Kling Lang Linden Löwen Moos Mühl Neu Ober Rauten Reich Rosen Roth Schön Schwarz "
        "Silber Stein Stern Sommer Tannen Unter Wald Weiden Weiß Winter Wolf",
        "acker bach bauer baum beck berg brand bruch burger dorf eder feld furt graf hammer hauser heim hof hofer huber kamp lauer "
        "leitner mann maier meister müller ner rieder schmidt steiner stetter thaler vogel wald wirth",
    ),
    "fr": (
        "Beau Bel Bois Bon Bour Cam Cast Chante Char Clair Cour Dur Esc Font Franc Gard Gran Haut Lam Lan Mal Marc Mont Mour "
        "Neuv Pel Pont Puy Roc Roch Rous Sal Sauv Tour Vald Vern Vil",
        "ard aud bert bois bourg champ court dieu eau elle erand eron ette fort gnon lain lard lieu mont net nier ot oux pré "
        "rac rand seau tier val ville",
    ),
}


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
    companies: tuple[str, ...]


def draw_pools(seed: int) -> dict[str, Pool]:
    """The pools of all countries. Takes about a second; the same seed gives the same pools."""
    return {code: _draw(country, seed) for code, country in COUNTRIES.items()}


def _draw(country: Country, seed: int) -> Pool:
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
        companies=_distinct(faker.last_name, _STREETS),
    )


def _distinct(draw: Callable[[], str], times: int) -> tuple[str, ...]:
    """What was drawn, each once, most frequent first."""
    counts: dict[str, int] = {}
    for _ in range(times):
        value = draw().strip()
        counts[value] = counts.get(value, 0) + 1
    return tuple(sorted(counts, key=lambda value: -counts[value]))


def _rare_families(country: Country, taken: set[str], rng: Random) -> tuple[str, ...]:
    halves = _HALVES.get(country.locale[:2])
    if halves is None:
        return ()
    names = [head + tail for head in halves[0].split() for tail in halves[1].split() if head + tail not in taken]
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
        return code.split(" ")[0]
    if country.code == "IE":
        return f"{'ACDEFHKNPRTVWXY'[rng.randrange(15)]}{rng.randrange(10, 100)}"
    return code[:3]
