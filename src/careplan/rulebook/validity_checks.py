"""What makes the days of a rule fit: real days, in their order, and texts that say them."""

from __future__ import annotations

from careplan.rulebook.conditions import Path
from careplan.rulebook.model import DatedText, RuleFile
from careplan.rulebook.validity import ALWAYS, PLACEHOLDERS, Term
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
    try:
        term = Term.of(file.valid_from, file.valid_until)
    except ValueError:
        at: Path = (*within, "valid_from" if file.valid_from else "valid_until")
        document.fault(at, "This is no day of the calendar.", "Write a day such as 2026-12-31.", code="dates")
        return None
    if term.is_never:
        problem = f"The {called} would end on {term.last}, before it begins on {term.first}."
        document.fault((*within, "valid_until"), problem, "Put the days into their order.", code="dates")
    return term


def _check_texts(document: Document, file: RuleFile, term: Term) -> None:
    """Both readers read the days, as a plan of which no day is known holds the rule all the same."""
    for path, text in ((("then", "patient"), file.then.patient), (("then", "clinician"), file.then.clinician)):
        for name, day in zip(PLACEHOLDERS, term, strict=True):
            if day and f"{{{name}}}" not in text:
                mend = f"Say {{{name}}} in it."
                document.fault(
                    path, "A plan without a day holds this rule as well, so its text says its days.", mend, code="dates"
                )
