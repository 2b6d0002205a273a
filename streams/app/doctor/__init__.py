"""`singleview doctor`: looks at everything singleview relies on, and says what is wrong and how to mend it.

Changes nothing, but for a scratch subject in the schema registry, which it deletes again.
"""

from __future__ import annotations

from collections.abc import Iterator

from streams.app.doctor import rights
from streams.app.doctor.brokers import check_brokers, check_reachable
from streams.app.doctor.deployment import check_deployment
from streams.app.doctor.groups import check_groups
from streams.app.doctor.local import check_data, check_secret
from streams.app.doctor.registry import check_registry
from streams.app.doctor.report import Check, Status
from streams.app.doctor.rights import find_lacks, unseen
from streams.app.doctor.sources import check_sources
from streams.app.doctor.stores import check_stores
from streams.app.doctor.topics import check_topics
from streams.app.wiring import Deployment

__all__ = ["Check", "Status", "examine"]


def examine(deployment: Deployment) -> Iterator[Check]:
    """Every check, in the order in which to mend what is wrong. Raises ConfigurationError for settings that are no use."""
    yield check_secret(deployment.configuration)
    yield from check_data(deployment.configuration)
    yield from check_registry(deployment)
    reachable = check_reachable(deployment.configuration.kafka_settings)
    yield reachable
    if reachable.status is Status.ERROR:
        yield from check_stores(deployment, on_kafka=False)
        return
    yield from check_brokers(deployment.configuration)
    lacks = find_lacks(deployment)
    yield from rights.judge(lacks)
    yield from check_deployment(deployment, unseen(lacks))
    yield from check_topics(deployment, unseen(lacks))
    yield from check_sources(deployment)
    yield from check_groups(deployment, unseen(lacks))
    yield from check_stores(deployment, on_kafka=True)
