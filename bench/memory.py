"""Memory of the workers of a service that really runs, and many plans of them by the batch endpoint."""

from __future__ import annotations

import http.client
import random
import re
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.serving import Server, children_of, running

from bench.measure import golden_bodies, made_up_bodies
from careplan.rulebook.load import load, shipped
from careplan.web.process.warm_up import PAUSE_SECONDS

LINES = 500
"""Patients of one request."""
MADE_UP = 0.05
"""The share of made-up patients among golden ones."""

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


class Mixed:
    """Golden patients again and again, with one in twenty made up."""

    def __init__(self, made_up: int) -> None:
        self._golden = golden_bodies()
        self._made_up = made_up_bodies(load(shipped()), made_up)
        self._chance = random.Random(3)  # noqa: S311 - no secret

    def everyone(self) -> list[bytes]:
        """Each of them once."""
        return [*self._golden, *self._made_up]

    def some(self, count: int) -> list[bytes]:
        """So many, by chance, the same in every run."""
        chance = self._chance
        return [chance.choice(self._made_up if chance.random() < MADE_UP else self._golden) for _ in range(count)]


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


def worker_memory(plans: int, made_up: int = 3_000) -> dict[str, Any]:
    """Megabytes of one worker: at first, once it has met all patients, and after so many plans more."""
    mixed = Mixed(made_up)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "log", "--workers", "1") as server:
        first = settled(server)
        in_batches(server, mixed.everyone())
        warm = of_workers(server)
        in_batches(server, mixed.some(plans))
        return {"first": first, "warm": warm, "last": of_workers(server), "met": len(mixed.everyone()), "plans": plans}
