"""A canonical value in one short line, as a person would write it."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.canonical import Address, Consent, Part

DAY = len("2024-01-31")

_NOTES = frozenset({"use", "verified", "granted", "at", "raw", "valid_from", "valid_to", "start", "end"})
"""Fields that say something about the value, and so stand in brackets behind it; `raw` is what it was made from."""


def phrase(value: object) -> str:
    """`Mr Ada Lovelace (legal)`, `+35314054092 (mobile, verified)`; a value without fields as it is."""
    if not isinstance(value, Part):
        return str(value)
    notes = ", ".join(_notes(value))
    return f"{_body(value)} ({notes})" if notes else _body(value)


def _body(value: Part) -> str:
    if isinstance(value, Address):
        street = " ".join(part for part in (value.house, value.street) if part)
        parts = [value.unit, street, value.locality, value.region, value.postcode, value.country]
        return ", ".join(part for part in parts if part)
    fields = (getattr(value, name) for name in value.__struct_fields__ if name not in _NOTES)
    return " ".join(str(field) for field in fields if field)


def _notes(value: Part) -> Iterator[str]:
    if isinstance(value, Consent):
        yield "granted" if value.granted else "refused"
        if value.at:
            yield value.at[:DAY]
    use = getattr(value, "use", "")
    if use:
        yield use
    if getattr(value, "verified", False):
        yield "verified"
    since = getattr(value, "valid_from", "") or getattr(value, "start", "")
    until = getattr(value, "valid_to", "") or getattr(value, "end", "")
    if since:
        yield f"from {since}"
    if until:
        yield f"to {until}"
