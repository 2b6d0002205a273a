"""Which mapping reads which file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connectors.mappings import Mapping
from streams.app.console import UsageError


def pair(files: Sequence[Path], mappings: Sequence[Mapping]) -> list[Mapping]:
    """The mapping of each file.

    One mapping reads all files. Of several, the one with a `files` pattern that fits reads the file; what no pattern fits
    goes to the mapping without patterns, if there is just one. If none has patterns, they go with the files in order.
    Raises UsageError when that leaves a doubt.
    """
    if len(mappings) == 1:
        return [mappings[0]] * len(files)
    if not any(mapping.files for mapping in mappings):
        if len(files) != len(mappings):
            raise UsageError(
                f"{len(files)} files and {len(mappings)} mappings: name as many files as mappings, in the same order,"
                " or give the mappings `files:` patterns"
            )
        return list(mappings)
    return [_by_pattern(file, mappings) for file in files]


def _by_pattern(file: Path, mappings: Sequence[Mapping]) -> Mapping:
    fitting = [mapping for mapping in mappings if any(file.match(pattern) for pattern in mapping.files)]
    if not fitting:
        fitting = [mapping for mapping in mappings if not mapping.files]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(mapping.source for mapping in fitting)
    raise UsageError(
        f"{file}: {f'more than one mapping fits ({names})' if fitting else 'no mapping fits'}:"
        " each file needs exactly one, by its `files:` patterns"
    )
