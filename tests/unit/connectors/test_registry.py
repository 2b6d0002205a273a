"""Settings and messages of the registry adapter; its traffic is tested on a real registry (tests/kafka/test_registry.py)."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from connectors.registry import ConfluentRegistry, RegistryAwayError, without_credentials
from schemas.registry import RegistryError, UnknownSchemaError


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port nobody answers: bound, so nobody else takes it, but not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://registry:8081", "http://registry:8081"),
        ("https://ann:s3cret@registry:8081/apis", "https://registry:8081/apis"),
        ("http://a:b@one,http://c:d@two?key=e", "http://one,http://two"),
    ],
)
def test_a_url_is_shown_without_its_credentials(url: str, shown: str) -> None:
    assert without_credentials(url) == shown


@pytest.mark.parametrize(
    "settings",
    [
        {"url": "ftp://ann:s3cret@registry"},
        {"url": "http://registry", "basic.auth.user.info": "s3cret"},
        {"url": "http://registry", "no.such.setting": "s3cret"},
        {"url": "http://registry", "ssl.ca.location": "/s3cret"},
        {"url": "http://registry", "timeout": "s3cret"},
        {"basic.auth.user.info": "ann:s3cret"},
    ],
)
def test_unusable_settings_are_refused_without_showing_a_secret(settings: dict[str, str]) -> None:
    with pytest.raises(RegistryError, match="check url") as caught:
        ConfluentRegistry(settings)
    assert "s3cret" not in str(caught.value)


def test_an_unreachable_registry_is_an_error_that_names_it_without_its_credentials(closed_port: int) -> None:
    registry = ConfluentRegistry({"url": f"http://ann:s3cret@127.0.0.1:{closed_port}", "max.retries": 0})
    with pytest.raises(
        RegistryAwayError, match=f"http://127.0.0.1:{closed_port} cannot be reached to read schema 1"
    ) as caught:
        registry.schema(1)
    assert not isinstance(caught.value, UnknownSchemaError)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(RegistryAwayError, match="cannot be reached to register a schema for subject orders"):
        registry.register("orders", '"string"')


def test_numbers_may_be_given_as_text(closed_port: int) -> None:
    settings = {"url": f"http://127.0.0.1:{closed_port}", "max.retries": "0", "timeout": "5"}
    with ConfluentRegistry(settings) as registry, pytest.raises(RegistryError, match="cannot be reached"):
        registry.schema(1)


@pytest.mark.parametrize("schema_id", [-1, 2**31, 2**32 - 1])
def test_an_id_no_registry_can_give_is_unknown_without_asking(schema_id: int, closed_port: int) -> None:
    registry = ConfluentRegistry({"url": f"http://127.0.0.1:{closed_port}", "max.retries": 0})
    with pytest.raises(UnknownSchemaError):
        registry.schema(schema_id)
