"""Stands between clients and brokers, knows the requests of a transaction, and has some of them come late or not at all.

It reads no more than the header of a request (api key, version, correlation id; Kafka protocol guide): answers are matched
by the correlation id. Brokers advertise its ports to whom they meet on them, so that clients stay behind it.
"""

from __future__ import annotations

import asyncio
import struct
import threading
from collections import Counter
from collections.abc import Iterable
from enum import IntEnum, StrEnum
from typing import NamedTuple

DRAIN_SECONDS = 30.0
"""How long a connection to a broker outlives its client, for answers that are still due."""


class Api(IntEnum):
    """The requests about a transaction; all but the last go to the coordinator of transactions, that one to the group's."""

    AddPartitionsToTxn = 24
    AddOffsetsToTxn = 25
    EndTxn = 26
    TxnOffsetCommit = 28


class Way(StrEnum):
    """What happens to a request."""

    REQUEST_LATE = "request late"  # with all that follows on its connection; also after its client has left
    REQUEST_LATE_AND_CUT = "request late, client cut off"  # it tries again at once, and the first try arrives after that
    REQUEST_LOST = "request lost"  # with its connection
    ANSWER_LATE = "answer late"
    ANSWER_LOST = "answer lost"  # with its connection


class Strike(NamedTuple):
    """The next request of this kind is dealt with in this way; `seconds`: how late."""

    api: Api
    way: Way
    seconds: float


class Proxy:
    """Ports of this machine that lead to others, served by a thread until `close`."""

    def __init__(self) -> None:
        self.done: Counter[tuple[Api, Way]] = Counter()  # strikes that are over
        self._armed: list[Strike] = []
        self._under_way = 0
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        self._links: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()

    def lead(self, port: int, to: int) -> None:
        """Whoever connects to `port` of 127.0.0.1 speaks with `to`."""
        asyncio.run_coroutine_threadsafe(self._listen(port, to), self._loop).result()

    def arm(self, strikes: Iterable[Strike]) -> None:
        """Each is carried out on the next request of its kind, whoever sends it."""
        with self._lock:
            self._armed += strikes

    @property
    def quiet(self) -> bool:
        """Nothing is armed, late or about to be lost."""
        with self._lock:
            return not self._armed and not self._under_way

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self, port: int, to: int) -> None:
        async def link(client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._links.add(task)
            try:
                await _Link(self, client_in, client_out).run(to)
            except asyncio.CancelledError:
                return  # only `close` cancels it; what serves it cannot be cancelled
            finally:
                self._links.discard(task)

        self._servers.append(await asyncio.start_server(link, "127.0.0.1", port))

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        for link in list(self._links):
            link.cancel()
        await asyncio.gather(*self._links, return_exceptions=True)

    def take(self, api: int) -> Strike | None:
        """The strike that this request is for, if any; `over` is due for it."""
        with self._lock:
            for strike in self._armed:
                if strike.api == api:
                    self._armed.remove(strike)
                    self._under_way += 1
                    return strike
        return None

    def over(self, strike: Strike, *, carried_out: bool) -> None:
        """A strike that a broken connection came before is armed again."""
        with self._lock:
            self._under_way -= 1
            if carried_out:
                self.done[(strike.api, strike.way)] += 1
            else:
                self._armed.append(strike)


class _Link:
    """One client's connection, and the one to the broker that belongs to it."""

    def __init__(self, proxy: Proxy, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._client_in = client_in
        self._client_out = client_out
        self._due: dict[int, Strike | None] = {}  # answers that are to come, by correlation id
        self._holding = False  # one of them is held up
        self._left = False  # the client will not send anything more

    async def run(self, port: int) -> None:
        try:
            broker_in, broker_out = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            self._client_out.close()
            return
        down = asyncio.create_task(self._down(broker_in))
        try:
            await self._up(broker_out)
            self._left = True
            await asyncio.wait([down], timeout=DRAIN_SECONDS if self._due or self._holding else 0)
        finally:
            down.cancel()
            await asyncio.gather(down, return_exceptions=True)
            for strike in filter(None, self._due.values()):
                self._proxy.over(strike, carried_out=False)
            self._client_out.close()
            broker_out.close()

    async def _up(self, broker_out: asyncio.StreamWriter) -> None:
        """From the client to the broker, in order. Goes on with what a client that has left had sent."""
        while (frame := await _frame(self._client_in)) is not None:
            api, _, correlation = struct.unpack_from(">hhi", frame, 4)
            strike = self._proxy.take(api)
            if strike is not None and strike.way in {Way.ANSWER_LATE, Way.ANSWER_LOST}:
                self._due[correlation] = strike
            elif strike is not None:
                try:
                    if strike.way is not Way.REQUEST_LATE:
                        self._client_out.close()
                    if strike.way is Way.REQUEST_LOST:
                        return
                    await asyncio.sleep(strike.seconds)
                finally:
                    self._proxy.over(strike, carried_out=True)
                self._due[correlation] = None
            else:
                self._due[correlation] = None
            try:
                broker_out.write(frame)
                await broker_out.drain()
            except ConnectionError:
                return

    async def _down(self, broker_in: asyncio.StreamReader) -> None:
        while (frame := await _frame(broker_in)) is not None:
            (correlation,) = struct.unpack_from(">i", frame, 4)
            strike = self._due.pop(correlation, None)
            if strike is not None:
                self._holding = True
                try:
                    if strike.way is Way.ANSWER_LATE:
                        await asyncio.sleep(strike.seconds)
                    else:
                        self._client_out.close()
                finally:
                    self._holding = False
                    self._proxy.over(strike, carried_out=True)
            if not self._client_out.is_closing():
                try:
                    self._client_out.write(frame)
                    await self._client_out.drain()
                except ConnectionError:
                    self._client_out.close()
            if self._left and not self._due:
                break
        self._client_out.close()


async def _frame(stream: asyncio.StreamReader) -> bytes | None:
    """One request or answer with the size before it. None: the other side has left."""
    try:
        size = await stream.readexactly(4)
        return size + await stream.readexactly(struct.unpack(">i", size)[0])
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
