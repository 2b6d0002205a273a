"""The topics a processor writes to, and what is wrong with one that refuses.

The client tells that messages failed, and not of which topic. So the brokers are asked, once it has happened. Trouble of a
subscriber's topic is that subscriber's alone: its notifications are kept as dead letters, and the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stubs do not declare what it re-exports
    AclOperation,
    AdminClient,
    ConfigResource,
    ResourceType,
)

from connectors.logs.kafka_client import REQUEST_SECONDS, Connection, client_log
from schemas.topics import LARGEST_MESSAGE_BYTES, TopicNames, subscriber_topic
from streams.engine.contract import Message
from streams.engine.dead_letters import dead_letter
from streams.engine.outbox import Outgoing

log = logging.getLogger(__name__)

REFUSALS = frozenset(
    {
        KafkaError._INCONSISTENT,  # some messages failed, the client does not say why
        KafkaError._UNKNOWN_TOPIC,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
"""Errors that one of the topics may be the cause of."""

ASIDE_SECONDS = 60.0
"""For so long a subscriber's topic is not tried again."""

UNDELIVERABLE = "undeliverable"


class Outlets(dict[str, str]):
    """Full names of the topics written to, by their logical ones: all there were since the processor began."""

    def __init__(self, connection: Connection, processor: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._connection = connection
        self._names: TopicNames = connection.names
        self._processor = processor
        self._clock = clock
        self._aside: dict[str, _Aside] = {}  # by logical name

    def __missing__(self, topic: str) -> str:
        name = self[topic] = self._names.physical(topic)
        return name

    # -- what is wrong --

    def examine(self) -> str:
        """What is wrong with the topics, each with what to do; empty if nothing is found, or nobody answers.

        Those of subscribers are set aside for a while.
        """
        try:
            wrong = dict(self._examine())
        except KafkaException as error:
            log.info("%s: its topics could not be examined: %s", self._processor, error.args[0].str())
            return ""
        for topic, why in wrong.items():
            if topic.startswith(subscriber_topic("")):
                self._set_aside(topic, why)
        return "; ".join(wrong.values())

    def _examine(self) -> Iterator[tuple[str, str]]:
        admin = AdminClient(dict(self._connection.common), logger=client_log)
        described = admin.describe_topics(
            TopicCollection(list(self.values())), include_authorized_operations=True, request_timeout=REQUEST_SECONDS
        )
        fine = {}
        for topic, name in self.items():
            try:
                allowed = described[name].result().authorized_operations or ()
            except KafkaException as error:
                yield topic, _why(name, error.args[0])
                continue
            if allowed and AclOperation.WRITE not in allowed and AclOperation.ALL not in allowed:
                yield topic, f"{name} may not be written: allow WRITE on that topic"
            else:
                fine[topic] = ConfigResource(ResourceType.TOPIC, name)
        settings = admin.describe_configs(list(fine.values()), request_timeout=REQUEST_SECONDS) if fine else {}
        for topic, resource in fine.items():
            limit = int(settings[resource].result()["max.message.bytes"].value or 0)
            if limit < LARGEST_MESSAGE_BYTES:
                yield topic, too_small(self[topic], limit)

    # -- subscribers' topics --

    def _set_aside(self, topic: str, why: str) -> None:
        self._aside[topic] = _Aside(why, self._clock() + ASIDE_SECONDS)
        log.error(
            "%s: %s. Its notifications are kept in dead-letters (reason %s) meanwhile, those of others go on",
            self._processor,
            why,
            UNDELIVERABLE,
        )

    def diverted(self, outgoing: Iterable[Outgoing]) -> Iterable[Outgoing]:
        """What is for topics set aside as dead letters, all else as it is."""
        if not self._aside:
            return outgoing
        now = self._clock()
        self._aside = {topic: aside for topic, aside in self._aside.items() if aside.until > now}
        return [self._letter(item, self._aside) if item.topic in self._aside else item for item in outgoing]

    def _letter(self, item: Outgoing, aside: Mapping[str, _Aside]) -> Outgoing:
        message = Message(item.topic, -1, -1, item.key, item.value, item.headers, 0)
        return dead_letter(message, self._processor, UNDELIVERABLE, aside[item.topic].why)


class _Aside(NamedTuple):
    """A topic that is not written for a while."""

    why: str
    until: float


def too_small(name: str, limit: int) -> str:
    """What is said of a topic that takes less than singleview may send."""
    return (
        f"{name} takes messages of {limit:,} bytes only: run kafka-configs.sh --alter --entity-type topics"
        f" --entity-name {name} --add-config max.message.bytes={LARGEST_MESSAGE_BYTES}"
    )


def _why(name: str, error: KafkaError) -> str:
    if error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        return f"{name} does not exist: run `singleview init`"
    if error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        return f"{name} may not be written: allow WRITE and DESCRIBE on that topic"
    return f"{name}: {error.str()}"
