"""Whether a plan costs more than it did: instructions counted by callgrind, which do not depend on how busy a machine is.

Each piece of work of `bench.work` is done for a fixed sample of the realistic cohort, and one for the golden patients: each
patient once, and never seen before. A request counts as a multiple of the fixed work in the same process, which decodes a
request and encodes 80 kB by `json` of the standard library, and is compared with what bench/baseline.json says of this
very Python on this kind of machine with these packages. Another build of Python moves both unequally; so where the file
knows nothing of the one that runs, the commit that wrote the file is counted beside this one, by the same script on the
same requests.
Waiting costs no instructions: it shows in the time by the clock over the time of the processor.

python -m bench.regression                 # compare
python -m bench.regression --anew          # compare with the commit that wrote the baseline, whatever is known
python -m bench.regression --write         # take today's figures as the baseline
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.revisions import ROOT, git, tree_of

BASELINE = ROOT / "bench" / "baseline.json"
DEARER = 0.05
"""What a piece of work may cost more than before. Counts of the same code differ by less than one in a hundred."""
CHEAPER = 0.10
"""What it may cost less before the baseline must be taken anew: under an old one, the gain could be lost in silence."""
WAITING = 1.3
"""Time by the clock over time of the processor."""
GROWTH = "50 medicines to 5"
STEEPER = 0.15
"""What the growth may change either way: it is one cost over another, each of which may change by itself."""

FIXED_TIMES = 60  # a multiple of how many requests and answers take turns in it
"""How often the fixed work is done."""
_PIECES = ("fixed", "never seen", "golden", "explained", "few", "many")
_OVER_HTTP = ("plan over HTTP", "FHIR over HTTP", "CDS over HTTP")
COUNTED = (*(name for name in _PIECES if name not in ("fixed", "few", "many")), GROWTH, *_OVER_HTTP)
_NO_STRINGS = "glibc.cpu.hwcaps=-ERMS,-FSRM"
"""Has the C library copy memory by loops. By the processor's own instruction for it callgrind counts each byte as one, and
whether a buffer that grows has to be copied depends on where it lies: 3 million instructions fell into one piece of work
or another by chance, one in twenty of some."""
_MARK = "getpgrp"  # of the C library; nothing else calls it here, so valgrind can cut the count where the work does


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What one Python needs for each piece of work."""

    python: str
    machine: str
    packages: str
    figures: dict[str, float]

    @property
    def of(self) -> tuple[str, str, str]:
        """What must be the same for figures to be compared."""
        return self.python, self.machine, self.packages


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """The file: a digest of the code that was counted, and the figures of each Python that counted it."""

    code: str
    entries: list[Entry]

    def figures(self, of: tuple[str, str, str]) -> dict[str, float] | None:
        """Those of this Python."""
        return next((entry.figures for entry in self.entries if entry.of == of), None)


def this_python() -> tuple[str, str, str]:
    """Version and build, kind of machine, and a digest of which packages are installed."""
    lock = (ROOT / "requirements" / "service.lock").read_bytes()
    return " ".join(sys.version.split()), platform.machine(), hashlib.sha256(lock).hexdigest()[:16]


def code_digest() -> str:
    """A digest of everything that what is counted depends on."""
    digest = hashlib.sha256()
    for folder, kinds in (
        ("src", ".py .yaml"),
        ("rules", ".yaml .csv"),
        ("tests/golden/patients", ".json"),
        ("examples", ".json"),
    ):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and path.suffix in kinds.split():
                digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    for name in ("work.py", "fixed.py", "cds_calls.py", "cds-call.json"):
        digest.update((ROOT / "bench" / name).read_bytes())
    return digest.hexdigest()[:16]


def _run(tree: Path, command: list[str], *arguments: str) -> str:
    """Run `bench.work` as it is here with the service as it is in a folder."""
    around = {
        name: value for name, value in os.environ.items() if not name.startswith(("CAREPLAN_", "OTEL_", "PROMETHEUS_"))
    }
    around |= {"PYTHONHASHSEED": "0", "GLIBC_TUNABLES": _NO_STRINGS, "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{ROOT}"}
    whole = [*command, sys.executable, "-m", "bench.work", *arguments]
    done = subprocess.run(whole, capture_output=True, text=True, check=False, cwd=ROOT, env=around, timeout=1_200)
    if done.returncode:
        raise SystemExit(f"{' '.join(whole)} ended with {done.returncode}:\n{done.stderr[-2_000:]}")
    return done.stdout


def requests_in(bodies: Path) -> dict[str, int]:
    """How many requests each piece of work has, or how often the fixed work is done."""
    written = json.loads(bodies.read_bytes())
    lists = written["sample"] | written["medicines"] | {"golden": written["golden"]}
    return {"fixed": FIXED_TIMES} | {name: len(some) for name, some in lists.items()}


