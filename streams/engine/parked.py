"""Messages that ended as dead letters inside the pipeline: kept in the partition's store as well, and tried again.

    ENGINE parked               a `Tally`
    ENGINE parked/<id>          a `Parked` message, whole
    ENGINE retry/<time><id>     when it is tried again, and what came of it so far (`Tries`)

Messages between processors carry sequences, versions and epochs, so one that comes late, or twice, changes nothing that came
after it. That makes a retry safe. Nothing is removed here but what was processed in the end.
"""

from __future__ import annotations

import msgspec

from schemas.messages import Codec
from streams.engine.contract import ENGINE, Headers, Message, Store
from streams.engine.due import due_keys

PARKED = ENGINE + b"parked"
MESSAGES = ENGINE + b"parked/"
RETRIES = ENGINE + b"retry/"

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 60_000, 24 * 3_600_000
"""From a failure to the next try: what a message waits for is often there soon, or only once somebody has done something."""

MOST_TRIED = 100
"""Messages tried again for one tick."""

MOST_HURRIED = 5_000
"""Times moved for one tick of an operator: it asks for all of them."""

_TIME_BYTES = 8
_AFTER_TIME = len(RETRIES) + _TIME_BYTES


class Tally(msgspec.Struct, frozen=True):
    """How many messages wait."""

    count: int = 0


class Parked(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it came, and why it was refused first."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp: int
    reason: str

    @property
    def message(self) -> Message:
        """As it came."""
        return Message(self.topic, self.partition, self.offset, self.key, self.value, self.headers, self.timestamp)


class Tries(msgspec.Struct, frozen=True, array_like=True):
    """How often it failed, and the time of the tick that last had it tried, ms; 0: none did yet."""

    count: int
    last_ms: int


_TALLY: Codec[Tally] = Codec(Tally)
_PARKED: Codec[Parked] = Codec(Parked)
_TRIES: Codec[Tries] = Codec(Tries)


def read_tally(row: bytes | None) -> Tally:
    """The tally of a store."""
    return _TALLY.decode(row) if row else Tally()


def park(store: Store, message: Message, reason: str, now_ms: int) -> None:
    """Keeps a message that was refused. The same message once more is still one."""
    name = f"{message.ref}@{message.timestamp}".encode()
    if store.get(MESSAGES + name) is None:
        _count(store, 1)
    row = Parked(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        headers=message.headers,
        timestamp=message.timestamp,
        reason=reason,
    )
    store.put(MESSAGES + name, _PARKED.encode(row))
    _wait(store, name, now_ms, Tries(1, 0))


def due_again(store: Store, now_ms: int) -> list[bytes]:
    """Keys of `RETRIES` whose time has come, the first `MOST_TRIED`."""
    return due_keys(store, RETRIES, now_ms, MOST_TRIED)


def release(store: Store, key: bytes) -> tuple[Message, Tries] | None:
    """Takes a message out to try it; `wait_longer` puts it back. None if it is there no more."""
    name, tries = key[_AFTER_TIME:], store.get(key)
    row = store.get(MESSAGES + name)
    store.delete(key)
    if row is None or tries is None:
        return None
    store.delete(MESSAGES + name)
    _count(store, -1)
    return _PARKED.decode(row).message, _TRIES.decode(tries)


def wait_longer(store: Store, key: bytes, tries: Tries, now_ms: int) -> None:
    """It failed again: the message stays as it was, and waits twice as long."""
    store.delete(key)
    _wait(store, key[_AFTER_TIME:], now_ms, Tries(tries.count + 1, now_ms))


def hurry(store: Store, now_ms: int) -> bool:
    """Makes all that wait due now, but for those tried at this time already. True if there are more than one tick moves."""
    moved: list[tuple[bytes, bytes]] = []
    for key, row in store.scan(RETRIES, RETRIES + (now_ms + 1).to_bytes(_TIME_BYTES, "big")):
        if _TRIES.decode(row).last_ms < now_ms:
            moved.append((key, row))
        if len(moved) > MOST_HURRIED:
            break
    for key, row in moved[:MOST_HURRIED]:
        store.delete(key)
        store.put(_key(now_ms, key[_AFTER_TIME:]), row)
    return len(moved) > MOST_HURRIED


def _wait(store: Store, name: bytes, now_ms: int, tries: Tries) -> None:
    pause = min(FIRST_PAUSE_MS << min(tries.count - 1, 20), LONGEST_PAUSE_MS)
    store.put(_key(now_ms + pause, name), _TRIES.encode(tries))


def _key(at_ms: int, name: bytes) -> bytes:
    return RETRIES + at_ms.to_bytes(_TIME_BYTES, "big") + name


def _count(store: Store, by: int) -> None:
    store.put(PARKED, _TALLY.encode(Tally(read_tally(store.get(PARKED)).count + by)))
