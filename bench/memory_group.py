"""A memory cgroup with a limit, of version 1 or 2, in which a server runs as in a container. Making one needs root."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

MEBI = 1 << 20
ROOT = Path("/sys/fs/cgroup")


class _Files(NamedTuple):
    """What a version of the kernel's interface calls its files, and the figures in them."""

    limit: str
    swap: str
    peak: str
    kills: str
    own: tuple[str, ...]  # memory of the processes, which the kernel cannot take back without a swap


ONE = _Files(
    limit="memory.limit_in_bytes",
    swap="memory.memsw.limit_in_bytes",
    peak="memory.max_usage_in_bytes",
    kills="memory.oom_control",
    own=("total_rss", "total_shmem"),
)
TWO = _Files(
    limit="memory.max", swap="memory.swap.max", peak="memory.peak", kills="memory.events", own=("anon", "shmem", "kernel")
)


class MemoryGroup:
    """A group of processes that share a limit of memory."""

    def __init__(self, folder: Path, files: _Files) -> None:
        self._folder, self._files = folder, files

    @property
    def join(self) -> list[str]:
        """What to write before a command so that its process is in the group from its first page on."""
        return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self._folder / "cgroup.procs")]

    def own(self) -> float:
        """Megabytes that the processes have now, without files that the kernel keeps as long as there is room."""
        page = (self._folder / "memory.stat").read_text()
        found = [re.search(rf"^{name} (\d+)$", page, re.MULTILINE) for name in self._files.own]
        return sum(int(one[1]) for one in found if one) / 1e6

    def peak(self) -> float:
        """Megabytes at their highest, with files that the kernel keeps, which may fill the group."""
        return int((self._folder / self._files.peak).read_text()) / 1e6

    def kills(self) -> int:
        """How many processes the kernel killed for want of memory."""
        found = re.search(r"^oom_kill (\d+)$", (self._folder / self._files.kills).read_text(), re.MULTILINE)
        return int(found[1]) if found else 0


@contextmanager
def memory_group(mebibytes: int) -> Iterator[MemoryGroup]:
    """A new group of so many mebibytes, as long as the block lasts.

    Raises `OSError` where this process may not make one, or the kernel counts no memory of groups.
    """
    version_one = (ROOT / "memory").is_dir()
    files = ONE if version_one else TWO
    folder = ROOT / ("memory" if version_one else "") / f"careplan-bench-{time.monotonic_ns()}"
    folder.mkdir()
    try:
        (folder / files.limit).write_text(str(mebibytes * MEBI))
        swap = folder / files.swap
        if swap.exists():
            swap.write_text(str(mebibytes * MEBI if version_one else 0))
        yield MemoryGroup(folder, files)
    finally:
        for _ in range(100):
            try:
                folder.rmdir()
                break
            except OSError:  # its last process is not gone yet
                time.sleep(0.1)
