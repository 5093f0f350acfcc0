"""Values of observations and of answers to a form."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from careplan.fhir.read.code_systems import RXNORM
from careplan.fhir.read.datetimes import moment_of
from careplan.fhir.read.dosage import MOST_MG
from careplan.fhir.read.element import Element
from careplan.fhir.read.products import is_rxcui
from careplan.fhir.read.terminology import Code, code_of, codes, names
from careplan.rulebook.factors import KINDS

Json = dict[str, Any]

_STRUCTURES = "http://hl7.org/fhir/StructureDefinition/"
_WEIGHTS = frozenset({f"{_STRUCTURES}ordinalValue", f"{_STRUCTURES}itemWeight"})
"""Extensions by which a choice says its number: as R4 has it, and R5."""
_YES_NO = re.compile(r"(?:v2[-/]|2\.16\.840\.1\.113883\.12\.)(?:0?136|0?532)\b")
"""The tables of HL7 version 2 in which Y is yes and N is no."""
_CALLED = {"POS": "positive", "DET": "detected", "NEG": "negative", "ND": "not detected", "IND": "indeterminate"}
"""What a laboratory calls a result that has no value of its own, in the words of a value."""
_CRITICAL = frozenset({"AA", "HH", "HU", "LL", "LU"})
"""Codes by which a result is called critical, or far from what is usual."""


def plain_values(answer: Element, *, times: bool = False) -> Iterator[str | bool | float]:
    """The value of an answer where it is a plain one: at most one, if the answer is valid."""
    flag, text = answer.flag("valueBoolean"), answer.text("valueString")
    yield from [flag] if flag is not None else []
    for name in ("valueInteger", "valueDecimal"):
        number = answer.number(name)
        yield from [number] if number is not None else []
    yield from [text] if text is not None else []
    if times and (stamp := answer.text("valueDateTime")) is not None:
        yield stamp


def choice_codes(part: Element) -> Iterator[Code]:
    """The codes of a choice, in an observation or an answer."""
    yield from codes(part.child("valueCodeableConcept"))
    coding = part.child("valueCoding")
    if coding is not None and (found := code_of(coding)) is not None:
        yield found


def said_in(answer: Element) -> str:
    """What an answer to any question says, in words or figures; empty if that is nothing."""
    values = [*choice_words(answer), *plain_values(answer), *(one.code for one in choice_codes(answer))]
    value = next(iter(values), "")
    return ("yes" if value else "no") if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else value


def denies(answer: Element, no: Collection[str]) -> bool:
    """Whether an answer to the question for something says that there is nothing of it, by the words and codes for `no`."""
    said = [piece.strip(" .!").casefold() for piece in re.split("[,;]", said_in(answer))]
    return all(one in no for one in said) or any(one.code in no for one in choice_codes(answer))


def choice_words(part: Element) -> set[str]:
    """What a choice is called in an observation or an answer, in small letters: its text, and the display of its codes."""
    coding = part.child("valueCoding")
    found = [
        part.text("valueString"),
        *names(part.child("valueCodeableConcept")),
        coding.text("display") if coding else None,
    ]
    found += ["yes" if one.code == "Y" else "no" for one in choice_codes(part) if is_yes_or_no(one)]
    return {" ".join(one.casefold().split()) for one in found if one}


def is_yes_or_no(code: Code) -> bool:
    """Whether a code is the Y or the N of HL7 version 2."""
    return code.code in ("Y", "N") and _YES_NO.search(code.system) is not None


def called(part: Element) -> set[str]:
    """What the interpretation of an observation calls its value, in the words of a value."""
    return {_CALLED[code] for code in _interpretations(part) if code in _CALLED}


def is_critical(part: Element) -> bool:
    """Whether the interpretation of an observation calls it critical, or far from what is usual."""
    return not _CRITICAL.isdisjoint(_interpretations(part))


def _interpretations(part: Element) -> set[str]:
    single = part.value.get("interpretation")  # One, and no list, before R4.
    concepts = [part.child("interpretation")] if isinstance(single, dict) else part.children("interpretation")
    return {one.code.upper() for concept in concepts for one in codes(concept)}


def choice_weights(part: Element) -> set[float]:
    """The numbers that an answer says its choice stands for."""
    coding = part.child("valueCoding")
    marks = coding.children("extension") if coding is not None else ()
    found = (one.number("valueDecimal") for one in marks if one.text("url") in _WEIGHTS)
    return {one for one in found if one is not None}


def is_time(text: object) -> bool:
    """Whether a text is a time with its offset."""
    moment = moment_of(text) if isinstance(text, str) else None
    return moment is not None and moment.instant is not None


def of_medicine(field: str, answer: Element) -> Json:
    """What an answer about a medicine says; empty where it cannot be read."""
    coding = answer.child("valueCoding")
    value: object = next(plain_values(answer), None)
    if field == "name":
        if coding is None:
            return {"name": value[:200]} if isinstance(value, str) else {}
        found, display = code_of(coding), coding.text("display")
        named: Json = {"name": display[:200]} if display else {}
        if found is not None and found.system == RXNORM and is_rxcui(found.code):
            return named | {"rxcui": found.code}
        return named or ({"name": found.code} if found else {})
    if field == "rxcui":
        return {field: value} if isinstance(value, str) and is_rxcui(value) else {}
    if field == "dose_mg":
        quantity = answer.child("valueQuantity")
        if quantity is not None and "mg" in (quantity.text("code"), quantity.text("unit")) and "comparator" not in quantity:
            value = quantity.number("value")
        fits = isinstance(value, float) and 0 <= value <= MOST_MG
        return {field: value} if fits else {}
    token = coding.text("code") if coding else value
    return {field: token} if token in KINDS["medicine"].fields[field].tokens else {}
