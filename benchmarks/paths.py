"""Where the benchmarks keep what they build and what they find."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
BUILT = ROOT / ".bench"
"""Environments of the peers, stores and logs of runs. May be deleted at any time nothing runs from it."""
RESULTS = HERE / "results"


@contextmanager
def own_folder(name: str) -> Iterator[Path]:
    """A folder for stores and logs, gone afterwards: on the disk of the project, as `/tmp` may be memory."""
    BUILT.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=BUILT))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
