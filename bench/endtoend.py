"""Requests a second and latency over HTTP: the service, its ceiling, and a hello-world, in turns on loopback."""

from __future__ import annotations

import http.client
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.serving import running

from bench.measure import ROOT, Figure, golden_bodies, made_up_bodies
from careplan.rulebook.load import load, shipped

CONNECTIONS = 16


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


@contextmanager
def hello(port: int) -> Iterator[str]:
    """The hello-world as long as the block lasts."""
    process = subprocess.Popen([sys.executable, "-m", "bench.hello", str(port)], cwd=ROOT)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
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
    golden, new = golden_bodies(), made_up_bodies(load(shipped()), 400)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, list[dict[str, float]]] = {}
        with (
            running(folder / "ours") as ours,
            running(folder / "ceiling", module="bench.served") as ceiling,
            running(folder / "two", "--workers", "2") as two,
            hello(8_991) as least,
        ):
            sites = {
                "plans, golden patients": (f"{ours}/v1/care-plans", golden),
                "ceiling": (f"{ceiling}/v1/care-plans", golden),
                "hello": (least, []),
                "plans, made-up patients": (f"{ours}/v1/care-plans", new),
                "plans, two workers": (f"{two}/v1/care-plans", golden),
            }
            for address, bodies in sites.values():
                wrk(address, bodies, 1, folder)
            for _ in range(rounds):
                for site, (address, bodies) in sites.items():
                    rows.setdefault(site, []).append(wrk(address, bodies, seconds, folder))
            rate = statistics.median(row["a_second"] for row in rows["plans, golden patients"]) / 2
            halves = [sorted(at_a_rate(ours, golden, min(rate, 600), seconds)) for _ in range(rounds)]
    against = {
        site: Figure.of([one["a_second"] / base["a_second"] for one, base in zip(found, rows["ceiling"], strict=True)])
        for site, found in rows.items()
    }
    return {
        "rows": {
            site: {name: Figure.of([row[name] for row in found]) for name in found[0]} | {"of_ceiling": against[site]}
            for site, found in rows.items()
        },
        "two_workers": Figure.of(
            [
                one["a_second"] / base["a_second"]
                for one, base in zip(rows["plans, two workers"], rows["plans, golden patients"], strict=True)
            ]
        ),
        "half_load": {
            "a_second": min(rate, 600),
            "p50_ms": Figure.of([half[len(half) // 2] for half in halves]),
            "p99_ms": Figure.of([half[int(len(half) * 0.99)] for half in halves]),
        },
    }
