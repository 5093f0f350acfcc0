"""Comparing two rulebooks: what changed in words, and what that does to patients."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import msgspec
import rich_click as click

from careplan.authoring.compare_rulebooks import Change, Comparison, compare
from careplan.authoring.git_history import NoRevision, folder_at
from careplan.authoring.impact import Impact, Refused, Sample, Weighed, Weighing
from careplan.authoring.impact_job import WeighJob, weighing
from careplan.authoring.realistic_patients import realistic as like_real_ones
from careplan.authoring.synthetic_patients import synthetic
from careplan.authoring.word_changes import cut_to_changes
from careplan.batch.byte_sources import Source, Unreadable
from careplan.batch.jobs import files_of
from careplan.batch.ndjson import Limits, Line, Tasks
from careplan.batch.worker_pool import Pool, WorkerLost, cores
from careplan.cli.batchfiles import named, pairs_of, size_and_time
from careplan.cli.common import RULES, fail, read_defaults, read_rulebook, read_settings
from careplan.cli.pooling import ON, cluster, local, stoppable
from careplan.cli.progress import Meter, shown
from careplan.request.decode import Intake
from careplan.rulebook.model import Rulebook

PATIENTS_TOGETHER = 32
WORTH_SHARING = 200
"""Fewer patients are done here, before other processes would have begun."""

SEED = click.option("--seed", type=int, default=0, show_default=True, help="Another seed makes other patients.")


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@RULES
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True)
def diff(old: str, new: str | None, *, rules: Path | None, form: str) -> None:
    """Say in words what changed from the rulebook OLD to NEW, each a folder or a git revision.

    NEW is the rulebook as it is now if left out. Of a changed text only what differs is shown, with a few words around it;
    --format json has all of it. Exits with 0 if they are the same, 1 if something changed.

    Example: careplan rules diff HEAD~5 --format markdown
    """
    home = rules or read_settings().rules_folder
    before, after = _read(home, old, new)
    found = compare(before, after)
    match form:
        case "json":
            _write(found)
        case "markdown":
            click.echo("\n".join(_markdown(found)))
        case _:
            _print_changes(found)
    sys.exit(1 if found.changes else 0)


@click.command()
@click.argument("old")
@click.argument("new", required=False)
@RULES
@click.option(
    "--patients",
    type=click.Path(path_type=Path, allow_dash=True),
    help='Patients, one a line, as `careplan batch` takes them: a file, a folder, or "-".',
)
@click.option("--synthetic", "count", type=click.IntRange(1, 1_000_000), help="Make up this many patients instead.")
@SEED
@click.option("--samples", type=click.IntRange(0, 1_000), default=5, show_default=True, help="Differing plans to show.")
@ON
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def impact(
    old: str,
    new: str | None,
    *,
    rules: Path | None,
    patients: Path | None,
    count: int | None,
    seed: int,
    samples: int,
    on: str | None,
    form: str,
) -> None:
    """Plan for many patients with the rulebooks OLD and NEW and say whose plans differ, how, and by which rules.

    NEW is the rulebook as it is now if left out. Patients are plain or packed files of JSON bodies or FHIR Bundles, one a
    line, and are named by the number of their line. Exits with 0 if no plan differs, 1 if some do, 2 for lines that are
    no patients, which are named and left out, 4 if it could not be finished.

    Example: careplan rules impact HEAD~5 --synthetic 1000
    """
    if (patients is None) == (count is None):
        fail("name either --patients FILE or --synthetic N", 2)
    settings = read_settings()
    with ExitStack() as opened:
        opened.enter_context(stoppable())
        try:
            home = rules or settings.rules_folder
            folders = [opened.enter_context(folder_at(side, home)) if side else home for side in (old, new)]
            before, after = map(read_rulebook, folders)
            defaults = read_defaults(settings, Intake(after.conditions, after.classes, after.forms))
            limits = Limits(settings.body_limit, settings.record_limit)
            if on:
                pool = cluster(on, lambda: WeighJob(files_of(folders[0]), files_of(folders[1]), defaults, limits))
            else:
                workers = 1 if (count or WORTH_SHARING) < WORTH_SHARING else cores()
                pool = local(lambda: weighing(before, after, defaults, limits=limits), workers)
            opened.callback(pool.close)
            found = _weighed(
                pool, patients, _made_up([before, after], count or 0, seed), count=count, limits=limits, samples=samples
            )
        except NoRevision as error:
            fail(str(error), 2)
        except KeyboardInterrupt:
            fail("stopped", 4)
    if form == "json":
        _write(found)
    else:
        _print_impact(found)
    sys.exit(2 if found.refused else 1 if found.differing else 0)


def _weighed(
    pool: Pool[list[Line], list[Weighed]],
    path: Path | None,
    made_up: Iterator[bytes],
    *,
    count: int | None,
    limits: Limits,
    samples: int,
) -> Impact:
    found = Weighing(samples=samples)
    pairs = pairs_of(path, None, resume=False) if path else []
    sizes = [size_and_time(pair.source) for pair in pairs]
    meter = Meter(count or (sum(size[0] for size in sizes if size) if all(sizes) else None))
    with shown(meter) as tick:
        if not path:
            lines = (Line(at, body) for at, body in enumerate(made_up, start=1))
            several: Iterator[list[Line]] = iter(lambda: list(islice(lines, PATIENTS_TOGETHER)), [])
            for given, weighed in _done(pool, several, "the made-up patients"):
                for patient in weighed:
                    found.add(patient)
                meter.answered(len(given), given[-1].number)
                tick()
        for pair, size in zip(pairs, sizes, strict=True):
            with _opened(pair.source) as source:
                tasks = Tasks(source, limits.longest)
                for given, weighed in _done(pool, tasks, named(pair.source)):
                    for patient in weighed:
                        found.add(patient, pair.source.name if path and path.is_dir() else "")
                    meter.answered(len(given), tasks.answered(given)[1])
                    tick()
            meter.next_file(size[0] if size else 0)
    return found.impact()


def _opened(path: Path) -> Source:
    try:
        return Source(path)
    except OSError as error:
        fail(f"{path} cannot be read: {error.strerror}", 4)


def _done(
    pool: Pool[list[Line], list[Weighed]], tasks: Iterable[list[Line] | None], name: str
) -> Iterator[tuple[list[Line], list[Weighed]]]:
    try:
        yield from pool.in_order(tasks)
    except WorkerLost as error:
        fail(str(error), 4)
    except Unreadable as error:
        fail(f"{name} {error}", 4)
    except OSError as error:
        fail(f"{name} cannot be read: {error.strerror}", 4)


@click.command()
@click.argument("count", type=click.IntRange(1, 10_000_000))
@RULES
@SEED
@click.option(
    "--realistic", is_flag=True, help="Patients who look like those of a clinic, instead of every answer by chance."
)
def cohort(count: int, *, rules: Path | None, seed: int, realistic: bool) -> None:
    """Print COUNT made-up patients, one JSON body a line, to try a rulebook or a service on.

    Same seed and rulebook, same patients. Without --realistic every answer is drawn by chance, which reaches many rules and
    is like no real population. With it, medicines and illnesses come as often as they roughly do among people who ask for
    ketamine treatment, lists and goals are written as people write them, and no goal comes twice; it stays made up, and
    says nothing about any population.

    Example: careplan cohort 1000 --realistic > patients.ndjson
    """
    book = read_rulebook(rules)
    bodies = map(msgspec.json.encode, like_real_ones(book, count, seed)) if realistic else _made_up([book], count, seed)
    for body in bodies:
        sys.stdout.buffer.write(body + b"\n")


def _read(home: Path, old: str, new: str | None) -> tuple[Rulebook, Rulebook]:
    try:
        with ExitStack() as folders:
            before = read_rulebook(folders.enter_context(folder_at(old, home)))
            after = read_rulebook(folders.enter_context(folder_at(new, home)) if new else home)
    except NoRevision as error:
        fail(str(error), 2)
    return before, after


def _made_up(books: list[Rulebook], count: int, seed: int) -> Iterator[bytes]:
    return (msgspec.json.encode(body) for body in synthetic(books, count, seed))


def _write(found: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")


def _print_changes(comparison: Comparison) -> None:
    click.echo(f"From {comparison.before} to {comparison.after}")
    colours = {"new": "green", "gone": "red", "changed": "yellow"}
    for change in comparison.changes:
        click.secho(f"\n{change.what} {_named(change)}", fg=colours[change.what], bold=True)
        for detail in change.details:
            click.echo(f"  {detail.field or 'value'}")
            for mark, text in zip("-+", cut_to_changes(detail.before, detail.after), strict=True):
                for line in text.splitlines():
                    click.secho(f"    {mark} {line}", fg="red" if mark == "-" else "green")
    click.echo(f"\n{_totals(comparison.changes)}")


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield f"# From {comparison.before} to {comparison.after}\n\n{_totals(comparison.changes)}"
    for change in comparison.changes:
        yield f"\n## {change.what.capitalize()}: {_named(change)}\n"
        for detail in change.details:
            yield f"- **{detail.field or 'value'}**"
            for word, text in zip(("before", "after"), cut_to_changes(detail.before, detail.after), strict=True):
                if text:
                    yield f"  - {word}: " + text.replace("\n", "\n    ")


def _named(change: Change) -> str:
    return f"{change.kind} {change.id}" + (f": {change.title}" if change.title else "")


def _totals(changes: Iterable[Change]) -> str:
    kinds = [f"{change.what} {'rule' if change.kind == 'rule' else 'entry of a list'}" for change in changes]
    counted = [f"{kinds.count(kind)} x {kind}" for kind in dict.fromkeys(kinds)]
    return ", ".join(counted) or "Nothing changed."


def _print_impact(outcome: Impact) -> None:
    for refused in outcome.refused:
        click.secho(f"{_patient(refused)} is refused by the rulebook {refused.by}:", fg="red", err=True)
        for fault in refused.faults:
            click.echo(f"  {fault}", err=True)
    click.echo(f"{outcome.patients} patients, {outcome.differing} plans differ, {len(outcome.refused)} refusals")
    for status, count in outcome.statuses.items():
        click.echo(f"  {count:7} {status}")
    for decision, count in outcome.decisions.items():
        click.echo(f"  {count:7} {decision}")
    if outcome.rules:
        click.secho(f"\n{'new':>7} {'gone':>7} {'changed':>7}  rule", bold=True)
    for rule in outcome.rules:
        click.echo(f"{rule.new:7} {rule.gone:7} {rule.changed:7}  {rule.rule}")
    for sample in outcome.samples:
        click.secho(f"\n{_patient(sample)}", bold=True)
        for line in sample.difference.in_words:
            click.echo(f"  {line}")


def _patient(patient: Sample | Refused) -> str:
    return f"patient {patient.patient}" + (f" of {patient.file}" if patient.file else "")
