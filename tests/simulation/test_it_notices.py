"""Engines and logs with one rule left out: the simulation must notice each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from streams.engine import folding, parked, retrying
from streams.engine import store as engine_store
from streams.engine.contract import Message, Store
from streams.engine.due import DUE, due_keys
from streams.engine.holdings import Holdings
from streams.engine.log import AbortedError, Inbox, TableEnd, UnavailableError
from streams.engine.outbox import BatchOutbox
from streams.engine.overlay import Overlay
from streams.engine.own_rows import OwnRows
from streams.engine.runtime import Worker
from streams.engine.split import stored
from streams.engine.store import Restore, Sync
from tests.simulation import counting, partition
from tests.simulation.broker import Broker
from tests.simulation.disk import DiskStore
from tests.simulation.groups import Group, Member
from tests.simulation.runs import SCENARIOS, SimulationError, run
from tests.simulation.session import TOPIC_ID, SimulatedSession

ENOUGH_SEEDS = 300
Patch = pytest.MonkeyPatch


def applies_before_the_commit(patch: Patch) -> None:
    fold = Worker._fold

    def early(self: Worker, groups: Mapping[Inbox, list[Message]], out: BatchOutbox) -> Any:
        folded = fold(self, groups, out)
        for inbox, rows in folded.rows.items():
            store = self._holdings.backing(inbox)
            assert isinstance(store, DiskStore)
            sync = store.sync or Sync(TOPIC_ID, 0, self._wall_ms())
            self._holdings._write(inbox, store, rows, sync)  # takes a failure of the disk as the engine does
        return folded

    patch.setattr(Worker, "_fold", early)


def takes_an_unknown_result_for_an_abort(patch: Patch) -> None:
    give_back = Worker._give_back
    patch.setattr(Worker, "_give_back", lambda self, error: give_back(self, AbortedError(str(error))))


def does_not_rewind(patch: Patch) -> None:
    patch.setattr(SimulatedSession, "rewind", lambda self: None)


def skips_the_restore(patch: Patch) -> None:
    patch.setattr(Restore, "advance", lambda self: False)


def takes_an_interrupted_restore_for_a_complete_one(patch: Patch) -> None:
    advance = Restore.advance

    def ends(self: Restore) -> bool:
        try:
            return advance(self)
        except UnavailableError:
            self._slices = iter(())
            raise

    patch.setattr(Restore, "advance", ends)


def reads_messages_during_the_restore(patch: Patch) -> None:
    take = Holdings.take

    def hasty(self: Holdings, inbox: Inbox) -> None:
        take(self, inbox)
        self._session.resume(inbox)

    patch.setattr(Holdings, "take", hasty)


def restores_up_to_the_stable_offset(patch: Patch) -> None:
    def table_end(self: SimulatedSession, number: int) -> TableEnd:
        found = self._broker.partition(Inbox(self._table, number))
        return TableEnd(TOPIC_ID, found.start, found.stable)

    patch.setattr(SimulatedSession, "table_end", table_end)


def takes_offsets_that_may_still_change(patch: Patch) -> None:
    patch.setattr(SimulatedSession, "_committed", lambda self, inbox: self._broker.offset(self._group.name, inbox))


def commits_the_message_itself(patch: Patch) -> None:
    _move_offsets(patch, -1)


def commits_one_too_many(patch: Patch) -> None:
    _move_offsets(patch, 1)


def _move_offsets(patch: Patch, by: int) -> None:
    send = SimulatedSession.send_offsets

    def moved(self: SimulatedSession, offsets: Mapping[Inbox, int], notes: Mapping[Inbox, str]) -> None:
        send(self, {inbox: offset + by for inbox, offset in offsets.items()}, notes)

    patch.setattr(SimulatedSession, "send_offsets", moved)


def trusts_every_store(patch: Patch) -> None:
    patch.setattr(engine_store, "_distrust", lambda *about: "")


def trusts_a_store_of_any_age(patch: Patch) -> None:
    distrust = engine_store._distrust

    def ageless(sync: Sync | None, topic: TableEnd, max_age_ms: int, now_ms: int) -> str:
        return distrust(sync, topic, now_ms, now_ms)

    patch.setattr(engine_store, "_distrust", ageless)


def keeps_what_was_left_after_a_failure(patch: Patch) -> None:
    give_back = Worker._give_back

    def keeps(self: Worker, error: Exception) -> None:
        left = self._left
        give_back(self, error)
        self._left = left

    patch.setattr(Worker, "_give_back", keeps)


def keeps_messages_of_a_partition_that_went_and_came_back(patch: Patch) -> None:
    patch.setattr(Worker, "_poll", lambda self, timeout: self._session.poll(self._pace.limit, timeout))


def does_not_take_back_the_writes_of_a_poisoned_message(patch: Patch) -> None:
    patch.setattr(Overlay, "undo", lambda self: None)


def does_not_take_back_what_a_poisoned_message_sent(patch: Patch) -> None:
    patch.setattr(BatchOutbox, "undo", lambda self: None)


def says_its_store_is_further_than_it_is(patch: Patch) -> None:
    apply = DiskStore.apply

    def further(self: DiskStore, rows: Mapping[bytes, bytes | None], sync: Sync) -> None:
        apply(self, rows, Sync(sync.topic_id, sync.offset + 2, sync.timestamp))

    patch.setattr(DiskStore, "apply", further)


def sends_no_tombstones_to_its_table(patch: Patch) -> None:
    produce_rows = SimulatedSession.produce_rows

    def living(self: SimulatedSession, partition: int, rows: Mapping[bytes, bytes | None]) -> None:
        produce_rows(self, partition, {key: value for key, value in rows.items() if value is not None})

    patch.setattr(SimulatedSession, "produce_rows", living)


def does_not_write_the_store(patch: Patch) -> None:
    """Step 6 left out: what the next batch reads is old."""
    patch.setattr(Worker, "_apply", lambda *about: None)


def writes_no_ticks(patch: Patch) -> None:
    patch.setattr(OwnRows, "wants_tick", lambda self, now_ms, clock: False)


def forgets_what_is_due_at_a_restore(patch: Patch) -> None:
    patch.setattr(OwnRows, "_look", lambda self, index, after=None: None)


def does_not_take_what_is_due_out_of_the_index(patch: Patch) -> None:
    patch.setattr(
        counting,
        "take_due",
        lambda store, now_ms, limit: [key[len(DUE) + 8 :] for key in due_keys(store, DUE, now_ms, limit)],
    )


def does_not_park(patch: Patch) -> None:
    patch.setattr(folding, "park", lambda *about: None)


def tries_a_parked_message_and_keeps_it(patch: Patch) -> None:
    def keeps(store: Store, key: bytes) -> object:
        found = parked.release(store, key)
        store.put(key, b"\x01\x92\x01\x00")
        return found

    patch.setattr(retrying, "release", keeps)


def leaves_parts_of_rows_that_shrank(patch: Patch) -> None:
    patch.setattr(Overlay, "stored", lambda self, split: stored(self.writes, {}))


def lets_zombies_commit(patch: Patch) -> None:
    def accepts(self: Group, member: Member) -> bool:
        return True

    patch.setattr(Group, "accepts", accepts)


def does_not_fence(patch: Patch) -> None:
    patch.setattr(Broker, "check", lambda self, producer, epoch: None)


def reads_what_was_aborted(patch: Patch) -> None:
    def visible(record: partition.Record) -> bool:
        return True

    patch.setattr(partition, "_visible", visible)


OMISSIONS: Iterable[Callable[[Patch], None]] = (
    applies_before_the_commit,
    takes_an_unknown_result_for_an_abort,
    does_not_rewind,
    skips_the_restore,
    takes_an_interrupted_restore_for_a_complete_one,
    reads_messages_during_the_restore,
    restores_up_to_the_stable_offset,
    takes_offsets_that_may_still_change,
    commits_the_message_itself,
    commits_one_too_many,
    trusts_every_store,
    trusts_a_store_of_any_age,
    keeps_what_was_left_after_a_failure,
    keeps_messages_of_a_partition_that_went_and_came_back,
    does_not_take_back_the_writes_of_a_poisoned_message,
    does_not_take_back_what_a_poisoned_message_sent,
    says_its_store_is_further_than_it_is,
    sends_no_tombstones_to_its_table,
    does_not_write_the_store,
    writes_no_ticks,
    forgets_what_is_due_at_a_restore,
    does_not_take_what_is_due_out_of_the_index,
    does_not_park,
    tries_a_parked_message_and_keeps_it,
    leaves_parts_of_rows_that_shrank,
    lets_zombies_commit,
    does_not_fence,
    reads_what_was_aborted,
)


@pytest.mark.parametrize("omission", OMISSIONS, ids=lambda omission: omission.__name__)
def test_an_engine_or_log_is_noticed_that(omission: Callable[[Patch], None], monkeypatch: Patch) -> None:
    omission(monkeypatch)
    for seed in range(ENOUGH_SEEDS):
        try:
            run(SCENARIOS["counting"], seed)
        except SimulationError as error:
            assert isinstance(error.__cause__, AssertionError | KeyError), error  # noqa: PT017
            return
    pytest.fail(f"{ENOUGH_SEEDS} seeds came out right")
