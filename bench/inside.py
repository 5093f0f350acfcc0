"""What happens without HTTP: engines side by side, a plan against fixed work, the cost of starting, other answers."""

from __future__ import annotations

import cProfile
import http.client
import json
import os
import pstats
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from datetime import date
from http import HTTPStatus
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from bench.cds_calls import YEAR, call_of
from bench.fixed import fixed_work
from bench.measure import MICRO, ROOT, Figure, NeverSeen, clock, in_turns, planned, ratios, seconds_of
from bench.peers import PEERS, PYTHON, UNFILLED, Ours, single_fact_rules
from careplan.decision_record import record
from careplan.facts.case import Fact
from careplan.fhir.cds_hooks.call import read_call
from careplan.fhir.cds_hooks.cards import Cards
from careplan.fhir.read.bundle import FhirReader
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.load import load, shipped

encode = msgspec.json.Encoder().encode


def engines(rounds: int, patients: int = 15) -> dict[str, Any]:
    """Microseconds a patient and multiples of plain Python, on patients whom no engine has seen before, all findings equal.

    The engine with nothing filled is made anew before each of them, as loading leaves it.
    """
    book = load(shipped())
    planner, rules, new = Planner(book), single_fact_rules(book), NeverSeen(31, book)
    peers = {name: make(rules) for name, make in PEERS.items() if name != UNFILLED}

    def facts_of(count: int) -> list[Sequence[Fact]]:
        return [planner.traced(planner.intake.decode(body))[0].facts for body in new.some(count)]

    for one in facts_of(WARMING // 4):
        for peer in peers.values():
            peer(one)
    taken: dict[str, list[float]] = {name: [] for name in PEERS}
    for _ in range(rounds):
        everyone = facts_of(patients)
        wanted = [peers[PYTHON](one) for one in everyone]
        for name in PEERS:
            seconds = 0.0
            for one, should in zip(everyone, wanted, strict=True):
                peer = peers[name] if name in peers else (unfilled := Ours(rules))
                began = clock()
                found = peer(one)
                seconds += clock() - began
                if name == UNFILLED:
                    unfilled.close()
                if found != should:
                    raise SystemExit(f"{name} finds something else than plain Python does")
            taken[name].append(seconds / patients)
    multiples, of_unfilled = ratios(taken, PYTHON), ratios(taken, UNFILLED)
    return {
        "rules": len(rules),
        "patients": rounds * patients,
        "rows": {
            name: {
                "microseconds": Figure.of([one * MICRO for one in times]),
                "of_python": multiples[name],
                "of_unfilled": of_unfilled[name],
            }
            for name, times in taken.items()
        },
    }


_STARTING = """
import gc; gc.disable()  # as the service does while it starts
import time; began = time.perf_counter(); laps = {}
def lap(name):
    global began
    now = time.perf_counter(); laps[name] = (now - began) * 1000; began = now
import careplan.cli.main, careplan.cli.running, careplan.web.app as app, careplan.web.process.supervisor; lap("import")
from careplan.rulebook.load import load, shipped
book = load(shipped()); lap("load the rulebook")
from careplan.planner import Planner
planner = Planner(book); lap("compile")
from careplan.planner import A_PATIENT
planner.plan(A_PATIENT); lap("first plan")
from careplan.settings import Settings
app.build(book, Settings()); lap("build the application")
import json
print(json.dumps(laps))
"""


def starting(rounds: int) -> dict[str, Any]:
    """Milliseconds of each step of a start, each round in a process of its own; and of a real one, until it is ready."""
    laps: dict[str, list[float]] = {}
    ready: list[float] = []
    with TemporaryDirectory() as folder:
        # Modules are compiled once, as they are where the package is installed: by the first start, which does not count.
        compiled = {"PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": "", "CAREPLAN_DRAIN_SECONDS": "0"}
        environment = {**os.environ, **compiled, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
        _until_ready(environment)
        for _ in range(rounds):
            command = [sys.executable, "-c", _STARTING]
            done = subprocess.run(command, capture_output=True, check=True, cwd=ROOT, env=environment)
            for name, value in json.loads(done.stdout).items():
                laps.setdefault(name, []).append(value)
            ready.append(_until_ready(environment))
    laps["all"] = [sum(values) for values in zip(*laps.values(), strict=True)]
    laps["until ready"] = ready
    return {name: Figure.of(values) for name, values in laps.items()}


def _until_ready(environment: Mapping[str, str]) -> float:
    """Milliseconds from the command `careplan serve` until the service says that it is ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    began = time.perf_counter()
    command = [sys.executable, "-m", "careplan.cli.start", "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with suppress(OSError), closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as asking:
                asking.request("GET", "/readyz")
                if asking.getresponse().status == HTTPStatus.OK:
                    return (time.perf_counter() - began) * 1000
            time.sleep(0.003)
        raise SystemExit("the service ended before it was ready")
    finally:
        process.terminate()
        process.wait()


def patients(rounds: int, fresh: int = 60) -> dict[str, Any]:
    """One plan (decoding, planning, encoding) of patients never seen, against the fixed work, in turns; and where it goes.

    The planner has met others before. Microseconds, multiples of the fixed work, and shares by package of the service.
    """
    planner = Planner(load(shipped()))
    new, fixed = NeverSeen(5, planner.book), fixed_work()

    def plan(body: bytes) -> None:
        planned(planner, body)

    seconds_of(plan, new.some(WARMING))
    in_turns({"fixed": fixed}, 20)
    taken: dict[str, list[float]] = {FIXED: [], READING: [], PLAN: []}
    for _ in range(rounds):
        taken[FIXED].append(statistics.mean(in_turns({"fixed": fixed}, fresh)["fixed"]))
        taken[READING].append(seconds_of(planner.intake.decode, new.some(fresh)))
        taken[PLAN].append(seconds_of(plan, new.some(fresh)))
    of_fixed = ratios(taken, FIXED)
    last = new.some(fresh)
    return {
        "rows": {
            name: {"microseconds": Figure.of([one * MICRO for one in times]), "of_fixed": of_fixed[name]}
            for name, times in taken.items()
        },
        "shares": shares(lambda: seconds_of(plan, last)),
    }


FIXED, READING, PLAN = "fixed work", "reading the request alone", "a plan"
WARMING = 240
"""Patients that a planner has met before others count: Python makes itself at home in what runs often."""


def shares(work: Callable[[], object]) -> dict[str, float]:
    """Which share of the time goes to each package of the service, by Python's profiler.

    What is built in or of a library counts for who called it. The profiler makes calls dearer than they are: a rough map.
    """
    profiler = cProfile.Profile()
    profiler.runcall(work)
    stats: Any = pstats.Stats(profiler)
    spent: dict[str, float] = {}
    for place, (_, _, own, _, callers) in stats.stats.items():
        package = _package(place[0])
        if package:
            spent[package] = spent.get(package, 0.0) + own
            continue
        for caller, figures in callers.items():
            of_caller = _package(caller[0]) or ELSEWHERE
            spent[of_caller] = spent.get(of_caller, 0.0) + figures[2]
    whole = sum(spent.values())
    return {name: spent[name] / whole for name in sorted(spent, key=lambda name: -spent[name])}


ELSEWHERE = "libraries, and the benchmark itself"


def _package(file: str) -> str:
    """The package of the service that a file belongs to; a module that stands alone counts as one."""
    _, inside, rest = file.rpartition(f"{os.sep}careplan{os.sep}")
    return rest.partition(os.sep)[0].removesuffix(".py") if inside else ""


def few_and_many(rounds: int, few: int = 320) -> dict[str, Any]:
    """Whether a plan of somebody among few costs less than one of somebody among many: it must not.

    The same few patients are asked for in every round, and in turns with them as many who come only once: with 31 rounds of
    320 that is one of 320 against one of 10,000. Each side has a planner of its own.
    """
    book = load(shipped())
    one, other, new = Planner(book), Planner(book), NeverSeen(17, book)
    same = new.some(few)
    seconds_of(lambda body: planned(one, body), same)
    seconds_of(lambda body: planned(other, body), new.some(few))
    taken: dict[str, list[float]] = {"few": [], "many": []}
    for _ in range(rounds):
        taken["few"].append(seconds_of(lambda body: planned(one, body), same))
        taken["many"].append(seconds_of(lambda body: planned(other, body), new.some(few)))
    return {
        "few": few,
        "many": few * (rounds + 1),
        "microseconds": {name: Figure.of([value * MICRO for value in times]) for name, times in taken.items()},
        "many_to_few": ratios(taken, "few")["many"],
    }


def views(patients: int, *, explained: int = 0) -> dict[str, Figure]:
    """Other answers as multiples of a plan of the same patient: the middle of all patients, the least and the most.

    Each kind of answer has a planner of its own that has not met the patient, and is asked once for each. `explained` is for
    how many of them the dear kinds are asked as well; 0 means for a quarter.
    """
    book = load(shipped())
    new = NeverSeen(41, book)
    names = ("plan", "full explanation", "decision record", "what would change one item", "FHIR Bundle", "CDS Hooks call")
    planners = {name: Planner(book) for name in (*names, CALLED)}
    writer, hooks = FhirWriter(), planners["CDS Hooks call"]
    reader, cards = (
        FhirReader(book, hooks.intake),
        Cards(book.about, book.rules, book.codes.override_reasons),
    )

    def hook(call: bytes) -> bytes:
        read = read_call(json.loads(call), reader, date(YEAR, 1, 1))
        return encode(cards.of(hooks.plan(read.read.patient), read.read, read.instance, ordering=False))

    def asked(name: str, patient: Patient, call: bytes, item: str) -> Callable[[], object]:
        planner = planners[name]
        work: dict[str, Callable[[], object]] = {
            "plan": lambda: encode(planner.plan(patient)),
            CALLED: lambda: encode(planner.plan(patient)),
            "full explanation": lambda: encode(planner.explained(patient)),
            "decision record": lambda: encode(record(planner, patient, None)),
            "what would change one item": lambda: encode(planner.what_would_change(patient, item)),
            "FHIR Bundle": lambda: encode(writer.bundle(planner.plan(patient), patient, None)),
            "CDS Hooks call": lambda: hook(call),
        }
        return work[name]

    first, judge = "", Planner(book)
    multiples: dict[str, list[float]] = {name: [] for name in names}
    dear = frozenset(names[1:4])
    # Planners with nothing filled would be measured filling; those of patients before these are not counted.
    warming = max(3, patients // 4)
    explained = explained or max(1, patients // 4)
    for at, body in enumerate(new.some(warming + patients)):
        patient, call = judge.intake.decode(body), call_of(body, book, at)
        of_call = read_call(json.loads(call), reader, date(YEAR, 1, 1)).read.patient
        first = next(iter(items_of(judge.plan(patient)))).id
        used = [name for name in planners if name not in dear or at < 1 or warming <= at < warming + explained]
        taken = in_turns({name: asked(name, of_call if name == CALLED else patient, call, first) for name in used}, 1)
        if at < warming:
            continue
        for name in used:
            if name != CALLED:
                base = CALLED if name == "CDS Hooks call" else "plan"
                multiples[name].append(taken[name][0] / taken[base][0])
    return {name: Figure.of(values) for name, values in multiples.items()}


CALLED = "plan of the patient of a call"
