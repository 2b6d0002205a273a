"""The configuration of a deployment: one YAML file, validated, and the only place where secrets are looked up."""

from __future__ import annotations

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator, model_validator

from connectors.logs.kafka_settings import contradiction, objection
from schemas.documents import Document, load_document
from schemas.topics import (
    CUSTOMER_CHANGES,
    CUSTOMER_VIEW,
    CUSTOMERS,
    DEAD_LETTERS,
    DEPLOYMENT,
    IDENTITY,
    IDENTITY_REVIEWS,
    LARGEST_MESSAGE_BYTES,
    RECORDS,
    TopicSpec,
    subscriber_topic,
    table_topic,
)
from streams.app.logs import LogFormat
from streams.notify import Subscriber

SECRET_VARIABLE = "SINGLEVIEW_SECRET"  # noqa: S105 - the name of a variable
EVENT_BYTES = 1_048_576
DAY_MS = 24 * 3_600_000
LARGEST_PORT = 65_535
LEAST_SECRET = 16  # characters
BROKER_DECIDES = ("session.timeout.ms", "heartbeat.interval.ms")
MEMBERS_DECIDE = ("group.remote.assignor",)
_REFERENCE = re.compile(r"\$\{(env|file):([^}]+)\}")

Settings: TypeAlias = dict[str, str]
RealmName: TypeAlias = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class ConfigurationError(Exception):
    """The configuration is well-formed but cannot be used; the message says what to do."""


class DeadLetters(Document):
    """When a source is stopped rather than drained into the dead letters, and how long letters are kept."""

    stop_share: float = Field(default=0.5, gt=0, le=1)
    window: int = Field(default=200, ge=10, le=100_000)
    least: int = Field(default=50, ge=1)
    retention_days: int = Field(default=25, ge=1)

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.least > self.window:
            raise ValueError("least must not be more than window")
        return self


class Batches(Document):
    """Bounds of one transaction."""

    messages: int = Field(default=20_000, ge=1, le=100_000)
    bytes: int = Field(default=16_777_216, ge=1)
    fold_seconds: float = Field(default=2.0, gt=0, le=8.0)
    interval_seconds: float = Field(default=0.04, ge=0, le=1.0)
    """From the beginning of one to the next, at least: a small transaction costs the brokers as much as a large one."""


class Group(Document):
    """How processes share the partitions of a processor."""

    protocol: Literal["classic", "consumer"] = "classic"
    """`consumer` is KIP-848: the brokers decide who has what, and how long a silent process keeps it."""
    static: bool = True
    """A process that comes back under its instance name within the session time-out gets its partitions back at once."""


class Observe(Document):
    """Where a process tells its metrics and health over HTTP."""

    listen: Annotated[str, Field(pattern=r"^(\[[0-9A-Fa-f:]+\]|[^\s:\[\]]+):[0-9]{1,5}$")] = "127.0.0.1:9108"

    @field_validator("listen")
    @classmethod
    def _port_exists(cls, listen: str) -> str:
        if int(listen.rpartition(":")[2]) > LARGEST_PORT:
            raise ValueError(f"a port is at most {LARGEST_PORT}")
        return listen

    def address(self, index: int) -> tuple[str, int]:
        """Host and port of one of several processes: each has the port after the one before it; 0 stays 0, any free one.

        Raises ConfigurationError if there are not so many ports.
        """
        host, _, first = self.listen.rpartition(":")
        port = int(first) + index if int(first) else 0
        if port > LARGEST_PORT:
            raise ConfigurationError(
                f"observe.listen: process {index + 1} would listen on port {port}, but a port is at most {LARGEST_PORT}:"
                " set a lower one, or fewer processes"
            )
        return host.strip("[]"), port


