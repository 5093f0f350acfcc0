"""Measured values as a caller sends them: a plain value, one with its unit and time, or several of one measure.

Which measures there are, with their units and answers, is said by the rulebook; what a caller may write of each follows
from its `MeasureForm`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from careplan.whole_patterns import in_python

JsonSchema = dict[str, Any]

MOST_READINGS = 100
"""So many readings of one measure a request may have."""
DAY = (
    r"^((19[7-9][0-9]|2[01][0-9][0-9])-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))|(19(7[26]|8[048]|9[26])|20(0[048]|[2468][048]|[13579][26])|21(0[48]|[2468][048]"
    r"|[13579][26]))-02-29)$"
)
"""A day in the years that a request may name."""
MOMENT = DAY[:-1] + (r"(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9]))?$")
"""A day, or an RFC 3339 timestamp, in these years."""
BIGGEST = 1_000_000
"""No measure is told in bigger numbers."""

Day = Annotated[str, Meta(pattern=in_python(DAY), description="a day as YYYY-MM-DD", examples=["2026-01-31"])]
Moment = Annotated[
    str,
    Meta(
        pattern=in_python(MOMENT),
        description="when it was measured: a day, or a time with its offset as RFC 3339 writes it",
        examples=["2026-01-31", "2026-01-31T14:05:00Z"],
    ),
]
Figure = Annotated[float, Meta(ge=-BIGGEST, le=BIGGEST)]
Answer = Annotated[str, Meta(min_length=1, max_length=64)]
Unit = Annotated[str, Meta(min_length=1, max_length=40)]


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, gc=False):
    """One measured value. Without a unit it is in that of the measure; without a time it is of the day of the plan."""

    value: Figure | bool | Answer
    unit: Unit | None = None
    at: Moment | None = None


Measured: TypeAlias = (
    Figure | bool | Answer | Reading | Annotated[list[Reading], Meta(min_length=1, max_length=MOST_READINGS)] | None
)
"""What is sent of one measure; null is as good as nothing."""


class MeasureForm(msgspec.Struct, frozen=True):
    """What a request may say of one measure.

    `answers` are the tokens of a measure that is no number; `units` those in which a number may be sent, its own first.
    """

    type: Literal["number", "boolean", "token"]
    label: str
    answers: tuple[str, ...] = ()
    units: tuple[str, ...] = ()

    def value_schema(self) -> JsonSchema:
        """The JSON Schema of a value. A number that no such measurement can have is read, and asked again."""
        if self.type == "boolean":
            return {"type": "boolean"}
        if self.type == "token":
            return {"type": "string", "enum": list(self.answers)}
        return {"type": "number", "minimum": -BIGGEST, "maximum": BIGGEST}

    def reading(self, title: str) -> JsonSchema:
        """The JSON Schema of one reading with its unit and time."""
        properties: JsonSchema = {"value": self.value_schema()}
        if self.units:
            properties["unit"] = {"anyOf": [{"type": "string", "enum": list(self.units)}, {"type": "null"}]}
        properties["at"] = {"anyOf": [{"type": "string", "pattern": MOMENT}, {"type": "null"}]}
        return {
            "title": title,
            "type": "object",
            "required": ["value"],
            "additionalProperties": False,
            "properties": properties,
        }

    def schema(self, reading: str) -> JsonSchema:
        """The JSON Schema of all that may be sent of the measure; `reading` is what refers to that of one reading."""
        one_reading = {"$ref": reading}
        listed = {"type": "array", "minItems": 1, "maxItems": MOST_READINGS, "items": one_reading}
        unit = f", in {self.units[0]}" if self.units else ""
        return {"description": f"{self.label}{unit}", "anyOf": [self.value_schema(), one_reading, listed, {"type": "null"}]}

    def fits(self, value: object, unit: str | None) -> bool:
        """Whether a value of the right JSON type is one that this measure can have, in a unit that it can be told in."""
        if self.type == "number":
            return isinstance(value, float) and (unit is None or unit in self.units)
        if unit is not None:
            return False
        return isinstance(value, bool) if self.type == "boolean" else value in self.answers


def readings(sent: Measured) -> list[Reading]:
    """What was sent of one measure, as a list of readings."""
    if sent is None:
        return []
    if isinstance(sent, list):
        return sent
    return [sent if isinstance(sent, Reading) else Reading(value=sent)]


def days_are_real(measures: Mapping[str, Measured], as_of: str | None) -> bool:
    """Whether every day that is named is one of the calendar."""
    named = [reading.at for sent in measures.values() for reading in readings(sent)]
    return all(is_real(one) for one in (*named, as_of) if one is not None)


def is_real(moment: str) -> bool:
    """Whether a text of the form of `MOMENT` names a day, and a time, that there are."""
    try:
        (date if len(moment) == len("YYYY-MM-DD") else datetime).fromisoformat(moment)
    except ValueError:
        return False
    return True


def all_fit(measures: Mapping[str, Measured], forms: Mapping[str, MeasureForm]) -> bool:
    """Whether every measure is known, with a value and a unit that it can have."""
    return all(
        name in forms and all(forms[name].fits(reading.value, reading.unit) for reading in readings(sent))
        for name, sent in measures.items()
    )


def unreal_days(data: object) -> Iterator[tuple[str, str]]:
    """Where raw data names days of the right form that are in no calendar: pointers, with what is wrong."""
    if not isinstance(data, dict):
        return
    wrong = "is a day or time that there is not; correct it"
    as_of, measures = data.get("as_of"), data.get("measures")
    if isinstance(as_of, str) and _unreal(as_of):
        yield "/as_of", wrong
    for name, sent in measures.items() if isinstance(measures, dict) else ():
        listed = sent if isinstance(sent, list) else [sent]
        for at, reading in enumerate(listed[:MOST_READINGS]):
            moment = reading.get("at") if isinstance(reading, dict) else None
            if isinstance(moment, str) and _unreal(moment):
                yield f"/measures/{name}/{f'{at}/' if isinstance(sent, list) else ''}at", wrong


def _unreal(text: str) -> bool:
    return re.match(MOMENT, text) is not None and not is_real(text)


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_")) + "Reading"


def readings_of(forms: Mapping[str, MeasureForm]) -> dict[str, JsonSchema]:
    """The JSON Schemas of one reading of each measure, by their names."""
    return {_title(name): forms[name].reading(_title(name)) for name in sorted(forms)}


def schema_of(forms: Mapping[str, MeasureForm]) -> JsonSchema:
    """The JSON Schema of `measures` for the measures of one rulebook, referring to `readings_of` as `#/$defs/Name`."""
    return {
        "type": "object",
        "description": "measured values by the name of the measure: a value, one with unit and time, or several",
        "additionalProperties": False,
        "properties": {name: forms[name].schema(f"#/$defs/{_title(name)}") for name in sorted(forms)},
        "default": {},
    }
