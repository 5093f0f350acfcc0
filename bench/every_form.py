"""Every form of plans and of the protocol, by several clients for some minutes: the memory of workers and of printing.

Half of the clients ask for PDFs alone. With --records one request in thirty brings a clinical record of 1 MB. Ends with an
error if a worker died or any request failed but for 503, which says when to ask again.

python -m bench.every_form                              # an hour
python -m bench.every_form --minutes 2 --json           # shorter, as data
python -m bench.every_form --most-worker 150            # exit with 1 if a worker ever takes more than 150 MB
python -m bench.every_form --limit 512                  # in a memory cgroup of 512 MiB, as a container has (needs root)
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
import threading
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
from tests.contract.serving import ROOT, Server, children_of, running
from tests.long_record import long_record

from bench.memory_group import MemoryGroup, memory_group
from careplan.media_types import FHIR_JSON, JSON
from careplan.representations import BY_MEDIA_TYPE, PROTOCOL_FORMATS

PDF = "application/pdf"
FAILED = 500
TRY_AGAIN = 503
LOOK_SECONDS = 0.1
BODIES = tuple(path.read_bytes() for path in sorted((ROOT / "examples").glob("*.json")))


def megabytes(process: int, file: str, name: str) -> float:
    """One figure that the kernel has of a process; 0 when it is gone, or where only root is shown it."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{process}/{file}").read_text(), re.MULTILINE)
    except OSError:
        return 0.0
    return int(found[1]) * 1_024 / 1e6 if found else 0.0


class Client(threading.Thread):
    """Asks for one thing after the other until its time is over."""

    def __init__(self, server: Server, number: int, until: float, record: bytes) -> None:
        super().__init__()
        self.answers: Counter[str] = Counter()
        self._server, self._until, self._record = server, until, record
        self._prints = number % 2 == 0
        self._random = random.Random(number)  # noqa: S311 - the same requests each time

    def run(self) -> None:
        """Ask."""
        with httpx.Client(base_url=self._server, timeout=60) as client:
            while time.monotonic() < self._until:
                try:
                    self.answers[str(self._ask(client).status_code)] += 1
                except httpx.TransportError as error:
                    self.answers[type(error).__name__] += 1

    def _ask(self, client: httpx.Client) -> httpx.Response:
        kind = self._random.random()
        form = PDF if self._prints else self._random.choice(list(BY_MEDIA_TYPE))
        if kind < 1 / 15:
            form = PDF if self._prints else self._random.choice(list(PROTOCOL_FORMATS))
            return client.get("/v1/protocol?product=racemic", headers={"Accept": form})
        if self._record and kind > 29 / 30:
            return client.post("/v1/care-plans", content=self._record, headers={"Accept": form, "Content-Type": FHIR_JSON})
        detail = self._random.choice(["", "?detail=full"]) if "detail" in BY_MEDIA_TYPE[form].needs else ""
        body = self._random.choice(BODIES)
        return client.post(f"/v1/care-plans{detail}", content=body, headers={"Accept": form, "Content-Type": JSON})


def every_form(
    seconds: float, clients: int, workers: int, *, records: bool = False, group: MemoryGroup | None = None
) -> dict[str, Any]:
    """The whole run of a server in `group`: answers by status, what became of documents, megabytes at their highest."""
    before = group.join if group else ()
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "log", "--workers", str(workers), before=before, cold=True) as server,
    ):
        first = children_of(server.pid)
        record = long_record(1_000_000) if records else b""
        asking = [Client(server, number, time.monotonic() + seconds, record) for number in range(clients)]
        for one in asking:
            one.start()
        most = {"worker_rss": 0.0, "printing_rss": 0.0, "all_pss": 0.0}
        while any(one.is_alive() for one in asking):
            printing = [child for worker in first for child in _children(worker)]
            total = sum(megabytes(one, "smaps_rollup", "Pss") for one in (server.pid, *first, *printing))
            most["all_pss"] = max(most["all_pss"], total)
            if group:
                most["group_own"] = max(most.get("group_own", 0.0), group.own())
            # Until it has begun for itself, a process is a copy of its worker that shares all its pages.
            begun = [one for one in printing if b"print_process" in _command(one)]
            most["printing_rss"] = max([most["printing_rss"], *(megabytes(one, "status", "VmRSS") for one in begun)])
            time.sleep(LOOK_SECONDS)
        most["worker_rss"] = max(megabytes(worker, "status", "VmHWM") for worker in first)
        page = httpx.get(f"{server}/metrics", timeout=60).text
        lasted = children_of(server.pid) == first
        if group:
            most["group_with_files"] = group.peak()
        kills = group.kills() if group else 0
    answers: Counter[str] = Counter()
    for one in asking:
        answers.update(one.answers)
    documents = re.findall(r'^careplan_documents_total\{outcome="(\w+)"\} (\d+)', page, re.MULTILINE)
    wrong = {status for status in answers if not status.isdigit() or (int(status) >= FAILED and int(status) != TRY_AGAIN)}
    return {
        "seconds": seconds,
        "workers": workers,
        "answers": dict(answers),
        "documents": {outcome: int(number) for outcome, number in documents},
        "megabytes": {name: round(figure, 1) for name, figure in most.items()},
        "kills": kills,
        "faults": sorted(wrong) + ([] if lasted else ["a worker died"]),
    }


def _children(process: int) -> list[int]:
    try:
        return children_of(process)
    except OSError:
        return []


def _command(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--clients", type=int, default=4)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--records", action="store_true", help="send clinical records of 1 MB as well")
    options.add_argument("--json", action="store_true", help="print data")
    options.add_argument("--most-worker", type=float, metavar="MB", help="exit with 1 if a worker takes more")
    options.add_argument("--limit", type=int, metavar="MIB", help="run the server in a memory cgroup with this limit")
    chosen = options.parse_args()
    with memory_group(chosen.limit) if chosen.limit else nullcontext() as group:
        found = every_form(chosen.minutes * 60, chosen.clients, chosen.workers, records=chosen.records, group=group)
    if chosen.json:
        print(json.dumps(found, indent=2))
    else:
        for name in ("answers", "documents", "megabytes", "kills", "faults"):
            print(f"{name:10} {found[name] or 'none'}")
    if found["faults"] or (chosen.most_worker and found["megabytes"]["worker_rss"] > chosen.most_worker):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
