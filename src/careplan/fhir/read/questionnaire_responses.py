"""Answers of a QuestionnaireResponse to the intake form."""

from __future__ import annotations

from careplan.fhir.read.completeness import list_of_link, lists_of
from careplan.fhir.read.datetimes import moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.intake_form import Entries, Form, is_asked, links_of
from careplan.fhir.read.measures import MeasureReader
from careplan.fhir.read.notes import NoteReader
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.references import References
from careplan.fhir.read.terminology import OWN
from careplan.fhir.read.told_medicines import ToldMedicines
from careplan.request.decode import LISTS

INTAKE = f"{OWN}questionnaire:intake"


class AnswerReader:
    """Reads the answered forms of one request."""

    def __init__(
        self, gathering: Gathering, references: References, measures: MeasureReader, notes: NoteReader, told: ToldMedicines
    ) -> None:
        self._gathering = gathering
        self._told = told
        self._notes = notes
        self._measures = measures
        self._references = references
        self._forms: list[Form] = []

    def read(self, response: Element) -> None:
        """Take a form in, or say why it does not count.

        What makes it a form of ours are the linkIds of its items: servers that keep a copy give it names of their own.
        """
        status = response.text("status")
        if status == "entered-in-error":
            self._gathering.skip(response, "QuestionnaireResponse", "Its status is entered-in-error.")
            return
        if "item" not in response:
            why = "It holds no item, so no answer of it is read."
            lists = lists_of(response) if "group" in response else ()  # Where DSTU 2 has the answers.
            self._gathering.leave_out(response, "QuestionnaireResponse", why, *lists)
            return
        named, links = response.text("questionnaire") or "", list(links_of(response))
        done = status in ("completed", "amended", None)
        read, told = self._measures.answers(response, moment_of(response.text("authored")), done=done)
        if read and not any(map(is_asked, links)):
            if told > read or not done:
                self._unknown(response)
                why = f"{read} of its {told} answers are read; the others are to no question of the intake form."
                why = why if done else f"Its status is {status}: of what is not finished counts what warns."
                self._gathering.skip(response, "QuestionnaireResponse", why)
            return
        if links and named.partition("|")[0] != INTAKE and not any(map(is_asked, links)):
            why = "None of its answers is to a question of the intake form; they are searched for danger."
            self._gathering.skip(response, "QuestionnaireResponse", why)
            self._unknown(response)
            return
        if not done:
            why = f"Its status is {status}: of what is not finished counts what is named, and never that there is nothing."
            self._gathering.leave_out(response, "QuestionnaireResponse", why, *lists_of(response))
        self._forms.append(Form(self._gathering, self._references, response, done=done))

    def _unknown(self, response: Element) -> None:
        """Look at answers to questions that nobody knows: for danger, and for medicines."""
        self._notes.form(response, self._measures.asks)
        self._told.form(response, self._measures.asks)

    def finish(self) -> None:
        """Hand over the lists that count as a whole: each from the newest finished form that has it, or the first.

        A form that is not finished adds to these lists, and replaces none.
        """
        counting: dict[str, Form] = {}
        finished = [form for form in self._forms if form.done]
        for form in finished:
            for field in form.lists:
                if field not in counting or form.is_newer_than(counting[field]):
                    counting[field] = form
        for form in finished:
            for field, entries in form.lists.items():
                if counting[field] is form:
                    self._take(field, entries)
                else:
                    self._pass_over(field, entries, counting[field].lists[field])
        for form in self._forms:
            for field, entries in form.lists.items() if not form.done else ():
                self._add(field, entries, counting[field].lists[field] if field in counting else [])

    def _pass_over(self, field: str, entries: Entries, counted: Entries) -> None:
        """Say of each entry that another form's list counts, unless that list is the same."""
        if [entry for entry, _ in entries] == [entry for entry, _ in counted]:
            return
        for entry, at in entries:
            what = entry.get("name", "medicine") if isinstance(entry, dict) else field
            self._gathering.skip(at, str(what), "Another form, which is newer or first, has this list.")

    def _add(self, field: str, entries: Entries, counted: Entries) -> None:
        """Take the entries of an unfinished form that the list of the finished form does not have."""
        known = {_named(entry): entry for entry, _ in counted}
        self._take(field, [(entry, at) for entry, at in entries if _named(entry) not in known])
        for entry, at in entries:
            if _named(entry) in known and known[_named(entry)] != entry:
                self._gathering.skip(at, str(_named(entry)), "A finished form has it as well, and says how.")

    def _take(self, field: str, entries: Entries) -> None:
        if field == "medications":
            for entry, at in entries:
                self._gathering.entry(field, entry, at, called=str(entry.get("name") or "medicine"))  # type: ignore[attr-defined]
            return
        kind, _, name = field.partition(".")
        listed = self._gathering.body.setdefault(kind, {}).setdefault(name, [])
        for entry, at in entries:
            if len(listed) >= LISTS[f"/{kind}/{name}"]:
                self._gathering.leave_out(at, field, "There are more than fit on this list.", *list_of_link(field))
                continue
            self._gathering.origins[f"/{kind}/{name}/{len(listed)}"] = at.pointer
            listed.append(entry)
            self._gathering.origins.setdefault(f"/{kind}/{name}", at.pointer)


def _named(entry: object) -> object:
    """What makes an entry of a list the same as that of another form."""
    name = (entry.get("name") or entry.get("rxcui")) if isinstance(entry, dict) else entry
    return name.casefold() if isinstance(name, str) else name
