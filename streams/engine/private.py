"""Folders and files with customers' data: of their owner alone, whatever the umask, and whoever made them before."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
"""Permission bits. A process' umask (PRIVATE_UMASK, set as it starts) gives the same to the files RocksDB makes."""

PRIVATE_UMASK = 0o077


def private_folder(path: Path) -> None:
    """Makes a folder, and those above it that are missing. One that is there already, and ours, is closed to others.

    Raises OSError if it cannot be made.
    """
    for missing in reversed([folder for folder in (path, *path.parents) if not folder.exists()]):
        missing.mkdir(mode=FOLDER, exist_ok=True)
    _close(path, FOLDER)


def private_file(path: Path) -> None:
    """Makes an empty file if there is none. One that is there already, and ours, is closed to others. Raises OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC, FILE))
    _close(path, FILE)


def _close(path: Path, mode: int) -> None:
    found = path.stat()
    if found.st_mode & 0o077 and found.st_uid == os.geteuid():
        path.chmod(mode)
