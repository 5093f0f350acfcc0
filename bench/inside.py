"""What happens without HTTP: engines side by side, growth, the cost of starting, and other answers than a plan."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from bench.measure import ROOT, Figure, golden_bodies, in_turns, made_up_bodies, ratios
from bench.peers import PEERS, single_fact_rules
from careplan.difference import items_of
from careplan.engine import Engine
from careplan.facts import Fact
from careplan.fhir.cards import Cards
from careplan.fhir.hook import read_call
from careplan.fhir.reading import FhirReader
from careplan.fhir.writing import FhirWriter
from careplan.patient import Patient
from careplan.planner import Planner
from careplan.record import record
from careplan.rulebook.conditions import Every, Pattern, Test, When
from careplan.rulebook.load import load, shipped

encode = msgspec.json.Encoder().encode
MICRO = 1e6


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


def growth_of_patients(rounds: int) -> dict[str, Any]:
    """Microseconds a plan by the number of medicines: seen before, and with nothing remembered."""
    planner, forgetful = Planner(load(shipped())), Planner(load(shipped()))
    names = [row.name for row in planner.book.catalogue.ingredients.values()]
    patients = {
        count: planner.intake.convert(
            {"medications": [{"name": name, "schedule": "daily", "indication": "other"} for name in names[:count]]}
        )
        for count in (1, 2, 5, 10, 20, 50)
    }

    def afresh(patient: Patient) -> None:
        forgetful.forget()
        forgetful.encoded(patient)

    work: dict[str, Callable[[], object]] = {}
    for count, patient in patients.items():
        work[f"{count} known"] = lambda patient=patient: planner.encoded(patient)  # type: ignore[misc]
        work[f"{count} afresh"] = lambda patient=patient: afresh(patient)  # type: ignore[misc]
    taken = in_turns(work, rounds)
    return {
        str(count): {kind: Figure.of([one * MICRO for one in taken[f"{count} {kind}"][1:]]) for kind in ("known", "afresh")}
        | {"bytes": len(planner.encoded(patient))}
        for count, patient in patients.items()
    }


def growth_of_rules(sizes: Sequence[int]) -> dict[str, Any]:
    """Compiling and evaluating rulebooks of so many rules of the shipped shapes, each with other constants."""
    book = load(shipped())
    planner = Planner(book)
    facts = [planner.traced(planner.intake.decode(body))[0].facts for body in golden_bodies()]
    shapes = [rule.when for rule in book.rules.values()]
    found = {}
    for size in sizes:
        rules = {f"r{at}": _shifted(shapes[at % len(shapes)], at // len(shapes)) for at in range(size)}
        began = time.perf_counter()
        engine = Engine(rules)
        compiled = time.perf_counter() - began

        def afresh(engine: Engine = engine) -> None:
            engine.forget()
            for one in facts:
                engine.evaluate(one)

        def known(engine: Engine = engine) -> None:
            for one in facts:
                engine.evaluate(one)

        taken = in_turns({"afresh": afresh, "known": known}, 5)
        found[str(size)] = {"compile_ms": compiled * 1000} | {
            name: Figure.of([one / len(facts) * MICRO for one in times]) for name, times in taken.items()
        }
        engine.close()
    return found


def _shifted(when: When, by: int) -> When:
    """The same conditions with other numbers, and a further test that keeps patterns apart."""
    if not by:
        return when
    return tuple(
        tuple(Pattern(pattern.kind, Every((*pattern.tests.parts, *_more(pattern.kind, by)))) for pattern in group)
        for group in when
    )


def _more(kind: str, by: int) -> tuple[Test, ...]:
    field = {"lifestyle": "sleep_hours_per_night", "treatment": "sessions_planned", "support": "trusted_people"}.get(kind)
    if field:
        return (Test(field, "more_than", (by / 100,)),)
    token = {"medicine": "ingredient", "condition": "name"}.get(kind)
    return (Test(token, "none_of", (f"nothing-{by}",)),) if token else ()


_STARTING = """
import time; began = time.perf_counter(); laps = {}
def lap(name):
    global began
    now = time.perf_counter(); laps[name] = (now - began) * 1000; began = now
import careplan.cli, careplan.web.app as app; lap("import")
from careplan.rulebook.load import load, shipped
book = load(shipped()); lap("load the rulebook")
from careplan.planner import Planner
planner = Planner(book); lap("compile")
from careplan.rehearsal import A_PATIENT
planner.plan(A_PATIENT); lap("first plan")
from careplan.settings import Settings
app.build(book, Settings()); lap("build the application")
import json
print(json.dumps(laps))
"""


def starting(rounds: int) -> dict[str, Any]:
    """Milliseconds of each step of a start, each round in a process of its own."""
    laps: dict[str, list[float]] = {}
    for _ in range(rounds):
        done = subprocess.run([sys.executable, "-c", _STARTING], capture_output=True, check=True, cwd=ROOT)
        for name, value in json.loads(done.stdout).items():
            laps.setdefault(name, []).append(value)
    laps["all"] = [sum(values) for values in zip(*laps.values(), strict=True)]
    return {name: Figure.of(values) for name, values in laps.items()}


def memory(plans: int) -> dict[str, float]:
    """Megabytes of a process that only plans: at first, after warming up, and after so many plans of different patients."""

    def resident() -> float:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096 / 1e6

    planner = Planner(load(shipped()))
    first = resident()
    patients = [planner.intake.decode(body) for body in made_up_bodies(planner.book, 3_000) + golden_bodies()]
    before = resident()
    for at in range(plans // 5):
        planner.encoded(patients[at % len(patients)])
    warm = resident()
    for at in range(plans):
        planner.encoded(patients[at % len(patients)])
    return {"planner": first, "warm": first + warm - before, "grown_after": resident() - warm, "plans": float(plans)}


def memory_apart(plans: int) -> dict[str, float]:
    """`memory` in a process of its own."""
    script = f"import json; from bench.inside import memory; print(json.dumps(memory({plans})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, cwd=ROOT)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def views(rounds: int) -> dict[str, Figure]:
    """Other answers as multiples of a plain plan, encoded."""
    from tests.contract.test_cds_hooks import CALL

    planner = Planner(load(shipped()))
    patients = [planner.intake.decode(body) for body in golden_bodies()]
    first = {id(patient): next(iter(items_of(planner.plan(patient)))).id for patient in patients}
    writer, reader = FhirWriter(), FhirReader(planner.book, planner.intake)
    cards = Cards(planner.book, "")

    def over(do: Callable[[Patient], object]) -> Callable[[], object]:
        return lambda: [do(patient) for patient in patients]

    def hook(_: Patient) -> bytes:
        call = read_call(CALL, reader, date(2026, 1, 1))
        return encode(cards.of(planner.plan(call.read.patient), call.read, call.instance, ordered=call.ordered))

    work = {
        "plan": over(planner.encoded),
        "full explanation": over(lambda patient: encode(planner.explained(patient))),
        "decision record": over(lambda patient: encode(record(planner, patient, None))),
        "what would change one item": over(lambda patient: encode(planner.what_would_change(patient, first[id(patient)]))),
        "FHIR Bundle": over(lambda patient: encode(writer.bundle(planner.plan(patient), patient, None))),
        "CDS Hooks call": over(hook),
    }
    in_turns(work, 1)
    return ratios(in_turns(work, rounds), "plan")
