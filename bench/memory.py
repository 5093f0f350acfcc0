"""Memory of the workers of a service that really runs, and many plans of them by the batch endpoint."""

from __future__ import annotations

import http.client
import re
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.serving import Server, children_of, running

from bench.measure import NeverSeen
from careplan.web.process.warm_up import PAUSE_SECONDS

LINES = 500
"""Patients of one request."""
AT_ONCE = 10_000
"""Patients that are held in memory here at a time."""
FIRST = 2_000
"""Patients until a worker counts as warm: Python and its allocator have then taken what they take for any."""
STEPS = 5
SETTLED = 0.5
"""Megabytes that may come in a second without anything being loaded."""


def of_workers(server: Server) -> dict[str, float]:
    """Megabytes of the workers together.

    RSS counts the pages that workers share with the process that forked them once for each; PSS shares them out, and is
    what one worker more costs a machine. Only root is shown PSS, as workers cannot be looked into; it is 0 for others.
    """
    total = {"rss": 0.0, "pss": 0.0}
    for child in children_of(server.pid):
        total["rss"] += int(Path(f"/proc/{child}/statm").read_text().split()[1]) * 4_096 / 1e6
        try:
            rollup = Path(f"/proc/{child}/smaps_rollup").read_text()
        except PermissionError:
            continue
        found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
        total["pss"] += int(found[1]) * 1_024 / 1e6 if found else 0.0
    return total


def settled(server: Server) -> dict[str, float]:
    """The same once the workers have loaded what they load beside their first requests."""
    time.sleep(PAUSE_SECONDS)
    before, now = 0.0, of_workers(server)
    while now["rss"] - before > SETTLED:
        time.sleep(1)
        before, now = now["rss"], of_workers(server)
    return now


def in_batches(server: Server, bodies: Sequence[bytes]) -> None:
    """Plan for all of these by the batch endpoint. Raises unless each line is answered with a plan."""
    place = urlsplit(server)
    for at in range(0, len(bodies), LINES):
        lines = [b" ".join(body.split(b"\n")) for body in bodies[at : at + LINES]]
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=600)
        whole = b"\n".join(lines) + b"\n"
        connection.putrequest("POST", "/v1/care-plans/batch")
        connection.putheader("Content-Type", "application/x-ndjson")
        connection.putheader("Content-Length", str(len(whole)))
        connection.endheaders()
        # The service answers while it reads, and reads on only while it is listened to.
        sending = threading.Thread(target=connection.send, args=(whole,))
        sending.start()
        answer = connection.getresponse()
        plans = 0
        for line in answer:
            plans += b'"requires_clinician_review":true' in line
        sending.join()
        connection.close()
        if answer.status != 200 or plans != len(lines):
            raise SystemExit(f"{plans} plans came back for {len(lines)} patients, with status {answer.status}")


def worker_memory(plans: int) -> dict[str, Any]:
    """Megabytes of one worker: at first, once warm, and after so many patients more, all of them different.

    The growth is the slope of the straight line through all steps after the warm one, for 100,000 patients.
    """
    new = NeverSeen(3)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "log", "--workers", "1", cold=True) as server:
        first = settled(server)
        in_batches(server, new.some(min(FIRST, plans)))
        warm = of_workers(server)
        share = max(plans // STEPS, 1)
        steps = [(0.0, warm)]
        for step in range(1, STEPS + 1):
            for at in range(0, share, AT_ONCE):
                in_batches(server, new.some(min(AT_ONCE, share - at)))
            steps.append((float(share * step), of_workers(server)))
    return {
        "first": first,
        "warm": warm,
        "last": steps[-1][1],
        "met": min(FIRST, plans),
        "plans": share * STEPS,
        "growth": {kind: growth_of([(met, found[kind]) for met, found in steps]) for kind in ("rss", "pss")},
    }


def growth_of(steps: Sequence[tuple[float, float]]) -> float:
    """Megabytes for 100,000 patients, by the straight line nearest to these pairs of patients met and megabytes."""
    return statistics.linear_regression(*zip(*steps, strict=True)).slope * 100_000
