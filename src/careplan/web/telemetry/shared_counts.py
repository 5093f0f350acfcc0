"""Counts that worker processes share through memory, not files: no folder has to be there, or have room.

Each worker has a region of its own, in which it alone writes; any of them can read all. A worker that replaces another
goes on with its counts, so that none falls.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from prometheus_client import values
from prometheus_client.metrics_core import Metric
from prometheus_client.utils import floatToGoString

REGION_BYTES = 2 * 1024 * 1024
"""Room for some ten thousand series; a worker of the shipped rulebook has two thousand. Only what is used takes memory."""
_LENGTH, _VALUE = struct.Struct("=Q"), struct.Struct("=d")
_first = _LENGTH.size
_memory: mmap.mmap | None = None
_workers = 0


class Series(NamedTuple):
    """One number by its names: the kind and name of its metric, its own name, its labels, what it means."""

    kind: str
    metric: str
    name: str
    labels: Mapping[str, str]
    help: str


class _Region:
    """Numbers by their names: a length, a name and a number each, one after the other."""

    def __init__(self, memory: mmap.mmap, start: int) -> None:
        self._memory = memory
        self._start = start
        self._places: dict[bytes, int] = {}
        self.full = False
        for key, at in self.numbers():
            self._places[key] = at
            if json.loads(key)[0] == "gauge":
                self.put(at, 0.0)  # what was so of the worker before is not so of this one

    def place(self, key: bytes) -> int:
        """Where the number of this name is; 0 where there is no room for it."""
        if key not in self._places:
            used = self._used()
            padded = key.ljust((len(key) + 7) // 8 * 8)
            after = used + _LENGTH.size + len(padded) + _VALUE.size
            if after > REGION_BYTES:
                self.full = True
                return 0
            at = self._start + used
            self._memory[at : self._start + after] = _LENGTH.pack(len(key)) + padded + _VALUE.pack(0.0)
            # Only now, so that whoever ends in between leaves nothing half.
            self._memory[self._start : self._start + _LENGTH.size] = _LENGTH.pack(after)
            self._places[key] = self._start + after - _VALUE.size
        return self._places[key]

    def get(self, at: int) -> float:
        found: float = _VALUE.unpack_from(self._memory, at)[0]
        return found

    def put(self, at: int, value: float) -> None:
        self._memory[at : at + _VALUE.size] = _VALUE.pack(value)

    def _used(self) -> int:
        return int(_LENGTH.unpack_from(self._memory, self._start)[0]) or _first

    def numbers(self) -> Iterator[tuple[bytes, int]]:
        at, end = self._start + _first, self._start + self._used()
        while at < end:
            length = _LENGTH.unpack_from(self._memory, at)[0]
            key = self._memory[at + _LENGTH.size : at + _LENGTH.size + length]
            at += _LENGTH.size + (length + 7) // 8 * 8
            yield key, at
            at += _VALUE.size


_own: _Region | None = None


class SharedValue:
    """A number of the library's, kept in the region of this worker."""

    _multiprocess = True

    def __init__(  # noqa: PLR0913, PLR0917 - as the library calls it
        self,
        typ: str,
        metric_name: str,
        name: str,
        labelnames: Sequence[str],
        labelvalues: Sequence[str],
        help_text: str,
        **_: Any,
    ) -> None:
        labels = dict(zip(labelnames, labelvalues, strict=True))
        key = json.dumps([typ, metric_name, name, labels, help_text], sort_keys=True).encode()
        self._lock = Lock()
        self._region = _own
        self._at = _own.place(key) if _own else 0
        self._value = self._region.get(self._at) if self._region and self._at else 0.0

    def inc(self, amount: float) -> None:
        """Add to it."""
        with self._lock:
            self._put(self._value + amount)

    def set(self, value: float, timestamp: float | None = None) -> None:  # noqa: ARG002 - as the library calls it
        """Change it."""
        with self._lock:
            self._put(value)

    def _put(self, value: float) -> None:
        self._value = value
        if self._region and self._at:
            self._region.put(self._at, value)

    def get(self) -> float:
        """What it is."""
        return self._value

    def set_exemplar(self, exemplar: object) -> None:
        """There are none."""

    def get_exemplar(self) -> None:
        """There are none."""


def reserve(workers: int) -> None:
    """Make room for the counts of so many workers. Called by the first process, before it starts them."""
    global _memory, _workers
    _memory, _workers = mmap.mmap(-1, workers * REGION_BYTES), workers


def attach(worker: int) -> None:
    """Count in the region of this worker from now on; in this process alone where nothing was reserved."""
    global _own  # noqa: PLW0603 - one of each process
    if _memory is not None and worker < _workers:
        _own = _Region(_memory, worker * REGION_BYTES)
        values.ValueClass = SharedValue


def attached() -> bool:
    """Whether this process shares its counts."""
    return _own is not None


def is_full() -> bool:
    """Whether there was no room for a count of this worker."""
    return _own is not None and _own.full


def families(alive: Callable[[int], bool]) -> list[Metric]:
    """All counts of all workers, added up; what is so of a worker now, of those `alive` only."""
    sums: dict[tuple[str, str, str], dict[tuple[str, tuple[tuple[str, str], ...]], float]] = defaultdict(dict)
    for worker in range(_workers):
        for series, value in _read(worker):
            if series.kind == "gauge" and not alive(worker):
                continue
            found = sums[series.metric, series.kind, series.help]
            key = series.name, tuple(sorted(series.labels.items()))
            found[key] = found.get(key, 0.0) + value
    return [_family(*about, found) for about, found in sorted(sums.items())]


def _read(worker: int) -> Iterator[tuple[Series, float]]:
    assert _memory is not None
    region = _Reading(_memory, worker * REGION_BYTES)
    for key, at in region.numbers():
        yield Series(*json.loads(key)), region.get(at)


class _Reading(_Region):
    """The region of any worker, to be read."""

    def __init__(self, memory: mmap.mmap, start: int) -> None:
        self._memory = memory
        self._start = start


def _family(metric: str, kind: str, about: str, found: Mapping[tuple[str, tuple[tuple[str, str], ...]], float]) -> Metric:
    family = Metric(metric, about, kind)
    if kind != "histogram":
        for (name, labels), value in found.items():
            family.add_sample(name, dict(labels), value)
        return family
    buckets: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = defaultdict(list)
    for (name, labels), value in found.items():
        if name.endswith("_bucket"):
            limit = float(dict(labels)["le"])
            buckets[tuple(one for one in labels if one[0] != "le")].append((limit, value))
    for labels, steps in buckets.items():
        total = 0.0
        for limit, value in sorted(steps):
            total += value
            family.add_sample(f"{metric}_bucket", {**dict(labels), "le": _limit(limit)}, total)
        family.add_sample(f"{metric}_count", dict(labels), total)
        family.add_sample(f"{metric}_sum", dict(labels), found.get((f"{metric}_sum", labels), 0.0))
    return family


def _limit(limit: float) -> str:
    return str(floatToGoString(limit))  # type: ignore[no-untyped-call]
