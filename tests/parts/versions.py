"""Versions of the real parts: one place for the launchers, docker-compose.yml and the documentation (a test compares)."""

from __future__ import annotations

KAFKA = "4.4.0"
KAFKA_THAT_MAY_BE_KILLED = "4.1.1"
"""4.4.0 forgets the commit of a transaction whose partitions lose their leader before its markers are written (KAFKA-20734),
as those of a single broker do that is killed and comes back: docs/decisions/0070-brokers-that-are-killed.md."""
APICURIO = "2.6.13.Final"  # 3.x needs Java 21
DEBEZIUM = "3.4.0.Final"  # its image runs Kafka Connect 4.1.1, whatever the broker: decision 0030
