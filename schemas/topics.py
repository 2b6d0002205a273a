"""The topics singleview owns, by logical name. A deployment may put a prefix before each."""

from __future__ import annotations

from typing import NamedTuple

RECORDS = "records"
IDENTITY = "identity"
CUSTOMERS = "customers"
CUSTOMER_VIEW = "customer-view"
CUSTOMER_CHANGES = "customer-changes"
DEAD_LETTERS = "dead-letters"
IDENTITY_REVIEWS = "identity-reviews"
DEPLOYMENT = "deployment"
"""What must not change unseen: `streams/app/facts`."""

INBOXES: tuple[str, ...] = (RECORDS, IDENTITY, CUSTOMERS)
"""Inboxes of the processors that keep state: internal, kept until consumed."""


LARGEST_MESSAGE_BYTES = 10 << 20
"""What our topics take as one message, and the clients send: ten times what mappings read of a source's event."""

LARGEST_PUBLIC_BYTES = 2 << 20
"""Of a view or a change: what would be larger is cut (`streams/customers/cutting.py`)."""

LARGEST_VALUE_BYTES = LARGEST_MESSAGE_BYTES - 131_072
"""Of what processors send and keep: it must fit into a dead letter, should the next one refuse it, with headers and all."""


def table_topic(processor: str) -> str:
    """The compacted topic that holds a processor's state."""
    return f"{processor}-table"


def subscriber_topic(subscriber: str) -> str:
    """The topic of one subscriber to change notifications."""
    return f"notify.{subscriber}"


class TopicSpec(NamedTuple):
    """How a topic is created."""

    name: str
    partitions: int
    compacted: bool
    retention_ms: int  # of a log topic; -1 keeps for ever
    max_message_bytes: int
    grows: bool = False  # it may have more partitions than said, and gets those it lacks: each message names its own


class TopicNames:
    """Logical and physical names: singleview's own topics carry the deployment's prefix, source topics are as they are."""

    def __init__(self, prefix: str, sources: frozenset[str] = frozenset()) -> None:
        self.prefix = prefix
        self._sources = sources

    def physical(self, name: str) -> str:
        return name if name in self._sources else self.prefix + name

    def logical(self, topic: str) -> str:
        return topic if topic in self._sources else topic.removeprefix(self.prefix)
