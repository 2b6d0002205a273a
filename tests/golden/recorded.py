"""What a release wrote, as it is kept."""

from __future__ import annotations

import lzma
import tarfile
from pathlib import Path

import msgspec

from streams.engine.contract import Headers

SECRET = "golden-secret-of-the-recorded-runs"
FOLDER = Path(__file__).parent
RELEASES = ("0.1.0",)


class Recorded(msgspec.Struct, frozen=True, array_like=True):
    """One message of a topic; of a table topic, one row."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int


def recorded(release: str) -> list[Recorded]:
    """Every message a release wrote, in the order written."""
    packed = (FOLDER / release / "messages.xz").read_bytes()
    return msgspec.msgpack.decode(lzma.decompress(packed), type=list[Recorded])


def unpack(release: str, target: Path) -> Path:
    """A data folder of the release, and its configuration beside it: the path of that."""
    for path in (FOLDER / release).glob("*.yaml"):
        (target / path.name).write_bytes(path.read_bytes())
    with tarfile.open(FOLDER / release / "data.tar.xz") as archive:
        archive.extractall(target, filter="data")
    return target / "singleview.yaml"
