"""What is done to a run. Each fault returns when it struck (ms since the epoch), for the takeover to be measured from."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from tests.chaos.brokers import REPLICA, Brokers
from tests.chaos.processes import Child, Supervised, Supervisor
from tests.chaos.proxy import Api, Strike, Way
from tests.chaos.worker import FENCED_CODE, holds
from tests.parts.java_kafka import JavaKafka

Fault = Callable[["Run"], int]

FROZEN_SECONDS = 15.0
"""Past the session time-out (10 s), the transaction time-out (10 s) and the poll limit of the workers (12 s)."""

AWAY_SECONDS = 25.0

LATE_SECONDS = {
    Way.REQUEST_LATE: (1.0, 18.0),  # the longest outlive every transaction, and every wait for an answer
    Way.REQUEST_LATE_AND_CUT: (0.05, 8.0),  # the shortest arrive within the next transaction
    Way.REQUEST_LOST: (0.0, 0.0),
    Way.ANSWER_LATE: (1.0, 18.0),
    Way.ANSWER_LOST: (0.0, 0.0),
}

ORDER_PATIENCE = 120.0


class ChaosError(Exception):
    """Something that had to happen did not."""


class Run(Protocol):
    """What a fault can reach."""

    random: Random
    brokers: Brokers
    supervisor: Supervisor
    stops: list[float]
    table: str  # the topic on the brokers

    def idle(self, newcomers: Sequence[Supervised]) -> bool: ...

    def restored_by_others(self, worker: Supervised) -> set[int]: ...

    def until(self, done: Callable[[], bool], what: str) -> None: ...

    def victim(self) -> Supervised: ...

    def twin(self, worker: Supervised) -> Child: ...

    def newcomer(self) -> Supervised: ...

    def dismiss(self, worker: Supervised) -> None: ...


def now_ms() -> int:
    return int(time.time() * 1000)


# -- processes --


def kill(run: Run) -> int:
    """At any moment; comes back after a second."""
    victim = run.victim()
    struck = now_ms()
    victim.signal(signal.SIGKILL)
    return struck


def kill_for_good(run: Run) -> int:
    """The others take over after the session time-out."""
    victim = run.victim()
    struck = now_ms()
    victim.kill()
    run.supervisor.wait(AWAY_SECONDS)
    victim.start()
    return struck


def kill_at(step: int) -> Fault:
    """At a numbered step of the commit protocol (7: after the last)."""

    def fault(run: Run) -> int:
        return _order(run, run.victim(), f"kill {step}")

    return fault


def freeze(run: Run) -> int:
    """SIGSTOP at any moment, past every time-out."""
    victim = run.victim()
    struck = now_ms()
    victim.signal(signal.SIGSTOP)
    run.supervisor.wait(FROZEN_SECONDS)
    victim.signal(signal.SIGCONT)
    return struck


def freeze_at(step: int) -> Fault:
    """SIGSTOP with a transaction open, past every time-out."""

    def fault(run: Run) -> int:
        victim = run.victim()
        struck = _order(run, victim, f"freeze {step}")
        run.supervisor.wait(FROZEN_SECONDS)
        victim.signal(signal.SIGCONT)
        return struck

    return fault


def stall_at(step: int) -> Fault:
    """Past the poll limit, while the client goes on sending heartbeats."""

    def fault(run: Run) -> int:
        struck = _order(run, run.victim(), f"stall {step} {FROZEN_SECONDS}")
        run.supervisor.wait(FROZEN_SECONDS)
        return struck

    return fault


def second_instance(run: Run) -> int:
    """Another process under an instance's name: one of the two leaves, and says why."""
    victim = run.victim()
    before = len(victim.codes)
    struck = now_ms()
    twin = run.twin(victim)
    deadline = time.monotonic() + ORDER_PATIENCE
    while twin.code is None and time.monotonic() < deadline:
        run.supervisor.wait(0.5)
    run.stops.append(_timed(lambda: twin.stop(30)))
    fenced = [code for code in (*victim.codes[before:], twin.code) if code == FENCED_CODE]
    if not fenced:
        raise ChaosError(f"of two processes under one name, none was fenced: {victim.codes[before:]}, {twin.code}")
    return struck


def restart(run: Run) -> int:
    """SIGTERM, and back again at once: moves nothing."""
    victim = run.victim()
    struck = now_ms()
    run.stops.append(victim.stop())
    victim.start()
    return struck


def come_and_go(run: Run) -> int:
    """One more process joins, and leaves again."""
    newcomer = run.newcomer()
    struck = now_ms()
    run.supervisor.wait(8)
    run.stops.append(newcomer.stop())
    run.dismiss(newcomer)
    return struck


def rebalance_during_restore(run: Run) -> int:
    """A wiped store is slowly rebuilt while another process joins and one is killed."""
    victim = run.victim()
    victim.kill()
    struck = now_ms()
    shutil.rmtree(victim.folder / "stores", ignore_errors=True)
    (victim.folder / "slow").touch()
    victim.start()
    run.supervisor.wait(2)
    newcomer = run.newcomer()
    run.supervisor.wait(4)
    newcomer.kill()
    (victim.folder / "slow").unlink()
    run.dismiss(newcomer)
    return struck


