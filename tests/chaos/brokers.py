"""The brokers of a run: one, or three with replication. Workers reach them through a proxy."""

from __future__ import annotations

from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from connectors.logs.topics import topic_config
from schemas.topics import TopicSpec
from tests.chaos.proxy import Proxy
from tests.parts import Part, SecondListener, launch_kafka
from tests.parts.java_kafka import JavaKafka
from tests.parts.ports import free_port
from tests.parts.versions import KAFKA_THAT_MAY_BE_KILLED

MAJORITY = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    # For so long a frozen broker holds up what it has a replica of, and a killed one cannot come back.
    "broker.session.timeout.ms": "40000",
    "replica.lag.time.max.ms": "60000",
    # Three on one busy machine: a controller that is slow is none that is gone.
    "controller.quorum.fetch.timeout.ms": "10000",
    "controller.quorum.election.timeout.ms": "5000",
    "controller.quorum.request.timeout.ms": "10000",
    "initial.broker.registration.timeout.ms": "300000",
    # Leaders go back soon to where the tests want them.
    "leader.imbalance.check.interval.seconds": "5",
    "leader.imbalance.per.broker.percentage": "0",
}
INTERNAL = ("__consumer_offsets", "__transaction_state")
INTERNAL_PARTITIONS = 4
INTERNAL_CONFIG = {"cleanup.policy": "compact", "min.insync.replicas": "1", "segment.bytes": "104857600"}
POLL_SECONDS = 0.1
LEADERS = (1, 2)
"""Of three brokers these lead the tables, and have Kafka's own topics between them."""

REPLICA = 2
"""Place of the third among the parts: it has a replica of everything else. While it is frozen, a transaction is committed
for its group, but the end of it does not show in its table."""


class Brokers:
    """Started brokers, each of which can be killed and started again. Raises MissingPartError."""

    def __init__(self, count: int) -> None:
        self.proxy = Proxy()
        ports = [SecondListener(free_port(), free_port()) for _ in range(count)]
        for second in ports:
            self.proxy.lead(second.advertised, second.port)
        try:
            self.parts: list[Part] = (
                [launch_kafka(second=ports[0], version=KAFKA_THAT_MAY_BE_KILLED)] if count == 1 else list(_cluster(ports))
            )
        except BaseException:
            self.proxy.close()
            raise
        self.address = ",".join(part.address for part in self.parts[: len(LEADERS)])
        self.proxied = ",".join(f"127.0.0.1:{second.advertised}" for second in ports[: len(LEADERS)])
        if count > 1:
            self._make([_led(name, INTERNAL_PARTITIONS, LEADERS, INTERNAL_CONFIG) for name in INTERNAL])

    def make_table(self, spec: TopicSpec, prefix: str) -> None:
        """The table topic, led by others than the third broker, which follows."""
        if len(self.parts) > 1:
            self._make([_led(prefix + spec.name, spec.partitions, (*LEADERS, 3), topic_config(spec, 3))])

    def table_leaders(self, topic: str) -> set[int]:
        admin = AdminClient({"bootstrap.servers": self.address})
        partitions = admin.list_topics(topic, timeout=30).topics[topic].partitions.values()
        return {partition.leader for partition in partitions}

    def close(self) -> None:
        for part in self.parts:
            part.close()
        self.proxy.close()

    def _make(self, topics: list[NewTopic]) -> None:
        admin = AdminClient({"bootstrap.servers": self.address})  # must live until it has answered
        for made in admin.create_topics(topics, operation_timeout=30).values():
            made.result()
        for part in self.parts:
            seen = AdminClient({"bootstrap.servers": part.address})
            while not all(topic.topic in seen.list_topics(timeout=30).topics for topic in topics):
                seen.poll(POLL_SECONDS)


def _led(name: str, partitions: int, replicas: tuple[int, ...], config: dict[str, str]) -> NewTopic:
    """The first two replicas lead in turn."""
    first, second, *others = replicas
    places = [[first, second, *others] if number % 2 else [second, first, *others] for number in range(partitions)]
    return NewTopic(name, partitions, replica_assignment=places, config=config)


def _cluster(ports: list[SecondListener]) -> list[JavaKafka]:
    nodes = [JavaKafka(MAJORITY, number, second=second) for number, second in enumerate(ports, 1)]
    voters = ",".join(f"{number}@127.0.0.1:{node.controller_port}" for number, node in enumerate(nodes, 1))
    for node in nodes:
        node.configure({"controller.quorum.voters": voters})
        node.launch()
    for node in nodes:
        node.wait_ready(len(nodes))
    return nodes
