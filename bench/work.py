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
from pathlib import Path
from typing import Any, cast

import msgspec

from bench.cds_calls import call_of
from bench.fixed import fixed_work
from bench.measure import NeverSeen, golden_bodies, planned
from bench.regression import FIXED_TIMES
from careplan.planner import Planner
from careplan.rulebook.load import load, shipped

Work = Sequence[Callable[[], object]]
"""A piece of work, one request after the other."""

MET = 240
"""Patients of the realistic cohort that planner and application have met before those who are counted."""
SAMPLE = {"never seen": 60, "explained": 6, "plan over HTTP": 30, "FHIR over HTTP": 12, "CDS over HTTP": 12}
"""Patients of the cohort that are counted, each once and in one piece of work."""
FEW, MANY, LISTS = 5, 50, 10
"""Medicines of the two kinds of patients whose costs make the growth, and lists of each."""
TIMED = ("golden", "explained", "plan over HTTP", "FHIR over HTTP", "CDS over HTTP")
SEED = 7


class Bodies(msgspec.Struct):
    """Requests, as text: golden patients, those met before, and the fixed sample by the piece of work it is for."""

    golden: list[str]
    met: list[str]
    met_calls: list[str]
    sample: dict[str, list[str]]
    medicines: dict[str, list[str]]


def write(file: Path, tree: Path) -> None:
    """Write the requests: the golden patients of the code in `tree`, and a sample of the realistic cohort."""
    book = load(shipped())
    new = NeverSeen(SEED, book)
    met = new.some(MET)
    sample = {name: new.some(count) for name, count in SAMPLE.items()}
    sample["CDS over HTTP"] = [call_of(body, book, MET + at) for at, body in enumerate(sample["CDS over HTTP"])]
    names = [row.name for row in book.catalogue.ingredients.values()]

    def taking(count: int) -> list[bytes]:
        # Every list begins elsewhere in the catalogue, so that no two are the same.
        lists = [[names[(at * 31 + of * 7) % len(names)] for of in range(count)] for at in range(LISTS)]
        entries = [[{"name": name, "schedule": "daily", "indication": "other"} for name in one] for one in lists]
        return [msgspec.json.encode({"medications": one}) for one in entries]

    bodies = Bodies(
        golden=_texts(golden_bodies(tree)),
        met=_texts(met),
        met_calls=_texts([call_of(body, book, at) for at, body in enumerate(met[: SAMPLE["CDS over HTTP"]])]),
        sample={name: _texts(some) for name, some in sample.items()},
        medicines={"few": _texts(taking(FEW)), "many": _texts(taking(MANY))},
    )
    file.write_bytes(msgspec.json.encode(bodies))


def _texts(bodies: Sequence[bytes]) -> list[str]:
    return [body.decode() for body in bodies]


def _bytes(texts: Sequence[str]) -> list[bytes]:
    return [text.encode() for text in texts]


def works(bodies: Bodies) -> tuple[dict[str, Work], Work]:
    """Each piece of work by its name, and what is done before: the same for patients of whom none is in a piece of work."""
    planner = Planner(load(shipped()))
    decode = planner.intake.decode
    ask = requests()

    def planning(asked: Sequence[str]) -> Work:
        return [lambda body=body: planned(planner, body) for body in _bytes(asked)]  # type: ignore[misc]

    def explaining(asked: Sequence[str]) -> Work:
        return [lambda body=body: planner.explained(decode(body)) for body in _bytes(asked)]  # type: ignore[misc]

    def asking(path: str, asked: Sequence[str], accept: str) -> Work:
        return ask(path, _bytes(asked), accept)

    plans, calls = "/v1/care-plans", "/cds-services/ketamine-care-plan"
    json_form, fhir_form = "application/json", "application/fhir+json"
    sample = bodies.sample
    fixed = [fixed_work()] * FIXED_TIMES
    before = [
        *planning(bodies.met),
        *explaining(bodies.met[: len(sample["explained"])]),
        *asking(plans, bodies.met, json_form),
        *asking(plans, bodies.met[: len(sample["FHIR over HTTP"])], fhir_form),
        *asking(calls, bodies.met_calls, json_form),
        *fixed,
    ]
    return (
        {
            "fixed": fixed,
            "never seen": planning(sample["never seen"]),
            "golden": planning(bodies.golden),
            "explained": explaining(sample["explained"]),
            "few": planning(bodies.medicines["few"]),
            "many": planning(bodies.medicines["many"]),
            "plan over HTTP": asking(plans, sample["plan over HTTP"], json_form),
            "FHIR over HTTP": asking(plans, sample["FHIR over HTTP"], fhir_form),
            "CDS over HTTP": asking(calls, sample["CDS over HTTP"], json_form),
        },
        before,
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
    """Do each piece of work once, between two marks, after the same was done for others where nothing is counted.

    Nobody in a piece of work was seen before: Python is at home in the code, and nothing else is known of the patients.
    """
    pieces, before = works(bodies)
    _do(before)
    gc.collect()
    gc.freeze()
    gc.disable()
    # Not waited for: valgrind takes the command while this process is busy, and needs no right to trace it then.
    switch = subprocess.Popen(["callgrind_control", "-i", "on", str(os.getpid())], stdout=subprocess.DEVNULL)
    while switch.poll() is None:
        pass
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
