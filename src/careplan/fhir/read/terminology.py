"""Codes of other systems, and what they mean in a rulebook."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from careplan.fhir.read.code_systems import ICD9_CM, ICD10, ICD10_CM, LOINC, RXNORM, SNOMED, system_of
from careplan.fhir.read.element import Element
from careplan.recognition.illness_codes import IllnessCodes, System, nearest
from careplan.rulebook.codes import CodeList
from careplan.rulebook.model import Condition

_NO_ANSWER = frozenset(
    {"http://terminology.hl7.org/CodeSystem/data-absent-reason", "http://terminology.hl7.org/CodeSystem/v3-NullFlavor"}
)
"""Code systems that say why something is missing, and never what it is."""
OWN = "urn:careplan:"
"""Code systems of our own tokens: `urn:careplan:conditions`, `urn:careplan:indication` and so on."""


def is_sequela(code: Code) -> bool:
    """Whether a code of ICD-10-CM says by its seventh character that it is about what is left of an injury."""
    return code.system == ICD10_CM and len(_bare(code.code)) == 7 and _bare(code.code).endswith("S")


class Code(msgspec.Struct, frozen=True):
    """One coding."""

    system: str
    code: str
    display: str | None


def codes(concept: Element | None) -> Iterator[Code]:
    """The codings of a CodeableConcept that say what it is."""
    for coding in concept.children("coding") if concept else ():
        if (found := code_of(coding)) is not None:
            yield found


def code_of(coding: Element) -> Code | None:
    """A coding by the address of its system that is known here; None where it does not say what something is."""
    code, system = coding.text("code"), coding.text("system") or ""
    if code is None or system in _NO_ANSWER:
        return None
    return Code(system_of(system), code.strip(), coding.text("display"))


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

    def __init__(
        self,
        kind: str,
        entries: Mapping[str, CodeList | Condition],
        icd9: Mapping[str, tuple[str, ...]] | None = None,
        beside: Iterable[str] = (),
        further: Callable[[str], Iterable[str]] | None = None,
    ) -> None:
        """`icd9` has codes of ICD-9-CM by token; `beside` are codes of ICD-10 that stand for nothing, as all below.

        `further` gives the tokens of a code of SNOMED CT that is listed elsewhere.
        """
        self._further = further
        self._icd9: dict[str, list[str]] = {}
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
            nine = (icd9 or {}).get(token, ()) if isinstance(entry, Condition) else entry.icd9
            for code in nine:
                self._icd9.setdefault(_bare(code), []).append(token)
        for code in beside:
            self._icd10.setdefault(_bare(code), [])

    def of(self, codings: Iterable[Code]) -> list[str]:
        """The tokens that some codings stand for; of ICD-10 those of the nearest code at or above each."""
        tokens: dict[str, None] = {}
        for coding in codings:
            if coding.system == self._own and coding.code in self._tokens:
                tokens[coding.code] = None
            elif coding.system in ICD10:
                tokens |= dict.fromkeys(_above(self._icd10, _bare(coding.code)))
            elif coding.system == ICD9_CM:
                tokens |= dict.fromkeys(_above(self._icd9, _bare(coding.code)))
            else:
                tokens |= dict.fromkeys(self._exact.get((coding.system, coding.code), ()))
                if coding.system == SNOMED and self._further is not None:
                    tokens |= dict.fromkeys(token for token in self._further(coding.code) if token in self._tokens)
        return list(tokens)


def _above(table: Mapping[str, list[str]], code: str) -> list[str]:
    """What the nearest code at or above one stands for; a range of codes is none."""
    if "-" in code:
        return []
    near = nearest(code, table)
    return table[near] if near else []


def _exact(entry: CodeList | Condition) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield SNOMED, entry.snomed
    if isinstance(entry, CodeList):
        yield LOINC, entry.loinc
        yield RXNORM, entry.rxnorm


def _bare(code: str) -> str:
    return code.replace(".", "").upper()


_WRITTEN: dict[str, System] = {ICD10_CM: "ICD-10-CM", ICD10[1]: "ICD-10", ICD10[2]: "ICD-10", SNOMED: "SNOMED CT"}


def known_code(codings: Iterable[Code], known: IllnessCodes) -> tuple[System, str] | None:
    """The first of some codings that is known and that no rule concerns, if none of them speaks against it.

    Codes of ICD-10 decide where there are some: their blocks tell what nobody has placed, and what is near to a rule.
    """
    written = [(_WRITTEN[one.system], one.code) for one in codings if one.system in _WRITTEN]
    deciding = [one for one in written if one[0] != "SNOMED CT"] or written
    return deciding[0] if deciding and all(known.are_known(*one) for one in deciding) else None
