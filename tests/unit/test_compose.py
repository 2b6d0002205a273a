"""docker-compose.yml, the shipped configuration, the tests' own parts and docs/deployment.md say the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.app.config import Configuration
from streams.app.wiring import Deployment
from tests.parts import versions
from tests.parts.broker_settings import REQUIRED_SETTINGS, SINGLE_NODE_SETTINGS
from tests.parts.containers import environment_name

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
CONFIGURATION: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "singleview.yaml").read_text())
LOCAL = ROOT / "deploy" / "local.yaml"
DOCUMENT = (ROOT / "docs" / "deployment.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()

SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|USER_INFO")
REQUIRED_VARIABLE = re.compile(r"\$\{(\w+):\?[^}]+\}")


def documented(*headings: str) -> list[list[str]]:
    """The rows of the table in docs/deployment.md with these headings, without backquotes."""
    heading = "| " + " | ".join(headings) + " |\n"
    table = DOCUMENT.partition(heading)[2].partition("\n\n")[0]
    rows = [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    assert rows, f"no table {heading}"
    return rows


def service_rows() -> list[list[str]]:
    return documented("service", "image", "port here", "port inside", "what for")


def test_the_documentation_lists_every_service_with_its_image_and_ports() -> None:
    described = {name: (image, here, inside) for name, image, here, inside, _ in service_rows()}
    actual = {}
    for name, service in SERVICES.items():
        (here, inside) = (service["ports"][0].split(":")[1:]) if "ports" in service else ("", "")
        actual[name] = (service["image"], here, inside)
    assert described == actual


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_images_are_pinned_and_the_same_as_in_the_tests() -> None:
    tags = {name: service["image"].partition(":")[2] for name, service in SERVICES.items()}
    assert all(re.match(r"\d+\.\d+", tag) for tag in tags.values()), tags
    assert (tags["kafka"], tags["registry"], tags["connect"]) == (versions.KAFKA, versions.APICURIO, versions.DEBEZIUM)


def test_the_image_built_here_has_the_version_of_the_project() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"', project, re.MULTILINE)
    assert version is not None
    assert SERVICES["singleview"]["image"] == SERVICES["init"]["image"] == f"singleview:{version[1]}"


def test_the_broker_has_the_settings_the_tests_run_with() -> None:
    environment = SERVICES["kafka"]["environment"]
    wanted = {environment_name(name): value for name, value in (REQUIRED_SETTINGS | SINGLE_NODE_SETTINGS).items()}
    assert {name: environment.get(name) for name in wanted} == wanted


def test_the_documentation_gives_the_broker_settings_that_are_required() -> None:
    assert {name: value for name, value, _ in documented("setting", "value", "why")} == REQUIRED_SETTINGS


def test_the_shipped_configuration_names_the_broker_and_the_registry_as_their_services_listen() -> None:
    kafka = SERVICES["kafka"]["environment"]
    inside = CONFIGURATION["kafka"]["bootstrap.servers"]
    assert f"INTERNAL://{inside}" in kafka["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"INTERNAL://:{inside.partition(':')[2]}" in kafka["KAFKA_LISTENERS"].split(",")
    assert SERVICES["connect"]["environment"]["BOOTSTRAP_SERVERS"] == inside
    assert f"`{inside}`" in DOCUMENT
    inside_port = SERVICES["registry"]["ports"][0].rpartition(":")[2]
    assert CONFIGURATION["registry"]["url"].startswith(f"http://registry:{inside_port}/")


def test_the_broker_is_reached_from_this_machine_at_the_published_port() -> None:
    here, inside = SERVICES["kafka"]["ports"][0].split(":")[1:]
    kafka = SERVICES["kafka"]["environment"]
    assert f"HOST://localhost:{here}" in kafka["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert f"HOST://:{inside}" in kafka["KAFKA_LISTENERS"].split(",")


def test_the_configuration_of_this_machine_names_the_published_ports_and_is_else_the_containers_own() -> None:
    local: dict[str, Any] = yaml.safe_load(LOCAL.read_text())
    kafka, registry = (SERVICES[name]["ports"][0].split(":")[1] for name in ("kafka", "registry"))
    assert local["kafka"] == {"bootstrap.servers": f"localhost:{kafka}"}
    path = CONFIGURATION["registry"]["url"].partition("://")[2].partition("/")[2]
    assert local["registry"] == {"url": f"http://localhost:{registry}/{path}"}
    own = {"data", "kafka", "registry"}
    assert {key: local[key] for key in local.keys() - own} == {key: CONFIGURATION[key] for key in CONFIGURATION.keys() - own}


def test_the_configuration_of_this_machine_can_be_used_from_a_checkout() -> None:
    deployment = Deployment(Configuration.load(LOCAL))
    assert len(deployment.source_topics) == len(CONFIGURATION["sources"])
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert f"/{deployment.configuration.data_folder.resolve().relative_to(ROOT)}/" in ignored


@pytest.mark.parametrize("name", ["README.md", "docker-compose.yml", "docs/deployment.md"])
def test_compose_is_never_told_to_run_without_the_file_of_its_secrets(name: str) -> None:
    commands = re.findall(r"docker compose .*", (ROOT / name).read_text())
    assert commands
    assert all(command.startswith("docker compose --env-file deploy/development.env ") for command in commands)


def test_the_configuration_s_sources_and_data_folder_are_in_the_image() -> None:
    for source in CONFIGURATION["sources"]:
        path = (ROOT / "deploy" / source).resolve()
        assert path.is_file()
        assert path.parent == ROOT / "connectors" / "mappings" / "examples"
    assert "COPY connectors/mappings/examples /app/connectors/mappings/examples" in DOCKERFILE
    assert SERVICES["singleview"]["volumes"] == [f"singleview-data:{CONFIGURATION['data']}"]
    assert f"VOLUME {CONFIGURATION['data']}" in DOCKERFILE


def test_singleview_has_every_variable_its_configuration_refers_to() -> None:
    wanted = set(re.findall(r"\$\{env:(\w+)\}", (ROOT / "deploy" / "singleview.yaml").read_text()))
    assert wanted
    for name in ("init", "singleview"):
        assert wanted <= SERVICES[name]["environment"].keys()


def test_singleview_runs_as_a_user_of_its_own_and_tells_its_health() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER singleview$", final, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", final, re.MULTILINE)


def test_the_image_s_health_check_stays_when_another_folder_is_mounted_over_the_configuration_s() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    lines = re.findall(r"^ *CMD (\[.+\])$", final, re.MULTILINE)
    (_, script, examined), (*_, used) = (json.loads(line) for line in lines)
    assert examined == used
    assert Path(script).parent != Path(used).parent
    copied = dict(re.findall(r"^COPY (\S+) /app/(\S+)$", final, re.MULTILINE))
    assert {copied[f"deploy/{Path(path).name}"] for path in (script, used)} == {script, used}
    assert all((ROOT / source).exists() for source in copied)


def test_singleview_keeps_its_name_and_so_its_stores_when_its_container_is_created_anew() -> None:
    assert SERVICES["singleview"]["hostname"] == "singleview"


def test_everything_that_stays_up_tells_its_health() -> None:
    silent = [name for name, service in SERVICES.items() if "healthcheck" not in service]
    assert silent == ["singleview"]  # its image does


def test_secrets_come_from_variables_without_defaults_that_the_development_file_has() -> None:
    variables = set()
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if SECRET.search(name):
                variable = REQUIRED_VARIABLE.fullmatch(value)
                assert variable, f"{name} is not ${{VARIABLE:?...}}"
                variables.add(variable[1])
    lines = (ROOT / "deploy" / "development.env").read_text().splitlines()
    assert {line.partition("=")[0] for line in lines if not line.startswith("#")} == variables


def test_postgres_writes_what_logical_decoding_needs() -> None:
    assert "wal_level=logical" in SERVICES["postgres"]["command"]


def test_the_crm_connector_reads_the_table_and_publication_that_postgres_is_given() -> None:
    connector = json.loads((ROOT / "deploy" / "connect" / "crm.json").read_text())
    script = (ROOT / "deploy" / "postgres" / "crm.sh").read_text()
    schema, table = connector["table.include.list"].split(".")
    assert schema == "public"
    assert f"CREATE TABLE {table} (" in script
    assert f"CREATE PUBLICATION {connector['publication.name']} FOR TABLE {table};" in script
    assert f"CREATE DATABASE {connector['database.dbname']};" in script
    assert f"CREATE ROLE {connector['database.user']} LOGIN REPLICATION" in script
    assert connector["database.hostname"] in SERVICES
    for variable in re.findall(r"\$\{env:(\w+)\}", connector["database.password"]):
        assert variable in SERVICES["connect"]["environment"]
    mapping = yaml.safe_load((ROOT / "connectors" / "mappings" / "examples" / "crm.yaml").read_text())
    assert f"{connector['topic.prefix']}.{connector['table.include.list']}" in mapping["topics"]


@pytest.mark.parametrize("name", sorted({name for s in SERVICES.values() for name in s.get("depends_on", {})}))
def test_what_others_wait_for_exists(name: str) -> None:
    assert name in SERVICES
