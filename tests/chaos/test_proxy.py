"""What the proxy does to a request; no broker needed: the other side answers each with its correlation id."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from queue import Queue

import pytest

from tests.chaos.proxy import Api, Proxy, Strike, Way
from tests.parts.ports import free_port

LATE = 0.3
PATIENCE = 10.0
PRODUCE = 0


class Broker:
    """Answers every request of every connection, and keeps them."""

    def __init__(self) -> None:
        self.requests: Queue[bytes] = Queue()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def next(self) -> int:
        """Correlation id of the next request that arrives."""
        found: int = struct.unpack_from(">hhi", self.requests.get(timeout=PATIENCE), 4)[2]
        return found

    def _accept(self) -> None:
        while True:
            try:
                connection = self._server.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            while (request := frame(connection)) is not None:
                self.requests.put(request)
                connection.sendall(struct.pack(">ii", 4, struct.unpack_from(">hhi", request, 4)[2]))

    def close(self) -> None:
        self._server.close()


def frame(connection: socket.socket) -> bytes | None:
    size = connection.recv(4, socket.MSG_WAITALL)
    return size + connection.recv(struct.unpack(">i", size)[0], socket.MSG_WAITALL) if len(size) == 4 else None


def request(api: int, correlation: int) -> bytes:
    return struct.pack(">ihhi", 8, api, 0, correlation)


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture
def client(proxy: Proxy, broker: Broker) -> Iterator[socket.socket]:
    port = free_port()
    proxy.lead(port, broker.port)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(PATIENCE)
        yield connection


def answered(client: socket.socket) -> int | None:
    found = frame(client)
    return None if found is None else struct.unpack_from(">i", found, 4)[0]


def test_requests_and_answers_pass_in_order_while_nothing_is_armed(client: socket.socket) -> None:
    client.sendall(request(Api.EndTxn, 1) + request(PRODUCE, 2))
    assert [answered(client), answered(client)] == [1, 2]


@pytest.mark.parametrize("way", [Way.REQUEST_LATE, Way.ANSWER_LATE])
def test_what_is_late_holds_up_what_follows_on_its_connection(proxy: Proxy, client: socket.socket, way: Way) -> None:
    proxy.arm([Strike(Api.EndTxn, way, LATE)])
    client.sendall(request(Api.EndTxn, 1) + request(PRODUCE, 2))
    assert not proxy.quiet
    assert [answered(client), answered(client)] == [1, 2]
    assert proxy.quiet
    assert proxy.done == {(Api.EndTxn, way): 1}


def test_a_late_request_arrives_though_its_client_has_left(proxy: Proxy, broker: Broker, client: socket.socket) -> None:
    proxy.arm([Strike(Api.TxnOffsetCommit, Way.REQUEST_LATE, LATE)])
    client.sendall(request(Api.TxnOffsetCommit, 1))
    client.close()
    assert broker.next() == 1


def test_a_client_that_is_cut_off_learns_so_before_its_request_arrives(
    proxy: Proxy, broker: Broker, client: socket.socket
) -> None:
    proxy.arm([Strike(Api.AddOffsetsToTxn, Way.REQUEST_LATE_AND_CUT, LATE)])
    client.sendall(request(Api.AddOffsetsToTxn, 1))
    assert answered(client) is None
    assert broker.requests.empty()
    assert broker.next() == 1


def test_a_lost_request_never_arrives_and_costs_its_connection(proxy: Proxy, broker: Broker, client: socket.socket) -> None:
    proxy.arm([Strike(Api.AddPartitionsToTxn, Way.REQUEST_LOST, 0)])
    client.sendall(request(PRODUCE, 1) + request(Api.AddPartitionsToTxn, 2) + request(PRODUCE, 3))
    assert broker.next() == 1
    while answered(client) is not None:
        pass
    assert proxy.done == {(Api.AddPartitionsToTxn, Way.REQUEST_LOST): 1}
    assert broker.requests.empty()


def test_a_request_whose_answer_is_lost_has_arrived(proxy: Proxy, broker: Broker, client: socket.socket) -> None:
    proxy.arm([Strike(Api.EndTxn, Way.ANSWER_LOST, 0)])
    client.sendall(request(Api.EndTxn, 1))
    assert answered(client) is None
    assert broker.next() == 1
    assert proxy.done == {(Api.EndTxn, Way.ANSWER_LOST): 1}
