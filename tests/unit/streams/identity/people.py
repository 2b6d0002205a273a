"""Records for the tests of the pure half: one line of what a source knows, as features."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from schemas.canonical import Address, Attributes, Email, Identification, Kind, Name, Phone
from streams.identity.compare import compare, size_class, thresholds
from streams.identity.features import Features, features
from streams.identity.model import Comparison
from streams.identity.reference import shipped

SECRET = b"a realm's secret"
MEDIUM = thresholds(size_class(20_000))
LARGE = thresholds(size_class(1_000_000))


def attributes(**known: Any) -> Attributes:
    """What a source knows: `given family middle suffix full organization birth gender kind`, and one or several of `email
    phone address passport national_id`. An address is `house street, locality, postcode`."""

    def several(name: str) -> list[Any]:
        value = known.get(name)
        return [] if value is None else value if isinstance(value, list) else [value]

    name = Name(**{part: known[part] for part in _NAME_PARTS if part in known})
    kind: Kind | None = known.get("kind", "organization" if "organization" in known else "individual")
    return Attributes(
        kind=kind,
        names=[name] if name != Name() else None,
        birth_date=known.get("birth"),
        gender=known.get("gender"),
        identifications=[
            Identification(type=type_, issuer="GB", value=value)
            for type_ in ("passport", "national_id", "customer_number", "company_registration")
            for value in several(type_)
        ]
        or None,
        emails=[Email(value=value) for value in several("email")] or None,
        phones=[value if isinstance(value, Phone) else Phone(value=value) for value in several("phone")] or None,
        addresses=[_address(value) for value in several("address")] or None,
    )


_NAME_PARTS = ("given", "middle", "family", "suffix", "full", "organization", "prefix")


def _address(line: str) -> Address:
    first, locality, postcode = (part.strip() for part in line.split(","))
    house, _, street = first.partition(" ")
    return Address(house=house, street=street, locality=locality, postcode=postcode, country="GB")


def record(**known: Any) -> Features:
    """The features of a record, see `attributes`."""
    return features("north/crm/1", attributes(**known), shipped(), SECRET)


def judged(a: Features, b: Features) -> Comparison:
    """The comparison, explained."""
    return compare(a, b)


def level(a: Features, b: Features, attribute: str) -> str:
    """How one attribute of two records compares."""
    return next(found.level for found in judged(a, b).levels if found.attribute == attribute)


_GIVENS = ["", "John", "Jon", "Jane", "Bill", "William", "Mary", "Mark", "Xqzt", "J", "Ana María", "Łukasz"]
_FAMILIES = ["", "Smith", "Smyth", "Featherstonehaugh", "van der Berg", "Berg", "García López", "O'Brien", "John"]


@st.composite
def any_attributes(draw: st.DrawFn) -> Attributes:
    """Records close enough to each other that every rule comes into play."""
    known: dict[str, Any] = {}

    def perhaps(name: str, values: list[Any]) -> None:
        value = draw(st.sampled_from([None, *values]))
        if value is not None:
            known[name] = value

    perhaps("given", _GIVENS)
    perhaps("middle", ["A", "Albert", "Mary"])
    perhaps("family", _FAMILIES)
    perhaps("suffix", ["Jr", "Sr", "II"])
    perhaps("organization", ["Acme Ltd", "Acme Trading", "Bright Harbour Limited"])
    perhaps("birth", ["1980", "1980-05", "1980-05-07", "1980-07-05", "1980-05-08", "1955-11-30", "1980-01-01"])
    perhaps("gender", ["M", "F"])
    perhaps("kind", ["individual", "organization"])
    perhaps("email", ["a.smith@post.example", "a.smyth@post.example", ["b@x.example", "a.smith@post.example"]])
    perhaps("phone", ["+447700900123", "+447700900124", ["+447700900125", "07700 900123"]])
    perhaps("address", ["12 High Street, Leeds, LS1 4DY", "12 High St, Leeds, LS14DY", "99 Mill Lane, York, YO1 7HH"])
    perhaps("passport", ["533401372", "533401373", "AB98765"])
    perhaps("national_id", ["QQ123456C", "QQ123465C"])
    perhaps("customer_number", ["123", "124"])
    return attributes(**known)


def any_record() -> st.SearchStrategy[Features]:
    """The features of `any_attributes`."""
    return any_attributes().map(lambda known: features("north/crm/1", known, shipped(), SECRET))
