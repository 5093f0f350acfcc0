"""Answers of a QuestionnaireResponse to the intake form."""

from __future__ import annotations

from careplan.fhir.read.element import Element
from careplan.fhir.read.intake_form import Form
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.references import References
from careplan.fhir.read.terminology import OWN

INTAKE = f"{OWN}questionnaire:intake"


class AnswerReader:
    """Reads the answered forms of one request."""

    def __init__(self, gathering: Gathering, references: References) -> None:
        self._gathering = gathering
        self._references = references
        self._forms: list[Form] = []

    def read(self, response: Element) -> None:
        """Take a form in, or say why it does not count."""
        form, status = (response.text("questionnaire") or "").partition("|")[0], response.text("status")
        if form and form != INTAKE:
            self._gathering.skip(response, "QuestionnaireResponse", "It answers another form than the intake form.")
        elif status == "entered-in-error":
            self._gathering.skip(response, "QuestionnaireResponse", "Its status is entered-in-error.")
        else:
            done = status in ("completed", "amended", None)
            if not done:
                why = f"Its status is {status}: of what is not finished only answers that warn count."
                self._gathering.skip(response, "QuestionnaireResponse", why)
            self._forms.append(Form(self._gathering, self._references, response, done=done))

    def finish(self) -> None:
        """Hand over the lists that count as a whole: each from the newest form that has it, or the first."""
        taken: dict[str, Form] = {}
        for form in self._forms:
            for field in form.lists:
                if field not in taken or form.is_newer_than(taken[field]):
                    taken[field] = form
        for form in self._forms:
            for field, entries in form.lists.items():
                counts = taken[field]
                same = [entry for entry, _ in entries] == [entry for entry, _ in counts.lists[field]]
                if counts is form:
                    self._take(field, entries)
                elif not same:
                    for entry, at in entries:
                        what = entry.get("name", "medicine") if isinstance(entry, dict) else field
                        self._gathering.skip(at, str(what), "Another form, which is newer or first, has this list.")

    def _take(self, field: str, entries: list[tuple[object, Element]]) -> None:
        if field == "medications":
            for entry, at in entries:
                self._gathering.entry(field, entry, at, called=str(entry.get("name") or "medicine"))  # type: ignore[attr-defined]
            return
        kind, _, name = field.partition(".")
        self._gathering.body.setdefault(kind, {})[name] = [entry for entry, _ in entries]
        for number, (_, at) in enumerate(entries):
            self._gathering.origins[f"/{kind}/{name}/{number}"] = at.pointer
        self._gathering.origins[f"/{kind}/{name}"] = entries[0][1].pointer
