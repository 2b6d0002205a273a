"""What waits for its time: an index by due time in the store of a partition, and the ticks that come when something is due.

For the author of a processor with a store:

    schedule(store, at_ms, name)     in `process`: something of this name is to be done at that time, in ms since the epoch,
                                     say the message's timestamp and a day. `name` is any bytes, say the key of a row.
    cancel(store, at_ms, name)       it need not be done then any more. Whoever moves a time keeps it in a row of its own.

When the earliest of these times has come, by the clock of the process that owns the partition, and only then, the engine
writes one `Tick` into the partition's inbox. The processor meets it among its messages, and does what is due:

    case Tick() as tick:
        for name in take_due(store, tick.time, 100):     # takes them out of the index
            ...                                          # the message's own store and outbox: all or nothing, as ever

If more was due than it took, the engine writes the next tick at once. So work stays bounded, and others get their turn.
What a processor must expect:

- A tick may come when nothing is due: after a takeover, from an operator, for messages to be tried again. Then do nothing.
- A tick may come late, or twice. Clocks of processes differ, and may go back: `Tick.time` is no order of anything.
- `tick.everything`: an operator wants what waits for a later time done now. `take_due(store, LAST_MS, limit)` gives it; if
  more is left, send the inbox another such tick (`more`).
- A tick that is rejected, or leaves the earliest time where it was, is followed by the next after a pause that grows.

The pipeline that runs until nothing is left to do (`Pipeline.run`) does not wait for times to come.
"""

from __future__ import annotations

from schemas.messages import TICK, Tick
from streams.engine.contract import ENGINE, Outbox, Store

DUE = ENGINE + b"due/"
"""Rows of the index: this, the time in 8 bytes (big-endian, so in order), the name."""

LAST_MS = (1 << 63) - 1
"""A time after all others."""

_TIME_BYTES = 8
_ROW = b"1"


def schedule(store: Store, at_ms: int, name: bytes) -> None:
    """`name` is due at a time. The same name may be due at several times; the same time said twice is said once."""
    store.put(_key(DUE, at_ms, name), _ROW)


def cancel(store: Store, at_ms: int, name: bytes) -> None:
    """Undoes what `schedule` did with the same time and name; does nothing if that was taken since."""
    store.delete(_key(DUE, at_ms, name))


def take_due(store: Store, now_ms: int, limit: int) -> list[bytes]:
    """The names due at or before a time, the earliest first, at most `limit`; they leave the index."""
    taken = due_keys(store, DUE, now_ms, limit)
    for key in taken:
        store.delete(key)
    return [key[len(DUE) + _TIME_BYTES :] for key in taken]


def more(out: Outbox, inbox: str, partition: int, tick: Tick) -> None:
    """Sends the same tick to its partition again, for what one message was too little."""
    out.send_to(inbox, partition, None, TICK.encode(tick))


# -- for the engine --


def due_keys(store: Store, index: bytes, now_ms: int, limit: int) -> list[bytes]:
    """Keys of an index whose time is not after `now_ms`, in their order, at most `limit`."""
    found: list[bytes] = []
    for key, _ in store.scan(index):
        if len(found) == limit or due_ms(index, key) > now_ms:
            break
        found.append(key)
    return found


def due_ms(index: bytes, key: bytes) -> int:
    """The time of a key of an index."""
    return int.from_bytes(key[len(index) : len(index) + _TIME_BYTES], "big")


def _key(index: bytes, at_ms: int, name: bytes) -> bytes:
    return index + min(max(at_ms, 0), LAST_MS).to_bytes(_TIME_BYTES, "big") + name
