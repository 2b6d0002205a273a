"""Countries as sources write them: ISO 3166 alpha-2, alpha-3, a name."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.resources import files


@cache
def _table() -> dict[str, str]:
    rows = files(__package__).joinpath("countries.csv").read_text(encoding="utf-8").splitlines()
    table: dict[str, str] = {}
    for row in rows[1:]:
        alpha2, *others = row.split(",")
        for written in (alpha2, *others):
            table[written.casefold()] = alpha2
    return table


@lru_cache(maxsize=4096)
def alpha2(written: str) -> str:
    """The alpha-2 code of a country; what is not in the table stays as written."""
    return _table().get(" ".join(written.replace(".", "").split()).casefold(), written)
