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
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.serving import Server, children_of, running

from bench.fixed import fixed_work
from bench.measure import MICRO, ROOT, Figure, NeverSeen, in_turns

CONNECTIONS = 16
MOST_A_SECOND = 1_000
"""What the client of half a load can send without being the slower one."""
FIRST_GUESS = 3_000
"""Requests a second that a worker is not expected to reach before anything is known of it."""
PLANS, CEILING, TWO = "plans", "ceiling", "plans, two workers"


def wrk(address: str, bodies: list[bytes], seconds: float, folder: Path, *, once: bool) -> dict[str, float]:
    """Requests a second, p50 and p99 in milliseconds, by wrk with these bodies in turn.

    Raises if any answer failed, and where each is to be sent `once`, if there were too few.
    """
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
    answered = re.search(r"(\d+) requests in", done.stdout)
    assert answered
    if once and bodies and int(answered[1]) + CONNECTIONS > len(bodies):
        raise SystemExit(f"{answered[1]} requests were answered, and only {len(bodies)} patients had not been seen")
    found = {name: _milliseconds(done.stdout, rf"{name}%\s+([\d.]+)(us|ms|s)") for name in ("50", "99")}
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert rate
    return {"a_second": float(rate[1]), "p50_ms": found["50"], "p99_ms": found["99"], "requests": float(answered[1])}


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
    """Everything about HTTP, on patients never seen. The fixed work is timed here in turns with the loads."""
    new, fixed = NeverSeen(23), fixed_work()
    in_turns({"fixed": fixed}, 20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows: dict[str, list[dict[str, float]]] = {}
        fixed_us: list[float] = []
        with (
            running(folder / "ours", cold=True) as ours,
            running(folder / "ceiling", module="bench.served", cold=True) as ceiling,
            running(folder / "two", "--workers", "2", cold=True) as two,
            hello(8_991) as least,
        ):
            # The ceiling plans nothing and the hello reads nothing: to them it is all one who asks.
            any_bodies = new.some(2_000)
            sites: dict[str, tuple[Server, Callable[[int], list[bytes]]]] = {
                PLANS: (ours, new.some),
                CEILING: (ceiling, lambda _: any_bodies),
                "hello": (least, lambda _: []),
                TWO: (two, new.some),
            }

            most = dict.fromkeys(sites, FIRST_GUESS)

            def loaded(site: str, seconds: float) -> dict[str, float]:
                server, bodies = sites[site]
                asked = bodies(int(most[site] * seconds) + 10 * CONNECTIONS)
                path = "/v1/care-plans" if asked else "/"
                before = of_processor(server)
                found = wrk(f"{server}{path}", asked, seconds, folder, once=asked is not any_bodies)
                requests = found.pop("requests")
                most[site] = int(found["a_second"] * 1.6) + 200
                return found | {"processor_us": (of_processor(server) - before) / requests * MICRO}

            for site in sites:
                loaded(site, 1)
            for _ in range(rounds):
                fixed_us.append(statistics.mean(in_turns({"fixed": fixed}, 200)["fixed"]) * MICRO)
                for site in sites:
                    rows.setdefault(site, []).append(loaded(site, seconds))
            rate = min(statistics.median(row["a_second"] for row in rows[PLANS]) / 2, MOST_A_SECOND)
            taken = [sorted(at_a_rate(ours, new.some(int(rate * seconds) + 1), rate, seconds)) for _ in range(rounds)]
            half = {
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
            | {
                "of_ceiling": against(site, CEILING),
                "of_hello": against(site, "hello"),
                "of_fixed": Figure.of([row["processor_us"] / of for row, of in zip(found, fixed_us, strict=True)]),
            }
            for site, found in rows.items()
        },
        "fixed_us": Figure.of(fixed_us),
        "two_workers": against(TWO, PLANS),
        # What two workers could do if nothing else used the two cores: each request takes so much of a processor.
        "two_by_processor": Figure.of(
            [2 * one["processor_us"] / two["processor_us"] for one, two in zip(rows[PLANS], rows[TWO], strict=True)]
        ),
        "half_load": half,
    }
