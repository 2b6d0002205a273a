"""Values that break programs, and documents and bytes mutated with them."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from random import Random
from typing import Any

MARK = "Zaphodine"
"""Stands for a personal value: no refusal may repeat it."""

NUMBERS: list[Any] = [
    *(0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30, 10**400),
    *(1e308, -1e308, 1e-320, 0.1, -0.0, 1e300),
]
TEXTS: list[str] = [
    *("", " ", "\x00", "a\x00b", f"\x1b[31m{MARK}", f"\u202e{MARK}", "\u2066x\u2069", f"\ufeff{MARK}", "\u200d\u200b"),
    *(MARK, MARK * 10, MARK * 1_200, "x" * 10_000, "x" * 10_001, "y" * 300_000),
    *("Ａda", "Аda Lоvelace", "ß", "İ", "ı", "ﬃ", "\u0130" * 300, "𝔸𝔡𝔞", "é" * 50, "e\u0301" * 50, "👩‍👩‍👧‍👦", "\U0010ffff"),  # noqa: RUF001
    *("نص عربي", "١٢٣٤٥", "०१२३", "Ⅷ", "½", "²³", "\x85\u2028\u2029"),
    *("9999-12-31", "0000-00-00", "0001-01-01", "-1", "99999-01-01", "1980-02-30", "1980-13-01", "31/12/9999", "00/00/0000"),
    *("2024-01-01T25:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-01-01T00:00:00.123456789Z"),
    *("2024-W01-1", "20240101T000000", "infinity", "-infinity"),
    *("1e5", "+1", "0x10", "1_000", "NaN", "Infinity", "-0", "1" * 400, "+", "00", "+000000000000000", "++353"),
    *("tel:+353851234567;ext=1", "+35385" + "1" * 40, "0" * 60, "(" * 59, "1800FLOWERS", "+1 (900) 555-0100 x123456789"),
    *("a@b", "@", "mailto:a@b.ie", '"a b"@c.ie', "a@" + "b." * 100 + "ie", "a" * 64 + "@" + "b" * 180 + ".ie", "a@b..ie"),
    *("__debezium_unavailable_value", "../../etc/passwd", "a/b/c", "/", "//", "=1+1", "{{7*7}}", "${env:HOME}", "[red]x[/]"),
    *("%s%n", "'; DROP TABLE x; --"),
]


def _deep(levels: int) -> Any:
    value: Any = "v"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


SHAPES: list[Any] = [
    *(None, True, False, [], {}, [[]], [None], [{}], [1, "a", None, {}], {"a": {}}, {"": 1}, {"a.b": 1}, [[["deep"]]]),
    *([{"number": MARK}] * 3, ["__debezium_unavailable_value"], _deep(50), _deep(201)),
    [{"address": "a@b.ie", "number": "1", "purpose": "p"}] * 1_001,
    [MARK] * 1_000,
    {f"k{number}": number for number in range(500)},
]
VALUES = [*NUMBERS, *TEXTS, *SHAPES]

KEYS = ("", "a.b", MARK, "op", "before", "after", "payload", "schema", "source", "seq")

FRAGMENTS = (
    *(
        b"\x00",
        b"\xed\xa0\x80",
        b"\\ud800",
        b"\\u0000",
        b"\xff\xfe",
        b"\xc0\x80",
        b"[" * 3_000,
        b'{"a":' * 2_000,
        b"1e999",
        b"-",
    ),
    *(bytes([255] * 9) + b"\x01", b"\xfe\xff\xff\xff\x0f"),
)

Place = tuple[Any, ...]


def mutated_document(document: Any, random: Random) -> Any:
    """A copy with some values replaced, cut, repeated, moved or added."""
    document = copy.deepcopy(document)
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        document = _mutated_once(document, random)
    return document


def _mutated_once(document: Any, random: Random) -> Any:
    place = random.choice(list(_places(document)))
    if not place:
        return copy.deepcopy(random.choice(VALUES))
    parent, last = _at(document, place[:-1]), place[-1]
    kind = random.random()
    if kind < 0.6:
        parent[last] = copy.deepcopy(random.choice(VALUES))
    elif kind < 0.75:
        del parent[last]
    elif kind < 0.85:
        parent[last] = _varied(parent[last], random)
    elif kind < 0.95:
        parent[last] = copy.deepcopy(_at(document, random.choice(list(_places(document)))))
    elif isinstance(parent, dict):
        parent[random.choice(KEYS)] = copy.deepcopy(random.choice(VALUES))
    return document


def _varied(value: Any, random: Random) -> Any:
    if isinstance(value, str):
        return "".join(random.choice((c, c, c, chr(random.randrange(1, 0x3000)), "")) for c in value)
    if isinstance(value, list):
        return value * random.choice((2, 10, 300))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return random.choice((str(value), -value, value * 10**6, value + 1))
    return value


def mutated_values(datum: Any, random: Random) -> Any:
    """A copy in which some values are hostile ones of the same type, as a schema still accepts."""
    if isinstance(datum, dict):
        return {key: mutated_values(value, random) for key, value in datum.items()}
    if isinstance(datum, list):
        items = [mutated_values(value, random) for value in datum]
        return items * random.choice((1, 1, 1, 0, 2, 600)) if random.random() < 0.1 else items
    if random.random() > 0.15:
        return datum
    if isinstance(datum, bool):
        return not datum
    if isinstance(datum, str):
        return random.choice(TEXTS)
    if isinstance(datum, int):
        return random.choice((0, -1, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)))
    return datum


def mutated_bytes(data: bytes, random: Random) -> bytes:
    """Bytes with some changed, added, cut or repeated."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        kind, at = random.random(), random.randrange(len(changed) + 1)
        if kind < 0.4 and changed:
            changed[min(at, len(changed) - 1)] = random.choice((0, 255, 127, 128, random.randrange(256)))
        elif kind < 0.6:
            changed[at:at] = random.choice(FRAGMENTS)
        elif kind < 0.8:
            del changed[at : at + random.choice((1, 2, 20))]
        elif kind < 0.9:
            del changed[at:]
        else:
            changed += changed[:at]
    return bytes(changed)


def as_json(document: Any, random: Random) -> bytes:
    """JSON as lenient writers make it: sometimes ASCII, sometimes with lone surrogates in UTF-8."""
    return json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def _places(document: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    if isinstance(document, dict):
        for key, value in document.items():
            yield from _places(value, (*at, key))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from _places(value, (*at, number))


def _at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document
