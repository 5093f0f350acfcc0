"""Making the certificate of a rulebook, and checking one.

All questions are one SMT-LIB script, which each solver is given by itself. Nothing of a certificate is believed when it is
checked: the formulas are made anew from the rules, and the patients are sent through the engine again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence, Set
from typing import NamedTuple

import msgspec
import z3

from careplan.authoring.proof.claims import HEADINGS, Claims
from careplan.authoring.proof.invariants import Invariant
from careplan.authoring.proof.occurrences import SHOWN, Occurrences
from careplan.authoring.proof.report import FailureKind, Shown
from careplan.authoring.proof.search import fired_for
from careplan.authoring.proof.smtlib import LOGIC, Writer
from careplan.authoring.proof.solvers import Solver
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.planner import Planner
from careplan.rulebook.certificate import FORMAT, Certificate, Claimed, Possible, Proved, SolverName, Witness
from careplan.rulebook.model import Rulebook

Progress = Callable[[str, int, int], None]
PROVED = "unsat"
"""What a solver answers where no patient at all satisfies a formula."""


class NoPatient(Exception):
    """A solver finds no patient whom a request could describe, so that it could prove anything."""


class Question(NamedTuple):
    """Whether a patient breaks a claim: what it is about, and the commands by which a solver is asked."""

    claim: FailureKind
    subject: str
    says: tuple[str, ...]
    formula: str
    commands: str


class Questions:
    """All that is asked of one rulebook: `base` says what holds of every patient, and each question stands by itself."""

    def __init__(self, book: Rulebook, invariants: Sequence[Invariant], *, of_each_rule: bool = True) -> None:
        """Without what is claimed `of_each_rule`, only what is claimed of plans is asked."""
        symbolic = SymbolicPatient(book)
        self.claims = claims = Claims(book, symbolic)
        writer, known = Writer(), set[str]()
        self.patients = _sha(" ".join(map(writer.text, symbolic.constraints)))
        said = [*writer.needed(symbolic.constraints, known)]
        said += [f"(assert {writer.text(one)})" for one in symbolic.constraints]
        self.base = "\n".join((f"(set-logic {LOGIC})", *said, ""))
        grouped: dict[tuple[FailureKind, str], list[tuple[str, z3.BoolRef]]] = {}
        for claim in claims.of_all(invariants, of_each_rule=of_each_rule):
            grouped.setdefault((claim.kind, claim.subject), []).append((claim.says, claim.wrong))
        self.asked: list[Question] = []
        for (kind, subject), parts in grouped.items():
            formula = z3.Or([wrong for _, wrong in parts])
            needed = "".join(f"{line}\n" for line in writer.needed([formula], known))
            commands = f"{needed}(push 1)\n(assert {writer.text(formula)})\n(check-sat)\n(pop 1)\n"
            says = tuple(words for words, _ in parts)
            self.asked.append(Question(kind, subject, says, writer.hash(formula), commands))

    def script(self) -> str:
        """Everything as one script, with each claim in words before its question."""
        return self.base + "".join(map(_with_words, self.asked))

    def answered(self, solver: Solver, progress: Progress) -> Iterator[str]:
        """What a solver answers to each question, in order. Raises `NoPatient`."""
        if (answer := solver.tell(f"{self.base}(check-sat)\n")) != "sat":
            raise NoPatient(f"{solver.name} finds no patient at all, and answers {answer}")
        for at, question in enumerate(self.asked):
            progress(f"asking {solver.name}", at, len(self.asked))
            yield solver.tell(question.commands)
        progress(f"asking {solver.name}", len(self.asked), len(self.asked))


class Unproved(NamedTuple):
    """Something for which a solver did not answer as it must."""

    solver: str
    question: Question
    answer: str


def certified(
    book: Rulebook, questions: Questions, shown: Sequence[Shown], solvers: Sequence[Solver], progress: Progress
) -> Certificate | list[Unproved]:
    """The certificate of a rulebook; or what keeps it from having one, where a solver does not confirm a claim.

    Raises `NoPatient`.
    """
    answers = {one.name: list(questions.answered(one, progress)) for one in solvers}
    doubts = [
        Unproved(name, question, answer)
        for name, given in answers.items()
        for question, answer in zip(questions.asked, given, strict=True)
        if answer != PROVED
    ]
    if doubts:
        return doubts
    return Certificate(
        format=FORMAT,
        rulebook=book.about.id,
        version=book.about.version,
        digest=book.digest,
        logic=LOGIC,
        solvers=tuple(SolverName(one.name, one.version) for one in solvers),
        patients=questions.patients,
        script=_sha(questions.script()),
        claims=tuple(
            Claimed(
                claim=kind,
                says=words,
                proved=tuple(
                    Proved(
                        subject=question.subject,
                        says=question.says,
                        formula=question.formula,
                        answers=(PROVED,) * len(solvers),
                    )
                    for question in questions.asked
                    if question.claim == kind
                ),
            )
            for kind, words in HEADINGS.items()
        ),
        possible=tuple(
            Possible(
                claim=kind,
                says=words,
                shown=tuple(Witness(subject=one.subject, patient=one.patient) for one in shown if one.kind == kind),
            )
            for kind, words in SHOWN.items()
        ),
    )


def differences(certificate: Certificate, book: Rulebook, questions: Questions) -> list[str]:
    """Where a certificate does not say what the rules say now, in sentences."""
    found: list[str] = []
    if certificate.format != FORMAT:
        found.append(f"It is of format {certificate.format}, and this program knows format {FORMAT}.")
    if certificate.digest != book.digest:
        was, now = certificate.digest[:12], book.digest[:12]
        found.append(f"It is of another rulebook: {certificate.rulebook} {certificate.version} ({was}); this one is {now}.")
    if certificate.patients != questions.patients:
        found.append("What holds of every patient is put into other formulas now.")
    listed = {(group.claim, one.subject): one for group in certificate.claims for one in group.proved}
    asked = {(str(one.claim), one.subject): one for one in questions.asked}
    for place, question in asked.items():
        proved = listed.get(place)
        if proved is None:
            found.append(f"It does not have {' of '.join(place)}.")
        elif (proved.formula, proved.says) != (question.formula, question.says):
            found.append(f"It has another formula for {' of '.join(place)}.")
        elif set(proved.answers) != {PROVED} or len(proved.answers) != len(certificate.solvers):
            found.append(f"It does not say that every solver confirmed {' of '.join(place)}.")
    found += [f"It has {' of '.join(place)}, which is not claimed now." for place in listed.keys() - asked.keys()]
    if not found and certificate.script != _sha(questions.script()):
        found.append("The questions as a whole are others now.")
    return found


def not_shown(certificate: Certificate, book: Rulebook, questions: Questions, invariants: Sequence[Invariant]) -> list[str]:
    """What the patients of a certificate do not show, when the engine plans for them again."""
    planner = Planner(book)
    fired: dict[bytes, Set[str]] = {}  # many a patient shows several things
    shown: dict[tuple[str, str], Set[str]] = {}
    try:
        for group in certificate.possible:
            for shown_patient in group.shown:
                body = msgspec.json.encode(shown_patient.patient)
                if body not in fired:
                    fired[body] = fired_for(planner, shown_patient.patient)
                shown[group.claim, shown_patient.subject] = fired[body]
    finally:
        planner.close()
    return list(Occurrences(questions.claims, book.in_order(), invariants).missing(shown))


def _with_words(question: Question) -> str:
    words = "".join(f";   {sentence}\n" for sentence in question.says)
    return f"; {question.claim}: {question.subject}\n{words}{question.commands}"


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
