from __future__ import annotations

from pathlib import Path

import pytest

from schemas.documents import DocumentError
from streams.app.config import Configuration
from streams.app.wiring import Deployment


def test_a_mapping_of_files_cannot_be_a_source_of_the_pipeline(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("source: s\nformat: csv\nrealm: {constant: north}\nrecord_id: id\nattributes: {}")
    with pytest.raises(DocumentError, match=r"m\.yaml:1: topics: is missing: name the topics this source's events are on"):
        Deployment(Configuration(realms={"north": 0}, sources=(path,)))
