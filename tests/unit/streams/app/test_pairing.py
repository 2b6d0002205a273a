from __future__ import annotations

from pathlib import Path

import pytest

from connectors.mappings import Mapping
from connectors.mappings.model import MappingDocument
from schemas.documents import parse_document
from streams.app.console import UsageError
from streams.app.pairing import pair


def mapping(source: str, files: str = "[]") -> Mapping:
    text = f"source: {source}\nformat: csv\nfiles: {files}\nrealm: {{constant: n}}\nrecord_id: id\nattributes: {{}}"
    return Mapping(parse_document(text, MappingDocument, "m.yaml"))


def paired(files: list[str], *mappings: Mapping) -> list[str]:
    return [found.source for found in pair([Path(file) for file in files], mappings)]


def test_one_mapping_reads_all_files() -> None:
    assert paired(["a.csv", "b.csv"], mapping("crm", "x*.csv")) == ["crm", "crm"]


def test_mappings_without_patterns_go_with_the_files_in_order() -> None:
    assert paired(["a.csv", "b.csv"], mapping("crm"), mapping("web")) == ["crm", "web"]


def test_patterns_choose_and_the_rest_goes_to_the_mapping_without() -> None:
    mappings = (mapping("crm", "[crm-*.csv, old/*]"), mapping("web"))
    assert paired(["x/crm-1.csv", "x/old/1.csv", "x/1.csv"], *mappings) == ["crm", "crm", "web"]


@pytest.mark.parametrize(
    ("mappings", "said"),
    [
        ((mapping("crm"), mapping("web"), mapping("b")), "2 files and 3 mappings: name as many files as mappings"),
        ((mapping("crm", "a*"), mapping("web", "a.*")), "a.csv: more than one mapping fits (crm, web)"),
        ((mapping("crm", "x*"), mapping("web", "y*")), "a.csv: no mapping fits"),
        ((mapping("crm", "x*"), mapping("web"), mapping("b")), "a.csv: more than one mapping fits (web, b)"),
    ],
)
def test_a_doubt_is_wrong_use(mappings: tuple[Mapping, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        paired(["a.csv", "b.csv"], *mappings)
    assert said in str(caught.value)
