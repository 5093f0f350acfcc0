"""The port is held by one service alone, and connections are spread over the queues of its workers."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from careplan.web.process.listen_sockets import Listeners

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections over several queues")
WORKERS = 3


@pytest.fixture
def listeners() -> Iterator[Listeners]:
    with closing(Listeners("127.0.0.1", 0, WORKERS, 1_024)) as made:
        yield made


def taken(listeners: Listeners, connections: int = 120) -> list[int]:
    """How many of so many new connections each worker finds in its queue."""
    found = [0] * WORKERS
    with ExitStack() as clients:
        for _ in range(connections):
            clients.enter_context(socket.create_connection(("127.0.0.1", listeners.port)))
        for at in range(WORKERS):
            queue = listeners.of(at)
            queue.settimeout(0)
            try:
                while True:
                    queue.accept()[0].close()
                    found[at] += 1
            except BlockingIOError:
                continue
    assert sum(found) == connections
    return found


def test_every_worker_gets_a_share_of_the_connections(listeners: Listeners) -> None:
    # One worker without any has a chance of one in 10^20.
    assert min(taken(listeners)) > 0


def test_a_worker_that_is_left_out_gets_none_until_it_is_taken_back(listeners: Listeners) -> None:
    listeners.leave_out(1)
    first, missing, last = taken(listeners)
    assert (missing, first > 0, last > 0) == (0, True, True)
    listeners.take_back(1)
    assert min(taken(listeners)) > 0


def test_a_single_worker_that_is_there_gets_all_of_them(listeners: Listeners) -> None:
    listeners.leave_out(0)
    listeners.leave_out(2)
    assert taken(listeners, 20) == [0, 20, 0]


def test_connections_wait_where_no_worker_is_there(listeners: Listeners) -> None:
    for worker in range(WORKERS):
        listeners.leave_out(worker)
    assert sum(taken(listeners, 20)) == 20


def test_a_second_service_finds_the_port_taken(listeners: Listeners) -> None:
    for workers in (1, 2):
        with pytest.raises(OSError, match="in use"):
            Listeners("127.0.0.1", listeners.port, workers, 1)


def test_a_port_that_is_hidden_is_seen_by_nobody_new_and_what_waits_is_kept(listeners: Listeners) -> None:
    with socket.create_connection(("127.0.0.1", listeners.port)):
        listeners.hide()
        with pytest.raises(TimeoutError):
            socket.create_connection(("127.0.0.1", listeners.port), timeout=0.2)
        waiting = []
        for worker in range(WORKERS):
            listeners.of(worker).settimeout(0)
            try:
                waiting.append(listeners.of(worker).accept()[0])
            except BlockingIOError:
                continue
        assert len(waiting) == 1
        waiting[0].close()


def test_a_port_can_be_bound_again_as_soon_as_it_was_given_up() -> None:
    with closing(Listeners("127.0.0.1", 0, 2, 1)) as first:
        port = first.port
    with closing(Listeners("127.0.0.1", port, 2, 1)) as second:
        assert second.port == port
