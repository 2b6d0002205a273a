"""The schema registry: that it answers, and that it refuses what readers could not read.

Whether it enforces backward compatibility is tried out on a scratch subject: what a registry says of its configuration need
not be what it does (Apicurio's answer to GET /config is no help).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from connectors.registry import ConfluentRegistry, IncompatibleSchemaError, without_credentials
from schemas.public import CHANGE_SCHEMA, VIEW_SCHEMA
from schemas.registry import RegistryError
from schemas.topics import CUSTOMER_CHANGES, CUSTOMER_VIEW, subscriber_topic
from streams.app.config import ConfigurationError
from streams.app.doctor.report import Check, error, ok, warning
from streams.app.wiring import Deployment

AREA = "registry"


def check_registry(deployment: Deployment) -> Iterator[Check]:
    configuration = deployment.configuration
    try:
        settings = configuration.registry_settings
        with ConfluentRegistry({"timeout": 5.0, "max.retries": 1, **settings}) as registry:
            compatibility = _compatibility(registry, configuration.prefix)
            yield ok(AREA, "reachable", without_credentials(settings["url"]))
            yield compatibility
            yield from _schemas(registry, deployment)
    except ConfigurationError as wrong:
        yield error(AREA, "settings", "cannot be used", str(wrong))
    except RegistryError as away:
        yield error(AREA, "reachable", "no", str(away))


def _compatibility(registry: ConfluentRegistry, prefix: str) -> Check:
    """Whether a new version with a field that old data lack is refused."""
    subject = f"{prefix}doctor-{uuid.uuid4().hex}-value"
    what = "compatibility BACKWARD"
    registry.register(subject, _scratch("a"))
    try:
        registry.register(subject, _scratch("a", "b"))
    except IncompatibleSchemaError:
        return ok(AREA, what, "enforced")
    finally:
        registry.delete(subject)
    fix = (
        "make BACKWARD the registry's compatibility (PUT /config, or Apicurio's REGISTRY_RULES_GLOBAL_COMPATIBILITY):"
        " else a source may publish what cannot be read"
    )
    return error(AREA, what, "an incompatible schema was accepted", fix)


def _scratch(*names: str) -> str:
    fields = [{"name": name, "type": "string"} for name in names]
    return json.dumps({"type": "record", "name": "Scratch", "namespace": "singleview.doctor", "fields": fields})


def _schemas(registry: ConfluentRegistry, deployment: Deployment) -> Iterator[Check]:
    subscribers = [subscriber_topic(subscriber.name) for subscriber in deployment.configuration.subscribers]
    wanted = {CUSTOMER_VIEW: VIEW_SCHEMA, CUSTOMER_CHANGES: CHANGE_SCHEMA} | dict.fromkeys(subscribers, CHANGE_SCHEMA)
    subjects = {f"{deployment.configuration.prefix}{topic}-value": schema for topic, schema in wanted.items()}
    missing = [subject for subject, schema in subjects.items() if not registry.knows(subject, schema)]
    if missing:
        yield warning(AREA, "schemas", f"not registered: {', '.join(missing)}", "run `singleview init`")
    else:
        yield ok(AREA, "schemas", f"{len(subjects)} subjects registered")
