"""How each country dials its ordinary numbers: digits, a national prefix or none, a usual length.

phonenumbers knows every number there is, and takes 50 µs for it. The ordinary number needs four of its facts about the
country; whatever is less plain is left to it, so that the result is always its own.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata


class Plan(NamedTuple):
    """A country's numbering plan."""

    code: str  # its country calling code
    abroad: re.Pattern[str]  # how a number that is dialled abroad begins
    prefix: re.Pattern[str]  # the national prefix
    replaced: bool  # whether something takes the prefix's place
    number: re.Pattern[str]  # national numbers
    lengths: frozenset[int]  # of national numbers, in this country and in the one its code stands for


def ordinary(digits: str, region: str) -> str:
    """E.164 of an ordinary number as it is dialled in `region` (alpha-2); empty if it takes more to say."""
    plan = _plan(region)
    if plan is None or plan.abroad.match(digits) or digits.startswith(plan.code):
        return ""
    return _in_plan(digits, plan)


def ordinary_international(digits: str) -> str:
    """E.164 of an ordinary number in international form, without its `+`; empty if it takes more to say."""
    for length in (1, 2, 3):
        plan = _main_plan(digits[:length])
        if plan is not None:
            return _in_plan(digits[length:], plan)
    return ""


def _in_plan(digits: str, plan: Plan) -> str:
    if prefix := plan.prefix.match(digits):
        without = digits[prefix.end() :]
        if plan.replaced or (plan.number.fullmatch(digits) and not plan.number.fullmatch(without)):
            return ""
        digits = without
    return f"+{plan.code}{digits}" if len(digits) in plan.lengths else ""


@cache
def _plan(region: str) -> Plan | None:
    country = PhoneMetadata.metadata_for_region(region)
    if country is None:
        return None
    plan, main = _plan_of(country), _main_plan(str(country.country_code))
    return plan._replace(lengths=plan.lengths & main.lengths) if main else None


@cache
def _main_plan(code: str) -> Plan | None:
    """The plan of the country, among those with this calling code, that stands for them all. No code begins another."""
    regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code[:1] not in {"", "0"} else None
    if not regions:
        return None
    country = PhoneMetadata.metadata_for_region_or_calling_code(int(code), regions[0])
    return _plan_of(country) if country is not None else None


def _plan_of(country: Any) -> Plan:
    usual = country.general_desc
    return Plan(
        code=str(country.country_code),
        abroad=re.compile(country.international_prefix or _NEVER),
        prefix=re.compile(country.national_prefix_for_parsing or _NEVER),
        replaced=bool(country.national_prefix_transform_rule),
        number=re.compile(usual.national_number_pattern or _NEVER),
        lengths=frozenset(usual.possible_length) - frozenset(usual.possible_length_local_only),
    )


_NEVER = r"(?!)"
