"""A generated stream in a folder: one file per topic, the truth, a manifest. Whole or not there at all.

<topic>.jsonl   {"timestamp": ms, "key": text or null, and one of
                 "value": text or null | "value": {"avro": schema, "datum": {...}} | "value_base64": text}
truth.csv       realm,source,record_id,cluster
manifest.json   {"customers", "seed", "events": {topic: count}, "records"}
"""

from __future__ import annotations

import base64
import csv
import heapq
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec

from connectors.simulated.events import SOURCES, AvroDatum, SourceEvent, TruthRow
from connectors.simulated.stream import generate

TRUTH_FILE = "truth.csv"
MANIFEST_FILE = "manifest.json"
_PROGRESS_EVERY = 1_000
_ENCODER = msgspec.json.Encoder()


class Summary(msgspec.Struct, frozen=True):
    """What a folder holds; `manifest.json` is this."""

    customers: int
    seed: int
    events: dict[str, int]  # per topic
    records: int  # in truth.csv


class FolderError(Exception):
    """A folder cannot be written or read: the message says which file, and what to do."""


class _Avro(msgspec.Struct):
    avro: str
    datum: dict[str, object]


class _Line(msgspec.Struct):
    timestamp: int
    key: str | None
    value: str | _Avro | None = None
    value_base64: str | None = None


def write_folder(customers: int, seed: int, output: Path, progress: Callable[[int], None]) -> Summary:
    """Generates into a new folder; `progress` is told the number of events so far, now and then and at the end.

    Written beside under another name and renamed when whole. Raises FolderError if `output` exists and is not empty.
    """
    output = output.absolute()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise FolderError(f"{output} exists already: name a new or empty folder, or delete it")
    partial = output.with_name(f".{output.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        summary = _write(customers, seed, partial, progress)
        os.replace(partial, output)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return summary


def _write(customers: int, seed: int, folder: Path, progress: Callable[[int], None]) -> Summary:
    events = dict.fromkeys(SOURCES.values(), 0)
    records = done = 0
    with ExitStack() as stack:
        topics = {topic: stack.enter_context((folder / f"{topic}.jsonl").open("wb")) for topic in events}
        truth = csv.writer(stack.enter_context((folder / TRUTH_FILE).open("w", encoding="utf-8", newline="")))
        truth.writerow(TruthRow._fields)
        for done, event in enumerate(generate(customers, seed), start=1):
            topics[event.topic].write(_ENCODER.encode(_line(event)) + b"\n")
            events[event.topic] += 1
            if event.truth is not None:
                truth.writerow(event.truth)
                records += 1
            if done % _PROGRESS_EVERY == 0:
                progress(done)
    summary = Summary(customers, seed, events, records)
    (folder / MANIFEST_FILE).write_bytes(msgspec.json.format(_ENCODER.encode(summary), indent=2) + b"\n")
    progress(done)
    return summary


def read_summary(folder: Path) -> Summary:
    """The manifest of a folder. Raises FolderError if there is none or it cannot be read."""
    try:
        return msgspec.json.decode((folder / MANIFEST_FILE).read_bytes(), type=Summary)
    except FileNotFoundError:
        raise FolderError(f"{folder} has no {MANIFEST_FILE}: it is not a folder that `generate` wrote") from None
    except msgspec.DecodeError as error:
        raise FolderError(f"{folder / MANIFEST_FILE} cannot be read ({error}): generate the folder again") from error


def read_folder(folder: Path) -> Iterator[SourceEvent]:
    """The events of a folder in the order they were generated, a line per topic in memory; without their truth.

    Raises FolderError, naming file and line, for a folder that is not whole.
    """
    files = [_read_topic(folder, topic) for topic in sorted(read_summary(folder).events)]
    return heapq.merge(*files, key=lambda event: event.timestamp)  # stable: ties go by topic, as in `generate`


def read_truth(folder: Path) -> Iterator[TruthRow]:
    """The true customer of each record."""
    with (folder / TRUTH_FILE).open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield TruthRow(**row)


def _line(event: SourceEvent) -> dict[str, object]:
    line: dict[str, object] = {"timestamp": event.timestamp, "key": None if event.key is None else event.key.decode()}
    if isinstance(event.value, AvroDatum):
        line["value"] = {"avro": event.value.schema, "datum": event.value.value}
    elif event.value is None:
        line["value"] = None
    else:
        try:
            line["value"] = event.value.decode()
        except UnicodeDecodeError:
            line["value_base64"] = base64.b64encode(event.value).decode()
    return line


def is_generated(path: Path) -> bool:
    """Whether a file is one topic of a folder that `generate` wrote."""
    if path.suffix != ".jsonl" or not (path.parent / MANIFEST_FILE).is_file():
        return False
    try:
        return path.stem in read_summary(path.parent).events
    except FolderError:  # a manifest of something else
        return False


def _read_topic(folder: Path, topic: str) -> Iterator[SourceEvent]:
    path = folder / f"{topic}.jsonl"
    if not path.is_file():
        raise FolderError(f"{path} is missing: generate the folder again")
    with path.open("rb") as lines:
        yield from read_events(lines, path)


def read_events(lines: Iterable[bytes], path: Path) -> Iterator[SourceEvent]:
    """The events of one topic, one a line of its file. Raises FolderError, naming file and line."""
    decoder = msgspec.json.Decoder(_Line)
    for number, text in enumerate(lines, start=1):
        try:
            line = decoder.decode(text)
        except msgspec.DecodeError as error:
            raise FolderError(f"{path}:{number}: {error}: generate the folder again") from error
        key = None if line.key is None else line.key.encode()
        yield SourceEvent(path.stem, key, _value(line), line.timestamp, None)


def _value(line: _Line) -> bytes | AvroDatum | None:
    if line.value_base64 is not None:
        return base64.b64decode(line.value_base64)
    if isinstance(line.value, _Avro):
        return AvroDatum(line.value.avro, line.value.datum)
    return None if line.value is None else line.value.encode()
