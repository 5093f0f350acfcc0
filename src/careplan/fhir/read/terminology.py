"""Codes of other systems, and what they mean in a rulebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from careplan.fhir.read.element import Element
from careplan.rulebook.codes import CodeList
from careplan.rulebook.model import Condition

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10 = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")
_NO_ANSWER = frozenset(
    {"http://terminology.hl7.org/CodeSystem/data-absent-reason", "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"}
)
"""Code systems that say why something is missing, and never what it is."""
OWN = "urn:careplan:"
"""Code systems of our own tokens: `urn:careplan:conditions`, `urn:careplan:indication` and so on."""


class Code(msgspec.Struct, frozen=True):
    """One coding."""

    system: str
    code: str
    display: str | None


def codes(concept: Element | None) -> Iterator[Code]:
    """The codings of a CodeableConcept that say what it is."""
    for coding in concept.children("coding") if concept else ():
        code, system = coding.text("code"), coding.text("system") or ""
        if code and system not in _NO_ANSWER:
            yield Code(system, code, coding.text("display"))


def names(concept: Element | None) -> Iterator[str]:
    """What a CodeableConcept is called: its text, then the display of each coding."""
    if concept is None:
        return
    if text := concept.text("text"):
        yield text
    for coding in concept.children("coding"):
        if coding.text("system") not in _NO_ANSWER and (display := coding.text("display")):
            yield display


def words(concept: Element | None) -> str | None:
    """What a CodeableConcept says to a reader: its text, else a display, else a code."""
    return next(names(concept), None) or next((one.code for one in codes(concept)), None)


class Meanings:
    """What the codes of one kind mean: each code leads to tokens."""

    def __init__(self, kind: str, entries: Mapping[str, CodeList | Condition]) -> None:
        self._own = f"{OWN}{kind}"
        self._tokens = frozenset(entries)
        self._exact: dict[tuple[str, str], list[str]] = {}
        self._icd10: dict[str, list[str]] = {}
        for token, entry in entries.items():
            for system, listed in _exact(entry):
                for code in listed:
                    self._exact.setdefault((system, code), []).append(token)
            for code in entry.icd10:
                self._icd10.setdefault(_bare(code), []).append(token)

    def of(self, found: Iterable[Code]) -> list[str]:
        """The tokens that some codings stand for; of ICD-10 those of the nearest code at or above each."""
        tokens: dict[str, None] = {}
        for one in found:
            if one.system == self._own and one.code in self._tokens:
                tokens[one.code] = None
            elif one.system in ICD10:
                tokens |= dict.fromkeys(self._above(_bare(one.code)))
            else:
                tokens |= dict.fromkeys(self._exact.get((one.system, one.code), ()))
        return list(tokens)

    def _above(self, code: str) -> list[str]:
        return next((self._icd10[code[:end]] for end in range(len(code), 2, -1) if code[:end] in self._icd10), [])


def _exact(entry: CodeList | Condition) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield SNOMED, entry.snomed
    if isinstance(entry, CodeList):
        yield LOINC, entry.loinc
        yield RXNORM, entry.rxnorm


def _bare(code: str) -> str:
    return code.replace(".", "").upper()
