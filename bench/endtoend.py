"""Requests a second and latency over HTTP: the service, its ceiling, and a hello-world, in turns on loopback."""

from __future__ import annotations

import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
from tests.contract.serving import Server, children_of, running

from bench.measure import ROOT, Figure, golden_bodies
from careplan.authoring.synthetic_patients import synthetic
from careplan.rulebook.load import load, shipped

CONNECTIONS = 16
MOST_A_SECOND = 1_000
"""What the client of half a load can send without being the slower one."""
GOLDEN = "plans, golden patients"


def wrk(address: str, bodies: list[bytes], seconds: float, folder: Path) -> dict[str, float]:
    """Requests a second, p50 and p99 in milliseconds, by wrk with these bodies in turn. Raises if any answer failed."""
    listed = ",\n".join(f"[==[{body.decode()}]==]" for body in bodies)
    script = folder / "post.lua"
    script.write_text(
        f"local bodies = {{{listed}}}\nlocal at = 0\nwrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
        "request = function() at = at % #bodies + 1; return wrk.format(nil, nil, nil, bodies[at]) end\n"
    )
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:g}s", "--latency"]
    command += ["-s", str(script)] if bodies else []
    done = subprocess.run([*command, address], capture_output=True, text=True, check=True, timeout=seconds + 60)
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(done.stdout)
    found = {name: _milliseconds(done.stdout, rf"{name}%\s+([\d.]+)(us|ms|s)") for name in ("50", "99")}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert rate
    return {"a_second": float(rate[1]), "p50_ms": found["50"], "p99_ms": found["99"]}


def _milliseconds(text: str, pattern: str) -> float:
    found = re.search(pattern, text)
    assert found, text
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


def of_processor(server: Server) -> float:
    """Seconds of the processor that a server and its workers have taken so far."""
    taken = 0
    for process in (server.pid, *children_of(server.pid)):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        taken += int(fields[11]) + int(fields[12])
    return taken / os.sysconf("SC_CLK_TCK")


@contextmanager
def hello(port: int) -> Iterator[Server]:
    """The hello-world as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-m", "bench.hello", str(port)], cwd=ROOT)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        address = Server(f"http://127.0.0.1:{port}")
        address.pid = process.pid
        yield address
    finally:
        process.terminate()
        process.wait()


def at_a_rate(address: str, bodies: list[bytes], rate: float, seconds: float) -> list[float]:
    """Milliseconds from when each request was due to its answer, at a steady rate, from four connections."""
    place = urlsplit(address)
    taken: list[float] = []
    clients = 4
    began = time.perf_counter() + 0.1

    def client(first: int) -> None:
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        for at in range(first, int(rate * seconds), clients):
            due = began + at / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            connection.request("POST", "/v1/care-plans", bodies[at % len(bodies)], {"Content-Type": "application/json"})
            connection.getresponse().read()
            taken.append((time.perf_counter() - due) * 1000)
        connection.close()

    threads = [threading.Thread(target=client, args=(first,)) for first in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return taken


def end_to_end(rounds: int, seconds: float) -> dict[str, Any]:
    """Everything about HTTP."""
    golden = golden_bodies()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, list[dict[str, float]]] = {}
        with (
            running(folder / "ours") as ours,
            running(folder / "ceiling", module="bench.served") as ceiling,
            running(folder / "two", "--workers", "2") as two,
            running(folder / "others") as others,
            hello(8_991) as least,
        ):
            new = NeverSeen(wrk(f"{ours}/v1/care-plans", golden, 1, folder)["a_second"])
            sites: dict[str, tuple[Server, Callable[[], list[bytes]]]] = {
                GOLDEN: (ours, lambda: golden),
                "ceiling": (ceiling, lambda: golden),
                "hello": (least, list),
                "plans, never seen": (others, lambda: new.enough_for(seconds)),
                "plans, half of each": (others, lambda: _mixed(new.enough_for(seconds), golden)),
                "plans, two workers": (two, lambda: golden),
            }

            def loaded(server: Server, bodies: list[bytes], seconds: float) -> dict[str, float]:
                path = "/v1/care-plans" if bodies else "/"
                before, began = of_processor(server), time.perf_counter()
                found = wrk(f"{server}{path}", bodies, seconds, folder)
                requests = found["a_second"] * (time.perf_counter() - began)
                return found | {"processor_us": (of_processor(server) - before) / requests * 1e6}

            for server, bodies in sites.values():
                loaded(server, bodies(), 1)
            for _ in range(rounds):
                for site, (server, bodies) in sites.items():
                    rows.setdefault(site, []).append(loaded(server, bodies(), seconds))
            halves = {}
            for label, site in (("golden", GOLDEN), ("never seen", "plans, never seen")):
                server, bodies = sites[site]
                rate = min(statistics.median(row["a_second"] for row in rows[site]) / 2, MOST_A_SECOND)
                taken = [sorted(at_a_rate(server, bodies(), rate, seconds)) for _ in range(rounds)]
                halves[label] = {
                    "a_second": round(rate),
                    "p50_ms": Figure.of([half[len(half) // 2] for half in taken]),
                    "p99_ms": Figure.of([half[int(len(half) * 0.99)] for half in taken]),
                }

    def against(site: str, base: str) -> Figure:
        pairs = zip(rows[site], rows[base], strict=True)
        return Figure.of([one["a_second"] / other["a_second"] for one, other in pairs])

    return {
        "rows": {
            site: {name: Figure.of([row[name] for row in found]) for name in found[0]}
            | {"of_ceiling": against(site, "ceiling"), "of_hello": against(site, "hello")}
            for site, found in rows.items()
        },
        "two_workers": against("plans, two workers", GOLDEN),
        "half_load": halves,
    }


class NeverSeen:
    """Made-up patients, of whom nobody is handed out twice."""

    def __init__(self, most_a_second: float) -> None:
        self._most = most_a_second
        self._left = synthetic([load(shipped())], 10**9, 23)

    def enough_for(self, seconds: float) -> list[bytes]:
        """More than can be planned for in so many seconds, as they cost more than the patients that gave the rate."""
        return [msgspec.json.encode(body) for body in islice(self._left, int(self._most * seconds / 2) + 50)]


def _mixed(some: list[bytes], others: list[bytes]) -> list[bytes]:
    return [one for at, body in enumerate(some) for one in (body, others[at % len(others)])]
