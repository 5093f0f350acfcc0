"""Which tokens were used already, known to all workers: a small file in the folder that they share.

It holds a hash of each token's issuer and id until the token expires, and nothing else of it.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from pathlib import Path

from careplan.web.telemetry.metrics import FOLDER

FILE = "used-tokens.sqlite"
MOST_REMEMBERED = 100_000
WAIT_SECONDS = 1.0
"""So long does a worker wait for another that writes."""


class UsedTokens:
    """Remembers tokens. Made before workers are forked; each opens the file by itself when it first needs it."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._open: tuple[int, sqlite3.Connection] | None = None
        self._swept = 0.0
        self._full = False

    def first_use(self, issuer: str, name: str, until: float) -> bool:
        """Whether this is the first use of a token, which is remembered from now on. False as well where that fails."""
        mark = hashlib.sha256(f"{issuer}\0{name}".encode()).digest()[:16]
        try:
            connection = self._connection()
            now = time.time()
            if now - self._swept > 1:
                self._sweep(connection, now)
            if self._full:
                return False
            found = connection.execute("INSERT OR IGNORE INTO used VALUES (?, ?)", (mark, until))
        except sqlite3.Error:
            return False
        return found.rowcount == 1

    def _sweep(self, connection: sqlite3.Connection, now: float) -> None:
        connection.execute("DELETE FROM used WHERE until <= ?", (now,))
        (count,) = connection.execute("SELECT count(*) FROM used").fetchone()
        self._swept, self._full = now, count >= self._most

    def _connection(self) -> sqlite3.Connection:
        if self._open is None or self._open[0] != os.getpid():
            folder = os.environ.get(FOLDER)
            file = str(Path(folder) / FILE) if folder else ":memory:"
            # Without a transaction of its own each statement is one: of two workers that bring the same token one is first.
            connection = sqlite3.connect(file, timeout=WAIT_SECONDS, isolation_level=None)
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("CREATE TABLE IF NOT EXISTS used (mark BLOB PRIMARY KEY, until REAL) WITHOUT ROWID")
            self._open = (os.getpid(), connection)
        return self._open[1]
