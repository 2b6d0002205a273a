"""The command line as processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

SECRET = "a secret of these tests alone"


def singleview(*arguments: str, **popen: Any) -> subprocess.Popen[bytes]:
    """Starts `singleview`; `popen` goes to subprocess.Popen."""
    environment = {**os.environ, "SINGLEVIEW_SECRET": SECRET}
    return subprocess.Popen([sys.executable, "-m", "streams.app.cli", *arguments], env=environment, **popen)
