"""How long a whole record of a patient takes over HTTP, and how much memory the worker has at the peak.

python -m bench.long_records
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from tests.contract.serving import children_of, running
from tests.long_record import long_record

from bench.memory import settled

SIZES = (1_000_000, 3_000_000, 9_000_000)
ROUNDS = 7
SECONDS, MEGABYTES = 0.4, 60
"""What the longest must stay below."""
_FHIR = {"Content-Type": "application/fhir+json"}


def measured() -> dict[int, tuple[float, float]]:
    """For each size the median of seconds, and megabytes at the peak above those of a worker that has nothing to do."""
    found = {}
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "log", cold=True) as server,
        httpx.Client(base_url=server, timeout=60, headers=_FHIR) as client,
    ):
        (worker,) = children_of(server.pid)
        client.post("/fhir/PlanDefinition/$apply", content=long_record(1)).raise_for_status()
        idle = settled(server)["rss"]
        for size in SIZES:
            record = long_record(size)
            times = []
            for _ in range(ROUNDS):
                began = time.perf_counter()
                client.post("/fhir/PlanDefinition/$apply", content=record).raise_for_status()
                times.append(time.perf_counter() - began)
            highest = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{worker}/status").read_text())
            assert highest is not None
            found[size] = statistics.median(times), int(highest[1]) * 1_024 / 1e6 - idle
    return found


if __name__ == "__main__":
    figures = measured()
    for size, (seconds, megabytes) in figures.items():
        print(f"{size / 1e6:.0f} MB: {seconds * 1e3:.0f} ms, {megabytes:.0f} MB at the peak")
    seconds, megabytes = figures[max(SIZES)]
    raise SystemExit(0 if seconds < SECONDS and megabytes < MEGABYTES else 1)
