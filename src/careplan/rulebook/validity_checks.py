"""What makes the days of a rule or a row fit: real days, in their order, texts that say them, no two rows at once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

from careplan.errors import RuleFault
from careplan.rulebook.conditions import Path
from careplan.rulebook.model import DatedText, RuleFile
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.validity import ALWAYS, DAY, PLACEHOLDERS, Term, is_a_day
from careplan.rulebook.yaml_and_csv import Document


def term_of(document: Document, file: RuleFile) -> Term:
    """The term of a rule file. What is wrong with its days is noted as a fault of `document`."""
    term = days_of(document, file, "rule") or ALWAYS
    if term and file.scope == "standing":
        mend = "Write scope: personal, so that the plan of a day holds it."
        document.fault(
            ("scope",), "The standing protocol has no day, so a rule with days is none of it.", mend, code="dates"
        )
    _check_texts(document, file, term)
    return term


def days_of(document: Document, file: RuleFile | DatedText, called: str, within: Path = ()) -> Term | None:
    """The days of a rule or of one of its texts, which stands `within` the document; None where one is no day.

    What is wrong with them is noted as a fault of `document`.
    """
    return term_between(document, file.valid_from, file.valid_until, called, within)


def term_between(note: FaultList, first: str | None, last: str | None, called: str, within: Path = ()) -> Term | None:
    """The term between two days of something that is `called` so and stands `within` a document; None where one is no day.

    What is wrong with them is noted.
    """
    for field in _no_days(first, last):
        note.fault((*within, field), _NO_DAY, _WRITE_A_DAY, code="dates")
        return None
    term = Term.of(first, last)
    if term.is_never:
        note.fault((*within, "valid_until"), _never(called, term), _IN_ORDER, code="dates")
    return term


_NO_DAY, _WRITE_A_DAY = "This is no day of the calendar.", "Write a day such as 2026-12-31."
_IN_ORDER = "Put the days into their order."


def _no_days(first: str | None, last: str | None) -> Iterator[str]:
    """The fields of two days that are none of the calendar."""
    for field, day in (("valid_from", first), ("valid_until", last)):
        if day is not None and not (DAY.fullmatch(day) and is_a_day(day)):
            yield field


def _never(called: str, term: Term) -> str:
    return f"The {called} would end on {term.last}, before it begins on {term.first}."


def _check_texts(document: Document, file: RuleFile, term: Term) -> None:
    """Both readers read the days, as a plan of which no day is known holds the rule all the same."""
    for path, text in ((("then", "patient"), file.then.patient), (("then", "clinician"), file.then.clinician)):
        for name, day in zip(PLACEHOLDERS, term, strict=True):
            if day and f"{{{name}}}" not in text:
                mend = f"Say {{{name}}} in it."
                document.fault(
                    path, "A plan without a day holds this rule as well, so its text says its days.", mend, code="dates"
                )


class DatedRow(NamedTuple):
    """The days of one row of a table: the line where it stands, what it is about, and its two cells."""

    line: int
    about: Hashable
    valid_from: str
    valid_until: str


def faults_of_rows(file: str, rows: Iterable[DatedRow], called: str) -> Iterator[RuleFault]:
    """What is wrong with the days of the rows of a table: no days, the wrong order, two rows about the same on one day."""
    before: dict[Hashable, list[tuple[int, Term]]] = {}

    def fault(at: int, column: str, problem: str, mend: str) -> RuleFault:
        return RuleFault(file=file, line=at, field=column, problem=problem, mend=mend, code="dates")

    for row in rows:
        first, last = row.valid_from or None, row.valid_until or None
        wrong = list(_no_days(first, last))
        yield from (fault(row.line, column, _NO_DAY, _WRITE_A_DAY) for column in wrong)
        if wrong:
            continue
        term = Term.of(first, last)
        if term.is_never:
            yield fault(row.line, "valid_until", _never(called, term), _IN_ORDER)
            continue
        for line, other in before.setdefault(row.about, []):
            if term.meets(other):
                problem = f"Line {line} says something about the same on the same days."
                mend = "Let one end before the other begins, or take one of them out."
                yield fault(row.line, "valid_from" if row.valid_from else "valid_until", problem, mend)
        before[row.about].append((row.line, term))
