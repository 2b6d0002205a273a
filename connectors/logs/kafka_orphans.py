"""Partitions that a group has given to nobody, and how they find an owner.

A cooperative rebalance has two rounds: in the first a member gives a partition up, in the second, which that member begins,
another gets it. A static member that is killed in between and comes back, or that has been silent for too long and joins
again, is given what it had after the first round, and Kafka begins no second one (KIP-345: a static member that comes back
causes no rebalance). The partition then stays without an owner until the group changes for another reason.

A static member that comes back reading other topics than before causes none either: it is given partitions that it does
not read, and another that would read them is not.

So a member looks some time after each rebalance it has seen, and has the group share out again if need be.
"""

from __future__ import annotations

import logging
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.logs.kafka_client import PERMANENT, REQUEST_SECONDS, Connection, client_log
from schemas.topics import DEAD_LETTERS

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
"""After the last rebalance: the second round of an ordinary one has begun by then, unless a member folds a large batch."""

JOIN_SECONDS = 30.0
"""How long a passing member waits to be taken in: members that hang are waited for."""

STABLE = "Stable"


class Orphans:
    """Looks for them in a thread of its own: nobody waits for it. Not for the consumer protocol, whose brokers see to it."""

    def __init__(
        self, connection: Connection, group: str, topics: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`topics`: what the group reads, by full name."""
        self._connection = connection
        self._group = group
        self._topics = topics
        self._clock = clock
        self._due: float | None = None  # when to look; None: nothing has changed since the last look
        self._looking: threading.Thread | None = None
        self._strangers: list[str] = []

    def rebalanced(self, strangers: Sequence[str] = ()) -> None:
        """This member was given something, or nothing, by a rebalance. `strangers`: partitions it does not read."""
        self._strangers += strangers
        self._due = self._clock() + LOOK_SECONDS

    def look(self) -> None:
        """Begins to look if it is time."""
        if self._due is None or self._clock() < self._due or (self._looking is not None and self._looking.is_alive()):
            return
        self._due = None
        self._looking = threading.Thread(target=self._find_owners, name=f"{self._group} orphans", daemon=True)
        self._looking.start()

    def _find_owners(self) -> None:
        try:
            strangers, self._strangers = self._strangers, []
            orphans = self._orphans()
            if strangers:
                log.warning(
                    "%s: given %s, which it does not read: the group shares out again", self._group, ", ".join(strangers)
                )
                self._pass_through()
            elif orphans:
                log.warning("%s: nobody has %s: the group shares out again", self._group, ", ".join(orphans))
                self._pass_through()
        except KafkaException as error:
            refused: KafkaError = error.args[0]
            if refused.code() in PERMANENT:
                log.warning("%s: nobody looks for partitions without an owner: %s", self._group, refused.str())
            else:
                log.info("%s: could not be looked at: %s", self._group, refused.str())
                self.rebalanced()

    def _orphans(self) -> list[str]:
        """`topic/partition` of those that nobody has. Looks again later while the group rebalances."""
        admin = AdminClient(dict(self._connection.common), logger=client_log)
        # Deprecated, but its successor may crash the process while a group's coordinator starts (confluent-kafka 2.16).
        groups = [group for group in admin.list_groups(self._group, REQUEST_SECONDS) if group.id == self._group]
        if not groups or groups[0].state != STABLE:
            self.rebalanced()
            return []
        owned = {partition for member in groups[0].members for partition in assigned(member.assignment or b"")}
        known = admin.list_topics(timeout=REQUEST_SECONDS).topics
        everything = [(topic, p) for topic in self._topics if topic in known for p in sorted(known[topic].partitions)]
        return [f"{topic}/{partition}" for topic, partition in everything if (topic, partition) not in owned]

    def _pass_through(self) -> None:
        """Joins the group as one more member, and leaves it: a rebalance. It reads another topic, so that nothing moves."""
        member = self._connection.passer_by(self._group)
        taken_in = threading.Event()

        def assign(_member: object, _partitions: list[TopicPartition]) -> None:
            taken_in.set()

        try:
            member.subscribe([self._connection.names.physical(DEAD_LETTERS)], on_assign=assign)
            deadline = self._clock() + JOIN_SECONDS
            while not taken_in.is_set() and self._clock() < deadline:
                member.poll(0.1)
        finally:
            member.close()


def assigned(data: bytes) -> Iterator[tuple[str, int]]:
    """What a member was given, as the consumer protocol encodes it: version, then topics with their partitions."""
    at = 2

    def number(form: str) -> Any:
        nonlocal at
        (found,) = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return found

    for _ in range(number(">i") if data else 0):
        size = number(">h")
        topic = data[at : at + size].decode()
        at += size
        for _ in range(number(">i")):
            yield topic, number(">i")
