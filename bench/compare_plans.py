"""Whether two revisions make the same plans, byte for byte, of the same patients: half made up, half realistic, none twice.

Each side plans with its own code and its own rules in a process of its own. The patients are those of the code that runs
this, so both sides get the same bytes; a side that refuses one answers with the faults, which are compared as well.
Exits with 0 if all plans are the same, and with 1 if some differ.

python -m bench.compare_plans HEAD~5                       # that commit, and the files as they are here
python -m bench.compare_plans v1 --new v2 --patients 500   # two commits
python -m bench.compare_plans HEAD --json                  # as data
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from bench.measure import ROOT, NeverSeen, made_up_bodies
from bench.revisions import tree_of
from careplan.request.schema_faults import json_pointer
from careplan.rulebook.load import load, shipped

PIECE = 500
"""Patients between two words of how far it is."""
SHOWN = 20
"""Differences that are told whole; more are only counted."""

_SIDE = """
import sys, msgspec
from pathlib import Path
from careplan.errors import InvalidPatient
from careplan.planner import Planner
from careplan.rulebook.load import load
planner = Planner(load(Path(sys.argv[1])))
for line in sys.stdin.buffer:
    try:
        answer = msgspec.json.encode(planner.plan(planner.intake.decode(line)))
    except InvalidPatient as error:
        answer = msgspec.json.encode({"refused": str(error)})
    sys.stdout.buffer.write(answer + b"\\n")
    sys.stdout.buffer.flush()
"""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One patient with two plans: the request, and the first place (a JSON Pointer) at which the plans differ."""

    patient: Any
    pointer: str
    old: Any
    new: Any


class Comparison(msgspec.Struct, kw_only=True):
    """What came of it. `differences` are the first ones; `digest` is of all plans of the new side, in order."""

    patients: int = 0
    different: int = 0
    digest: str = ""
    differences: list[Difference] = []


class Side:
    """A process that plans with the code and rules of one folder. A context manager."""

    def __init__(self, tree: Path) -> None:
        """`tree` holds `src` and `rules`."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("CAREPLAN_")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SIDE, str(tree / "rules")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=tree,
            env=outside | {"PYTHONPATH": str(tree / "src"), "PYTHONHASHSEED": "0"},
        )

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def plan(self, body: bytes) -> bytes:
        """The plan of one request, or its faults, in bytes. Raises `SystemExit` if the code of this side fails."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(body + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer.endswith(b"\n"):
            raise SystemExit(f"one side ended with {self._process.wait()} on this patient: {body.decode()}")
        return answer[:-1]


def first_difference(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> tuple[str, Any, Any] | None:
    """Where two values of JSON differ first, as a JSON Pointer, with what stands there; None if nowhere.

    What stands on one side only is null on the other. The order of an object's names counts: it is part of the bytes.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            place = (*path, name)
            if name not in old or name not in new:
                return json_pointer(place), old.get(name), new.get(name)
            if found := first_difference(old[name], new[name], place):
                return found
        return None if list(old) == list(new) else (json_pointer(path), list(old), list(new))
    if isinstance(old, list) and isinstance(new, list):
        for at in range(max(len(old), len(new))):
            place = (*path, at)
            if at >= min(len(old), len(new)):
                return json_pointer(place), old[at] if at < len(old) else None, new[at] if at < len(new) else None
            if found := first_difference(old[at], new[at], place):
                return found
        return None
    return None if type(old) is type(new) and old == new else (json_pointer(path), old, new)


def cohort(patients: int) -> list[bytes]:
    """So many requests, every second one realistic, always the same ones for the same rulebook."""
    book = load(shipped())
    made_up, realistic = made_up_bodies(book, patients - patients // 2, 43), NeverSeen(43, book).some(patients // 2)
    return [pair[at] for pair in zip(made_up, [*realistic, b""], strict=False) for at in (0, 1) if pair[at]]


def compared(old: Path, new: Path, bodies: Sequence[bytes], *, progress: bool = False) -> Comparison:
    """Plan for each of these requests with the code and rules of two folders, and compare the bytes."""
    found, digest = Comparison(), hashlib.sha256()
    with Side(old) as left, Side(new) as right:
        for body in bodies:
            before, after = left.plan(body), right.plan(body)
            digest.update(after + b"\n")
            found.patients += 1
            if before != after:
                found.different += 1
                if len(found.differences) < SHOWN:
                    place = first_difference(json.loads(before), json.loads(after)) or ("", None, None)
                    told = Difference(patient=json.loads(body), pointer=place[0], old=place[1], new=place[2])
                    found.differences.append(told)
            if progress and found.patients % PIECE == 0:
                print(f"{found.patients}/{len(bodies)}, {found.different} differ", file=sys.stderr, flush=True)
    found.digest = digest.hexdigest()
    return found


def main() -> int:
    """Compare and print."""
    options = argparse.ArgumentParser(
        prog="scripts/compare-plans", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("old", metavar="OLD_REVISION", help="a commit, tag or branch")
    options.add_argument("--new", metavar="REVISION", help="compare with this one instead of the files as they are here")
    options.add_argument("--patients", type=int, default=10_000, help="how many, no two alike (10000)")
    options.add_argument("--json", action="store_true", help="print data")
    chosen = options.parse_args()
    with ExitStack() as opened:
        old = opened.enter_context(tree_of(chosen.old))
        new = opened.enter_context(tree_of(chosen.new)) if chosen.new else ROOT
        found = compared(old, new, cohort(chosen.patients), progress=True)
    if chosen.json:
        print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        for one in found.differences:
            print(f"{one.pointer}\n  old: {json.dumps(one.old)[:300]}\n  new: {json.dumps(one.new)[:300]}")
            print(f"  of: {json.dumps(one.patient)[:300]}")
        print(f"{found.different} of {found.patients} plans differ; digest of the new ones {found.digest[:16]}")
    return 1 if found.different else 0


if __name__ == "__main__":
    sys.exit(main())
