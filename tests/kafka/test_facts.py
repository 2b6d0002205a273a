"""What must not change unseen, on a real Kafka: refused by `init` and `run`, named by the doctor, with the way to go on."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import NewPartitions  # type: ignore[attr-defined]  # its stubs do not declare it

from schemas.canonical import Attributes, Name
from schemas.messages import RECORDS, Cause, Order, SourceChange
from schemas.topics import DEPLOYMENT
from schemas.versions import Release, client_id
from tests.kafka.deployed import Deployed

pytestmark = [pytest.mark.kafka, pytest.mark.registry]


def everywhere(deployed: Deployed) -> list[str]:
    """What init, run and the doctor say, in one line each."""
    init = deployed("init")
    assert init.code != 0
    doctor = [f"{check.found} {check.fix}" for check in deployed.troubles("deployment")]
    assert doctor
    return [" ".join(init.err.split()), deployed.refused(), " ".join(doctor)]


def test_another_secret_is_refused_by_every_command(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.init()
    monkeypatch.setenv("SINGLEVIEW_SECRET", "another secret altogether")
    for said in everywhere(deployed):
        assert "is not the one of this deployment" in said
        assert "another secret altogether" not in said


def test_swapped_realm_numbers_other_partitions_and_a_renamed_source_are_refused_together(deployed: Deployed) -> None:
    deployed.init()
    mapping = deployed.folder / "crm.yaml"
    mapping.write_text(mapping.read_text().replace("source: crm", "source: crm2"))
    deployed.configure(realms={"north": 1, "south": 0}, partitions=4)
    for said in everywhere(deployed):
        assert "realms: {north: 0, south: 1}" in said
        assert "partitions: 2" in said
        assert f"topic {deployed.source} was read as source crm, not crm2" in said


def test_a_new_realm_gets_its_partition_and_one_that_is_gone_keeps_its_number(deployed: Deployed) -> None:
    deployed.init()
    deployed.configure(realms={"north": 0, "south": 1, "west": 2})
    found = deployed("init")
    assert (found.code, "realm west is new" in found.out) == (0, True)
    for topic in ("identity", "identity-table", "identity-reviews"):
        name = deployed.of(topic)
        assert len(deployed.admin.list_topics(name, timeout=30).topics[name].partitions) == 3
    with deployed.running() as running:
        deployed.send(1, 2, realm="west")
        running.until(lambda: deployed.seen("customer-view") == 2, "the customers of the new realm")
    deployed.configure(realms={"north": 0})
    deployed.init()
    assert deployed.troubles("topics") == []
    deployed.configure(realms={"north": 0, "west": 1})
    assert "west has number 2, not 1" in deployed.refused()


def test_a_deployment_of_before_is_taken_as_it_is_found(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    deployed.init()
    deployed.delete(deployed.of(DEPLOYMENT))
    assert "run `singleview init`" in deployed.troubles("deployment", "warning")[0].fix
    with deployed.running() as running:
        running.says(f"{deployed.of(DEPLOYMENT)} was made")
    monkeypatch.setenv("SINGLEVIEW_SECRET", "another secret altogether")
    assert "secret" in deployed.refused()


def test_before_init_a_run_names_the_command_and_makes_nothing(deployed: Deployed) -> None:
    said = deployed.refused()
    assert f"{deployed.of('records')} and 8 more of its topics do not exist: run `singleview init` first" in said
    assert [topic for topic in deployed.topics() if topic.startswith(deployed.prefix)] == [deployed.source]


def test_a_new_subscriber_gets_its_topic_from_the_run_that_needs_it(deployed: Deployed) -> None:
    deployed.init()
    deployed.configure(subscribers=[{"name": "warehouse"}, {"name": "mdm"}])
    with deployed.running() as running:
        running.says(f"{deployed.of('notify.mdm')} was made")
        deployed.send(1, 2, 3)
        running.until(lambda: len(deployed.read(deployed.of("notify.mdm"))) == 3, "the new subscriber's notifications")
    assert len(deployed.read(deployed.of("notify.warehouse"))) == 3


def test_a_member_of_a_release_that_does_not_go_together_with_this_is_named_and_this_one_waits_for_its_end(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streams.app.facts.kafka.LEAVING_SECONDS", 1.0)
    deployed.init()
    group = {"group.id": deployed.of("records"), "group.instance.id": "old-host-1"}
    other = {"client.id": client_id(Release("9.9.9", 99)), "bootstrap.servers": deployed.kafka}
    member = Consumer({**group, **other, "partition.assignment.strategy": "cooperative-sticky"})
    try:
        member.subscribe([deployed.of("records")])
        while not member.assignment():
            member.poll(0.1)
        said = deployed.refused()
        assert "members of release 9.9.9 run (old-host-1), and this is" in said
        assert "Stop those first" in said
        assert "9.9.9" in deployed.troubles("deployment")[0].found
    finally:
        member.close()


def test_members_of_this_release_run_side_by_side(deployed: Deployed) -> None:
    deployed.init()
    with deployed.running("--instance", "a") as first, deployed.running("--instance", "b") as second:
        assert first.process.poll() is second.process.poll() is None
        assert deployed.troubles("deployment") == []


def test_partitions_that_somebody_added_to_an_inbox_are_refused_with_a_way_back_that_loses_nothing(
    deployed: Deployed,
) -> None:
    deployed.init()
    with deployed.running() as running:
        deployed.send(*range(10))
        running.until(lambda: deployed.seen("customer-view") == 10, "the views")
    inbox = deployed.of("records")
    deployed.admin.create_partitions([NewPartitions(inbox, 4)])[inbox].result()
    for said in (" ".join(deployed("init").err.split()), deployed.refused()):
        assert f"{inbox} has 4 partitions, not 2: somebody has added some" in said
        assert f"run `singleview init --remake {inbox}`" in said
    producer = Producer({"bootstrap.servers": deployed.kafka})
    for key, value in written(range(10, 20)):
        producer.produce(inbox, value, key)
    assert producer.flush(30) == 0
    assert len({partition for partition, _, _ in deployed.raw(inbox)}) > 2
    found = deployed("init", "--remake", inbox)
    assert (found.code, "with the 10 messages that waited in it" in " ".join(found.err.split())) == (0, True)
    assert {topic for topic in deployed.topics() if topic.endswith(".moving")} == set()
    with deployed.running() as running:
        deployed.send(20)
        running.until(lambda: deployed.seen("customer-view") == 21, "the views")


def written(numbers: range) -> list[tuple[bytes, bytes]]:
    """Key and value of messages as intake writes them."""
    found = []
    for number in numbers:
        attributes = Attributes(kind="individual", names=[Name(given=f"Given{number}", family=f"Moss{number * 7919}")])
        record, order = f"north/crm/r{number}", Order("seq", (1,))
        change = SourceChange(
            record=record, operation="snapshot", order=order, attributes=attributes, cause=Cause("crm/0/1", 1)
        )
        found.append((record.encode(), RECORDS.encode(change)))
    return found
