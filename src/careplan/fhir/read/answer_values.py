"""Values of answers to a form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from careplan.fhir.read.datetimes import moment_of
from careplan.fhir.read.dosage import MOST_MG
from careplan.fhir.read.element import Element
from careplan.fhir.read.products import is_rxcui
from careplan.fhir.read.terminology import RXNORM
from careplan.rulebook.factors import KINDS

Json = dict[str, Any]


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
        code, display = coding.text("code"), coding.text("display")
        named: Json = {"name": display[:200]} if display else {}
        if coding.text("system") == RXNORM and code and is_rxcui(code):
            return named | {"rxcui": code}
        return named or ({"name": code} if code else {})
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
