"""The pieces of work that `bench.regression` counts and times, in a process of their own.

python -m bench.work write FILE TREE    # the requests that both sides of a comparison are measured on
python -m bench.work count FILE         # under valgrind: marks where one piece of work ends and the next begins
python -m bench.work wait FILE          # what each piece of work waits, as data
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, cast

import careplan.facts.recall
import msgspec

from bench.measure import cds_call, golden_bodies, made_up_bodies
from careplan.planner import Planner
from careplan.rulebook.load import load, shipped

Work = Sequence[Callable[[], object]]
"""A piece of work, one request after the other."""

MET, NEVER_SEEN = 240, 60
"""Made-up patients that a planner has met before it meets others, and these others."""
FEW, MANY = 5, 50
"""Medicines of the two patients whose costs make the growth."""
TIMED = ("golden", "explained", "plan over HTTP", "FHIR over HTTP", "CDS over HTTP")


class Bodies(msgspec.Struct):
    """Requests, as text."""

    golden: list[str]
    met: list[str]
    never_seen: list[str]
    call: str


class _Row(msgspec.Struct):
    name: str
    kind: str
    order: int
    parts: dict[str, str | float | bool]


def write(file: Path, tree: Path) -> None:
    """Write the requests: the golden patients of the code in `tree`, and patients made up for its rulebook."""
    made_up = [body.decode() for body in made_up_bodies(load(shipped()), MET + NEVER_SEEN)]
    bodies = Bodies(
        golden=[body.decode() for body in golden_bodies(tree)],
        met=made_up[:MET],
        never_seen=made_up[MET:],
        call=cds_call().decode(),
    )
    file.write_bytes(msgspec.json.encode(bodies))


def fixed() -> Work:
    """Work of the make of a plan that no change of the service touches: structs, dictionaries, sorting, JSON, digests."""
    body = msgspec.json.encode(
        [
            _Row(
                name=f"n{at * 7919 % 997}", kind=f"k{at % 11}", order=at % 5, parts={"a": at / 4, "b": at % 2 == 0, "c": "x"}
            )
            for at in range(300)
        ]
    )
    decoder, encode = msgspec.json.Decoder(list[_Row]), msgspec.json.Encoder().encode

    def work() -> None:
        rows = sorted(decoder.decode(body), key=lambda row: (row.order, row.name))
        kinds: dict[str, list[tuple[object, ...]]] = {}
        for row in rows:
            kinds.setdefault(row.kind, []).append((row.name, *row.parts.values()))
        seen = {key: frozenset(values) for key, values in kinds.items()}
        text = " ".join(f"{row.name} {row.order}".replace("n", "{name}") for row in rows if row.kind in seen)
        blake2b(text.encode(), digest_size=16).hexdigest()
        encode(rows)

    return [work] * 40


def works(bodies: Bodies) -> tuple[dict[str, Work], Work]:
    """Each piece of work by its name, and what a planner has to meet before its first."""
    book = load(shipped())
    # One planner meets the same patients again and again, another one many: so they push nothing out of each other's memory.
    planner, busy = Planner(book), Planner(book)
    golden, met, never_seen = ([one.encode() for one in part] for part in (bodies.golden, bodies.met, bodies.never_seen))
    decode = planner.intake.decode
    names = [row.name for row in planner.book.catalogue.ingredients.values()]

    def planned(asked: Sequence[bytes], by: Planner = planner) -> Work:
        return [lambda body=body: by.encoded(decode(body)) for body in asked]  # type: ignore[misc]

    def taking(count: int) -> Work:
        entries = [{"name": name, "schedule": "daily", "indication": "other"} for name in names[:count]]
        return planned([msgspec.json.encode({"medications": entries})] * 10)

    ask = requests()
    return (
        {
            "fixed": fixed(),
            "golden": planned(golden * 3),
            "never seen": planned(never_seen, busy),
            "afresh": [busy.forget, *planned(met[:5], busy)],
            "explained": [lambda body=body: planner.explained(decode(body)) for body in golden[:4]],
            "few": taking(FEW),
            "many": taking(MANY),
            "plan over HTTP": ask("/v1/care-plans", golden * 2, "application/json"),
            "FHIR over HTTP": ask("/v1/care-plans", golden[:4], "application/fhir+json"),
            "CDS over HTTP": ask("/cds-services/ketamine-care-plan", [bodies.call.encode()] * 4, "application/json"),
        },
        planned(met, busy),
    )


def requests() -> Callable[[str, Sequence[bytes], str], Work]:
    """The application as its workers have it, asked in this process."""
    os.environ["CAREPLAN_HANG_SECONDS"] = "3600"  # it stands still between two questions, and valgrind is slow
    from careplan.web.app import create

    app, loop = create(), asyncio.new_event_loop()
    # No second passes: what a worker does each second would count for whoever is slow.
    loop.time = lambda: 0.0  # type: ignore[method-assign]
    replies: asyncio.Queue[str] = asyncio.Queue()
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def replied(message: Any) -> None:
        await replies.put(message["type"])

    async def begun() -> asyncio.Task[None]:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        task: asyncio.Task[None] = asyncio.ensure_future(cast("Any", app)(scope, messages.get, replied))
        await messages.put({"type": "lifespan.startup"})
        if await replies.get() != "lifespan.startup.complete":
            raise SystemExit("the application did not start")
        return task

    held = [loop.run_until_complete(begun())]

    async def asked(path: str, body: bytes, accept: str) -> None:
        assert not held[0].done()
        headers = {
            "host": "127.0.0.1",
            "content-type": "application/json",
            "accept": accept,
            "content-length": str(len(body)),
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 40_000),
            "server": ("127.0.0.1", 8_000),
            "state": {},
        }
        status: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                status.append(message["status"])

        await cast("Any", app)(scope, receive, send)
        if status != [200]:
            raise SystemExit(f"{path} answered {status}")

    return lambda path, bodies, accept: [
        lambda body=body: loop.run_until_complete(asked(path, body, accept))  # type: ignore[misc]
        for body in bodies
    ]


def _do(work: Work) -> None:
    for one in work:
        one()


def count(bodies: Bodies) -> None:
    """Do each piece of work between two marks, after all of them were done once where nothing is counted."""
    # With a key of chance, what is looked up lies elsewhere in each run.
    vars(careplan.facts.recall)["token_bytes"] = bytes
    pieces, before = works(bodies)
    for _ in range(3):  # Python makes itself at home in what runs often
        for name, work in pieces.items():
            if name != "never seen":
                _do(work)
    _do(before)
    gc.collect()
    gc.freeze()
    gc.disable()
    # Not waited for: valgrind takes the command while this process is busy, and needs no right to trace it then.
    switch = subprocess.Popen(["callgrind_control", "-i", "on", str(os.getpid())], stdout=subprocess.DEVNULL)
    while switch.poll() is None:
        pass
    pieces = {"never seen": pieces.pop("never seen")} | pieces  # before others push out what it may remember
    os.getpgrp()
    for name, work in pieces.items():
        print(name, file=sys.stderr, flush=True)
        os.getpgrp()
        _do(work)
        os.getpgrp()
    # No farewell: only what was counted matters, and the application would wait for its own end.
    os._exit(0)


def wait(bodies: Bodies) -> None:
    """Print time by the clock over time of the processor of each piece of work.

    Of each request the round with the least waiting counts: on a busy machine others take their turns now and then, but
    hardly in every round within the same millisecond.
    """
    pieces, _ = works(bodies)
    found = {}
    for name in TIMED:
        waited = taken = 0.0
        for one in pieces[name]:
            rounds = []
            for _ in range(15):
                wall, processor = time.perf_counter(), time.process_time()
                one()
                wall, processor = time.perf_counter() - wall, time.process_time() - processor
                rounds.append((wall - processor, processor))
            least = min(rounds)
            waited, taken = waited + max(0.0, least[0]), taken + least[1]
        found[name] = round(1 + waited / taken, 3)
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    _, what, name, *rest = sys.argv
    if what == "write":
        write(Path(name), Path(*rest))
    else:
        {"count": count, "wait": wait}[what](msgspec.json.decode(Path(name).read_bytes(), type=Bodies))
