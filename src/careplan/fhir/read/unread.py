"""Resources that are not read: each is reported, and some of them say that there is more on a list than was read of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from careplan.fhir.read.completeness import (
    EMPTY_REASONS,
    EVERYTHING,
    LISTS_OF,
    Lists,
    empty_reason,
    is_kept_back,
    listed,
    lists_of,
    section_lists,
    sections,
    tells_of_missing,
)
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.references import References, plain
from careplan.request.patient import ListName

NOT_READ = "Resources of this type are not read."
_PROBLEM = "It reports a problem of the system that sent it, not a fact."

_ITEMS: Mapping[str, Lists] = {**LISTS_OF, "Medication": ("medications",)}
"""The list of which a document or List says that something of a type is on it."""


class UnreadReader:
    """Looks at what is not read for what it says of the lists; not at outcomes of parts that were `judged` before."""

    def __init__(self, gathering: Gathering, references: References, *, judged: bool) -> None:
        self._judged = judged
        self._gathering = gathering
        self._references = references

    def read(self, resource: Element, kind: str, *, is_other: bool) -> None:
        """Report a resource, with the lists that are incomplete without it."""
        if kind == "OperationOutcome":
            tells = not self._judged and tells_of_missing(resource)
            self._gathering.leave_out(resource, kind, _PROBLEM, *(EVERYTHING if tells else ()))
        else:
            lists = () if is_other else tuple(self._lacking(resource, kind))
            self._gathering.leave_out(resource, kind, NOT_READ, *lists)

    def _lacking(self, resource: Element, kind: str) -> Iterator[ListName]:
        match kind:
            case "Encounter" | "EpisodeOfCare":
                if any(self._is_diagnosis_missing(one) for one in resource.children("diagnosis")):
                    yield "conditions"
            case "ClinicalImpression":
                if any("itemCodeableConcept" in one for one in resource.children("finding")):
                    yield "conditions"
            case "Composition" | "List":
                if resource.text("status") != "entered-in-error":
                    yield from self._announced(resource)
            case _:
                yield from lists_of(resource)

    def _announced(self, resource: Element) -> Iterator[ListName]:
        """The lists of which a document or List names something that was not sent, or says that it was kept back."""
        for section in sections(resource):
            lists, reason = section_lists(section), empty_reason(section)
            for name in lists:
                if reason in EMPTY_REASONS or is_kept_back(section):
                    yield name
                elif "text" in section and not any(one in section for one in ("entry", "section", "emptyReason")):
                    # Of a list in words alone nothing is read: what else is on it is a part of it.
                    self._gathering.unsent = {name: section.pointer, **self._gathering.unsent}
                elif reason == "nilknown":
                    self._gathering.none.setdefault(name, section)
            for pointing in listed(section):
                if self._is_missing(pointing):
                    kind = pointing.text("type") or _type_of(pointing.text("reference") or "")
                    yield from _ITEMS.get(kind, ()) if kind else lists

    def _is_diagnosis_missing(self, diagnosis: Element) -> bool:
        """Whether a diagnosis of a visit is none of the Conditions: by a Reference, or as R5 writes it."""
        if not isinstance(diagnosis.value.get("condition"), list):
            return self._is_missing(diagnosis.child("condition"))
        found = list(diagnosis.children("condition"))
        return any(self._is_missing(pointing.child("reference")) for pointing in found) or any(
            "concept" in pointing and "reference" not in pointing for pointing in found
        )

    def _is_missing(self, pointing: Element | None) -> bool:
        return pointing is not None and "reference" in pointing and self._references.to(pointing) is None


def _type_of(reference: str) -> str:
    """The type in a reference that names one; nothing for any other, such as a urn."""
    return plain(reference).rpartition("/")[0].rpartition("/")[2]
