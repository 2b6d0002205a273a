"""Records what this release writes: run it at a release's tag, once, and commit what it makes.

    python -m tests.golden.record tests/golden/0.1.0

The folder then has the configuration and the mappings of the run; `messages.xz`: every message of every topic, in the order
written (the messages of a table topic are the rows of a store); and `data.tar.xz`: a data folder in the middle of the work,
with messages in every inbox and stores beside the log.
"""

from __future__ import annotations

import json
import lzma
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from connectors.logs.embedded import EmbeddedLog
from connectors.mappings import shipped_mapping
from connectors.simulated import SOURCES, generate
from schemas.messages import IDENTITY, Cause, Regroup
from schemas.topics import IDENTITY as IDENTITY_TOPIC
from streams.app.config import SECRET_VARIABLE, Configuration
from streams.app.embedded import Pipeline
from streams.app.wiring import Deployment
from streams.engine.outbox import Outgoing
from tests.golden.recorded import SECRET, Recorded

CUSTOMERS = 120
SEED = 7
SITES = 80
BEFORE = 0.4
"""The share of the events that the pipeline has worked through when the rest arrive."""

DIRECTORY = "directory.entries"
DIRECTORY_MAPPING: dict[str, Any] = {
    "source": "directory",
    "topics": [DIRECTORY],
    "format": "json",
    "realm": "realm",
    "record_id": "id",
    "order": {"sequence": "seq"},
    "operation": {"path": "op", "values": {"D": "delete", "P": "patch"}, "otherwise": "snapshot"},
    "event_time": {"path": "at", "format": "epoch_ms"},
    "attributes": {
        "kind": "kind",
        "status": "status",
        "names": {
            "each": "names",
            **{part: part for part in ("use", "prefix", "given", "middle", "family", "suffix", "full", "organization")},
        },
        "birth_date": "born",
        "gender": "gender",
        "identifications": {
            "each": "ids",
            **{part: part for part in ("type", "issuer", "value", "valid_from", "valid_to")},
        },
        "emails": {"each": "emails", "value": "value", "use": "use", "valid_from": "from", "valid_to": "to"},
        "phones": {"each": "phones", "value": "value", "use": "use", "valid_from": "from", "valid_to": "to"},
        "addresses": {
            "each": "addresses",
            **{part: part for part in ("use", "unit", "house", "street", "locality", "region", "postcode", "country")},
        },
        "accounts": {"each": "accounts", **{part: part for part in ("id", "type", "status", "name")}},
        "subscriptions": {"each": "subscriptions", **{part: part for part in ("id", "product", "status", "start", "end")}},
        "third_party_services": {
            "each": "services",
            **{part: part for part in ("id", "provider", "product", "status", "start", "end")},
        },
        "related_parties": {"each": "related", **{part: part for part in ("role", "record", "name")}},
        "consents": {"each": "consents", "purpose": "purpose", "granted": "granted", "channel": "channel", "at": "at"},
        "characteristics": {"segment": "segment", "language": "language"},
    },
}
AT = 1_704_100_000_000


def _person(number: int, sequence: int, **changes: Any) -> dict[str, Any]:
    person = {
        "realm": "north",
        "id": f"P{number}",
        "seq": sequence,
        "at": AT + sequence,
        "kind": "individual",
        "status": "active",
        "names": [
            {
                "use": "legal",
                "prefix": "Dr",
                "given": "Ottoline",
                "middle": "Jane",
                "family": f"Quist{number}",
                "suffix": "Jr",
            },
            {"use": "preferred", "full": f"Otti Quist{number}"},
        ],
        "born": "1971-03-05",
        "gender": "female",
        "ids": [
            {
                "type": "passport",
                "issuer": "SE",
                "value": f"AB{number}99881",
                "valid_from": "2015-01-01",
                "valid_to": "2025-01-01",
            }
        ],
        "emails": [{"value": f"otti{number}@example.com", "use": "home", "from": "2019-01-01", "to": "2024-01-01"}],
        "phones": [{"value": f"+4670174{number:04}", "use": "mobile", "from": "2019-01-01", "to": "2024-01-01"}],
        "addresses": [
            {
                "use": "home",
                "unit": "3",
                "house": str(number),
                "street": "Storgatan",
                "locality": "Lund",
                "region": "Skane",
                "postcode": "22100",
                "country": "SE",
            }
        ],
        "accounts": [{"id": f"A{number}", "type": "postpaid", "status": "open", "name": "Home"}],
        "subscriptions": [
            {"id": f"S{number}", "product": "Fibre", "status": "active", "start": "2020-01-01", "end": "2026-01-01"}
        ],
        "services": [
            {
                "id": f"T{number}",
                "provider": "Tunes",
                "product": "Music",
                "status": "active",
                "start": "2021-01-01",
                "end": "2025-01-01",
            }
        ],
        "related": [{"role": "household", "record": "north/directory/P1", "name": "Ottoline Quist1"}],
        "consents": [{"purpose": "marketing", "granted": True, "channel": "email", "at": "2022-05-06T07:08:09Z"}],
        "segment": "gold",
        "language": "sv",
    }
    return person | changes


