"""Illnesses and problems, from Conditions and AllergyIntolerances."""

from __future__ import annotations

import re

from careplan.fhir.read.absence import absence
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import LONGEST_WORDS, Gathering
from careplan.fhir.read.resource_status import (
    NOT_SURE,
    NOT_TRUE,
    OVER,
    clinical_status,
    has_abated,
    is_of_family,
    verification_status,
)
from careplan.fhir.read.terminology import codes, names, words

UNNAMED = "condition without a name"
NAMELESS = "allergy without a name"


class IllnessReader:
    """Reads the conditions and allergies of one request."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._allergic: list[tuple[Element, str, str, str]] = []

    def condition(self, resource: Element, reference: str) -> None:
        """Take a condition in, or say why it does not count."""
        concept = resource.child("code")
        name = words(concept) or UNNAMED
        status, sure = clinical_status(resource), verification_status(resource)
        why = None
        if sure in NOT_TRUE:
            why = f"Its verification status is {sure}."
        elif is_of_family(resource):
            why = "It is about the family."
        elif status not in OVER and (kind := absence(concept, "conditions")):
            self._gathering.nothing("conditions", resource, name, kind)
            return
        found = list(codes(concept))
        meant = self._gathering.tables.conditions.of(found)
        over = f"Its clinical status is {status}." if status in OVER else None
        if status is None and has_abated(resource, self._gathering.on):
            over = "It has an end, so it is over."
        if over and why is None:
            both = [(token, self._gathering.tables.known_conditions[token]) for token in meant]
            meant = [one.when_over or token for token, one in both if one.when_over or one.also_when_over]
            why = None if meant else over
        if why:
            self._gathering.skip(resource, name, why)
            return
        if name == UNNAMED:
            self._gathering.leave_out(resource, name, "It has neither a code nor a text.", "conditions")
        if sure in NOT_SURE:
            self._gathering.skip(resource, name, f"It {NOT_SURE[sure or '']}; until it is ruled out, it counts as there.")
        answers = [(factor, token) for factor, known in self._gathering.tables.diagnoses for token in known.of(found)]
        if answers and not over:
            self._gathering.body.setdefault("conditions", [])
            for factor, token in answers:
                self._gathering.claim(factor, token, resource, None)
            return
        self._gathering.condition(meant, name, resource, reference)

    def allergy(self, resource: Element, reference: str) -> None:
        """Take an allergy in, or say why it does not count."""
        concepts = [resource.child("code"), *(one.child("substance") for one in resource.children("reaction"))]
        name = next(filter(None, map(words, concepts)), NAMELESS)
        status, sure = clinical_status(resource), verification_status(resource)
        tables = self._gathering.tables
        meant = [token for concept in concepts for token in tables.allergies.of(codes(concept))]
        said = {word for concept in concepts if concept for word in _said(concept)}
        meant += [token for token, entry in tables.codes.allergies.items() if said & set(entry.names)]
        if sure in NOT_TRUE:
            self._gathering.skip(resource, name, f"Its verification status is {sure}.")
        elif status in OVER:
            self._gathering.skip(resource, name, f"Its clinical status is {status}.")
        elif name == NAMELESS:
            self._gathering.leave_out(resource, name, "It has neither a code nor a text.", "conditions")
        elif not meant:
            self._gathering.skip(resource, name, "No rule of this rulebook looks at this allergy.")
        else:
            self._allergic += [(resource, reference, name, token) for token in dict.fromkeys(meant)]

    def finish(self) -> None:
        """Put the allergies that matter among the conditions, once these are all known."""
        body = self._gathering.body
        listed = "conditions" in body
        for resource, reference, name, token in self._allergic:
            if token not in body.setdefault("conditions", []):
                self._gathering.entry("conditions", token, resource, reference, called=name)
            if not listed:  # An allergy alone does not say that there are no other conditions.
                self._gathering.other_condition(name[:LONGEST_WORDS], resource, reference)


def _said(concept: Element) -> set[str]:
    return {word for text in names(concept) for word in re.findall(r"\w+", text.casefold())}
