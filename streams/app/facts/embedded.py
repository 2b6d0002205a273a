"""The facts of an embedded deployment: a note in its log."""

from __future__ import annotations

from connectors.logs.embedded import EmbeddedLog
from schemas.topics import table_topic
from streams.app.facts.compare import FactsError, compare
from streams.app.facts.found import facts_of
from streams.app.facts.model import decode, encode
from streams.app.wiring import STATEFUL, Deployment

NOTE = "facts"


def check_log(deployment: Deployment, log: EmbeddedLog) -> dict[str, int]:
    """Before anything is made in a log: compares its facts, and keeps those of now. Raises FactsError.

    Returns every realm there ever was, with its number.
    """
    tables = {topic.name: topic.uuid for name in STATEFUL if (topic := log.topics.get(table_topic(name)))}
    found = log.note(NOTE)
    verdict = compare(decode(found.encode()) if found else None, facts_of(deployment, tables=tables))
    if verdict.refused:
        raise FactsError(verdict.refused)
    log.set_note(NOTE, encode(verdict.facts).decode())
    return verdict.facts.realms
