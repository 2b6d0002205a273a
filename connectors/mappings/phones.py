"""Phone numbers to E.164, as far as they can be read."""

from __future__ import annotations

from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

from connectors.mappings.dialling import ordinary, ordinary_international

CACHED = 65_536
"""A customer's numbers come back with every event of every system. An entry is about 200 bytes."""

_MAX_WRITTEN = 60  # longer text is no phone number, and not worth parsing
_PUNCTUATION = str.maketrans("", "", " \t\u00a0-.()/")


def e164(written: str, region: str) -> str:
    """`written` in E.164; as written where it is no possible number. It is dialled from `region`: alpha-2, or empty."""
    if len(written) > _MAX_WRITTEN:
        return written
    if not written.isdecimal():
        # Punctuation only costs time and spellings in the cache; but before letters (an extension) it may mean something.
        compact = written.translate(_PUNCTUATION)
        if compact.removeprefix("+").isdecimal():
            return _read(compact, region) or written
    return _read(written, region) or written


@lru_cache(maxsize=CACHED)
def _read(text: str, region: str) -> str:
    # 00 is how most of the world dials abroad; the North American plan does not, but has no numbers that begin with it.
    if text.startswith("00") and text[2:3] not in {"", "0"}:
        text = "+" + text[2:]
    digits = text.removeprefix("+")
    if digits.isdecimal() and digits.isascii():
        found = ordinary_international(digits) if text.startswith("+") else ordinary(digits, region)
        return found or parsed(text, region)
    return parsed(text, region)


def parsed(text: str, region: str) -> str:
    """What phonenumbers makes of it; empty where it is no possible number."""
    try:
        number = parse(text, region or None)
    except NumberParseException:
        return ""
    return format_number(number, PhoneNumberFormat.E164) if is_possible_number(number) else ""
