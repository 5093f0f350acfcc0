"""Which tokens were used already, known to all workers: a table in memory that they share, so that no folder is needed.

It holds a hash of each token's issuer and id until the token expires, and nothing else of it.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import struct
import time

MOST_REMEMBERED = 1 << 17
PLACES = 64
"""A token may be remembered in so many places, one after the other from where its hash points."""
WAIT_SECONDS = 0.1
"""So long does a worker wait for another that writes."""
_ENTRY = struct.Struct("=16sd")


class Table:
    """The memory. Made before workers are forked, so that all have the same one."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self.most = most
        self.memory = mmap.mmap(-1, most * _ENTRY.size)
        # A lock of a file is given back by the kernel when its process ends, whatever it was doing.
        self.lock = os.memfd_create("careplan-used-tokens", os.MFD_CLOEXEC)


_of_this_service = Table()


class UsedTokens:
    """Remembers tokens."""

    def __init__(self, table: Table = _of_this_service) -> None:
        self._table = table

    def first_use(self, issuer: str, name: str, until: float) -> bool:
        """Whether this is the first use of a token, which is remembered from now on. False as well where that fails."""
        mark = hashlib.sha256(f"{issuer}\0{name}".encode(errors="surrogatepass")).digest()[:16]
        if not self._locked():
            return False
        try:
            return self._remembered(mark, until)
        finally:
            fcntl.lockf(self._table.lock, fcntl.LOCK_UN)

    def _remembered(self, mark: bytes, until: float) -> bool:
        memory, most, now = self._table.memory, self._table.most, time.time()
        free = None
        first = int.from_bytes(mark[:8], "little")
        for step in range(min(PLACES, most)):
            at = (first + step) % most * _ENTRY.size
            known, expires = _ENTRY.unpack_from(memory, at)
            if known == mark and expires > now:
                return False
            if free is None and expires <= now:
                free = at
        if free is None:
            return False
        memory[free : free + _ENTRY.size] = _ENTRY.pack(mark, until)
        return True

    def _locked(self) -> bool:
        give_up = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                fcntl.lockf(self._table.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > give_up:
                    return False
                time.sleep(0.001)
            else:
                return True
