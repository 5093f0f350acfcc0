"""The derivations of a certificate as a file beside it: written once with a SAT solver, checked again without any solver."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import Protocol, TypeAlias

import msgspec

from careplan.authoring.proof.certify import Progress, Question
from careplan.authoring.proof.clauses import Clauses
from careplan.authoring.proof.derivation import Refused, as_text, check, from_text
from careplan.authoring.proof.refuting import SOLVER, Refuter
from careplan.authoring.proof.smtlib_reader import NotRead
from careplan.rulebook.certificate import Certificate, Claimed, Proved, SolverName

STEPS = "proof.steps"
Texts: TypeAlias = Mapping[tuple[str, str], str]
"""The steps of each claim about a subject, as text."""


class Asked(Protocol):
    """Questions as text: what holds of every patient, and the commands of each question."""

    base: str
    asked: list[Question]


_HEAD = """\
# For each claim of proof.cert the steps by which it follows that no patient breaks it; see docs/proofs.md.
# A step is the literals of a clause, then 0, then the clauses from which it follows: 0 is the question, a number above it a
# clause of the formula, one below it a step before. A step from nothing says how numbers are ordered.
"""


def can_be_made() -> bool:
    """Whether the SAT solver is installed that finds derivations."""
    return find_spec("pysat") is not None


def derivations_of(questions: Asked, progress: Progress) -> dict[tuple[str, str], str]:
    """The steps of each claim that has some; of the others the clauses do not say enough."""
    found: dict[tuple[str, str], str] = {}
    refuter: Refuter | None = None
    for known, question, literal in _read(questions, progress, "deriving"):
        refuter = refuter or Refuter(known)
        steps = refuter.refuted(literal)
        if steps is not None:
            check(known, literal, steps)
            found[question.claim, question.subject] = as_text(steps)
    return found


def hashes(texts: Texts) -> dict[tuple[str, str], str]:
    """The SHA-256 of the steps of each claim."""
    return {place: hashlib.sha256(text.encode()).hexdigest() for place, text in texts.items()}


def with_steps(certificate: Certificate, texts: Texts) -> Certificate:
    """The certificate that names these steps, and who found them."""
    known = hashes(texts)

    def named(claimed: Claimed, proved: Proved) -> Proved:
        return msgspec.structs.replace(proved, steps=known.get((claimed.claim, proved.subject), ""))

    claims = tuple(
        msgspec.structs.replace(group, proved=tuple(named(group, one) for one in group.proved))
        for group in certificate.claims
    )
    by = SolverName(f"{SOLVER} by python-sat", version("python-sat"))
    return msgspec.structs.replace(certificate, claims=claims, steps_by=by)


def as_file(texts: Texts) -> bytes:
    """All steps as one file, each claim behind a line that names it."""
    return (_HEAD + "".join(f"{claim} {subject}\n{text}" for (claim, subject), text in texts.items())).encode()


def from_file(content: bytes) -> dict[tuple[str, str], str]:
    """The steps of each claim, as they stand in a file. Raises `Refused` for a file that is none of steps."""
    found: dict[tuple[str, str], str] = {}
    place = ("", "")
    for line in content.decode("utf-8", "replace").splitlines(keepends=True):
        if line[0].isalpha():
            claim, _, subject = line.rstrip("\n").partition(" ")
            place = claim, subject
            found[place] = ""
        elif place in found:
            found[place] += line
        elif not line.startswith("#"):
            raise Refused("the file does not begin with a claim")
    return found


def wrong_steps(questions: Asked, certificate: Certificate, content: bytes, progress: Progress) -> Iterator[str]:
    """What is wrong with the steps that a certificate names, in sentences; nothing if all of them hold."""
    named = {(group.claim, one.subject): one.steps for group in certificate.claims for one in group.proved if one.steps}
    try:
        kept = from_file(content)
        for known, question, literal in _read(questions, progress, "checking steps"):
            place = str(question.claim), question.subject
            if place in named:
                yield from _wrong(known, literal, place, kept.get(place), named[place])
    except (Refused, NotRead) as error:
        yield f"The steps cannot be checked: {error}."
        return
    yield from (
        f"There are steps for {' of '.join(place)}, which the certificate does not name." for place in kept.keys() - named
    )


def _wrong(known: Clauses, literal: int, place: tuple[str, str], text: str | None, named: str) -> Iterator[str]:
    if text is None:
        yield f"There are no steps for {' of '.join(place)}."
    elif hashes({place: text})[place] != named:
        yield f"The steps for {' of '.join(place)} are others than those of the certificate."
    else:
        try:
            check(known, literal, from_text(text.splitlines()))
        except Refused as error:
            yield f"The steps for {' of '.join(place)} prove nothing: {error}."


def _read(questions: Asked, progress: Progress, words: str) -> Iterator[tuple[Clauses, Question, int]]:
    """Each question with its literal, and the clauses of all text up to there."""
    known = Clauses()
    known.read(questions.base)
    for at, question in enumerate(questions.asked):
        progress(words, at, len(questions.asked))
        known.read(question.commands)
        yield known, question, known.asked[-1]
    progress(words, len(questions.asked), len(questions.asked))
