"""Whether a plan costs more than it did: instructions counted by callgrind, which do not depend on how busy a machine is.

The count of planning is taken as a multiple of the count of a fixed piece of Python, so that another build of Python
moves both. Compared with bench/baseline.json.

python -m bench.regression                 # compare
python -m bench.regression --write         # take today's figures as the baseline
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

BASELINE = Path(__file__).parent / "baseline.json"
ROOT = Path(__file__).parents[1]
TOLERANCE = 0.08

WORK = ("golden", "afresh", "explained")
_MARK = "getpgrp"  # of the C library; nothing else calls it here, so valgrind can cut the count where the script does

_SCRIPT = f"""
import gc, os, sys
sys.path.insert(0, ".")
from bench.measure import golden_bodies, made_up_bodies
from careplan.planner import Planner
from careplan.rulebook.load import load, shipped
planner = Planner(load(shipped()))
patients = [planner.intake.decode(body) for body in golden_bodies()]
others = [planner.intake.decode(body) for body in made_up_bodies(planner.book, 5)]
def fixed():
    for _ in range(10):
        sum(len(str(at)) for at in range(20000))
def golden():
    for patient in patients * 5:
        planner.encoded(patient)
def afresh():
    planner.forget()
    for patient in others:
        planner.encoded(patient)
def explained():
    for patient in patients[:4]:
        planner.explained(patient)
gc.collect()
gc.freeze()
gc.disable()
for work in (afresh, explained, golden):
    work()
for work in (fixed, golden, afresh, explained):
    os.{_MARK}()
    work()
os.{_MARK}()
"""


def counted() -> list[int]:
    """Instructions of each piece of work, the fixed one first, each done once before it counts."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", f"--dump-before={_MARK}"]
        around = os.environ | {"PYTHONHASHSEED": "0"}
        subprocess.run([*command, sys.executable, "-c", _SCRIPT], capture_output=True, check=True, cwd=ROOT, env=around)
        parts = sorted(Path(folder).glob("out.*"), key=lambda part: int(part.suffix[1:]))
        totals = [int(re.findall(r"^(?:summary|totals): (\d+)", part.read_text(), re.MULTILINE)[0]) for part in parts]
    return totals[1 : len(WORK) + 2]


def measured() -> dict[str, float]:
    """Each piece of work as a multiple of the fixed one."""
    fixed, *works = counted()
    return {name: round(count / fixed, 3) for name, count in zip(WORK, works, strict=True)}


def main() -> None:
    """Compare, or write."""
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
        return
    found = measured()
    if "--write" in sys.argv:
        BASELINE.write_text(json.dumps(found, indent=2) + "\n")
        print(f"written: {found}")
        return
    before = json.loads(BASELINE.read_text())
    worse = []
    for name, value in found.items():
        change = value / before[name] - 1
        print(f"{name:10} {value:8.3f} of the fixed work, {change:+.1%} against the baseline")
        if change > TOLERANCE:
            worse.append(name)
    if worse:
        sys.exit(f"{', '.join(worse)}: more than {TOLERANCE:.0%} dearer. Find out why, or take it with --write and say why.")


if __name__ == "__main__":
    main()
