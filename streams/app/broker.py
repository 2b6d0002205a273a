"""Whether Kafka is there, asked once before a command begins: one message instead of a client's endless log."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from streams.app.config import ConfigurationError
from streams.app.console import WorkError

PATIENCE_SECONDS = 10.0
"""How long a broker may take to answer: one that restarts needs more, and a supervisor starts the command again."""

_silent = logging.getLogger("librdkafka.probe")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


def reach(settings: Mapping[str, str]) -> None:
    """Raises ConfigurationError for settings the client refuses, WorkError when no broker answers."""
    reasons: list[str] = []

    def note(error: KafkaError) -> None:
        if error.code() != KafkaError._ALL_BROKERS_DOWN:  # comes with each of the others, and says less
            reasons.append(error.str())

    try:
        admin = AdminClient({**settings, "error_cb": note}, logger=_silent)  # type: ignore[dict-item]  # stubs lack callbacks
    except KafkaException as error:
        raise ConfigurationError(f"kafka: {error.args[0].str()}") from error
    try:
        admin.list_topics(timeout=PATIENCE_SECONDS)
    except KafkaException as error:
        admin.poll(0)  # serves `note`
        why = reasons[-1] if reasons else error.args[0].str()
        raise unreachable(settings, why) from error


def quiet(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings for a client that is asked a question or two: its own messages would only be in the way."""
    return {"log_level": "3", **settings}


def unreachable(settings: Mapping[str, str], why: str) -> WorkError:
    """The error of a broker that does not answer, or no longer."""
    where = settings["bootstrap.servers"]
    closed = "transport failure" in why or "isconnected" in why
    hint = " (a port that wants TLS or a login closes the connection: set security.protocol)"
    return WorkError(
        f"Kafka at {where} cannot be used ({why}): check that it runs, and the address and security settings under kafka:"
        + (hint if closed and "security.protocol" not in settings else "")
    )
