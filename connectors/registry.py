"""The schema registry over the Confluent-compatible REST interface (Confluent's own, Apicurio, Karapace)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NoReturn, Self
from urllib.parse import urlsplit, urlunsplit

from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.error import SchemaRegistryError

from connectors.schema_references import self_contained
from schemas.registry import RegistryError, UnknownSchemaError

DEFAULTS: dict[str, str | int | float] = {
    "timeout": 10.0,  # seconds for one request; the client's own default is to wait for ever
    "max.retries": 3,  # of a request that met a network error or an overloaded registry
    "retries.wait.ms": 200,
    "retries.max.wait.ms": 2000,
}

NUMBERS = frozenset({*DEFAULTS, "cache.capacity", "cache.latest.ttl.sec"})
"""Settings the client wants as numbers; a configuration file may hold them as text."""

UNKNOWN_SCHEMA = 40403  # error code; a bare 404 says that the url's path is wrong
NOT_REGISTERED = frozenset({40401, 40402, UNKNOWN_SCHEMA})  # error codes: no such subject, version, schema
NOT_FOUND = 404
MOST_REFERENCES = 100  # of one schema, those of its references included
CONFLICT = 409  # the answer to an incompatible schema
UNAUTHORISED = frozenset({401, 403})
SERVER_TROUBLE = 500  # and above
LARGEST_ID = 2**31 - 1


class RegistryAwayError(RegistryError):
    """The registry cannot be reached, or has trouble of its own: it may be asked again."""


class IncompatibleSchemaError(RegistryError):
    """The registry refused a schema because of the subject's earlier versions."""