def counted(tree: Path, bodies: Path) -> dict[str, float]:
    """The figures of the code in a folder: one request of each kind as a multiple of the fixed work, and the growth."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out"]
        _run(tree, [*command, f"--dump-before={_MARK}"], "count", str(bodies))
        parts = sorted(Path(folder).glob("out.*"), key=lambda part: int(part.suffix[1:]))
        totals = [int(re.findall(r"^(?:summary|totals): (\d+)", part.read_text(), re.MULTILINE)[0]) for part in parts]
    # The first mark ends what came before, then each piece of work lies between two.
    names = (*_PIECES, *_OVER_HTTP)
    if len(totals) != 2 * len(names) + 1:
        raise SystemExit(f"{len(totals)} counts came back where {2 * len(names) + 1} should")
    done = requests_in(bodies)
    of = {name: total / done[name] for name, total in zip(names, totals[2::2], strict=True)}
    return {name: round(of["many"] / of["few"] if name == GROWTH else of[name] / of["fixed"], 4) for name in COUNTED}


def written_bodies(tree: Path, folder: Path) -> Path:
    """The requests to count with, as the code in a folder has them."""
    _run(tree, [], "write", str(folder / "bodies.json"), str(tree))
    return folder / "bodies.json"


def waits(bodies: Path, tree: Path = ROOT) -> dict[str, float]:
    """Time by the clock over time of the processor of each piece of work."""
    found: dict[str, float] = json.loads(_run(tree, [], "wait", str(bodies)).splitlines()[-1])
    return found


@contextmanager
def last_counted() -> Iterator[tuple[str, Path]]:
    """The commit that wrote the baseline, checked out into a folder of its own as long as the block lasts."""
    if git("rev-parse", "--is-shallow-repository") == "true":
        raise SystemExit(
            "This clone lacks the commit that wrote the baseline. Fetch the whole history: git fetch --unshallow"
        )
    commit = git("log", "-1", "--format=%h", "--", str(BASELINE.relative_to(ROOT)))
    with tree_of(commit) as tree:
        yield commit, tree


def verdicts(found: Mapping[str, float], before: Mapping[str, float]) -> dict[str, str]:
    """What is wrong with each figure that is out of bounds."""
    wrong = {}
    for name in sorted(found.keys() | before.keys()):
        if name not in found or name not in before:
            wrong[name] = "is counted on one side only; take the baseline anew with --write"
            continue
        more, less = (STEEPER, STEEPER) if name == GROWTH else (DEARER, CHEAPER)
        change = found[name] / before[name] - 1
        if change > more:
            wrong[name] = f"costs {change:+.1%}, more than the {more:.0%} allowed. Find out why, or take it with --write"
        elif change < -less:
            wrong[name] = f"costs {change:+.1%}: good. Keep the gain with --write, so that it cannot be lost unseen"
    return wrong


def too_long(waited: Mapping[str, float]) -> dict[str, str]:
    """The pieces of work that wait."""
    return {
        f"{name}, by the clock": f"takes {value:.2f} times its time of the processor, more than {WAITING}. Something waits"
        for name, value in waited.items()
        if value > WAITING
    }


def _print(found: Mapping[str, float], before: Mapping[str, float], waited: Mapping[str, float]) -> None:
    print(f"{'':18} {'now':>8} {'before':>8} {'change':>8} {'waiting':>8}")
    for name in (*COUNTED, *(name for name in waited if name not in found)):
        now, then = found.get(name), before.get(name)
        cells = (
            f"{now:8.3f}" if now else "",
            f"{then:8.3f}" if then else "",
            f"{now / then - 1:+8.1%}" if now and then else "",
        )
        print(f"{name:18} {cells[0]:>8} {cells[1]:>8} {cells[2]:>8} {f'{waited[name]:.2f}' if name in waited else '':>8}")


def compare(*, anew: bool) -> dict[str, str]:
    """Print how this code compares, and say what is out of bounds."""
    known = None if anew else msgspec.json.decode(BASELINE.read_bytes(), type=Baseline).figures(this_python())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if known is not None:
            print("Compared with the figures that the baseline has of this Python:")
            bodies = written_bodies(ROOT, folder)
            found, before = counted(ROOT, bodies), known
        else:
            with last_counted() as (commit, tree):
                print(f"Compared with commit {commit}, which wrote the baseline, counted just now by the same Python:")
                bodies = written_bodies(tree, folder)
                with ThreadPoolExecutor(2) as pool:
                    found, before = pool.map(lambda side: counted(side, bodies), (ROOT, tree))
        waited = waits(bodies)
    _print(found, before, waited)
    return verdicts(found, before) | too_long(waited)


def write() -> None:
    """Take today's figures; those of other Pythons stay as long as they are of the same code."""
    with tempfile.TemporaryDirectory() as name:
        figures = counted(ROOT, written_bodies(ROOT, Path(name)))
    python, machine, packages = this_python()
    ours = Entry(python=python, machine=machine, packages=packages, figures=figures)
    entries = [ours]
    try:
        before = msgspec.json.decode(BASELINE.read_bytes(), type=Baseline)
    except (OSError, msgspec.MsgspecError):
        before = None
    if before is not None and before.code == code_digest():
        entries += [entry for entry in before.entries if entry.of != ours.of]
    baseline = Baseline(code=code_digest(), entries=entries)
    BASELINE.write_bytes(msgspec.json.format(msgspec.json.encode(baseline), indent=2) + b"\n")
    _print(figures, {}, {})


def main(arguments: list[str]) -> Any:
    """Compare, or write."""
    if {"--help", "-h"} & set(arguments):
        print(__doc__)
        return None
    if "--write" in arguments:
        write()
        return None
    wrong = compare(anew="--anew" in arguments)
    return "\n".join(f"{name} {what}." for name, what in wrong.items()) or None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