def _site(number: int) -> dict[str, Any]:
    return {
        "realm": "south",
        "id": f"SITE{number}",
        "seq": 1,
        "at": AT + number,
        "kind": "organization",
        "names": [{"organization": "Brightwater Haulage Ltd", "use": "trading"}],
        "ids": [{"type": "company_registration", "issuer": "GB", "value": "09918273"}],
        "addresses": [{"house": str(number), "street": "Quay Road", "locality": "Leith", "country": "GB"}],
    }


def _directory() -> Iterator[dict[str, Any]]:
    """People with every attribute, patches, deletes and a return; a company of many sites; one that cannot be read."""
    for number in range(1, 6):
        yield _person(number, 1)
    yield {"realm": "north", "id": "P1", "seq": 2, "at": AT + 900, "op": "P", "status": "barred", "segment": None}
    yield _person(2, 2, phones=[], born="1971-03")
    yield {"realm": "north", "id": "P3", "seq": 2, "at": AT + 901, "op": "D"}
    yield _person(3, 3, status="back")
    yield {"realm": "north", "id": "P4", "seq": 2, "at": AT + 902, "op": "D"}
    yield {"realm": "north", "seq": 1, "status": "nameless"}
    for number in range(SITES):
        yield _site(number)
    yield {**_site(1), "seq": 2, "op": "D"}


def _configure(folder: Path) -> Configuration:
    for name in SOURCES:
        shutil.copy(shipped_mapping(name), folder / f"{name}.yaml")
    (folder / "directory.yaml").write_text(yaml.safe_dump(DIRECTORY_MAPPING, sort_keys=False))
    document = {
        "data": "data",
        "prefix": "",
        "realms": {"north": 0, "south": 1},
        "sources": [f"{name}.yaml" for name in (*SOURCES, "directory")],
        "batches": {"messages": 100},
        "subscribers": [
            {"name": "warehouse"},
            {"name": "mdm", "attributes": ["name", "address", "phones"], "mask": {"name": "redact"}},
        ],
    }
    (folder / "singleview.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    return Configuration.load(folder / "singleview.yaml")


def _publish_directory(log: EmbeddedLog, entries: Iterable[dict[str, Any]]) -> None:
    log.begin()
    log.append(
        (Outgoing(DIRECTORY, entry.get("id", "?").encode(), json.dumps(entry).encode()), entry.get("at", AT))
        for entry in entries
    )
    log.commit()


def _watched(log: EmbeddedLog, recorded: list[Recorded]) -> None:
    """Has every message that is appended to the log also kept in a list."""
    append = log.append

    def keep(outgoing: Iterable[tuple[Outgoing, int]]) -> Any:
        items = list(outgoing)
        recorded.extend(Recorded(o.topic, o.key, o.value, o.headers, timestamp) for o, timestamp in items)
        return append(items)

    log.append = keep  # type: ignore[method-assign]


def _without_traces(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
    """Leaves out what says only where the folder was made."""
    if Path(entry.name).name in ("LOG", "LOCK"):
        return None
    entry.uname = entry.gname = ""
    entry.uid = entry.gid = 0
    return entry


def _by_hand() -> Iterator[Recorded]:
    """Messages that only a realm of more than a thousand records leads to."""
    for cursor in ("", "crm/17"):
        message = Regroup(realm="north", generation=2, cursor=cursor, cause=Cause("crm.public.customer/0/17", AT))
        yield Recorded(IDENTITY_TOPIC, b"north", IDENTITY.encode(message), (), AT)


def record(target: Path) -> None:
    """Runs the pipeline and writes the folder."""
    os.environ[SECRET_VARIABLE] = SECRET
    recorded = list(_by_hand())
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        configuration = _configure(folder)
        events = list(generate(CUSTOMERS, seed=SEED))
        entries = list(_directory())
        first, some = int(len(events) * BEFORE), int(len(entries) * BEFORE)
        with Pipeline(Deployment(configuration)) as pipeline:
            _watched(pipeline.log, recorded)
            for _ in pipeline.publish(events[:first], 0):
                pass
            _publish_directory(pipeline.log, entries[:some])
            for _ in pipeline.run():
                pass
            for _ in pipeline.publish(events[first:], first):
                pass
            _publish_directory(pipeline.log, entries[some:])
            for name in ("intake", "records", "identity", "records", "customers", "intake", "records", "intake"):
                pipeline.workers[name].step(0)
        with tarfile.open(target / "data.tar.xz", "w:xz", preset=9) as archive:
            archive.add(folder / "data", "data", filter=_without_traces)
        with Pipeline(Deployment(configuration)) as pipeline:
            _watched(pipeline.log, recorded)
            for _ in pipeline.run():
                pass
        for path in sorted(folder.glob("*.yaml")):
            shutil.copy(path, target / path.name)
    (target / "messages.xz").write_bytes(lzma.compress(msgspec.msgpack.encode(recorded), preset=9))


if __name__ == "__main__":
    record(Path(sys.argv[1]))
