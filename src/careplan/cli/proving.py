"""Proving a rulebook over all patients, with a certificate that others can check."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click
from rich.console import Console

from careplan.cli.common import RULES, fail, read_rulebook, read_settings, refuse_rulebook
from careplan.cli.progress import steps_shown
from careplan.errors import InvalidRulebook
from careplan.rulebook.certificate import as_text, certificate_of
from careplan.rulebook.load import CERTIFICATE

if TYPE_CHECKING:
    from careplan.authoring.proof.certify import Questions
    from careplan.authoring.proof.invariants import Invariant
    from careplan.authoring.proof.report import Failure, Report
    from careplan.rulebook.model import Rulebook

Advance = Callable[[str, int, int], None]


@click.command()
@RULES
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--only",
    multiple=True,
    metavar="RULE",
    help="Prove what is claimed of this rule, and the invariants that it bears on; can be given again.",
)
@click.option("--progress-lines", "lines", is_flag=True, help="Say on standard error, line by line, what is being proved.")
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each patient that breaks a claim into this folder, ready for `careplan plan`.",
)
@click.option(
    "--certify",
    is_flag=True,
    help=f"Have two solvers confirm every claim, derive it step by step, and write both down as {CERTIFICATE} and steps.",
)
@click.option("--verify", is_flag=True, help=f"Check {CERTIFICATE} against the rules as they are now; write nothing.")
@click.option(
    "--solver",
    "named",
    multiple=True,
    type=click.Choice(["z3", "cvc5", "none"]),
    help="Which solvers are asked; both if left out, and z3 alone with --verify. With none only the kept steps are checked.",
)
@click.option(
    "--questions",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all questions into this file, as SMT-LIB 2.6 for any solver, and ask nothing.",
)
def prove(
    *,
    rules: Path | None,
    form: str,
    only: tuple[str, ...],
    lines: bool,
    save: Path | None,
    certify: bool,
    verify: bool,
    named: tuple[str, ...],
    questions: Path | None,
) -> None:
    """Prove the rulebook over all patients: rules that can fire, choices made once, and every invariant.

    The invariants are the files in the folder `invariants` of the rulebook. What does not hold is shown with a smallest
    patient that breaks it, which was also sent through the engine. Exits with 0 if everything holds, 1 if something does
    not, 2 if nothing could be proved.

    Example: careplan rules prove --save counterexamples
    """
    try:
        import z3  # noqa: F401
    except ImportError:
        fail("proofs need the solver: pip install 'careplan[prove]'", 2)
    whole = [certify, verify, questions is not None]
    _refuse_contradictions(whole, named, verify=verify, some_rules=bool(only))
    folder = rules or read_settings().rules_folder
    book, demands = _read(folder)
    if unknown := [name for name in only if name not in book.rules]:
        fail(f"no rule that runs is called {unknown[0]}", 2)
    if verify:
        sys.exit(_verify(folder, book, demands, () if "none" in named else named or ("z3",)))
    if questions is not None:
        questions.write_text(_questions(book, demands).script(), encoding="utf-8")
        sys.exit(0)
    if certify:
        _need(named or ("z3", "cvc5"))
    report = _prove(
        book, demands, refuting=not certify, only=frozenset(only), lines=lines
    )  # what is certified is asked of two solvers, as text
    if save and report.failures:
        _save(report.failures, save)
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    elif report.failures or not certify:
        _show(report)
    if certify and not report.failures:
        _certify(folder, book, demands, report, named or ("z3", "cvc5"))
    sys.exit(1 if report.failures else 0)


def _refuse_contradictions(whole: Sequence[bool], named: Sequence[str], *, verify: bool, some_rules: bool) -> None:
    """End with a message where options do not go together; `whole` are those that are about the whole rulebook."""
    if sum(whole) > 1:
        fail("choose one of --certify, --verify and --questions", 2)
    if "none" in named and (not verify or len(named) > 1):
        fail("--solver none goes with --verify, and with no other solver", 2)
    if some_rules and any(whole):
        fail("a certificate and its questions are of the whole rulebook: leave out --only", 2)


def _read(folder: Path) -> tuple[Rulebook, list[Invariant]]:
    from careplan.authoring.proof.invariants import invariants

    book = read_rulebook(folder)
    try:
        return book, invariants(folder, book)
    except InvalidRulebook as error:
        refuse_rulebook(error, f"what the rulebook in {folder} claims of every plan")


def _prove(book: Rulebook, demands: Sequence[Invariant], *, refuting: bool, only: frozenset[str], lines: bool) -> Report:
    from careplan.authoring.proof.prover import Prover

    with _progress(lines=lines) as advance:
        prover = Prover(book, advance)
        try:
            return prover.prove(demands, refuting=refuting, only=only)
        finally:
            prover.close()


def _questions(book: Rulebook, demands: Sequence[Invariant]) -> Questions:
    from careplan.authoring.proof.certify import Questions

    return Questions(book, demands)


def _certify(folder: Path, book: Rulebook, demands: Sequence[Invariant], report: Report, names: Sequence[str]) -> None:
    from careplan.authoring.proof.certify import NoPatient, certified
    from careplan.authoring.proof.kept_steps import STEPS, as_file, can_be_made, derivations_of, with_steps
    from careplan.authoring.proof.solvers import solver

    questions = _questions(book, demands)
    try:
        with _progress() as advance:
            found = certified(book, questions, report.shown, [solver(name) for name in names], advance)
            texts = derivations_of(questions, advance) if can_be_made() and not isinstance(found, list) else {}
    except NoPatient as reason:
        fail(f"nothing is certified: {reason}", 2)
    if isinstance(found, list):
        for doubt in found:
            words = f"{doubt.question.claim} of {doubt.question.subject}"
            click.echo(f"{doubt.solver} does not confirm {words}: {doubt.answer}", err=True)
        fail("nothing is certified: careplan rules prove shows a patient for a claim that does not hold", 1)
    (folder / CERTIFICATE).write_bytes(as_text(with_steps(found, texts) if texts else found))
    (folder / STEPS).write_bytes(as_file(texts))
    number = sum(len(group.proved) for group in found.claims)
    asked = " and ".join(f"{one.name} {one.version}" for one in found.solvers)
    click.echo(f"{number} claims confirmed by {asked}; written to {folder / CERTIFICATE}", err=True)
    if can_be_made():
        click.echo(f"{len(texts)} of them also derived step by step; written to {folder / STEPS}", err=True)
        for question in questions.asked:
            if (question.claim, question.subject) not in texts:
                click.echo(f"confirmed by solvers alone: {question.claim} of {question.subject}", err=True)
    else:
        click.echo("none is derived step by step: this needs python-sat, which careplan[prove] installs", err=True)


def _verify(folder: Path, book: Rulebook, demands: Sequence[Invariant], names: Sequence[str]) -> int:
    """Check the certificate; 0 if it holds, 1 if not."""
    from careplan.authoring.proof.certify import PROVED, NoPatient, differences, not_shown
    from careplan.authoring.proof.kept_steps import STEPS, wrong_steps
    from careplan.authoring.proof.solvers import solver

    _need(names)
    certificate = certificate_of(book)
    if certificate is None:
        fail(f"there is no {CERTIFICATE} that can be read: careplan rules prove --certify writes one", 1)
    if certificate.digest != book.digest:
        fail(f"{CERTIFICATE} is of another state of the rules: careplan rules prove --certify writes it anew", 1)
    questions = _questions(book, demands)
    wrong = differences(certificate, book, questions)
    wrong += not_shown(certificate, book, questions, demands)
    steps = folder / STEPS
    with _progress() as advance:
        content = steps.read_bytes() if steps.is_file() else b""
        wrong += [] if wrong else wrong_steps(questions, certificate, content, advance)
    without = [f"{one.subject} ({group.claim})" for group in certificate.claims for one in group.proved if not one.steps]
    if not names:
        wrong += [f"Without a solver nothing confirms {one}: it has no steps." for one in without]
    for name in names if not wrong else ():
        try:
            with _progress() as advance:
                answers = list(questions.answered(solver(name), advance))
        except NoPatient as reason:
            fail(str(reason), 1)
        wrong += [
            f"{name} answers {answer} to {question.claim} of {question.subject}."
            for question, answer in zip(questions.asked, answers, strict=True)
            if answer != PROVED
        ]
    for sentence in wrong:
        click.echo(sentence, err=True)
    if wrong:
        fail(f"{CERTIFICATE} does not hold", 1)
    shown = sum(len(group.shown) for group in certificate.possible)
    claims = len(questions.asked)
    asked = [f"{claims} claims asked again of {' and '.join(names)}"] if names else []
    derived = f"{claims - len(without)} of {claims} derived again step by step"
    click.echo(f"The certificate holds: {', '.join((*asked, derived))}, {shown} patients planned for again.")
    if without:
        click.echo(f"Confirmed by solvers alone: {', '.join(without)}.")
    return 0


def _need(names: Sequence[str]) -> None:
    from careplan.authoring.proof.solvers import installed

    if missing := [name for name in names if name not in installed()]:
        fail(f"{' and '.join(missing)} must be installed for this: pip install 'careplan[prove]'", 2)


@contextmanager
def _progress(*, lines: bool = False) -> Iterator[Advance]:
    if lines:
        yield lambda claim, done, of: click.echo(f"{claim}: {done} of {of}", err=True)
        return
    with steps_shown() as advance:
        yield advance


def _show(report: Report) -> None:
    console = Console(highlight=False)
    console.print(f"Rulebook {report.rulebook} {report.version}, {report.digest[:12]}", style="dim")
    for claim, held in report.holds.items():
        console.print(f"{held:>5} {claim}")
    for failure in report.failures:
        console.print(f"\n{failure.kind.replace('_', ' ')}: {failure.subject}", style="bold red")
        console.print(f"  {failure.detail}", soft_wrap=True)
        if failure.patient is not None:
            console.print(f"  {msgspec.json.encode(failure.patient).decode()}", soft_wrap=True, markup=False)
            if failure.replayed is not None:
                agrees = "shows" if failure.replayed else "does not show"
                console.print(f"  The engine's plan of this patient {agrees} it.")
    console.print(
        f"\n{len(report.failures)} claims do not hold." if report.failures else "\nEverything holds for all patients."
    )


def _save(failures: list[Failure], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for at, failure in enumerate(failures, 1):
        if failure.patient is not None:
            name = "".join(char if char.isalnum() else "-" for char in failure.subject)
            body = msgspec.json.format(msgspec.json.encode(failure.patient), indent=2)
            (folder / f"{at:02}-{name}.json").write_bytes(body + b"\n")
