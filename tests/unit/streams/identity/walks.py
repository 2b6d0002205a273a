"""Random histories of a realm, each of a flavour that strains one part of identity."""

from __future__ import annotations

from random import Random
from typing import Literal, NamedTuple

from tests.unit.streams.identity.fake_matcher import Card
from tests.unit.streams.identity.realm import Realm


class Step(NamedTuple):
    what: Literal["put", "delete", "regroup"]
    record: str = ""
    card: Card = Card()


class Flavour(NamedTuple):
    """What a history is made of. Few values among many records: everything is connected, every limit is crossed."""

    records: int
    values: tuple[tuple[str, int], ...]  # kind, how many values of it
    each: int  # values of a record, at most
    camps: tuple[str, ...]
    deletes: float = 0.2
    regroups: float = 0.05


FLAVOURS = {
    "pairs": Flavour(10, (("a", 2), ("b", 3), ("c", 3)), 4, ("",)),
    "camps": Flavour(10, (("b", 2), ("c", 4)), 3, ("", "red", "blue", "green")),
    "generic values": Flavour(9, (("a", 3), ("b", 1), ("c", 1)), 4, ("",)),
    "blocks": Flavour(12, (("hub", 3), ("number", 4)), 2, ("",)),
    "blocks with neighbours": Flavour(14, (("hub", 2), ("number", 5), ("c", 3), ("b", 3)), 3, ("", "red", "blue")),
    "companies": Flavour(20, (("hub", 2), ("number", 3), ("c", 4)), 2, ("", "red", "blue"), 0.25),
    "size classes": Flavour(22, (("a", 4), ("b", 6), ("c", 4), ("hub", 1)), 4, ("", "", "red"), 0.3, 0.4),
    "one large component": Flavour(16, (("c", 2), ("b", 3)), 3, ("",)),
}


def history(flavour: Flavour, seed: int, length: int = 60) -> list[Step]:
    random = Random(seed)
    pool = [(kind, str(n)) for kind, count in flavour.values for n in range(count)]
    growing = random.random()  # now more puts, now more deletes
    steps = []
    for _ in range(length):
        if random.random() < 0.1:
            growing = random.random()
        chance = random.random()
        record = f"{random.choice(['crm', 'web'])}/{random.randrange(flavour.records)}"
        if chance < flavour.regroups:
            steps.append(Step("regroup"))
        elif chance < flavour.regroups + flavour.deletes * 2 * (1 - growing):
            steps.append(Step("delete", record))
        else:
            values = random.sample(pool, random.randint(0, min(flavour.each, len(pool))))
            steps.append(
                Step("put", record, Card(random.choice("abcd"), random.choice(flavour.camps), tuple(sorted(values))))
            )
    return steps


def walk(realm: Realm, steps: list[Step]) -> None:
    for step in steps:
        if step.what == "put":
            realm.put(step.record, step.card)
        elif step.what == "delete":
            realm.delete(step.record)
        elif realm.waiting:
            realm.send(realm.waiting.pop(0))
