"""What happens without HTTP: engines side by side, patients old and new, the cost of starting, other answers than a plan."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import date
from http import HTTPStatus
from itertools import islice
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from bench.measure import MICRO, ROOT, Figure, cds_call, golden_bodies, in_turns, made_up_bodies, ratios
from bench.peers import PEERS, single_fact_rules
from careplan.decision_record import record
from careplan.explain.plan_diff import items_of
from careplan.facts.build import FactMaker
from careplan.facts.case import Fact
from careplan.fhir.cds_hooks.call import read_call
from careplan.fhir.cds_hooks.cards import Cards
from careplan.fhir.read.bundle import FhirReader
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.inference.durable_rules import Engine
from careplan.plan.item_templates import Items
from careplan.plan.questions import Questions
from careplan.planner import Planner
from careplan.request.decode import Intake
from careplan.request.patient import Patient
from careplan.rulebook.load import load, shipped

encode = msgspec.json.Encoder().encode


def engines(rounds: int, made_up: int = 40) -> dict[str, Any]:
    """Microseconds a patient and multiples of plain Python, once all engines agree on all patients."""
    book = load(shipped())
    planner, rules = Planner(book), single_fact_rules(book)
    bodies = golden_bodies() + made_up_bodies(book, made_up)
    facts = [planner.traced(planner.intake.decode(body))[0].facts for body in bodies]
    peers = {name: make(rules) for name, make in PEERS.items()}
    wanted = [peers["plain Python ifs"](one) for one in facts]
    for name, peer in peers.items():
        for one, should in zip(facts, wanted, strict=True):
            if peer(one) != should:
                raise SystemExit(f"{name} finds something else than plain Python does")

    def running(peer: Callable[[Sequence[Fact]], object]) -> Callable[[], object]:
        return lambda: [peer(one) for one in facts]

    taken = in_turns({name: running(peer) for name, peer in peers.items()}, rounds)
    multiples = ratios(taken, "plain Python ifs")
    return {
        "rules": len(rules),
        "patients": len(facts),
        "rows": {
            name: {"microseconds": Figure.of([one / len(facts) * MICRO for one in times]), "of_python": multiples[name]}
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
    """Microseconds of reading a request, planning and writing the plan: patients met before, never seen, and mixed.

    Nobody is sent twice as new. The share of each step is of the time of those never seen.
    """
    planner = Planner(load(shipped()))
    golden = golden_bodies()
    new = iter(made_up_bodies(planner.book, 300 + rounds * fresh * 2, seed=5))

    def planned(bodies: Sequence[bytes]) -> float:
        began = time.perf_counter()
        for body in bodies:
            planner.encoded(planner.intake.decode(body))
        return (time.perf_counter() - began) / len(bodies) * MICRO

    planned([*golden, *islice(new, 300)])
    taken: dict[str, list[float]] = {"golden, seen before": [], "made up, never seen": [], "half of each": []}
    with _shares() as shares:
        for _ in range(rounds):
            planned(golden)
            shares.clear()
            taken["golden, seen before"].append(planned(golden * 3))
            seen = dict(shares)
            shares.clear()
            taken["made up, never seen"].append(planned(list(islice(new, fresh))))
            whole = dict(shares)
            others = list(islice(new, fresh))
            taken["half of each"].append(
                planned([one for at, other in enumerate(others) for one in (other, golden[at % len(golden)])])
            )
    of_seen, of_new = taken["golden, seen before"][-1] * len(golden) * 3, taken["made up, never seen"][-1] * fresh
    base = taken["golden, seen before"]
    return {
        "rows": {
            name: {
                "microseconds": Figure.of(times),
                "of_golden": Figure.of([one / by for one, by in zip(times, base, strict=True)]),
            }
            for name, times in taken.items()
        },
        "shares": {
            name: {"golden": seen.get(name, 0.0) * MICRO / of_seen, "never_seen": whole.get(name, 0.0) * MICRO / of_new}
            for name in STEPS_OF_A_PLAN
        },
    }


STEPS_OF_A_PLAN = {
    "reading the request": (Intake, "decode"),
    "facts": (FactMaker, "case"),
    "engine": (Engine, "found"),
    "items": (Items, "of"),
    "open questions": (Questions, "unanswered"),
}


@contextmanager
def _shares() -> Iterator[dict[str, float]]:
    """Seconds in each step of a plan, as long as the block lasts."""
    found: dict[str, float] = {}

    def timed(name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return do(*given, **named)
            finally:
                found[name] = found.get(name, 0.0) + time.perf_counter() - began

        return step

    before = {name: getattr(owner, method) for name, (owner, method) in STEPS_OF_A_PLAN.items()}
    for name, (owner, method) in STEPS_OF_A_PLAN.items():
        setattr(owner, method, timed(name, before[name]))
    try:
        yield found
    finally:
        for name, (owner, method) in STEPS_OF_A_PLAN.items():
            setattr(owner, method, before[name])


def views(rounds: int) -> dict[str, Figure]:
    """Other answers as multiples of a plain plan of the same patient: the middle of all patients, the least and the most."""
    book = load(shipped())
    planner, writer = Planner(book), FhirWriter()
    reader, cards = (
        FhirReader(book.codes, book.conditions, book.catalogue, planner.intake),
        Cards(book.about, book.rules, book.codes.override_reasons),
    )
    asked: Any = json.loads(cds_call())

    def hook() -> bytes:
        call = read_call(asked, reader, date(2026, 1, 1))
        return encode(
            cards.of(planner.plan(call.read.patient), call.read, call.instance, ordering=call.hook != "patient-view")
        )

    def views_of(patient: Patient) -> dict[str, Callable[[], object]]:
        first = next(iter(items_of(planner.plan(patient)))).id
        return {
            "plan": lambda: planner.encoded(patient),
            "full explanation": lambda: encode(planner.explained(patient)),
            "decision record": lambda: encode(record(planner, patient, None)),
            "what would change one item": lambda: encode(planner.what_would_change(patient, first)),
            "FHIR Bundle": lambda: encode(writer.bundle(planner.plan(patient), patient, None)),
        }

    sets = [views_of(planner.intake.decode(body)) for body in golden_bodies()]
    called = read_call(asked, reader, date(2026, 1, 1)).read.patient
    sets.append({"plan": lambda: planner.encoded(called), "CDS Hooks call": hook})
    multiples: dict[str, list[float]] = {}
    for work in sets:
        in_turns(work, 1)
        taken = in_turns(work, rounds * 3)
        for name, figure in ratios(taken, "plan").items():
            multiples.setdefault(name, []).append(figure.middle)
    return {name: Figure.of(values) for name, values in multiples.items()}
