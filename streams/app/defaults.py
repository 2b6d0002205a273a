"""Where commands look when nothing is named."""

from __future__ import annotations

from pathlib import Path

DEFAULT_CONFIG = Path("singleview.yaml")
DEFAULT_FOLDER = Path("demo-data")
