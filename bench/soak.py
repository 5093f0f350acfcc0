"""A long run over HTTP: plans by the million on loopback, with memory and latency as it goes. Stops by itself.

All patients are of the realistic cohort and all different: each is held against all before, and the run ends with an error
should one come twice. Most are asked for by the batch endpoint, one in fifty by a
request of its own, whose times are noted. A tenth more come before, until the service is warm.

python -m bench.soak                          # a million plans
python -m bench.soak --plans 20000 --json     # fewer, as data
python -m bench.soak --most-growth 4          # exit with 1 if a warm worker then takes more than 4 MB more
"""

from __future__ import annotations

import argparse
import http.client
import json
import platform
import statistics
import sys
import tempfile
import threading
import time
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.serving import Server, running

from bench.measure import NeverSeen
from bench.memory import AT_ONCE, growth_of, in_batches, of_workers, settled

HEADERS = {"Content-Type": "application/json"}
STEPS = 10
WARMING = 500
"""Patients before the first step."""


class Met:
    """Patients of whom each is handed out once. Keeps eight bytes of each, in the process of the clients alone."""

    def __init__(self, source: NeverSeen) -> None:
        self._source = source
        self._met: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._met)

    def some(self, count: int) -> list[bytes]:
        """So many more requests. Raises `SystemExit` if one of them was handed out before."""
        bodies, before = self._source.some(count), len(self._met)
        self._met.update(blake2b(body, digest_size=8).digest() for body in bodies)
        if len(self._met) != before + count:
            raise SystemExit("a patient came twice, so this is no run over different patients")
        return bodies


def sent(server: Server, bodies: list[bytes], clients: int) -> list[float]:
    """Send each in a request of its own; the seconds that each took. Raises for any answer but a plan."""
    place = urlsplit(server)
    taken: list[float] = []
    wrong: list[int] = []

    def client(first: int) -> None:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        for body in bodies[first::clients]:
            began = time.perf_counter()
            connection.request("POST", "/v1/care-plans", body, HEADERS)
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - began)
            if answer.status != 200:
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=client, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong or len(taken) != len(bodies):
        raise SystemExit(
            f"{len(bodies) - len(taken)} requests got no answer, {len(wrong)} none with a plan: {sorted(set(wrong))}"
        )
    return taken


def soak(plans: int, clients: int, workers: int) -> dict[str, Any]:
    """The whole run, in steps."""
    new = Met(NeverSeen(29))
    steps: list[dict[str, float]] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder) / "log", "--workers", str(workers), cold=True) as server,
    ):
        first = settled(server)
        # Each connection stays with the worker that took it: enough of them that every worker gets warm.
        for _ in range(workers):
            in_batches(server, new.some(WARMING))
            sent(server, new.some(50 * clients), clients)
        share = max(plans // STEPS, 2 * clients)
        warm: dict[str, float] = {}
        # One step more than is counted: until then memory still moves about in what the allocator took.
        for step in range(STEPS + 1):
            alone = max(share // 50, min(share, 2 * clients))
            taken = sent(server, new.some(alone), clients)
            began, left = time.perf_counter(), share - alone
            for at in range(0, left, AT_ONCE):
                in_batches(server, new.some(min(AT_ONCE, left - at)))
            seconds = time.perf_counter() - began
            cuts = statistics.quantiles(taken, n=100)
            now = of_workers(server)
            warm = warm or now
            if step == 0:
                continue
            steps.append(
                {
                    "plans": float(share * step),
                    "a_second": left / seconds,
                    "p50_ms": cuts[49] * 1000,
                    "p99_ms": cuts[98] * 1000,
                    "megabytes": now["rss"],
                    "pss": now["pss"],
                }
            )
            print(f"{step}/{STEPS}  {left / seconds:.0f} plans a second, {now['rss']:.1f} MB", file=sys.stderr, flush=True)
    return {
        "machine": {"python": platform.python_version()},
        "workers": workers,
        "clients": clients,
        "plans": int(steps[-1]["plans"]),
        "different_patients": len(new),
        "at_first": first,
        "warm": warm,
        "grown": {"rss": steps[-1]["megabytes"] - warm["rss"], "pss": steps[-1]["pss"] - warm["pss"]},
        "growth": growth_of([(0.0, warm["rss"]), *((step["plans"], step["megabytes"]) for step in steps)]),
        "steps": steps,
    }


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--plans", type=int, default=1_000_000)
    options.add_argument("--clients", type=int, default=4)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--json", action="store_true", help="print data")
    options.add_argument("--most-growth", type=float, metavar="MB", help="exit with 1 if the workers grow by more")
    options.add_argument("--keep", action="store_true", help="write the data into docs/performance and the manual")
    chosen = options.parse_args()
    found = soak(chosen.plans, chosen.clients, chosen.workers)
    if chosen.keep:
        from bench.manual import SOAK, write_manual

        SOAK.parent.mkdir(exist_ok=True)
        SOAK.write_text(json.dumps(found, indent=2) + "\n")
        write_manual()
    if chosen.json:
        print(json.dumps(found, indent=2))
    else:
        _print(found)
    if chosen.most_growth is not None and found["grown"]["rss"] > chosen.most_growth:
        raise SystemExit(f"the workers grew by {found['grown']['rss']:.1f} MB, more than {chosen.most_growth:g} MB")


def _print(found: dict[str, Any]) -> None:
    print(f"{'plans':>10} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8} {'RSS MB':>8} {'PSS MB':>8}")
    for step in found["steps"]:
        row = f"{step['plans']:>10.0f} {step['a_second']:>10.0f} {step['p50_ms']:>8.2f} {step['p99_ms']:>8.2f}"
        print(f"{row} {step['megabytes']:>8.1f} {step['pss']:>8.1f}")
    print(f"{found['different_patients']} different patients, none of them twice")
    first, warm, grown = (found[name]["rss"] for name in ("at_first", "warm", "grown"))
    print(f"RSS: at first {first:.1f} MB, warm {warm:.1f} MB, then {grown:+.1f} MB; {found['growth']:+.2f} MB for 100,000")


if __name__ == "__main__":
    main()
