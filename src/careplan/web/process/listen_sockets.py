"""The port of the service: bound once and held, with a queue of connections for each worker.

From one queue for all, whichever worker happens to be awake takes a whole burst of connections and keeps them, while the
others idle. The kernel spreads connections over several queues instead, and can be told to leave one out. A queue
outlives its worker: what waits in it is served by the next one.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress

_SO_ATTACH_FILTER = 26
_SO_ATTACH_REUSEPORT_CBPF = 51
# Classic BPF: load a random number, take a remainder, jump if equal, return.
_LOAD, _MODULO, _JUMP_IF, _RETURN = 0x20, 0x94, 0x15, 0x06
_RANDOM = 0xFFFFF038
_ON_LINUX = sys.platform == "linux"


class Listeners:
    """The listening sockets of one address and port."""

    def __init__(self, host: str, port: int, workers: int, backlog: int) -> None:
        """Raises `OSError` if another process has the port."""
        first = _bound(host, port, shared=False)
        self.sockets = [first]
        try:
            first.listen(backlog)
            self.port: int = first.getsockname()[1]
            if _ON_LINUX and workers > 1:
                # Only now, so that a second service finds the port taken, and the others below may join.
                first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                for _ in range(workers - 1):
                    other = _bound(host, self.port, shared=True)
                    self.sockets.append(other)
                    other.listen(backlog)
        except OSError:
            self.close()
            raise
        self._out: set[int] = set()

    def of(self, worker: int) -> socket.socket:
        """The socket from which a worker accepts; workers count from 0."""
        return self.sockets[worker % len(self.sockets)]

    def leave_out(self, worker: int) -> None:
        """Send new connections to other workers."""
        self._out.add(worker)
        self._spread()

    def take_back(self, worker: int) -> None:
        """Send it its share of new connections again."""
        self._out.discard(worker)
        self._spread()

    def hide(self) -> None:
        """Let the kernel drop attempts to connect.

        They are repeated after a second and then refused, so that a client knows that its request was not begun. To close
        the sockets would cut off those that wait in their queues.
        """
        if _ON_LINUX:
            for listening in self.sockets:
                with suppress(OSError):
                    _attach(listening, _SO_ATTACH_FILTER, [(_RETURN, 0, 0, 0)])

    def close(self) -> None:
        """Give up the port."""
        for listening in self.sockets:
            listening.close()

    def _spread(self) -> None:
        within = [at for at in range(len(self.sockets)) if at not in self._out]
        if len(self.sockets) < 2 or not within:
            return
        chosen = [step for nth, at in enumerate(within) for step in ((_JUMP_IF, 0, 1, nth), (_RETURN, 0, 0, at))]
        program = [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, len(within)), *chosen, (_RETURN, 0, 0, within[0])]
        # A kernel that refuses it goes on spreading over all: those for a missing worker then wait for the next one.
        with suppress(OSError):
            _attach(self.sockets[0], _SO_ATTACH_REUSEPORT_CBPF, program)


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


def _attach(listening: socket.socket, option: int, program: Iterable[tuple[int, int, int, int]]) -> None:
    steps = [struct.pack("HBBI", *step) for step in program]
    text = ctypes.create_string_buffer(b"".join(steps))
    listening.setsockopt(socket.SOL_SOCKET, option, struct.pack("HP", len(steps), ctypes.addressof(text)))
