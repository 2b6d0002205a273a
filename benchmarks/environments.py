"""The peers' environments, made at first need under `.bench/`: virtual environments from PyPI, a Java build by Maven.

Each is remade when its recipe changes. Versions are pinned, so that a figure names what it is a figure of.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.paths import BUILT, HERE
from tests.parts.artifacts import java
from tests.parts.versions import KAFKA

QUIX = ("quixstreams==3.28.1",)
FAUST = ("faust-streaming[rocksdict]==0.15.3", "orjson==3.13.0")
JAVA_SOURCE = HERE / "kafka_streams"
BUILD_SECONDS = 900.0


class BuildError(Exception):
    """A peer's environment cannot be made: what failed, and the end of what it said."""


def quix_python() -> Path:
    return _virtual_environment("quix", QUIX)


def faust_python() -> Path:
    return _virtual_environment("faust", FAUST)


def kafka_streams() -> tuple[str, str]:
    """The Java to run and the class path. Raises BuildError, MissingPartError."""
    target = BUILT / "kafka-streams"
    sources = sorted(path for path in JAVA_SOURCE.rglob("*") if path.is_file())
    recipe = KAFKA + "".join(path.read_text() for path in sources)
    with _making(target, recipe) as needed:
        if needed:
            program = shutil.which("mvn")
            if program is None:
                raise BuildError("no Maven found (mvn): install it to build the Kafka Streams contender")
            options = ["--quiet", "--batch-mode", f"-Dbuild.folder={target}", f"-Dkafka.version={KAFKA}"]
            _run([program, *options, "package"], JAVA_SOURCE)
    return java(), f"{target}/classes:{target}/libraries/*"


def _virtual_environment(name: str, requirements: Sequence[str]) -> Path:
    target = BUILT / name
    python = target / "bin" / "python"
    with _making(target, "\n".join((sys.version, *requirements))) as needed:
        if needed:
            _run([sys.executable, "-m", "venv", str(target)], BUILT)
            _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements], BUILT)
    return python


@contextmanager
def _making(target: Path, recipe: str) -> Iterator[bool]:
    """Whether `target` must be made anew; once made without an error, its recipe is noted beside it."""
    noted = target.with_name(f"{target.name}.recipe")
    needed = not (noted.exists() and noted.read_text() == recipe)
    if needed:
        noted.unlink(missing_ok=True)
        shutil.rmtree(target, ignore_errors=True)
        BUILT.mkdir(exist_ok=True)
    yield needed
    if needed:
        noted.write_text(recipe)


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(  # noqa: S603  # our own commands
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
    )
    if done.returncode != 0:
        raise BuildError(f"{' '.join(command)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
