"""The smallest parts of a mapping document, which its models share."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field

from connectors.mappings.paths import parse_path


def _checked_path(text: str) -> str:
    parse_path(text)
    return text


def short_for(key: str) -> BeforeValidator:
    """A bare scalar stands for `{key: scalar}`."""
    return BeforeValidator(lambda given: given if isinstance(given, dict) else {key: given})


def one_or_many(given: object) -> object:
    """A single thing stands for a list of one."""
    return given if isinstance(given, list) else [given]


PathText: TypeAlias = Annotated[
    str, Field(max_length=500), BeforeValidator(lambda x: _checked_path(x) if isinstance(x, str) else x)
]
Scalar: TypeAlias = str | int | float | bool
