"""What this machine must have: the secret, and a place for the stores."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from streams.app.config import Configuration, ConfigurationError
from streams.app.doctor.report import Check, error, ok, warning

SCANT_BYTES, SCANT_SHARE = 2 << 30, 0.10
"""Less free space than either is worth a word: RocksDB needs room to compact."""

LEAST_BYTES = 256 << 20


def check_secret(configuration: Configuration) -> Check:
    try:
        _ = configuration.secret_bytes, configuration.subscriber_secrets
    except ConfigurationError as missing:
        return error("secret", "key of ids and hashes", "cannot be used", str(missing))
    return ok("secret", "key of ids and hashes", "present")


def check_data(configuration: Configuration) -> Iterator[Check]:
    folder = configuration.data_folder
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        fix = "give singleview's user a folder it may write to, or set another with data:"
        yield error("data", str(folder), f"{there} cannot be written", fix)
        return
    yield _space(folder, there)


def _space(folder: Path, there: Path) -> Check:
    usage = shutil.disk_usage(there)
    found = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} GiB free"
    fix = "free some, or move the folder to a larger disk; a lost store is rebuilt from its table topic"
    if usage.free < LEAST_BYTES:
        return error("data", str(folder), found, fix)
    if usage.free < SCANT_BYTES or usage.free < SCANT_SHARE * usage.total:
        return warning("data", str(folder), found, fix)
    return ok("data", str(folder), found)
