"""The kernel is asked whether a client is still there, and its socket is left as it is."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest

from careplan.web.process.connection import connection_of

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["127.0.0.1", "::ffff:127.0.0.1"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The client's end and the server's, over IPv4, or over IPv4 within IPv6."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as listening:
        listening.bind((request.param, 0))
        listening.listen()
        client = socket.create_connection(("127.0.0.1", listening.getsockname()[1]))
        server, _ = listening.accept()
        with client, server:
            yield client, server


def test_a_connection_is_there_until_the_client_resets_it(pair: Pair) -> None:
    client, server = pair
    found = connection_of(client.getsockname())
    assert found is not None
    assert not found.is_over()
    client.sendall(b"a")
    assert server.recv(1) == b"a", "looking must not close it"
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert found.is_over()


def test_a_client_that_sends_no_more_may_still_be_answered(pair: Pair) -> None:
    client, server = pair
    found = connection_of((client.getsockname()[0], str(client.getsockname()[1])))
    assert found is not None
    client.shutdown(socket.SHUT_WR)
    assert server.recv(1) == b""
    assert not found.is_over()


def test_a_number_that_another_connection_has_now_is_not_taken_for_it(pair: Pair) -> None:
    client, server = pair
    found = connection_of(client.getsockname())
    assert found is not None
    number = server.fileno()
    server.close()
    ends = socket.socketpair()
    try:
        assert number in {end.fileno() for end in ends}
        assert found.is_over()
    finally:
        for end in ends:
            end.close()


def test_a_client_without_address_or_that_is_not_connected_here_is_not_found() -> None:
    assert connection_of(None) is None
    assert connection_of(("192.0.2.7", 9)) is None
