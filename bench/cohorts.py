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
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from bench.measure import ROOT, Figure, NeverSeen, table

KEPT = ROOT / "docs" / "performance" / "cohorts.json"
MANUAL = ROOT / "docs" / "cohorts.md"
MARKS = ("<!-- figures of bench.cohorts -->\n", "<!-- end of figures -->")
PLACES = {"local, 1 worker": 1, "local, 2 workers": 2, "Dask, 1 worker": 1, "Dask, 2 workers": 2}
READY = "plans made before"
"""What a place does where the workers need not plan: it is then the command that carries and writes."""
WRITING = {f"{kind}, 2 workers, {READY}": 2 for kind in ("local", "Dask")}
SIZES = ((1_000, 1), (100_000, 2), (1_000_000, 8), (10_000_000, 32), (100_000_000, 64))
"""Patients, and the cores that seem fit for them."""
ON_ONE_MACHINE = 1_000_000
Json = dict[str, Any]


@contextmanager
def cluster(workers: int, folder: Path, *, ready: bool = False) -> Iterator[str]:
    """The address of a cluster on this machine that lives as long as the block; with plans made before if `ready`."""
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
        options: tuple[object, ...] = ("--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder)
        options += ("--preload", "bench.ready_plans") if ready else ()
        for _ in range(workers):
            start("worker", f"tcp://127.0.0.1:{port}", *options)
        _until_there(port, workers)
        yield f"dask://127.0.0.1:{port}"


def _until_there(port: int, workers: int) -> None:
    from distributed import Client

    with Client(f"tcp://127.0.0.1:{port}", set_as_default=False) as client:  # type: ignore[no-untyped-call]
        client.wait_for_workers(workers, timeout=60)


def _took(module: str, source: Path, target: Path, *options: object) -> float:
    command = [sys.executable, "-m", module, "batch", str(source), str(target), *map(str, options)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL, cwd=ROOT)
    return time.perf_counter() - began


def cohorts(patients: int = 4_000, rounds: int = 3) -> Json:
    """Milliseconds a plan, the start taken off: of many patients less of a tenth of them, by how many more they are.

    All are different patients of the realistic cohort, and each run begins with processes that have met nobody.
    """
    lines = NeverSeen(37).some(patients)
    taken: dict[str, list[float]] = {place: [] for place in PLACES | WRITING}
    size = 0.0
    with TemporaryDirectory() as name:
        folder = Path(name)
        many, few, out = (folder / f"{kind}.ndjson" for kind in ("many", "few", "out"))
        for path, some in ((many, lines), (few, lines[: len(lines) // 10])):
            path.write_bytes(b"".join(line + b"\n" for line in some))
        for place, workers in list((PLACES | WRITING).items()) * rounds:
            print(place, file=sys.stderr, flush=True)
            ready = place in WRITING
            with ExitStack() as stack:
                on_cluster = place.startswith("Dask")
                options: tuple[object, ...] = ("--workers", workers)
                if on_cluster:
                    options = ("--on", stack.enter_context(cluster(workers, folder / "dask", ready=ready)))
                # Workers on this machine are forks of the command, so they have the plans that it has.
                module = "bench.served" if ready and not on_cluster else "careplan.cli.main"
                short = _took(module, few, out, *options)
                long = _took(module, many, out, *options)
                if not ready:
                    size = out.stat().st_size / len(lines)
                taken[place].append((long - short) / (len(lines) - len(lines) // 10) * 1_000)
    machine = {
        "python": platform.python_version(),
        "cores": len(os.sched_getaffinity(0)),
        "when": datetime.now(UTC).date().isoformat(),
        "patients": len(lines),
    }
    return {"machine": machine, "bytes": size, "rows": {place: Figure.of(values) for place, values in taken.items()}}


def tables(found: Json) -> str:
    """The figures, and what cohorts of several sizes take by them, in Markdown."""
    rows = {
        place: value if isinstance(value, Figure) else msgspec.convert(value, Figure)
        for place, value in found["rows"].items()
    }
    one = rows["local, 1 worker"].middle
    machine = found["machine"]
    seconds_a_plan = {place: rows[place].middle / 1_000 for place in PLACES}
    # What one command can write, whoever plans.
    most = {kind: 1_000 / rows[f"{kind}, 2 workers, {READY}"].middle for kind in ("local", "Dask")}
    sizes = []
    for patients, cores in SIZES:
        kind = "local" if patients <= ON_ONE_MACHINE else "Dask"
        by_cores = cores / seconds_a_plan[f"{kind}, 1 worker"]
        commands = math.ceil(by_cores / most[kind])
        seconds = patients / min(by_cores, commands * most[kind])
        where = "one machine" if kind == "local" else "a cluster"
        sizes.append([f"{patients:,}", where, cores, commands, _time(seconds), _bytes(patients * found["bytes"])])
    scaling = {kind: rows[f"{kind}, 1 worker"].middle / rows[f"{kind}, 2 workers"].middle for kind in ("local", "Dask")}
    count = f"{machine['patients']:,} different patients"
    parts = [
        f"Python {machine['python']}, {machine['cores']} cores, {machine['when']}; {count}.",
        table(
            [[place, figure, f"{figure.middle / one:.2g}"] for place, figure in rows.items()],
            ["where", "ms a plan", "times one local worker"],
        ),
        f"Two workers make {scaling['local']:.2g} times the plans of one locally, and {scaling['Dask']:.2g} times on the "
        f"cluster. Where the plans were made before, one command wrote {most['local']:,.0f} of them a second locally, and "
        f"{most['Dask']:,.0f} from the cluster.",
        "### Sizing",
        table(sizes, ["patients", "where", "cores", "commands", "time", "answers, not packed"]),
    ]
    return "\n\n".join(parts) + "\n"


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
    options.add_argument("--patients", type=int, default=4_000, help="how many, all different")
    chosen = options.parse_args()
    if chosen.quick and chosen.keep:
        options.error("what was measured quickly is not kept")
    found = cohorts(200, 1) if chosen.quick else cohorts(chosen.patients, chosen.rounds)
    if chosen.keep:
        KEPT.parent.mkdir(exist_ok=True)
        KEPT.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        write_manual(found)
    print(tables(found))


if __name__ == "__main__":
    main()
