"""Java programs from Maven Central, downloaded once into a cache folder and shared by every run on this machine."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.parts.part import MissingPartError
from tests.parts.versions import APICURIO

OLDEST_JAVA = 17
DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
DOWNLOAD_TIMEOUT = 600.0  # seconds for one attempt: Apicurio is 142 MB
ATTEMPTS = 2  # Maven keeps what it has, so the second continues after a broken connection
POM = Path(__file__).with_name("kafka-pom.xml")


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/singleview/parts`, by default below `~/.cache`. May be deleted at any time nothing runs from it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "singleview" / "parts"


def java() -> str:
    """The Java to run. Raises MissingPartError if there is none, or it is too old."""
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if program is None or not os.access(program, os.X_OK):
        raise MissingPartError(f"no Java found (JAVA_HOME or PATH): install Java {OLDEST_JAVA} or newer")
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60).stderr
    version = re.search(r'version "(\d+)', answer)
    if version is None or int(version[1]) < OLDEST_JAVA:
        first_line = (answer.splitlines() or ["it says nothing of its version"])[0]
        raise MissingPartError(f"{program} is too old ({first_line}): install Java {OLDEST_JAVA} or newer")
    return program


def kafka_libraries(version: str) -> Path:
    """The folder with a Kafka's jars. Raises MissingPartError if they cannot be had."""
    return _cached(
        f"kafka-{version}",
        lambda folder: _maven(
            folder.parent,
            f"{DEPENDENCY_PLUGIN}:copy-dependencies",
            f"--file={POM}",
            f"-Dkafka.version={version}",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={folder}",
        ),
    )


def apicurio_folder() -> Path:
    """The folder with Apicurio's runner jar. Raises MissingPartError if it cannot be had."""
    return _cached(
        f"apicurio-{APICURIO}",
        lambda folder: _maven(
            folder.parent,
            f"{DEPENDENCY_PLUGIN}:unpack",
            f"-Dartifact=io.apicurio:apicurio-registry-app:{APICURIO}:tar.gz:all",
            f"-DoutputDirectory={folder}",
        ),
    )


def _cached(name: str, fill: Callable[[Path], None]) -> Path:
    """`cache/name`, filled at first need. It exists whole or not at all, whoever else downloads and whatever breaks off."""
    target = cache_folder() / name
    with _lock(target):
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{name}.partial-") as partial:
                folder = Path(partial, name)
                folder.mkdir()
                fill(folder)
                folder.rename(target)
    return target


@contextmanager
def _lock(target: Path) -> Iterator[None]:
    """Held by one process at a time; the kernel lets go of it when that process dies."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _maven(folder: Path, *arguments: str) -> None:
    """Runs Maven in `folder`, which is thrown away: without a project of its own the dependency plugin takes
    `${project.basedir}` literally and leaves a folder of that name wherever it runs.
    """
    program = shutil.which("mvn")
    if program is None:
        raise MissingPartError("no Maven found (mvn): install it to download Kafka and the registry from Maven Central")
    command = [program, "--quiet", "--batch-mode", *arguments]
    problem = ""
    for _ in range(ATTEMPTS):
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=DOWNLOAD_TIMEOUT)
        except subprocess.TimeoutExpired:
            problem = f"not done after {DOWNLOAD_TIMEOUT:.0f} s"
            continue
        if done.returncode == 0:
            return
        problem = (done.stdout + done.stderr).strip()[-2000:]
    raise MissingPartError(f"Maven could not download what is needed ({' '.join(arguments)}): {problem}")