class Configuration(Document):
    """`singleview.yaml`. Paths are relative to the file."""

    data: Path = Path("data")
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,64}$")] = "singleview."
    kafka: Settings = Field(default_factory=dict)
    registry: Settings = Field(default_factory=dict)
    replication: int = Field(default=1, ge=1)
    partitions: int = Field(default=4, ge=1, le=256)
    realms: dict[RealmName, Annotated[int, Field(ge=0, le=255)]] = Field(min_length=1)
    sources: tuple[Path, ...] = Field(min_length=1)
    survivorship: Path | None = None
    subscribers: tuple[Subscriber, ...] = ()
    secret: str | None = None
    dead_letters: DeadLetters = DeadLetters()
    batches: Batches = Batches()
    group: Group = Group()
    processes: int | None = Field(default=None, ge=1, le=256)
    """How many processes `run` starts; if not given, one per processor, or per core if there are more of these."""
    observe: Observe | None = None
    log_format: LogFormat = "text"
    _base: Path = PrivateAttr(default_factory=Path)

    @field_validator("kafka")
    @classmethod
    def _ours(cls, kafka: Settings) -> Settings:
        said = [said for name, value in kafka.items() if not _REFERENCE.search(value) and (said := objection(name, value))]
        if said:
            raise ValueError("; ".join(said))
        return kafka

    @model_validator(mode="after")
    def _settings_of_the_protocol(self) -> Self:
        for name in BROKER_DECIDES if self.group.protocol == "consumer" else ():
            if name in self.kafka:
                raise ValueError(f"kafka: {name} is the broker's to decide with group protocol consumer: remove it")
        for name in MEMBERS_DECIDE if self.group.protocol == "classic" else ():
            if name in self.kafka:
                raise ValueError(f"kafka: {name} needs group protocol consumer: remove it")
        return self

    @field_validator("subscribers")
    @classmethod
    def _realms_exist(cls, subscribers: tuple[Subscriber, ...], info: ValidationInfo) -> tuple[Subscriber, ...]:
        realms = info.data.get("realms")  # None if they are wrong themselves
        for subscriber in subscribers:
            for realm in subscriber.realms or ():
                if realms is not None and realm not in realms:
                    allowed = ", ".join(realms)
                    raise ValueError(f"subscriber {subscriber.name}: {realm!r} is no realm (allowed: {allowed})")
        return subscribers

    @model_validator(mode="after")
    def _distinct_subscribers(self) -> Self:
        names = [subscriber.name for subscriber in self.subscribers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"subscriber {name!r} is there twice")
        return self

    @classmethod
    def load(cls, path: Path) -> Configuration:
        """Raises DocumentError with file, line and what is allowed."""
        found = load_document(path, cls)
        found._base = path.resolve().parent
        return found

    def resolve(self, path: Path) -> Path:
        """A path of the file, relative to it."""
        return self._base / path

    @property
    def data_folder(self) -> Path:
        return self.resolve(self.data)

    @cached_property
    def kafka_settings(self) -> Settings:
        """Passed through to librdkafka. Raises ConfigurationError if there are none, or a secret is missing."""
        if "bootstrap.servers" not in self.kafka:
            raise ConfigurationError("no broker is configured: set kafka: {bootstrap.servers: host:port}")
        settings = {name: self._expand(name, value) for name, value in self.kafka.items()}
        said = [said for name, value in settings.items() if (said := objection(name, value))] or [contradiction(settings)]
        if any(said):
            raise ConfigurationError(f"kafka: {'; '.join(said)}")
        return _with_files(settings, "kafka")

    @cached_property
    def registry_settings(self) -> Settings:
        if "url" not in self.registry:
            raise ConfigurationError("no schema registry is configured: set registry: {url: http://...}")
        return _with_files({name: self._expand(name, value) for name, value in self.registry.items()}, "registry")

    @cached_property
    def secret_bytes(self) -> bytes:
        """The key of all keyed hashes, and so of customer ids: must never change in the life of a deployment."""
        reference = f"${{env:{SECRET_VARIABLE}}}" if self.secret is None else self.secret
        return self._look_up("secret", reference).encode()

    @cached_property
    def subscriber_secrets(self) -> dict[str, SecretStr]:
        """The keys of subscribers' `hash` masks, by subscriber: must not change, or equal texts have other hashes."""
        return {
            subscriber.name: SecretStr(
                self._look_up(f"subscriber {subscriber.name}: secret", subscriber.secret.get_secret_value())
            )
            for subscriber in self.subscribers
            if subscriber.secret is not None
        }

    def _look_up(self, name: str, reference: str) -> str:
        """The secret behind a reference. `name` stands in the errors; the secret never does."""
        if not _REFERENCE.fullmatch(reference):
            raise ConfigurationError(
                f"{name}: must be ${{env:NAME}} or ${{file:PATH}}: secrets are not written in this file"
            )
        text = self._expand(name, reference).strip()
        if len(text) < LEAST_SECRET:
            raise ConfigurationError(
                f"{name}: is too short: at least {LEAST_SECRET} characters, e.g. from `openssl rand -hex 32`"
            )
        return text

    def _expand(self, name: str, value: str) -> str:
        def look_up(match: re.Match[str]) -> str:
            kind, where = match.groups()
            if kind == "env":
                found = os.environ.get(where)
                if found is None:
                    raise ConfigurationError(f"{name}: the environment variable {where} is not set")
                return found
            try:
                return self.resolve(Path(where)).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(f"{name}: the file {where} cannot be read: {error.strerror}") from error
            except UnicodeDecodeError:  # which holds the secret
                raise ConfigurationError(f"{name}: the file {where} is not UTF-8 text") from None

        return _REFERENCE.sub(look_up, value)


def _with_files(settings: Settings, where: str) -> Settings:
    """The settings, if the files they name are there: the clients say little of one that is not."""
    for name, value in settings.items():
        if name.endswith(".location") and value != "probe":  # which has the client look for the system's
            path = Path(value)
            try:
                if not path.is_dir():
                    path.open("rb").close()
            except OSError as error:
                raise ConfigurationError(f"{where}: {name}: {value} cannot be read: {error.strerror}") from error
    return settings


def topic_specs(configuration: Configuration) -> list[TopicSpec]:
    """Every topic singleview owns, and how it is created."""
    deadline = configuration.dead_letters.retention_days * DAY_MS
    wide = configuration.partitions
    narrow = max(configuration.realms.values()) + 1
    large = LARGEST_MESSAGE_BYTES

    def compacted(name: str, partitions: int, *, grows: bool = False) -> TopicSpec:
        return TopicSpec(name, partitions, compacted=True, retention_ms=-1, max_message_bytes=large, grows=grows)

    def topic(name: str, partitions: int, retention_ms: int, *, grows: bool = False) -> TopicSpec:
        return TopicSpec(name, partitions, False, retention_ms, large, grows)

    return [
        topic(RECORDS, wide, -1),
        compacted(table_topic(RECORDS), wide, grows=True),
        topic(IDENTITY, narrow, -1, grows=True),  # realms name their partitions, and others may have been before
        compacted(table_topic(IDENTITY), narrow, grows=True),
        topic(CUSTOMERS, wide, -1),
        compacted(table_topic(CUSTOMERS), wide, grows=True),
        compacted(CUSTOMER_VIEW, wide),
        topic(CUSTOMER_CHANGES, wide, deadline),
        topic(IDENTITY_REVIEWS, narrow, deadline, grows=True),
        topic(DEAD_LETTERS, 1, deadline, grows=True),
        compacted(DEPLOYMENT, 1),
        *(topic(subscriber_topic(subscriber.name), wide, deadline) for subscriber in configuration.subscribers),
    ]
