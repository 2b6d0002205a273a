"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from tests.parts.versions import KAFKA


def facts() -> dict[str, str | float]:
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    return {
        "processor": model,
        "cores": float(os.cpu_count() or 0),
        "memory_gb": round(int(memory.split()[1]) / 2**20, 1),
        "load_at_end": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "confluent_kafka": version("confluent-kafka"),
        "kafka": KAFKA,
    }
