"""What the first process and its workers know of each other: memory that all have in common, forked from the first.

Nothing of it is in a file, so that no folder for temporary files has to be there, or have room. It holds nothing of a
request. Each place is written by one process: a worker's own by that worker, all others by the first process.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from typing import NamedTuple

_READY, _DRAINING = 0, 1
_NUMBER = struct.Struct("=Q")
_PLACE = struct.Struct("=QQQ")
_EDITION_AT, _REPORT_AT, _COUNTS_AT = 8, 32, 64
_WORKERS_AT, _WORKER_BYTES, MOST_WORKERS = 4_096, 128, 256
_REPORTS_AT, LONGEST_REPORT = 65_536, 65_536
_STATE = struct.Struct("=?7xQdQI")
_DIGEST_AT = 64
_shared = mmap.mmap(-1, _REPORTS_AT + 2 * LONGEST_REPORT)


class WorkerState(NamedTuple):
    """What is known of a worker. `beat` is when it last said that it lives, by this machine's steady clock; 0.0 for never.

    `edition` is the number of the edition that it serves, `digest` that of its rulebook; `flags` has bits for its troubles.
    """

    ready: bool
    pid: int
    beat: float
    edition: int
    flags: int
    digest: str


class Place(NamedTuple):
    """Where the accepted edition is: its number, counting from 1 (0 for none yet), its slot, and its length."""

    number: int
    slot: int
    length: int


def ever_ready() -> bool:
    """Whether any worker was ever up."""
    return bool(_shared[_READY])


def draining() -> bool:
    """Whether the service is about to stop."""
    return bool(_shared[_DRAINING])


def drain_from_now_on() -> None:
    """Let workers that start from now on know that the service is about to stop."""
    _shared[_DRAINING] = 1


def expect(worker: int) -> None:
    """Note that a worker of this number is about to be forked: it is not ready, whatever the one before was."""
    _write(_at(worker), bytes(_WORKER_BYTES))


def tell(worker: int, *, edition: int, digest: str, flags: int) -> None:
    """Note how this process, the worker of this number, is now: it is up."""
    at = _at(worker)
    _write(at, _STATE.pack(True, os.getpid(), time.monotonic(), edition, flags))  # noqa: FBT003 - a field
    _write(at + _DIGEST_AT, bytes.fromhex(digest)[:32].ljust(32, b"\0"))
    _shared[_READY] = 1


def state_of(worker: int) -> WorkerState:
    """What is known of the worker of this number."""
    at = _at(worker)
    ready, pid, beat, edition, flags = _STATE.unpack_from(_shared, at)
    digest = _shared[at + _DIGEST_AT : at + _DIGEST_AT + 32]
    return WorkerState(ready, pid, beat, edition, flags, digest.hex() if any(digest) else "")


def accepted() -> Place:
    """Where the accepted edition is."""
    return Place(*_PLACE.unpack_from(_shared, _EDITION_AT))


def accept(place: Place) -> None:
    """Let workers know of an edition. Called by the first process alone."""
    _write(_EDITION_AT, _PLACE.pack(*place))


def report() -> bytes:
    """What came of the last reload, as the first process wrote it; empty before there was one."""
    number, length = _NUMBER.unpack_from(_shared, _REPORT_AT)[0], _NUMBER.unpack_from(_shared, _REPORT_AT + 8)[0]
    at = _REPORTS_AT + number % 2 * LONGEST_REPORT
    return _shared[at : at + length]


def write_report(content: bytes, outcome: int) -> None:
    """Say what came of a reload, and count it by the number of its outcome (0 to 2). Called by the first process alone."""
    number = _NUMBER.unpack_from(_shared, _REPORT_AT)[0] + 1
    _write(_REPORTS_AT + number % 2 * LONGEST_REPORT, content[:LONGEST_REPORT])
    _write(_REPORT_AT, _NUMBER.pack(number) + _NUMBER.pack(len(content[:LONGEST_REPORT])))
    counts = list(reload_counts())
    counts[outcome] += 1
    _write(_COUNTS_AT, _PLACE.pack(*counts))


def reload_counts() -> tuple[int, int, int]:
    """How many reloads came to each outcome."""
    first, second, third = _PLACE.unpack_from(_shared, _COUNTS_AT)
    return first, second, third


def _at(worker: int) -> int:
    if not 0 <= worker < MOST_WORKERS:
        raise ValueError("there is no worker of this number")
    return _WORKERS_AT + worker * _WORKER_BYTES


def _write(at: int, content: bytes) -> None:
    _shared[at : at + len(content)] = content
