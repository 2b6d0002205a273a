"""A message that fails in the middle of a batch is undone alone: what is remembered of the batch must not betray it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from schemas.canonical import Attributes, Email
from schemas.messages import CUSTOMERS, CustomersInbox
from schemas.topics import CUSTOMER_CHANGES
from streams.customers import read_view
from streams.engine.contract import Headers
from streams.engine.overlay import Overlay
from tests.fakes import RecordingOutbox, message
from tests.unit.streams.customers.parts import NOW, Bench, attached, entity, updated

CRM, BILLING = "north/crm/1", "north/billing/7"
GOOD: tuple[CustomersInbox, ...] = (
    attached(CRM, Attributes(status="new")),
    entity([CRM]),
    updated(CRM, Attributes(status="active", emails=[Email(value="ann@x.org")])),
)
POISON = updated(CRM, Attributes(status="lost"), sequence=3)
REST: tuple[CustomersInbox, ...] = (
    updated(CRM, Attributes(status="closed"), sequence=3),
    attached(BILLING, Attributes(gender="f")),
    entity([CRM, BILLING], epoch=2),
)


class FailingOutbox(RecordingOutbox):
    """Fails where a view is handed over: all that a message writes before its row is done by then."""

    failing = False

    def latest(self, topic: str, key: bytes, value: object, headers: Headers = ()) -> None:
        if self.failing:
            raise RuntimeError
        super().latest(topic, key, value, headers)  # type: ignore[arg-type]


def fold(messages: Sequence[CustomersInbox]) -> tuple[list[bytes | None], dict[bytes, bytes | None], Bench]:
    """A batch, prepared and folded as the engine does; the changes sent and the rows written."""
    bench, out = Bench(), FailingOutbox()
    overlay = Overlay(bench.store)
    batch = [message(CUSTOMERS.encode(each), timestamp=NOW) for each in messages]
    bench.processor.prepare(batch, overlay)
    for each, given in zip(batch, messages, strict=True):
        overlay.mark()
        sent = len(out.sent)
        out.failing = given is POISON
        if out.failing:
            with pytest.raises(RuntimeError):
                bench.processor.process(each, overlay, out)
            overlay.undo()
            del out.sent[sent:]
        else:
            bench.processor.process(each, overlay, out)
    rows = dict(overlay.writes)
    for key, value in rows.items():
        bench.store.put(key, value or b"")
    return [each.value for each in out.on(CUSTOMER_CHANGES)], rows, bench


def test_the_messages_after_a_poisoned_one_give_what_they_give_without_it() -> None:
    changes, rows, bench = fold([*GOOD, POISON, *REST])
    expected_changes, expected_rows, _ = fold([*GOOD, *REST])
    assert changes == expected_changes
    assert rows == expected_rows
    assert len(changes) == 4  # the first settles it, two updates, and the second member
    view = read_view(bench.store, "c1", bench.codec)
    assert view is not None
    assert view.version == 4
