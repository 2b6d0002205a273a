"""The facts as a start finds them."""

from __future__ import annotations

from connectors.mappings import Mapping
from schemas.versions import this_release
from streams.app.config import Configuration, ConfigurationError
from streams.app.facts.model import Facts, Source, fingerprint
from streams.app.wiring import Deployment


def facts_of(deployment: Deployment, tables: dict[str, str] | None = None, inputs: dict[str, str] | None = None) -> Facts:
    """Those of a configuration, with the ids of the topics that exist."""
    configuration, release = deployment.configuration, this_release()
    return Facts(
        secret=_fingerprint(configuration),
        realms=dict(configuration.realms),
        partitions=configuration.partitions,
        sources=tuple(sorted(_source(mapping) for mapping in deployment.mappings)),
        subscribers=tuple(sorted(subscriber.name for subscriber in configuration.subscribers)),
        tables=tables or {},
        inputs=inputs or {},
        release=release.name,
        generation=release.generation,
    )


def _source(mapping: Mapping) -> Source:
    return Source(mapping.source, tuple(sorted(mapping.topics)), tuple(sorted(mapping.known_realms)))


def _fingerprint(configuration: Configuration) -> str:
    """Of the secret, where there is one: only identity needs it, and complains itself."""
    try:
        return fingerprint(configuration.secret_bytes, configuration.prefix)
    except ConfigurationError:
        return ""
