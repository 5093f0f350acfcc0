"""Texts that a rule says on some days only, such as before a law ends and after."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import msgspec

from careplan.rulebook.conditions import Path
from careplan.rulebook.model import DatedText, Rule
from careplan.rulebook.presumption import FaultList
from careplan.rulebook.rule_texts import texts_of
from careplan.rulebook.validity_checks import days_of
from careplan.rulebook.yaml_and_csv import Document


def with_dated_texts(rule: Rule, document: Document) -> Rule:
    """A rule with what it says on some days. What is wrong with the days is noted as a fault of `document`."""
    said = rule.file.then.by_day
    if not said:
        return rule
    if any(one.patient is not None for one in rule.file.then.in_languages.values()):
        mend = "Take the translation out, or write two rules."
        document.fault(("then", "by_day"), "A translation says the same on every day.", mend, code="dates")
    texts = [one for at, text in enumerate(said) if (one := _on_some_days(rule, text, at, document)) is not None]
    terms = sorted((one.term for one in texts), key=lambda term: term.first or date.min)
    if any(later.first is None or earlier.last is None or later.first <= earlier.last for earlier, later in pairwise(terms)):
        document.fault(("then", "by_day"), "Two of these texts hold on the same day.", "Let one end first.", code="dates")
    return msgspec.structs.replace(rule, by_day=tuple(texts))


class Under:
    """Notes the faults of the texts of some days at their own place."""

    def __init__(self, note: FaultList, at: int) -> None:
        self._note = note
        self._at = at

    def fault(self, path: Path, problem: str, mend: str, *, code: str = "form") -> None:
        """Note a fault; what is said of `then.patient` is said of the text of the day."""
        named = path[-1] if path and path[-1] in ("patient", "clinician", "line") else ""
        self._note.fault(("then", "by_day", self._at, named) if named else path, problem, mend, code=code)


def _on_some_days(rule: Rule, text: DatedText, at: int, document: Document) -> Rule | None:
    path: Path = ("then", "by_day", at)
    term = days_of(document, text, "text", path)
    if term is None or term.is_never:
        return None
    if not term:
        document.fault(path, "A text of some days needs its first or its last day.", "Add valid_from.", code="dates")
        return None
    then = msgspec.structs.replace(rule.file.then, patient=text.patient, clinician=text.clinician, by_day=())
    file = msgspec.structs.replace(rule.file, then=then, line=text.line or rule.file.line)
    texts = texts_of(document, file, term)
    if texts is None:
        return None
    return msgspec.structs.replace(
        rule, file=file, patient=texts.patient, clinician=texts.clinician, line=texts.line, term=term
    )