class ConfluentRegistry:
    """A `SchemaRegistry` (schemas/registry.py). What it has learnt once it never asks again, and never forgets.

    `settings` are those of confluent-kafka's SchemaRegistryClient and passed through: `url` (several with commas),
    `basic.auth.user.info`, `ssl.ca.location`, `ssl.certificate.location`, `ssl.key.location`, `timeout`, ...
    Raises RegistryError if they are wrong. Nothing is asked of the registry before the first call. It keeps connections
    open: close it, or use it as a context manager.
    """

    def __init__(self, settings: Mapping[str, str | int | float]) -> None:
        self._where = without_credentials(str(settings.get("url", "")))
        self._connections = ExitStack()
        try:
            given = {name: float(value) if name in NUMBERS else value for name, value in settings.items()}
            self._client = self._connections.enter_context(SchemaRegistryClient({**DEFAULTS, **given}))
        except (ValueError, TypeError, OSError) as error:
            # The error's own text may quote a setting with a password in it.
            raise RegistryError(
                f"settings of the schema registry {self._where or '(no url)'} are not usable ({type(error).__name__}):"
                f" check url, basic.auth.user.info and the files of ssl.*; given are {', '.join(sorted(settings))}"
            ) from None
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, str] = {}
        self._by_guid: dict[str, str] = {}

    def close(self) -> None:
        """Close the connections; no call may follow."""
        self._connections.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def register(self, subject: str, schema: str) -> int:
        known = self._ids.get((subject, schema))
        if known is None:
            known = self._register(subject, schema, attempts=3)
            self._ids[subject, schema] = known
        return known

    def _register(self, subject: str, schema: str, attempts: int) -> int:
        try:
            return int(self._client.register_schema(subject, Schema(schema, "AVRO")))
        except SchemaRegistryError as error:
            if error.http_status_code == CONFLICT and attempts > 1:
                # Apicurio also answers so while another process registers the same schema: then the next try finds it.
                return self._register(subject, schema, attempts - 1)
            self._refused(subject, error)
        except Exception as error:  # see _unreachable
            self._unreachable(f"register a schema for subject {subject}", error)

    def schema(self, schema_id: int) -> str:
        known = self._schemas.get(schema_id)
        if known is None:
            known = self._fetch(schema_id)
            self._schemas[schema_id] = known
        return known

    def schema_by_guid(self, guid: str) -> str:
        """The schema that a header of a message names. Raises as `schema` does; older registries know no GUIDs."""
        known = self._by_guid.get(guid)
        if known is None:
            try:
                known = self._avro(self._client.get_schema_by_guid(guid), f"schema {guid}")
            except SchemaRegistryError as error:
                if error.http_status_code == NOT_FOUND:
                    raise UnknownSchemaError(f"schema registry {self._where} has no schema {guid}") from error
                self._failed(f"read schema {guid}", error)
            except RegistryError:
                raise
            except Exception as error:  # see _unreachable
                self._unreachable(f"read schema {guid}", error)
            self._by_guid[guid] = known
        return known

    def _fetch(self, schema_id: int) -> str:
        if not 0 <= schema_id <= LARGEST_ID:
            raise UnknownSchemaError(f"{schema_id} is no schema id: the message is not what its source says it writes")
        try:
            schema = self._client.get_schema(schema_id)
        except SchemaRegistryError as error:
            if error.error_code == UNKNOWN_SCHEMA:
                raise UnknownSchemaError(
                    f"schema registry {self._where} has no schema {schema_id}:"
                    " the message names a wrong id or was written with another registry"
                ) from error
            self._failed(f"read schema {schema_id}", error)
        except Exception as error:  # see _unreachable
            self._unreachable(f"read schema {schema_id}", error)
        return self._avro(schema, f"schema {schema_id}")

    def _avro(self, schema: Schema, name: str) -> str:
        if schema.schema_type != "AVRO" or schema.schema_str is None:
            raise UnknownSchemaError(
                f"{name} of registry {self._where} is {schema.schema_type}, not Avro:"
                " the message names a wrong id, or the source's mapping a wrong format"
            )
        return self._whole(schema, name)

    def _whole(self, schema: Schema, name: str) -> str:
        """A schema with the types of the subjects that it refers to. Raises RegistryError."""
        if not schema.references:
            return str(schema.schema_str)
        try:
            types: dict[str, object] = {}
            self._gather(schema, types, MOST_REFERENCES)
            return json.dumps(self_contained(json.loads(str(schema.schema_str)), types))
        except SchemaRegistryError as error:
            self._failed(f"read what {name} refers to", error)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise UnknownSchemaError(
                f"{name} of registry {self._where} refers to others that cannot be put into it ({type(error).__name__})"
            ) from error
        except Exception as error:  # see _unreachable
            self._unreachable(f"read what {name} refers to", error)

    def _gather(self, schema: Schema, types: dict[str, object], most: int) -> None:
        for reference in schema.references or ():
            if reference.name in types:
                continue
            if len(types) >= most:
                raise ValueError("too many references")
            found = self._client.get_version(str(reference.subject), int(reference.version or 0), deleted=True).schema
            types[str(reference.name)] = json.loads(str(found.schema_str))
            self._gather(found, types, most)

    def knows(self, subject: str, schema: str) -> bool:
        """Whether `schema` is a version of `subject`; registers nothing. Raises RegistryError."""
        try:
            self._client.lookup_schema(subject, Schema(schema, "AVRO"))
        except SchemaRegistryError as error:
            if error.error_code in NOT_REGISTERED:
                return False
            self._failed(f"look up a schema of subject {subject}", error)
        except Exception as error:  # see _unreachable
            self._unreachable(f"look up a schema of subject {subject}", error)
        return True

    def delete(self, subject: str) -> None:
        """Deletes a subject with all its versions, for good. Raises RegistryError."""
        try:
            self._client.delete_subject(subject)  # a registry wants this first
            self._client.delete_subject(subject, permanent=True)
        except SchemaRegistryError as error:
            self._failed(f"delete subject {subject}", error)
        except Exception as error:  # see _unreachable
            self._unreachable(f"delete subject {subject}", error)

    def _refused(self, subject: str, error: SchemaRegistryError) -> NoReturn:
        if error.http_status_code == CONFLICT:
            raise IncompatibleSchemaError(
                f"schema registry {self._where} refused a schema for subject {subject} as incompatible with its versions:"
                f" give new fields a default, or use another subject ({error.error_message})"
            ) from error
        self._failed(f"register a schema for subject {subject}", error)

    def _failed(self, task: str, error: SchemaRegistryError) -> NoReturn:
        if error.http_status_code in UNAUTHORISED:
            advice = "check basic.auth.user.info and what that user may do"
        elif error.http_status_code == NOT_FOUND:
            advice = "check the path of its url; Apicurio's ends in /apis/ccompat/v7"
        else:
            advice = "see the registry's own log"
        kind = RegistryAwayError if error.http_status_code >= SERVER_TROUBLE else RegistryError
        raise kind(
            f"schema registry {self._where} could not {task}:"
            f" HTTP status {error.http_status_code}, {error.error_message}: {advice}"
        ) from error

    def _unreachable(self, task: str, error: Exception) -> NoReturn:
        """The client raises whatever its HTTP library does, and which library that is depends on its version."""
        raise RegistryAwayError(
            f"schema registry {self._where} cannot be reached to {task} ({type(error).__name__}):"
            " check its url, that it runs, and the ssl.* settings"
        ) from error


def without_credentials(url: str) -> str:
    """`url` (or several with commas) without user and password, fit for a message."""
    return ",".join(_one_without_credentials(part.strip()) for part in url.split(","))


def _one_without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))
