"""Where the benchmarks keep what they build and what they find."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
BUILT = ROOT / ".bench"
"""Environments of the peers, stores and logs of runs. May be deleted at any time nothing runs from it."""
RESULTS = HERE / "results"