# -- stores --


def wiped_store(run: Run) -> int:
    victim = run.victim()
    victim.kill()
    struck = now_ms()
    shutil.rmtree(victim.folder / "stores", ignore_errors=True)
    victim.start()
    return struck


def stale_store(run: Run) -> int:
    """An older copy comes back, as from a backup."""
    victim = run.victim()
    stores, copy = victim.folder / "stores", victim.folder / "copy"
    run.stops.append(victim.stop())
    shutil.rmtree(copy, ignore_errors=True)
    if stores.exists():
        shutil.copytree(stores, copy)
    victim.start()
    run.supervisor.wait(5)
    victim.kill()
    struck = now_ms()
    shutil.rmtree(stores, ignore_errors=True)
    if copy.exists():
        shutil.copytree(copy, stores)
    victim.start()
    return struck


def corrupt_store(run: Run) -> int:
    """Bytes in the middle of every file of rows are not what they were."""
    victim = run.victim()
    run.stops.append(victim.stop())
    struck = now_ms()
    for file in (victim.folder / "stores").rglob("*.sst"):
        content = bytearray(file.read_bytes())
        middle = len(content) // 3
        content[middle : middle + 64] = bytes(run.random.randrange(256) for _ in range(64))
        file.write_bytes(content)
    victim.start()
    return struck


# -- brokers --


def broker_killed(run: Run) -> int:
    """kill -9, and back after some seconds; a single broker is away for 10 to 20 s, and longer on a busy machine.

    The standstill is counted from when it answers again.
    """
    broker = run.random.choice(run.brokers.parts)
    broker.kill()
    run.supervisor.wait(run.random.uniform(1, 8))
    broker.start()
    return now_ms()


def replica_frozen(run: Run) -> int:
    """A follower of the table is frozen when a batch is written and not yet committed; the batch is committed, its worker
    dies, and another, with nothing to do until then, takes over before the end of the transaction shows in the table."""
    replica = run.brokers.parts[REPLICA]
    assert isinstance(replica, JavaKafka)
    newcomers = [run.newcomer(), run.newcomer()]
    run.until(lambda: run.idle(newcomers), "a newcomer is idle")
    run.until(lambda: REPLICA + 1 not in run.brokers.table_leaders(run.table), "the table is led by others")
    victim = run.victim()
    held = holds(victim.says())
    pid = replica.pid
    assert pid is not None
    victim.keep_away()
    try:
        struck = _order(run, victim, f"freeze-broker {pid}")
        run.until(lambda: held <= run.restored_by_others(victim), "others know how far to restore what it held")
    finally:
        os.kill(pid, signal.SIGCONT)
    victim.start()
    for newcomer in newcomers:
        run.stops.append(newcomer.stop())
        run.dismiss(newcomer)
    return struck


# -- requests of transactions --


def late(api: Api) -> Fault:
    """In every way, each on another request: while nobody waits for it any more, too."""

    def fault(run: Run) -> int:
        struck = now_ms()
        run.brokers.proxy.arm(Strike(api, way, run.random.uniform(*LATE_SECONDS[way])) for way in (*Way, *Way))
        run.until(lambda: run.brokers.proxy.quiet, f"{api.name} was late and lost in every way")
        return struck

    return fault


ALL: dict[str, Fault] = {
    **{f"kill at step {step}": kill_at(step) for step in range(1, 8)},
    "kill": kill,
    "kill, away": kill_for_good,
    "freeze": freeze,
    "freeze at step 2": freeze_at(2),
    "freeze at step 4": freeze_at(4),
    "freeze at step 6": freeze_at(6),
    "stall at step 3": stall_at(3),
    "stall at step 5": stall_at(5),
    "broker killed": broker_killed,
    "rebalance during restore": rebalance_during_restore,
    "wiped store": wiped_store,
    "stale store": stale_store,
    "corrupt store": corrupt_store,
    "second instance": second_instance,
    "restart": restart,
    "come and go": come_and_go,
    **{f"late {api.name}": late(api) for api in Api},
}

REPLICATED: dict[str, Fault] = {"replica frozen": replica_frozen}
"""Faults that need three brokers."""

KILLS = frozenset(name for name in ALL if name.startswith("kill"))

SHORT = (
    "kill at step 3",
    "kill at step 6",
    "freeze at step 4",
    "wiped store",
    "second instance",
    "corrupt store",
    "late EndTxn",
)


def _order(run: Run, victim: Supervised, order: str) -> int:
    """Returns when it was carried out."""
    path = victim.folder / "order"
    path.write_text(order)
    deadline = time.monotonic() + ORDER_PATIENCE
    while path.exists():
        run.supervisor.wait(0.02)
        if time.monotonic() > deadline:
            raise ChaosError(f"{victim.name} did not carry out {order!r}: has it any messages?")
    return now_ms()


def _timed(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began
