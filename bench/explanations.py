"""What an explanation, a record and a counterfactual cost, as multiples of a plain plan.

python -m bench.explanations            # a table
python -m bench.explanations --json     # the same as data
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from careplan.difference import items_of
from careplan.patient import Patient
from careplan.planner import Planner
from careplan.record import record
from careplan.rulebook.load import load, shipped

ROOT = Path(__file__).parents[1]
ROUNDS = 15


def measured(work: Mapping[str, Callable[[Patient], object]], patients: list[Patient]) -> dict[str, dict[str, float]]:
    """Milliseconds a patient for each kind of work, taken in turns so that a slow moment hits all of them alike."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, do in work.items():
            begun = time.perf_counter()
            for patient in patients:
                do(patient)
            taken[name].append((time.perf_counter() - begun) * 1000 / len(patients))
    plain = taken["plan"]
    found = {}
    for name, times in taken.items():
        ratios = sorted(one / base for one, base in zip(times, plain, strict=True))
        found[name] = {
            "milliseconds": round(statistics.median(times), 3),
            "times_a_plan": round(statistics.median(ratios), 2),
            "lowest": round(ratios[0], 2),
            "highest": round(ratios[-1], 2),
        }
    return found


def main() -> None:
    """Measure on the golden patients and the examples."""
    planner = Planner(load(shipped()))
    files = sorted([*(ROOT / "tests" / "golden" / "patients").glob("*.json"), *(ROOT / "examples").glob("*.json")])
    patients = [planner.intake.decode(path.read_bytes()) for path in files]
    encode = msgspec.json.Encoder().encode
    first: dict[int, str] = {id(patient): next(iter(items_of(planner.plan(patient)))).id for patient in patients}
    work: dict[str, Callable[[Patient], Any]] = {
        "plan": lambda patient: encode(planner.plan(patient)),
        "plan with full explanation": lambda patient: encode(planner.explained(patient)),
        "decision record": lambda patient: encode(record(planner, patient, None)),
        "what would change one item": lambda patient: encode(planner.what_would_change(patient, first[id(patient)])),
    }
    measured(work, patients[:3])
    found = measured(work, patients)
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for name, row in found.items():
        sys.stdout.write(
            f"{name:28} {row['milliseconds']:8.3f} ms   {row['times_a_plan']:5.2f} plans"
            f"   ({row['lowest']:.2f} to {row['highest']:.2f})\n"
        )


if __name__ == "__main__":
    main()
