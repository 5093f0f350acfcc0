"""Medicines from MedicationStatements and MedicationRequests, and the treatment itself where it is being ordered."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from careplan.fhir.read.datetimes import Moment, before, moment_of
from careplan.fhir.read.dosage import dose_of, schedule_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import LONGEST_WORDS, Gathering
from careplan.fhir.read.references import References
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.terminology import RXNORM, codes
from careplan.request.patient import Medication

Json = dict[str, Any]

NOT_TAKEN = frozenset({"stopped", "not-taken", "completed", "cancelled", "entered-in-error", "ended", "draft"})
NOT_DECIDED = frozenset({"proposal", "option"})
UNNAMED = "unnamed medicine"


class MedicineReader:
    """Reads the medicines of one request. `ordered` are the pointers of those that are just being ordered."""

    def __init__(self, gathering: Gathering, references: References) -> None:
        self._gathering = gathering
        self._references = references
        self._catalogue = gathering.tables.book.catalogue
        self.ordered: list[str] = []
        self.treats = False

    def read(self, resource: Element, reference: str, *, ordering: bool) -> None:
        """Take one in, or say why it does not count."""
        concept, display = self._concept(resource)
        name, rxcui = self._name(concept, display), self._rxcui(concept)
        if why := self._not_taken(resource, ordering=ordering):
            self._gathering.skip(resource, name or "medicine", why)
            return
        if name is None:
            self._gathering.skip(resource, "medicine", "It has neither a code nor a text, nor a Medication that was sent.")
            name = UNNAMED
        entry: Json = {"name": name[:LONGEST_WORDS]} | ({"rxcui": rxcui} if rxcui else {})
        if ordering and (product := self._product(entry)):
            self._treatment(resource, product, name)
            return
        dosages = self._dosages(resource, name)
        if schedule := schedule_of(dosages):
            entry["schedule"] = schedule
        elif dosages:
            self._gathering.skip(
                dosages[0], f"dosage of {name}", "How it is taken could not be read from it, so it is asked for."
            )
        dose, said = dose_of(dosages)
        if dose is not None:
            entry["dose_mg"] = dose
        elif said:
            self._gathering.skip(dosages[0], f"dose of {name}", "It is not one number of milligrams.")
        if indication := self._indication(resource, name):
            entry["indication"] = indication
        pointer = self._gathering.entry("medications", entry, resource, reference, called=name)
        if ordering and pointer:
            self.ordered.append(pointer)

    def _not_taken(self, resource: Element, *, ordering: bool) -> str | None:
        status, intent, on = resource.text("status"), resource.text("intent"), self._gathering.on
        if status in (NOT_TAKEN - {"draft"} if ordering else NOT_TAKEN):
            return f"Its status says that it is not taken now ({status})."
        if resource.flag("doNotPerform"):
            return "It says that this is not to be given."
        if intent in NOT_DECIDED:
            return f"Its intent says that it is not decided yet ({intent})."
        period = resource.child("effectivePeriod")
        end = moment_of(period.text("end")) if period else None
        if end is not None and on is not None and before(end, on):
            return f"Its period says that it is not taken any more (until {end.day})."
        return None

    def _concept(self, resource: Element) -> tuple[Element | None, str | None]:
        """What a medicine is: a concept, or if it points to none that was sent, what the reference calls it."""
        if "medicationCodeableConcept" in resource:
            return resource.child("medicationCodeableConcept"), None
        pointing = resource.child("medicationReference")
        medicine = self._references.to(pointing, resource)
        if medicine is not None and medicine.text("resourceType") == "Medication":
            return medicine.child("code"), pointing.text("display") if pointing else None
        return None, pointing.text("display") if pointing else None

    def _name(self, concept: Element | None, display: str | None) -> str | None:
        """The first of its names that is known; where none is, what a reader would call it."""
        found = list(codes(concept))
        named: list[str | None] = [display]
        if concept is not None:
            named = [concept.text("text"), *(one.text("display") for one in concept.children("coding")), display]
        names = list(dict.fromkeys(filter(None, named)))
        if len(names) > 1:
            known = (name for name in names if self._catalogue.resolve(0, Medication(name=name[:LONGEST_WORDS])).match)
            return next(known, names[0])
        return names[0] if names else next((one.code for one in found), None)

    def _rxcui(self, concept: Element | None) -> str | None:
        """The first of its RxNorm codes that is known; where none is, the first."""
        found = [one.code for one in codes(concept) if one.system == RXNORM and is_rxcui(one.code)]
        known = (code for code in found if self._catalogue.resolve(0, Medication(rxcui=code)).match)
        return next(known, found[0] if found else None)

    def _dosages(self, resource: Element, name: str) -> list[Element]:
        found = []
        for dosage in (*resource.children("dosage"), *resource.children("dosageInstruction")):
            if is_modified(dosage):
                self._gathering.skip(dosage, f"dosage of {name}", MODIFIED)
            else:
                found.append(dosage)
        return found

    def _indication(self, resource: Element, name: str) -> str | None:
        """What it is taken for, where its reasons have one meaning; reported where they were not understood."""
        concepts: list[Element | None] = list(resource.children("reasonCode"))
        for pointing in resource.children("reasonReference"):
            reason = self._references.to(pointing, resource)
            concepts.append(reason.child("code") if reason else None)
        meant = self._meant(concepts)
        if len(meant) == 1 and None not in meant:
            return meant[0]
        if concepts:
            self._gathering.skip(resource, f"reason for {name}", "It could not be read as one reason, so it is asked for.")
        return None

    def _meant(self, concepts: Iterable[Element | None]) -> list[str | None]:
        """The meanings of some reasons, None among them for each that has none."""
        tables = self._gathering.tables
        meant: dict[str | None, None] = {}
        for concept in concepts:
            words = ((concept.text("text") or "") if concept else "").strip().casefold().replace(" ", "_")
            tokens = tables.indications.of(codes(concept)) or ([words] if words in tables.book.codes.indications else [])
            meant |= dict.fromkeys(tokens) if tokens else {None: None}
        return list(meant)

    def _product(self, entry: Json) -> str | None:
        """The product of the treatment that an order is for; None where it is for another medicine."""
        match = self._catalogue.resolve(0, Medication(**entry)).match
        if match is None or len(match.ingredients) != 1:
            return None
        return self._gathering.tables.book.codes.treatments.get(match.ingredients[0].ingredient)

    def _treatment(self, resource: Element, product: str, name: str) -> None:
        """The treatment is being ordered: no medicine that is taken already, but what the plan is for."""
        self.treats = True
        now = Moment(self._gathering.on.isoformat()) if self._gathering.on else None
        self._gathering.claim("treatment.product", product, resource, now)
        routes = [code for dosage in self._dosages(resource, name) if (at := dosage.child("route")) for code in codes(at)]
        meant = self._gathering.tables.routes.of(routes)
        if len(meant) == 1:
            self._gathering.claim("treatment.preferred_route", meant[0], resource, now)
        else:
            self._gathering.skip(
                resource, f"route of {name}", "The order names no route that could be read, so it is asked for."
            )


def is_rxcui(code: str) -> bool:
    """Whether a code can be one of RxNorm."""
    return code.isascii() and code.isdigit() and len(code) <= 8
