from __future__ import annotations

import datetime as dt
from decimal import Decimal
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from connectors.mappings.model import Value
from connectors.mappings.patterns import safe_pattern
from connectors.mappings.phones import e164
from connectors.mappings.unfit import UnfitError
from connectors.mappings.values import MAX_TEXT, as_bool, as_text, compile_value


def value(text: str, item: dict[str, object], event: dict[str, object] | None = None) -> str:
    return compile_value(Value.model_validate(yaml.safe_load(text))).value(item, event or {})


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (" a ", "a"),
        (None, ""),
        (7, "7"),
        (7.0, "7"),
        (7.5, "7.5"),
        (True, "true"),
        (Decimal("1.50"), "1.50"),
        (dt.date(2024, 1, 2), "2024-01-02"),
        (dt.datetime(2024, 1, 2, 3, tzinfo=dt.UTC), "2024-01-02T03:00:00+00:00"),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (2**200, str(2**200)),
    ],
)
def test_every_scalar_of_json_and_avro_is_text(given: object, text: str) -> None:
    assert as_text(given, "p") == text


@pytest.mark.parametrize(
    "given",
    [{}, [], ["a"], {"scale": "2", "value": "!"}, float("nan"), float("inf"), 2**300, Decimal("NaN"), Decimal("1e9999")],
)
def test_what_is_no_scalar_is_a_bad_value(given: object) -> None:
    with pytest.raises(UnfitError, match="path p") as caught:
        as_text(given, "p")
    assert caught.value.reason == "bad-value"


def test_text_that_is_too_long_is_refused_and_not_quoted() -> None:
    for text in ("path: x", "{concat: [x, x]}"):
        with pytest.raises(UnfitError) as caught:
            value(
                f"{{{text}}}" if not text.startswith("{") else text,
                {"x": "y" * (MAX_TEXT if "concat" in text else MAX_TEXT + 1)},
            )
        assert caught.value.reason == "too-large"
        assert "yyy" not in caught.value.what


@pytest.mark.parametrize(
    ("mapped", "found"),
    [
        ("{path: a}", "Some  Text"),
        ("{constant: 5}", "5"),
        ("{constant: true}", "true"),
        ("{concat: [a, {path: none}, b]}", "Some  Text B"),
        ("{concat: [b, b], separator: ''}", "BB"),
        ("{first: [none, b, a]}", "B"),
        ("{path: none, default: x}", "x"),
        ("{path: a, transform: trim}", "Some Text"),
        ("{path: a, transform: [trim, lower]}", "some text"),
        ("{path: b, transform: [lower, title]}", "B"),
        ("{path: mc, transform: title}", "McDonald"),
        ("{path: phone, transform: digits}", "02079460018"),
        ("{path: country, transform: country}", "DE"),
        ("{path: a, transform: country}", "Some  Text"),
        ("{path: email, transform: email}", "john@example.com"),
        ("{path: a, transform: email}", ""),
        ("{path: a, transform: [email, {map: {'': never}}]}", ""),
        ("{path: b, transform: {map: {b: x}}}", "x"),
        ("{path: a, transform: {map: {b: x}}}", "Some  Text"),
        ("{path: a, transform: {map: {values: {b: x}, otherwise: ''}}, default: y}", "y"),
        ("{path: a, transform: {extract: '(\\w+)$'}}", "Text"),
        ("{path: a, transform: {extract: 'e'}}", "e"),
        ("{path: a, transform: {extract: '\\d+'}}", ""),
        ("{path: day, transform: date}", "1985-02-16"),
        ("{path: day, transform: {date: [DD/MM/YYYY, iso]}}", "1985-02-16"),
        ("{path: b, transform: {date: {formats: iso, otherwise: empty}}}", ""),
        ("{path: b, transform: {date: {formats: iso, otherwise: keep}}}", "B"),
        ("{path: phone, transform: {phone: {default_region: {constant: GB}}}}", "+442079460018"),
        ("{path: phone, transform: {phone: {default_region: /where}}}", "+442079460018"),
        ("{path: phone, transform: phone}", "(020) 7946-0018"),
        ("{path: msisdn, transform: {phone: {international: true}}}", "+447700900123"),
    ],
)
def test_a_value_is_found_and_transformed(mapped: str, found: str) -> None:
    item: dict[str, object] = {"a": " Some  Text", "b": "B", "mc": "McDonald", "phone": "(020) 7946-0018", "country": "deu"}
    item |= {"email": "MAILTO:John@Example.com", "day": "1985-02-16", "msisdn": 447700900123, "none": None}
    assert value(mapped, item, {"where": "United Kingdom"}) == found


