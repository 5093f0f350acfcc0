"""One Bundle on its way to a request body: first everything is gathered, because references may lead anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from careplan.fhir.read.ages import age_on
from careplan.fhir.read.completeness import EVERYTHING, SAY_NOTHING, cut_off, is_part, lists_of, tells_of_missing
from careplan.fhir.read.conditions import IllnessReader
from careplan.fhir.read.element import Element
from careplan.fhir.read.family_history import read_family_history
from careplan.fhir.read.given_medicines import GivenReader
from careplan.fhir.read.measures import MeasureReader
from careplan.fhir.read.medications import MedicineReader
from careplan.fhir.read.notes import NoteReader
from careplan.fhir.read.observations import ObservationReader
from careplan.fhir.read.patient_builder import Gathering, Tables
from careplan.fhir.read.people import People
from careplan.fhir.read.questionnaire_responses import AnswerReader
from careplan.fhir.read.references import References, Whose, subject_of
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.told_medicines import ToldMedicines
from careplan.fhir.read.unread import NOT_READ, UnreadReader
from careplan.fhir.read.versions import Version, superseded

_OF_SOMEBODY = frozenset(
    {"MedicationStatement", "MedicationRequest", "MedicationDispense", "MedicationAdministration", "Condition"}
    | {"AllergyIntolerance", "Observation", "QuestionnaireResponse"}
)
_READ_WITHIN = frozenset({"Condition", "AllergyIntolerance", "Observation", "QuestionnaireResponse"})
"""What counts by itself where it is contained in another resource."""
_OF_OTHERS = frozenset({"FamilyMemberHistory", "RelatedPerson"})
"""What tells of people around the patient, though it names the patient."""

_BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
OTHER = "It is about somebody else."
NOBODY = "It cannot be seen that it is about this patient."


class Mapped:
    """The resources of one Bundle, and what is read of them. `died` is where the record says that the patient has died."""

    def __init__(self, tables: Tables, on: date | None, subject: str | None, home: str, *, judged: bool) -> None:
        self.gathering = Gathering(tables, on)
        self._references = References(home)
        self.people = People(self._references, subject)
        self._versions: list[tuple[Element, Element | None, str | None, bool]] = []
        self.died: str | None = None
        self.medicines = MedicineReader(self.gathering, self._references)
        self._given = GivenReader(self.gathering, self._references, self.medicines)
        self._illnesses = IllnessReader(self.gathering)
        self._notes = NoteReader(self.gathering)
        measures = MeasureReader(self.gathering, self._references, self._notes)
        self._observations = ObservationReader(self.gathering, measures, self._notes)
        self._told = ToldMedicines(self.gathering, self.medicines)
        self._answers = AnswerReader(self.gathering, self._references, measures, self._notes, self._told)
        self._unread = UnreadReader(self.gathering, self._references, judged=judged)

    def add(self, entry: Element, *, ordering: bool) -> None:
        """Take note of an entry."""
        resource, full_url = entry.child("resource"), entry.text("fullUrl")
        if resource is not None:
            kind = resource.text("resourceType")
            if kind is None or (kind not in SAY_NOTHING and not re.fullmatch("[A-Z][A-Za-z]*", kind)):
                resource.fault("resourceType", "must be the name of a type of resource")
                return
            if not is_modified(entry):
                self._references.add(resource, full_url)
        self._versions.append((entry, resource, full_url, ordering))

    def read(self, bundle: Element) -> None:
        """Read everything that was added."""
        for member, why in cut_off(bundle):
            self._everything_lacks(f"/{member}", "Bundle", why)
        standing = self._standing(history=bundle.text("type") == "history")
        found = [(resource, full_url) for _, resource, full_url, _ in standing]
        patients = [(one, url) for one, url in found if one.text("resourceType") == "Patient"]
        facts = [one for one, _ in found if one.text("resourceType") in _OF_SOMEBODY]
        index = next((one for one, _ in found[:1] if one.text("resourceType") == "Composition"), None)
        self.people.find(patients, facts, index)
        self.died = next((place for one, _ in patients if self._references.is_own(one) for place in _deaths(one)), None)
        for entry, resource, full_url, ordering in standing:
            kind, name = resource.text("resourceType") or "", resource.text("id")
            if is_modified(entry):
                self.gathering.leave_out(entry, kind, MODIFIED, *lists_of(resource))
            else:
                self._resource(resource, f"{kind}/{name}" if name else full_url or "", ordering=ordering)
        self._given.finish()
        self._told.finish()
        self.medicines.finish()
        self._observations.finish()
        self._answers.finish()
        self._illnesses.finish()
        self._notes.finish()
        if "goals" in self.gathering.body.get("expectations", {}) and any(cut_off(bundle)):
            self.gathering.lacks("", "goals")
        self.gathering.settle()

    def _everything_lacks(self, at: Element | str, what: str, why: str) -> None:
        self.gathering.leave_out(at, what, why, *EVERYTHING)

    def _standing(self, *, history: bool) -> list[tuple[Element, Element, str | None, bool]]:
        """The entries that hold a resource and are not set aside for another version of it."""
        versions = []
        for entry, resource, full_url, ordering in self._versions:
            identity = self._references.identity(resource, full_url) if resource else _deleted(entry, self._references)
            versions.append(Version(identity, entry, resource, ordering))
        aside = {one.entry.pointer: why for one, why in superseded(versions, history=history)}
        standing = []
        for entry, resource, full_url, ordering in self._versions:
            why = aside.get(entry.pointer)
            if resource is None:
                self._without_resource(entry, why)
            elif why is None:
                standing.append((entry, resource, full_url, ordering))
            else:
                self._references.supersede(resource)
                self.gathering.skip(resource, resource.text("resourceType") or "entry", why)
        return standing

    def _without_resource(self, entry: Element, why: str | None) -> None:
        response = entry.child("response")
        if why is not None:
            self.gathering.skip(entry, "entry", why)
        elif response is not None:
            status, outcome = response.text("status") or "", response.child("outcome")
            if status[:1] in ("4", "5") or (outcome is not None and tells_of_missing(outcome)):
                self._everything_lacks(entry, "entry", "The system that was asked reported a problem in its place.")
            else:
                self.gathering.skip(entry, "entry", "It is an answer without content.")
        elif "request" in entry:
            self._everything_lacks(entry, "entry", "It asks for something, and nothing came of it.")

    def _resource(self, resource: Element, reference: str, *, ordering: bool = False, within: Whose | None = None) -> None:
        kind = resource.text("resourceType") or ""
        if kind in SAY_NOTHING and "contained" not in resource and not is_modified(resource):
            # Whosever it is: most of a record is of these types.
            self.gathering.skip(resource, kind, NOT_READ)
            return
        lists = lists_of(resource)
        whose = self._references.whose(resource, within)
        if kind in _OF_SOMEBODY and whose != "own":
            self._not_own(resource, kind, whose)
        elif is_modified(resource):
            self.gathering.leave_out(resource, kind, MODIFIED, *(lists if whose != "other" else ()))
            self._contained(resource, whose, MODIFIED)
            return
        else:
            if is_part(resource) and whose != "other" and lists:
                self.gathering.leave_out(resource, kind, "It says that something was taken away from it.", *lists)
            self._read(resource, kind, reference, whose, ordering=ordering)
        self._contained(resource, whose)

    def _read(self, resource: Element, kind: str, reference: str, whose: Whose, *, ordering: bool) -> None:
        match kind:
            case "Patient":
                self._person(resource)
            case "MedicationStatement" | "MedicationRequest":
                self.medicines.read(resource, reference, ordering=ordering and kind == "MedicationRequest")
                self._notes.read(resource)
            case "MedicationDispense" | "MedicationAdministration":
                self._given.read(resource, reference)
                self._notes.read(resource)
            case "Medication":
                pass  # Read by the references that lead to it.
            case "Condition":
                self._illnesses.condition(resource, reference)
                self._notes.read(resource)
            case "AllergyIntolerance":
                self._illnesses.allergy(resource, reference)
                self._notes.read(resource)
            case "Observation":
                self._observations.read(resource)
            case "QuestionnaireResponse":
                self._answers.read(resource)
            case "Flag" if whose == "own" and self._notes.flag(resource):
                pass
            case "FamilyMemberHistory" if whose == "own" and read_family_history(resource, self.gathering):
                self._notes.read(resource)
            case _ if whose == "own":
                self._notes.beside(resource, kind)
                self._unread.read(resource, kind, is_other=False)
            case _:
                self._unread.read(resource, kind, is_other=whose == "other")

    def _not_own(self, resource: Element, kind: str, whose: Whose) -> None:
        """What is about somebody else does not count, and what may be about the patient leaves its list incomplete."""
        if whose == "other":
            self.gathering.skip(resource, kind, OTHER)
        else:
            self.gathering.leave_out(resource, kind, NOBODY, *lists_of(resource))

    def _contained(self, resource: Element, whose: Whose, why: str | None = None) -> None:
        """What a resource has within it: medicines are read by reference, facts by themselves, all else is reported.

        A fact that names nobody is about whom its container is about. With `why`, nothing in it counts.
        """
        kind = resource.text("resourceType") or ""
        if kind in _OF_OTHERS:
            whose = "other"
        elif kind not in _OF_SOMEBODY and subject_of(resource) is None:
            whose = "unknown"
        for inner in resource.children("contained"):
            kind = inner.text("resourceType") or "resource"
            if kind == "Patient":
                continue  # Told apart by whose the container is.
            if why is not None or (kind not in _READ_WITHIN and kind != "Medication"):
                is_other = self._references.whose(inner, whose) == "other"
                self.gathering.leave_out(inner, kind, why or NOT_READ, *(() if is_other else lists_of(inner)))
            elif kind != "Medication":
                self._resource(inner, "", within=whose)

    def _age(self, born: str, on: date) -> int | None:
        age = age_on(born, on)
        self.gathering.age = self.gathering.age or age
        return age

    def _person(self, resource: Element) -> None:
        if not self._references.is_own(resource):
            self.gathering.skip(resource, "Patient", "The plan is for another patient of the request.")
            return
        if (sex := _sex(resource)) is not None:
            self.gathering.claim("sex", sex, resource, None)
        born, on = resource.text("birthDate"), self.gathering.on
        if born is None:
            return
        if on is None:
            why = "No day of which to count the age is named, be it by the call or by Bundle.timestamp, nor found."
            self.gathering.skip(resource, "birthDate", why)
        elif (age := self._age(born, on)) is None or not self.gathering.claim("age_years", age, resource, None):
            self.gathering.skip(resource, "birthDate", "It is not exact enough to count the age, or no age can come of it.")
        elif self.gathering.day_from is not None:
            why = f"No day was named, so the age was counted on {on.isoformat()}, the newest date in the record."
            self.gathering.skip(self.gathering.day_from, "day of the record", why)


def _sex(patient: Element) -> str | None:
    """The sex put down at birth; where a record has none, the administrative gender. Any other word is no answer."""
    at_birth = next((one.text("valueCode") for one in patient.children("extension") if one.text("url") == _BIRTH_SEX), None)
    named = {"F": "female", "M": "male"}.get(at_birth or "", patient.text("gender") if at_birth is None else None)
    return named if named in ("female", "male") else None


def _deaths(patient: Element) -> Iterator[str]:
    """Where a record says that its patient has died, be it at a time that is not known."""
    if patient.flag("deceasedBoolean"):
        yield f"{patient.pointer}/deceasedBoolean"
    for name in ("deceasedDateTime", "_deceasedDateTime"):
        if patient.value.get(name):
            yield f"{patient.pointer}/{name}"


def _deleted(entry: Element, references: References) -> str | None:
    """Which resource an entry without one is about, by its fullUrl, else by what was asked of the server."""
    request = entry.child("request")
    named = entry.text("fullUrl") or (request.text("url") if request else None)
    return references.key(named, entry.pointer) if named else None
