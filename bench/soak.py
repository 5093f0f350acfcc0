"""A long run over HTTP: plans by the million on loopback, with memory and latency as it goes. Stops by itself.

python -m bench.soak                          # a million plans
python -m bench.soak --plans 20000 --json     # fewer, as data
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.serving import Server, running

ROOT = Path(__file__).parents[1]
HEADERS = {"Content-Type": "application/json"}
STEPS = 10


def resident(server: Server) -> float:
    """Megabytes of the workers together."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/statm").read_text().split()[1]) for child in children) * 4_096 / 1e6


def sent(server: Server, bodies: list[bytes], plans: int, clients: int) -> list[float]:
    """Send so many requests from so many clients; the seconds that each took. Raises for any answer but a plan."""
    place = urlsplit(server)
    taken: list[float] = []
    wrong: list[int] = []

    def client(share: int) -> None:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        for at in range(share):
            began = time.perf_counter()
            connection.request("POST", "/v1/care-plans", bodies[at % len(bodies)], HEADERS)
            answer = connection.getresponse()
            answer.read()
            taken.append(time.perf_counter() - began)
            if answer.status != 200:
                wrong.append(answer.status)
        connection.close()

    threads = [threading.Thread(target=client, args=(plans // clients,)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if wrong or len(taken) != plans // clients * clients:
        raise SystemExit(f"{len(wrong)} requests were not answered with a plan: {sorted(set(wrong))}")
    return taken


def soak(plans: int, clients: int, workers: int) -> dict[str, Any]:
    """The whole run, in steps."""
    bodies = [path.read_bytes() for path in sorted((ROOT / "tests" / "golden" / "patients").glob("*.json"))]
    steps: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "log", "--workers", str(workers)) as server:
        sent(server, bodies, max(plans // 50, clients * 10), clients)
        first = resident(server)
        for step in range(STEPS):
            began = time.perf_counter()
            taken = sent(server, bodies, max(plans // STEPS, clients), clients)
            seconds = time.perf_counter() - began
            cuts = statistics.quantiles(taken, n=100)
            steps.append(
                {
                    "plans": float(len(taken) * (step + 1)),
                    "a_second": len(taken) / seconds,
                    "p50_ms": cuts[49] * 1000,
                    "p99_ms": cuts[98] * 1000,
                    "megabytes": resident(server),
                }
            )
            if sys.stderr.isatty() or not step % 5:
                print(f"{step + 1}/{STEPS}  {steps[-1]['a_second']:.0f} plans a second", file=sys.stderr)
    return {"workers": workers, "clients": clients, "megabytes_at_first": first, "steps": steps}


def main() -> None:
    """Run and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--plans", type=int, default=1_000_000)
    options.add_argument("--clients", type=int, default=4)
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--json", action="store_true", help="print data")
    chosen = options.parse_args()
    found = soak(chosen.plans, chosen.clients, chosen.workers)
    if chosen.json:
        print(json.dumps(found, indent=2))
        return
    print(f"{'plans':>10} {'a second':>10} {'p50 ms':>8} {'p99 ms':>8} {'MB':>8}")
    for step in found["steps"]:
        row = f"{step['plans']:>10.0f} {step['a_second']:>10.0f} {step['p50_ms']:>8.2f} {step['p99_ms']:>8.2f}"
        print(f"{row} {step['megabytes']:>8.1f}")
    print(f"memory after warming up: {found['megabytes_at_first']:.1f} MB")


if __name__ == "__main__":
    main()
