"""Who the patient of a request is: the one whom the caller names, else the only one there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from careplan.fhir.read.element import Element
from careplan.fhir.read.references import References, plain, subject_of

_ANOTHER = "is another patient than that of an entry before; send one, or name the one of whom the plan is as subject"


class People:
    """The patients of one request. `reference` is what the plan calls its patient, and `patient` their record, if sent."""

    def __init__(self, references: References, subject: str | None) -> None:
        self._references = references
        self._asked_for = plain(subject) if subject else None
        self.patient: Element | None = None
        self.reference = subject
        self.is_known = True
        """False where the caller asks for somebody of whom the request says nothing, although it is about others."""

    def find(self, patients: Sequence[tuple[Element, str | None]], facts: Iterable[Element], index: Element | None) -> None:
        """Find out who the patient is. `facts` are what is about somebody; `index` is the document's own first entry.

        Where it cannot be told, this is noted as a fault.
        """
        if self._asked_for is not None:
            self._named(self._asked_for, patients, facts)
        elif patients:
            self._only(patients, index)
        else:
            self._from(facts)
        people = {key for one, _ in patients for key in self._references.keys_of(one)}
        self._references.several = bool(self.patient) and any(not self._references.is_own(one) for one, _ in patients)
        self._references.several = self._references.several or (self.patient is None and len(people) > 1)

    def _named(self, subject: str, patients: Sequence[tuple[Element, str | None]], facts: Iterable[Element]) -> None:
        key = self._references.key(subject, "")
        fitting = [one for one, _ in patients if key in self._references.keys_of(one)]
        if not fitting:  # On whatever server: the caller's own address of this patient may be a shorter one.
            fitting = [one for one, _ in patients if f"Patient/{one.text('id')}" == subject]
        if len({self._references.identity(one, url) for one, url in patients if one in fitting}) == 1:
            self._take(fitting[0])
        self._references.about(self.patient, key)
        others = {self._references.key(f"Patient/{one.text('id')}", one.pointer) for one, _ in patients}
        named = others | {one.key for one in self._references.subjects(facts)}
        self.is_known = self.patient is not None or not named or (not patients and key in named)

    def _only(self, patients: Sequence[tuple[Element, str | None]], index: Element | None) -> None:
        of_document = self._references.to(subject_of(index)) if index else None
        if of_document is not None and of_document.text("resourceType") == "Patient":
            self._take(of_document)
            self._references.about(of_document)
        else:
            self._take(patients[0][0])
            self._references.about(patients[0][0])
            for patient, _ in patients[1:]:
                if not self._references.is_own(patient):
                    patient.fault("id", _ANOTHER)
        assert self.patient is not None
        name = self.patient.text("id")
        full_url = next((url for one, url in patients if one.pointer == self.patient.pointer), None)
        self.reference = f"Patient/{name}" if name else full_url

    def _from(self, facts: Iterable[Element]) -> None:
        """The one whom the facts name, where no Patient was sent: by the surest way in which any of them does."""
        named = self._references.subjects(facts)
        surest = min((one.by for one in named), default=0)
        people = [(subject, resource) for subject, resource in named.items() if subject.by == surest]
        for _, resource in people[1:]:
            resource.fault("subject", "is another than that of an entry before; send the Patient of whom the plan is")
        for subject, resource in people[:1]:
            self._references.about_subject(subject)
            pointing = subject_of(resource)
            reference = pointing.text("reference") if pointing else None
            self.reference = plain(reference) if reference and subject.by == 0 else None

    def _take(self, patient: Element) -> None:
        self.patient = patient