@pytest.mark.parametrize("day", ["31/02/1985", "9998-12-31", "1701-01-01", "soon", "1985-02-31"])
def test_an_absurd_date_is_a_bad_date_and_not_quoted(day: str) -> None:
    with pytest.raises(UnfitError) as caught:
        value("{path: d, transform: {date: [DD/MM/YYYY, iso]}}", {"d": day})
    assert caught.value.reason == "bad-date"
    assert day not in caught.value.what


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("iso", "N/A"),
        ("iso", "0000-00-00"),
        ("iso", "00000000"),
        ("iso", "0000-00-00 00:00:00"),
        ("iso", "0001-01-01T00:00:00"),
        ("iso", "9999-12-31"),
        ("iso", "-infinity"),
        ("DD/MM/YYYY", "00/00/0000"),
        ("DD/MM/YYYY", "31/12/9999"),
        ("days", "infinity"),
        ("days", "2147483647"),
        ("days", "2932896"),
        ("epoch_ms", "9223372036825200"),
        ("epoch_us", "9223372036825200000"),
        ("epoch_us", "-9223372036832400000"),
        ("epoch_ns", "9223372036854775807"),
    ],
)
@pytest.mark.parametrize("otherwise", ["reject", "empty", "keep"])
def test_what_stands_for_no_date_is_empty(style: str, written: str, otherwise: str) -> None:
    assert value(f"{{path: d, transform: {{date: {{formats: {style}, otherwise: {otherwise}}}}}}}", {"d": written}) == ""


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("epoch_ms", "347241600"),  # seconds
        ("epoch_ms", "4019"),  # days
        ("epoch_us", "347241600000"),  # milliseconds
        ("epoch_s", "4019"),
        ("epoch_s", "347241600000"),
        ("epoch_ns", "347241600000000"),
        ("days", "347241600"),
    ],
)
def test_a_date_of_another_unit_is_a_bad_date(style: str, written: str) -> None:
    with pytest.raises(UnfitError) as caught:
        value(f"{{path: d, transform: {{date: {style}}}}}", {"d": written})
    assert caught.value.reason == "bad-date"


def test_the_years_of_a_date_can_be_widened() -> None:
    assert value("{path: d, transform: {date: {formats: iso, years: [1, 9999]}}}", {"d": "9999-12-31"}) == "9999-12-31"


@pytest.mark.parametrize(
    ("written", "region", "number"),
    [
        ("020 7946 0018", "GB", "+442079460018"),
        ("+44 (0)20 7946 0018", "DE", "+442079460018"),
        ("0044 20 7946 0018", "GB", "+442079460018"),
        ("0044 20 7946 0018", "US", "+442079460018"),
        ("0044 20 7946 0018", "", "+442079460018"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("(212) 555-0123", "US", "+12125550123"),
        ("n/a", "GB", "n/a"),
        ("12", "GB", "12"),
        ("020 7946 0018", "", "020 7946 0018"),
        ("020 7946 0018", "Atlantis", "020 7946 0018"),
        ("1" * 100, "GB", "1" * 100),
    ],
)
def test_a_phone_is_e164_or_as_written(written: str, region: str, number: str) -> None:
    assert e164(written, region) == number


@given(st.text(), st.sampled_from(["GB", "US", "", "XX"]))
def test_any_text_is_some_phone_number_value(written: str, region: str) -> None:
    assert e164(written, region) == written or e164(written, region).startswith("+")


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+",
        "(a|b)*",
        "(ab){3}",
        "a*b*c*d*",
        "(",
        "(?P<x>a)+",
        "a?" * 20 + "a" * 20,
        "}?" * 20 + "}" * 20,
        "(?:a|a)" * 20 + "b",
        "a?a?a*b*c*",
        "(?x)(a+) +b",
        "(?ix:(a+) +b)",
        r"(.*)(.*)\2\1!",
        r"(?P<x>a*)(?P=x)b",
        r"(a*)(?(1)a|b)",
        ".*.*.*b",
        "(?=(a*a*a*)b)",
        "(?i)k*K*\u212a*!",
        "a{0,200}a{0,200}a{0,200}b",
    ],
)
def test_a_pattern_that_could_run_away_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|repeat"):
        safe_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(\d+)\s*$",
        r"(a|b)?c+",
        r"[)*+]+",
        r"\)+x*",
        r"(?:No\.?|Nr\.?)?\s*?(?P<x>\d+)",
        r"(\d+)-(\d+)-(\d+)",
        "^(.*),(.*)$",
        r"[^,]*,[^,]*,[^,]*$",
        r"(\w+) (\w+)",
    ],
)
def test_an_ordinary_pattern_is_fine(pattern: str) -> None:
    assert safe_pattern(pattern).pattern == pattern


def test_true_and_false_are_known_in_several_forms() -> None:
    assert [as_bool(text) for text in ("true", "Y", "1", "on")] == [True] * 4
    assert [as_bool(text) for text in ("", "False", "no", "0")] == [False] * 4
    with pytest.raises(UnfitError, match="true or false"):
        as_bool("perhaps")
