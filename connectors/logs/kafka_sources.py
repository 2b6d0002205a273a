"""How the source topics stand that a session reads: their ids, and which cannot be read at all.

They belong to others, who make them later, take away the right to read them, delete them and make them anew. The client
tells little of that, and nothing of the last: it goes on in the new topic at the offset where it was in the old one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient  # type: ignore[attr-defined]

from connectors.logs.kafka_client import REQUEST_SECONDS, Connection, asking, client_log

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""How often the brokers are asked: one request for all topics."""

ABSENT = "does not exist yet: start its source, or correct `topics` in its mapping"
FORBIDDEN = "may not be read: allow READ and DESCRIBE on it to singleview's user"

_TELLING = {
    KafkaError.UNKNOWN_TOPIC_OR_PART: ABSENT,
    KafkaError._UNKNOWN_TOPIC: ABSENT,
    KafkaError.TOPIC_AUTHORIZATION_FAILED: FORBIDDEN,
}


def why_not(error: KafkaError) -> str | None:
    """What it means for a topic alone; None for an error that is not about a topic."""
    return _TELLING.get(error.code())


class Standing(NamedTuple):
    """One topic, as the brokers describe it."""

    topic_id: str = ""  # empty if it cannot be described
    trouble: str = ""  # why it cannot be read; empty if it can


def describe(admin: AdminClient, topics: Sequence[str]) -> Mapping[str, Standing]:
    """How topics (full names) stand, for the user that asks. Raises KafkaException for what concerns more than one."""
    futures = admin.describe_topics(
        TopicCollection(list(topics)), include_authorized_operations=True, request_timeout=REQUEST_SECONDS
    )
    found = {}
    for topic, future in futures.items():
        try:
            description = future.result()
        except KafkaException as error:
            if (trouble := why_not(error.args[0])) is None:
                raise
            found[topic] = Standing(trouble=trouble)
        else:
            allowed = description.authorized_operations
            forbidden = bool(allowed) and AclOperation.READ not in allowed and AclOperation.ALL not in allowed
            found[topic] = Standing(str(description.topic_id), FORBIDDEN if forbidden else "")
    return found


class SourceTopics:
    """Looks at the topics in a thread of its own: nobody waits for it. All else belongs to the session's thread."""

    def __init__(self, connection: Connection, topics: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        """`topics`: full names."""
        self._connection = connection
        self._topics = topics
        self._clock = clock
        self._ids: dict[str, str] = {}  # the last that was known of each
        self._anew: set[str] = set()  # another than it was, and nobody told yet
        self._troubles: dict[str, str] = {}
        self._found: Mapping[str, Standing] | None = None  # by the thread, to be taken over
        self._next = 0.0
        self._looking: threading.Thread | None = None
        self._admin: AdminClient | None = None

    @property
    def troubles(self) -> Mapping[str, str]:
        """Topics that cannot be read, and why."""
        return self._troubles

    def id_of(self, topic: str) -> str:
        """The last known; empty if none is."""
        return self._ids.get(topic, "")

    def note(self, topic: str, trouble: str) -> None:
        """The client has told of a topic that cannot be read; the next look shows whether that lasts."""
        if self._troubles.get(topic) != trouble:
            self._troubles[topic] = trouble
            level = logging.WARNING if trouble == ABSENT else logging.ERROR  # a source may well be started later
            log.log(level, "source topic %s is not read: it %s", topic, trouble)

    def look(self) -> set[str]:
        """Takes over what was found, and begins to look again if it is time. Returns topics that were made anew."""
        found, self._found = self._found, None
        if found is not None:
            self._take(found)
        if self._clock() >= self._next and (self._looking is None or not self._looking.is_alive()):
            self._next = self._clock() + LOOK_SECONDS
            self._looking = threading.Thread(target=self._look, name="source topics", daemon=True)
            self._looking.start()
        anew, self._anew = self._anew, set()
        return anew

    def learn(self, topics: Iterable[str]) -> None:
        """Asks for the ids of topics now. Raises UnavailableError, LogError."""
        names = list(topics)
        for name, standing in asking("ids of source topics", lambda: self._ask(names)).items():
            self._identify(name, standing)

    def _look(self) -> None:
        try:
            self._found = self._ask(self._topics)
        except KafkaException as error:  # the session will notice if it lasts
            log.info("source topics could not be looked at: %s", error.args[0].str())

    def _ask(self, topics: Sequence[str]) -> Mapping[str, Standing]:
        if self._admin is None:
            self._admin = AdminClient(dict(self._connection.common), logger=client_log)
        return describe(self._admin, topics)

    def _take(self, found: Mapping[str, Standing]) -> None:
        for topic, standing in found.items():
            if standing.trouble:
                self.note(topic, standing.trouble)
            elif self._troubles.pop(topic, ""):
                log.info("source topic %s can be read now", topic)
            self._identify(topic, standing)

    def _identify(self, topic: str, standing: Standing) -> None:
        known = self._ids.get(topic)
        if standing.topic_id and standing.topic_id != known:
            self._ids[topic] = standing.topic_id
            if known:
                self._anew.add(topic)
