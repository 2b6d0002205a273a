"""E-mail addresses and telephone numbers, to the form they are compared in."""

from __future__ import annotations

import re

from streams.identity.standardise.text import LONGEST

_NOT_DIGIT = re.compile(r"\D+", re.ASCII)
SIGNIFICANT_DIGITS = 9  # country and trunk prefixes come and go; nine digits tell numbers apart in every country we know
FEWEST_DIGITS = 6
_DOTLESS_DOMAINS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def email(text: str) -> str:
    """Lower case, without a plus tag; Gmail also without dots. Empty if there is no mailbox or no domain."""
    local, at, domain = text[:LONGEST].strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTLESS_DOMAINS:
        domain = _DOTLESS_DOMAINS[domain]
        local = local.replace(".", "")
    return f"{local}@{domain}" if local and at and domain else ""


def phone(text: str) -> str:
    """The last nine digits; empty if there are too few to be anybody's."""
    digits = text[:LONGEST].removeprefix("+")
    if not (digits.isdecimal() and digits.isascii()):  # E.164 is nothing but digits
        digits = _NOT_DIGIT.sub("", digits)
    digits = digits.lstrip("0")
    return digits[-SIGNIFICANT_DIGITS:] if len(digits) >= FEWEST_DIGITS else ""
