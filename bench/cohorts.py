"""What a plan costs in a batch: on one core, on two, and on a cluster of one and of two workers; and what cohorts then take.

python -m bench.cohorts                   # about ten minutes on two cores: prints
python -m bench.cohorts --keep            # and writes the figures into docs/performance and the tables of docs/cohorts.md
python -m bench.cohorts --quick           # only to see that it runs
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from bench.measure import ROOT, Figure, golden_bodies, made_up_bodies, table
from careplan.rulebook.load import load, shipped

KEPT = ROOT / "docs" / "performance" / "cohorts.json"
MANUAL = ROOT / "docs" / "cohorts.md"
MARKS = ("<!-- figures of bench.cohorts -->\n", "<!-- end of figures -->")
PLACES = {"local, 1 worker": 1, "local, 2 workers": 2, "Dask, 1 worker": 1, "Dask, 2 workers": 2}
SIZES = ((1_000, 1), (100_000, 2), (1_000_000, 8), (10_000_000, 32), (100_000_000, 64))
"""Patients, and the cores that seem fit for them."""
ON_ONE_MACHINE = 1_000_000
Json = dict[str, Any]


@contextmanager
def cluster(workers: int, folder: Path) -> Iterator[str]:
    """The address of a cluster on this machine that lives as long as the block."""
    with socket.socket() as free, ExitStack() as stack:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()

        def start(kind: str, *options: object) -> None:
            command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, options)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT)
            stack.callback(process.wait)
            stack.callback(process.kill)

        start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard", "--dashboard-address", ":0")
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        options = ("--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder)
        for _ in range(workers):
            start("worker", f"tcp://127.0.0.1:{port}", *options)
        _until_there(port, workers)
        yield f"dask://127.0.0.1:{port}"


def _until_there(port: int, workers: int) -> None:
    from distributed import Client

    with Client(f"tcp://127.0.0.1:{port}", set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(workers, timeout=60)


def _took(source: Path, target: Path, *options: object) -> float:
    command = [sys.executable, "-m", "careplan.cli.main", "batch", str(source), str(target), *map(str, options)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def cohorts(alike: int = 12_000, different: int = 4_000, rounds: int = 3) -> Json:
    """Milliseconds a plan, the start taken off: of many patients less of a tenth of them, by how many more they are."""
    bodies = {
        "alike": list(islice(cycle(golden_bodies()), alike)),
        "different": made_up_bodies(load(shipped()), different),
    }
    taken: dict[str, dict[str, list[float]]] = {place: {kind: [] for kind in bodies} for place in PLACES}
    size: dict[str, float] = {}
    with TemporaryDirectory() as name:
        folder = Path(name)
        files: dict[str, tuple[Path, Path]] = {}
        for kind, lines in bodies.items():
            files[kind] = folder / f"{kind}.ndjson", folder / f"{kind}-few.ndjson"
            for path, some in zip(files[kind], (lines, lines[: len(lines) // 10]), strict=True):
                path.write_bytes(b"".join(line.replace(b"\n", b" ") + b"\n" for line in some))
        out = folder / "out.ndjson"
        for place, workers in list(PLACES.items()) * rounds:
            print(place, file=sys.stderr, flush=True)
            with ExitStack() as stack:
                on = stack.enter_context(cluster(workers, folder / "dask")) if place.startswith("Dask") else None
                options = ("--on", on) if on else ("--workers", workers)
                for kind, (many, few) in files.items():
                    short = _took(few, out, *options)
                    long = _took(many, out, *options)
                    size[kind] = out.stat().st_size / len(bodies[kind])
                    more = len(bodies[kind]) - len(bodies[kind]) // 10
                    taken[place][kind].append((long - short) / more * 1_000)
    machine = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "when": datetime.now(UTC).date().isoformat(),
        "patients": {kind: len(lines) for kind, lines in bodies.items()},
    }
    rows = {place: {kind: Figure.of(values) for kind, values in kinds.items()} for place, kinds in taken.items()}
    return {"machine": machine, "bytes": size, "rows": rows}


def tables(found: Json) -> str:
    """The figures, and what cohorts of several sizes take by them, in Markdown."""
    rows = {
        place: {kind: msgspec.convert(value, Figure) if isinstance(value, dict) else value for kind, value in kinds.items()}
        for place, kinds in found["rows"].items()
    }
    one = rows["local, 1 worker"]
    machine = found["machine"]
    measured = [
        [
            place,
            *(cell for kind, figure in kinds.items() for cell in (figure, f"{figure.middle / one[kind].middle:.2g}")),
        ]
        for place, kinds in rows.items()
    ]
    dear = {place: kinds["different"].middle / 1_000 for place, kinds in rows.items()}
    # What one command can write, whoever plans: the most that was seen of it.
    most = {
        "local": 1_000 / rows["local, 2 workers"]["alike"].middle,
        "Dask": 1_000 / rows["Dask, 2 workers"]["alike"].middle,
    }
    sizes = []
    for patients, cores in SIZES:
        kind = "local" if patients <= ON_ONE_MACHINE else "Dask"
        by_cores = cores / dear[f"{kind}, 1 worker"]
        commands = math.ceil(by_cores / most[kind])
        seconds = patients / min(by_cores, commands * most[kind])
        where = "one machine" if kind == "local" else "a cluster"
        answers = _bytes(patients * found["bytes"]["different"])
        sizes.append([f"{patients:,}", where, cores, commands, _time(seconds), answers])
    count = machine["patients"]
    parts = [
        f"Python {machine['python']}, {machine['cores']} cores, {machine['when']}; "
        f"{count['alike']:,} patients alike, {count['different']:,} all different.",
        table(
            measured,
            ["where", "alike, ms a plan", "times one local worker", "all different, ms a plan", "times one local worker"],
        ),
        f"From one worker to two: {_scaling(rows, 'local')} locally, {_scaling(rows, 'Dask')} on the cluster. One command "
        f"wrote {most['local']:,.0f} plans a second at most locally, and {most['Dask']:,.0f} from the cluster.",
        "### Sizing",
        table(sizes, ["patients", "where", "cores", "commands", "time", "answers, not packed"]),
    ]
    return "\n\n".join(parts) + "\n"


def _scaling(rows: dict[str, dict[str, Figure]], kind: str) -> str:
    one, two = rows[f"{kind}, 1 worker"], rows[f"{kind}, 2 workers"]
    return " and ".join(
        f"{one[name].middle / two[name].middle:.2g} times the plans where they are {word}"
        for name, word in (("alike", "alike"), ("different", "all different"))
    )


def _bytes(size: float) -> str:
    for unit, length in (("TB", 1e12), ("GB", 1e9)):
        if size >= length:
            return f"{size / length:.0f} {unit}"
    return f"{size / 1e6:.0f} MB"


def _time(seconds: float) -> str:
    for unit, length in (("h", 3_600), ("min", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.2g} {unit}"
    return f"{seconds:.0f} s"


def write_manual(found: Json, manual: Path = MANUAL) -> None:
    """Put the tables between the marks."""
    text = manual.read_text(encoding="utf-8")
    begin, end = map(re.escape, MARKS)
    changed, count = re.subn(f"{begin}.*?{end}", lambda _: f"{MARKS[0]}\n{tables(found)}\n{MARKS[1]}", text, flags=re.DOTALL)
    assert count == 1
    manual.write_text(changed, encoding="utf-8")


def main() -> None:
    """Measure, print, and keep what is to be kept."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="few patients, one round")
    options.add_argument("--keep", action="store_true", help="write figures and tables into docs")
    options.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    options.add_argument(
        "--patients", type=int, default=12_000, help="how many are alike; a third as many are all different"
    )
    chosen = options.parse_args()
    if chosen.quick and chosen.keep:
        options.error("what was measured quickly is not kept")
    found = cohorts(300, 100, 1) if chosen.quick else cohorts(chosen.patients, chosen.patients // 3, chosen.rounds)
    if chosen.keep:
        KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        write_manual(found)
    print(tables(found))


if __name__ == "__main__":
    main()
