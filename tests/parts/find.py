"""Which way a part can be had on this machine: containers, else Java with Maven. What runs already is taken by conftest."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping, Sequence

from tests.parts.java_kafka import JVM, JavaKafka
from tests.parts.java_registry import JavaRegistry
from tests.parts.part import MissingPartError, Part, SecondListener
from tests.parts.versions import KAFKA

KAFKA_ENV = "SINGLEVIEW_TEST_KAFKA"
"""Bootstrap servers of a Kafka to use instead of starting one."""
REGISTRY_ENV = "SINGLEVIEW_TEST_REGISTRY"
"""URL of a Confluent-compatible schema registry to use instead of starting one."""
REQUIRE_ENV = "SINGLEVIEW_REQUIRE_PARTS"
"""Set to 1, a part that cannot be had fails the tests that need it instead of skipping them."""


def launch_kafka(
    settings: Mapping[str, str] | None = None,
    jvm: Sequence[str] | None = None,
    second: SecondListener | None = None,
    version: str = KAFKA,
) -> Part:
    """A broker of one's own, started and ready; `settings` are laid over the usual ones. The caller closes it.

    `jvm` are options of a broker run by Java here instead of those that start quickly; a container keeps its image's own.

    Raises MissingPartError if this machine cannot run one, PartStartError if it does not start.
    """

    def container() -> Part:
        from tests.parts.containers import kafka_container  # costs every test run 0.2 s to import

        return kafka_container(settings, second, version)

    return _first_possible(
        "Kafka", KAFKA_ENV, container, lambda: JavaKafka(settings, jvm=jvm or JVM, second=second, version=version)
    )


def launch_registry() -> Part:
    """A schema registry of one's own, started and ready, compatibility BACKWARD. Errors as `launch_kafka`."""

    def container() -> Part:
        from tests.parts.containers import registry_container

        return registry_container()

    part = _first_possible("the schema registry", REGISTRY_ENV, container, JavaRegistry)
    set_backward_compatibility(part.address)
    return part


def set_backward_compatibility(registry: str) -> None:
    """Make BACKWARD the registry's compatibility for all subjects: Apicurio's default is none."""
    request = urllib.request.Request(
        f"{registry}/config",
        method="PUT",
        data=json.dumps({"compatibility": "BACKWARD"}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30):
        pass


def _first_possible(name: str, variable: str, container: Callable[[], Part], java: Callable[[], Part]) -> Part:
    missing: list[str] = []
    part: Part | None = None
    try:
        part = container()
    except MissingPartError as error:
        missing.append(str(error))
    if part is None:
        try:
            part = java()
        except MissingPartError as error:
            missing.append(str(error))
            ways = "\n- ".join([f"{variable} names none that runs already", *missing])
            raise MissingPartError(f"{name} cannot be run on this machine:\n- {ways}") from error
    try:
        part.start()
    except BaseException:
        part.close()
        raise
    return part
