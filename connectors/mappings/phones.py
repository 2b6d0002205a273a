"""Phone numbers to E.164, as far as they can be read."""

from __future__ import annotations

from functools import lru_cache

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_possible_number, parse

CACHED = 65_536
"""A customer's numbers come back with every event of every system; one entry is about 300 bytes."""

_MAX_WRITTEN = 60  # longer text is no phone number, and not worth parsing


@lru_cache(maxsize=CACHED)
def e164(written: str, region: str) -> str:
    """`written` in E.164; as written where it is no possible number. It is dialled from `region`: alpha-2, or empty."""
    if len(written) > _MAX_WRITTEN:
        return written
    # 00 is how most of the world dials abroad; the North American plan does not, but has no numbers that begin with it.
    text = "+" + written[2:] if written.startswith("00") and written[2:3] not in {"", "0"} else written
    try:
        number = parse(text, region or None)
    except NumberParseException:
        return written
    return format_number(number, PhoneNumberFormat.E164) if is_possible_number(number) else written
