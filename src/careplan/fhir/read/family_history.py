"""Illnesses of near relatives, from resources of FamilyMemberHistory: some of them bear on the patient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.terminology import codes, words

_NEAR: Mapping[str, str] = {
    "mother": "MTH NMTH NMTHF GESTM",
    "father": "FTH NFTH NFTHF",
    "parent": "PRN NPRN",
    "brother": "BRO NBRO TWINBRO FTWINBRO ITWINBRO",
    "sister": "SIS NSIS TWINSIS FTWINSIS ITWINSIS",
    "sibling": "SIB NSIB TWIN FTWIN ITWIN",
    "son": "SON NSON SONC",
    "daughter": "DAU NDAU DAUC",
    "child": "CHILD NCHILD",
}
"""Words for relatives of the first degree by blood, with their codes in HL7's v3-RoleCode."""
_BY_CODE = {code: word for word, listed in _NEAR.items() for code in listed.split()}
_DOES_NOT_COUNT = frozenset({"entered-in-error", "health-unknown"})


def read_family_history(resource: Element, gathering: Gathering) -> bool:
    """Take in what a relative's illnesses mean for the patient.

    Args:
        resource: A FamilyMemberHistory of this patient.
        gathering: What has been read so far; a family history that counts joins its conditions.

    Returns:
        Whether one of the illnesses counts. What else the resource says is for the caller to report.

    """
    relative = _relative(resource)
    if resource.text("status") in _DOES_NOT_COUNT or relative is None:
        return False
    found = {token: None for condition in resource.children("condition") for token in _meant(condition, relative, gathering)}
    for token in found:
        gathering.condition([token], token, resource)
    return bool(found)


def _relative(resource: Element) -> str | None:
    """A word for the relative, if there is one."""
    relationship = resource.child("relationship")
    by_code = next((_BY_CODE[one.code] for one in codes(relationship) if one.code in _BY_CODE), None)
    return by_code or words(relationship)


def _meant(condition: Element, relative: str, gathering: Gathering) -> Iterator[str]:
    """The conditions of the patient that an illness of the relative is, by its words or its codes."""
    concept, tables = condition.child("code"), gathering.tables
    read = tables.known.reader.read(f"{relative}: {words(concept) or ''}", gathering.on)
    yield from (token for part in read.parts if part.status == "family" for token in part.tokens)
    if relative in _NEAR:
        entries = map(tables.known_conditions.get, tables.conditions.of(codes(concept)))
        yield from (entry.of_family for entry in entries if entry is not None and entry.of_family)
