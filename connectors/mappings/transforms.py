"""What a mapping may do to one value, as functions from text to text. They see no empty text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from connectors.mappings import countries
from connectors.mappings.dates import date_reader, is_no_date
from connectors.mappings.model import DateTransform, MapTransform
from connectors.mappings.patterns import MAX_INPUT, safe_pattern
from connectors.mappings.unfit import UnfitError

TextTransform: TypeAlias = Callable[[str], str]

_EMAIL = re.compile(r"[^@\s<>,;]{1,64}@[^@\s<>,;.]+(?:\.[^@\s<>,;.]+)+")


def email(text: str) -> str:
    """Lower case and without `mailto:`; empty for what cannot be an address (`raw` keeps it)."""
    text = text.lower().removeprefix("mailto:")
    return text if len(text) <= 254 and _EMAIL.fullmatch(text) else ""


def _title(text: str) -> str:
    """Capitals at the beginning of each word, for names that are all capitals or all small; others know better."""
    return text.title() if text.isupper() or text.islower() else text


WORDS: dict[str, TextTransform] = {
    "as_is": lambda text: text,
    "trim": lambda text: " ".join(text.split()),
    "lower": str.lower,
    "upper": str.upper,
    "title": _title,
    "digits": lambda text: "".join(c for c in text if c.isdecimal()),
    "email": email,
    "country": countries.alpha2,
}
"""The transforms without options (`phone` and `date` also have a form without)."""


def dates(options: DateTransform) -> TextTransform:
    """Empty for what stands for no date. Raises UnfitError("bad-date") for a day that does not exist or is absurd, unless
    the mapping says otherwise."""
    readers = [date_reader(text, options.zone) for text in options.formats]
    earliest, latest = (f"{year:04}" for year in options.years)

    def read(text: str) -> str:
        for reader in readers:
            day = reader(text)
            if day and earliest <= day[:4] <= latest:
                return day
        if options.otherwise == "empty" or is_no_date(text, options.formats):
            return ""
        if options.otherwise == "reject":
            raise UnfitError(
                "bad-date", f"not a date of the format {' or '.join(options.formats)} from {earliest} to {latest}"
            )
        return text

    return read


def table(options: MapTransform) -> TextTransform:
    """Look the text up without regard to case."""
    values = {key.casefold(): constant(value) for key, value in options.values.items()}
    otherwise = None if options.otherwise is None else constant(options.otherwise)
    return lambda text: values.get(text.casefold(), text if otherwise is None else otherwise)


def extract(pattern: str) -> TextTransform:
    """The first group of the first match (the whole match, if there is no group); empty without one."""
    compiled = safe_pattern(pattern)
    group = 1 if compiled.groups else 0

    def find(text: str) -> str:
        match = compiled.search(text[:MAX_INPUT])
        return (match[group] or "") if match else ""

    return find


def constant(value: str | float | bool) -> str:
    """A constant of a mapping as text: `true` and `false` as in YAML."""
    return str(value).lower() if isinstance(value, bool) else str(value)
