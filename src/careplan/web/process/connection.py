"""Whether the connection of a request is still there.

The server tells that a client is gone only after the last piece of body that it holds, and a piece may have thousands of
lines. The kernel knows at once: so its socket, which the server owns, is looked at and never touched.
"""

from __future__ import annotations

import os
import socket
import stat
from contextlib import closing, suppress
from ipaddress import IPv6Address, ip_address
from itertools import islice
from pathlib import Path

ESTABLISHED, CLOSE_WAIT = 1, 8
"""States of TCP in which the other side still takes what it is sent. In the second it has said that it sends no more."""
MOST = 4_096
"""Descriptors that are looked at for the one socket."""


class Connection:
    """The socket of this process that is connected with a client."""

    def __init__(self, descriptor: int, inode: int) -> None:
        self._descriptor, self._inode = descriptor, inode

    def is_over(self) -> bool:
        """Whether nothing that is sent can arrive any more."""
        try:
            if os.fstat(self._descriptor).st_ino != self._inode:
                return True  # The server closed it, and the number has gone to another file.
            with closing(_Borrowed(fileno=self._descriptor)) as held:
                return held.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] not in (ESTABLISHED, CLOSE_WAIT)
        except OSError:
            return True


def connection_of(client: tuple[str, int | str] | None) -> Connection | None:
    """The connection with this address and port; None if it is not found, as one that is no TCP, or is over already."""
    if client is None:
        return None
    try:
        descriptors = [int(path.name) for path in islice(Path("/proc/self/fd").iterdir(), MOST)]
    except OSError:  # There is no descriptor left for looking.
        return None
    for descriptor in descriptors:
        with suppress(OSError):
            about = os.fstat(descriptor)
            if stat.S_ISSOCK(about.st_mode):
                with closing(_Borrowed(fileno=descriptor)) as held:
                    if held.family in (socket.AF_INET, socket.AF_INET6) and _same(held.getpeername(), client):
                        return Connection(descriptor, about.st_ino)
    return None


def _same(peer: tuple[str, int], client: tuple[str, int | str]) -> bool:
    # The server gives the port as text.
    return peer[1] == int(client[1]) and _plain(peer[0]) == _plain(client[0])


def _plain(address: str) -> str:
    """An address of IPv4 as that, where it is written as one of IPv6."""
    found = ip_address(address.partition("%")[0])
    return str((found.ipv4_mapped if isinstance(found, IPv6Address) else None) or found)


class _Borrowed(socket.socket):
    """A socket of somebody else, which `close` lets go of."""

    def close(self) -> None:
        self.detach()
