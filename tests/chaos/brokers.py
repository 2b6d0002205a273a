"""The brokers of a run: one, or three with replication."""

from __future__ import annotations

from tests.parts import Part, launch_kafka
from tests.parts.java_kafka import JavaKafka

MAJORITY = {
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
}


class Brokers:
    """Started brokers, each of which can be killed and started again. Raises MissingPartError."""

    def __init__(self, count: int) -> None:
        self.parts: list[Part] = [launch_kafka()] if count == 1 else list(_cluster(count))
        self.address = ",".join(part.address for part in self.parts)

    def close(self) -> None:
        for part in self.parts:
            part.close()


def _cluster(count: int) -> list[JavaKafka]:
    nodes = [JavaKafka(MAJORITY, number) for number in range(1, count + 1)]
    voters = ",".join(f"{number}@127.0.0.1:{node.controller_port}" for number, node in enumerate(nodes, 1))
    for node in nodes:
        node.configure({"controller.quorum.voters": voters})
        node.launch()
    for node in nodes:
        node.wait_ready(count)
    return nodes
