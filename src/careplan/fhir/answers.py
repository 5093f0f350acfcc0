"""Answers of a QuestionnaireResponse."""

from __future__ import annotations

from careplan.fhir.element import Element


def medicine_of(group: Element) -> dict[str, object]:
    """The entry of the list of medicines in a group of the intake form."""
    entry: dict[str, object] = {}
    for item in group.children("item"):
        field = (item.text("linkId") or "").rpartition(".")[2]
        value = next((found for answer in item.children("answer") if (found := value_of(answer)) is not None), None)
        if value is not None:
            entry[field] = value
    return entry


def value_of(answer: Element) -> str | bool | float | int | None:
    """The value of an answer; None for one of a kind that no question of ours has."""
    if (coding := answer.child("valueCoding")) is not None:
        return coding.text("code")
    for name in ("valueBoolean", "valueInteger", "valueDecimal", "valueString"):
        value = answer.value.get(name)
        if isinstance(value, str | bool | int | float):
            return value
    quantity = answer.child("valueQuantity")
    return quantity.number("value") if quantity else None
