"""Measures from Observations, their components and members of panels, and from answers of standard forms, by LOINC code.

Which reading counts is decided later, where all readings are known; here each is put down with its unit and time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from careplan.fhir.read.answer_values import called, choice_codes, choice_weights, choice_words
from careplan.fhir.read.code_systems import LOINC, SNOMED
from careplan.fhir.read.datetimes import Moment, moment_in
from careplan.fhir.read.element import Element
from careplan.fhir.read.notes import NoteReader, items_of
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.references import References
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.terminology import Code, codes, words
from careplan.request.measurements import BIGGEST, MOMENT, MOST_READINGS, is_real
from careplan.rulebook.measures import Measure

Json = dict[str, Any]

WHEN = ("effectiveDateTime", "effectiveInstant", "effectivePeriod", "issued")
"""Where an observation says when it was made."""
_UNREAD = "It gives no value that could be read, so the measure is asked for."
_NUMBER = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(\s*\D.*)?")
_UNIT = "Its unit is none in which this measure can be told, so the measure is asked for."


class _Found(NamedTuple):
    """A reading with the element that gives it, and the resource in which that stands."""

    reading: Json
    part: Element
    resource: Element

    @property
    def at(self) -> str:
        return str(self.reading.get("at", ""))


class MeasureReader:
    """Reads the measures of one request."""

    def __init__(self, gathering: Gathering, references: References, notes: NoteReader) -> None:
        self._gathering = gathering
        self._references = references
        self._notes = notes
        self._measures = gathering.tables.measures
        self._by_code = gathering.tables.measure_codes
        self._found: dict[str, list[_Found]] = {}
        self._of_panels: dict[str, str] = {}

    def read(self, resource: Element, codings: Iterable[Code]) -> bool:
        """Take in all measures of an observation with these codes; False if it is none and has none."""
        own = None if _holds_only_parts(resource) else self._name(codings)
        parts = [(resource, own)] if own else []
        components = ((part, self._name(codes(part.child("code")))) for part in resource.children("component"))
        for part, name in components:
            if name and is_modified(part):
                self._gathering.skip(part, words(part.child("code")) or name, MODIFIED)
            elif name:
                parts.append((part, name))
        if not parts and "hasMember" not in resource:
            return False
        at = _written(moment_in(resource, *WHEN))
        for member in resource.children("hasMember"):
            if at is not None and (reference := member.text("reference")):
                self._of_panels[self._references.key(reference, member.pointer)] = at
        for part, name in parts:
            value = self._value(self._measures[name], part)
            if isinstance(value, str):
                self._gathering.skip(part, words(part.child("code")) or name, value)
                self._notes.unread_reading(self._measures[name], part, resource, moment_in(resource, *WHEN))
            else:
                self._take(name, value, part, resource, at)
        return bool(parts)

    def has(self, codings: Iterable[Code]) -> bool:
        """Whether one of these codes is that of a measure."""
        return self._name(codings) is not None

    def asks(self, item: Element) -> bool:
        """Whether the answers to an item of a form are those of a measure."""
        return (LOINC, loinc_of(item)) in self._by_code

    def _name(self, codings: Iterable[Code]) -> str | None:
        """The measure that has one of these codes."""
        return next((name for one in codings if (name := self._by_code.get((one.system, one.code)))), None)

    def _take(self, name: str, value: Json, part: Element, resource: Element, at: str | None) -> None:
        if at is not None:
            value["at"] = at
        self._found.setdefault(name, []).append(_Found(value, part, resource))

    def answers(self, response: Element, moment: Moment | None, *, done: bool) -> tuple[int, int]:
        """Take in the answers of a form to questions that have a LOINC code as their linkId; how many, and of how many.

        Of a form that is not done counts what warns, and never what reassures.
        """
        read = told = 0
        for item in items_of(response):
            given = list(item.children("answer"))
            name = self._by_code.get((LOINC, loinc_of(item)))
            told += bool(given)
            if name is None or not given:
                continue
            read += 1
            measure = self._measures[name]
            for answer in given:
                value = self._value(measure, answer)
                if isinstance(value, str):
                    self._gathering.skip(answer, measure.label, value)
                    self._notes.unread_reading(measure, answer, answer, moment)
                elif done or (measure.assessed_as is not None and measure.gravity(value["value"]) > 0):
                    self._take(name, value, answer, response, _written(moment))
        return read, told

    def _value(self, measure: Measure, part: Element) -> Json | str:
        """The value with its unit, or why there is none."""
        if "dataAbsentReason" in part:
            return _UNREAD
        quantity = part.child("valueQuantity")
        if measure.type != "number":
            return self._answer(measure, part)
        if quantity is not None:
            number, unit = quantity.number("value"), None
            said = [one for one in (quantity.text("code"), quantity.text("unit")) if one]
            if said:
                unit = next((one for one in said if one in measure.form.units), None)
                if unit is None:
                    return _UNIT
            elif measure.unit not in ("", "{score}"):
                return _UNIT
            if number is None or abs(number) > BIGGEST or not _stands(measure, quantity.text("comparator")):
                return _UNREAD
            return {"value": number, "unit": unit} if unit else {"value": number}
        number = part.number("valueInteger")
        if number is None:
            number = part.number("valueDecimal")
        if number is None:
            chosen = {*(one.code for one in choice_codes(part)), *choice_words(part)}
            scores = {measure.scores[one] for one in chosen if one in measure.scores}
            scores |= choice_weights(part) if measure.scores else set()
            number = scores.pop() if len(scores) == 1 else None
        if number is None:
            return _in_words(measure, part.text("valueString")) or _UNREAD
        return _UNREAD if abs(number) > BIGGEST else {"value": number}

    def _answer(self, measure: Measure, part: Element) -> Json | str:
        flag = part.flag("valueBoolean")
        if measure.type == "boolean" and flag is not None:
            return {"value": flag}
        found = {(one.system, one.code) for one in choice_codes(part)}
        words = choice_words(part) or (set() if found else called(part))
        meant = [
            token
            for token, entry in measure.answers.items()
            if any((LOINC, code) in found for code in entry.loinc)
            or any((SNOMED, code) in found for code in entry.snomed)
            or not words.isdisjoint(entry.names)
        ]
        if len(meant) != 1:
            return _UNREAD
        return {"value": meant[0] == "true" if measure.type == "boolean" else meant[0]}

    def finish(self) -> None:
        """Hand over the readings, the newest where there are more than fit; their order in the record changes nothing."""
        if not self._found:
            return
        body = self._gathering.body.setdefault("measures", {})
        if self._gathering.on is not None:
            self._gathering.body["as_of"] = self._gathering.on.isoformat()
        for name, listed in sorted(self._found.items()):
            for found in listed:
                if "at" not in found.reading and (at := self._of_its_panel(found.resource)) is not None:
                    found.reading["at"] = at
            # Without a time it may be the newest; what is graver must not fall out of a full list.
            gravity = self._measures[name].gravity
            listed.sort(
                key=lambda found: (found.at or "9", gravity(found.reading["value"]), str(found.reading)), reverse=True
            )
            body[name] = [found.reading for found in listed[:MOST_READINGS]]
            for place, found in enumerate(listed):
                if place < MOST_READINGS:
                    self._gathering.origins[f"/measures/{name}/{place}"] = found.part.pointer
                else:
                    self._gathering.skip(found.part, self._measures[name].label, "More recent readings of it are there.")
            self._gathering.origins.setdefault(f"/measures/{name}", listed[0].part.pointer)

    def _of_its_panel(self, resource: Element) -> str | None:
        """The time of the panel that names a resource as its member."""
        if not self._of_panels:
            return None
        keys = self._references.keys_of(resource)
        if "/contained/" in resource.pointer and (name := resource.text("id")):
            keys = {self._references.key(f"#{name}", resource.pointer)}
        return max((self._of_panels[key] for key in keys if key in self._of_panels), default=None)


def _holds_only_parts(resource: Element) -> bool:
    """Whether an observation is a panel, which has its values in others."""
    has_parts = "component" in resource or "hasMember" in resource
    return has_parts and not any(name.startswith("value") for name in resource.value)


def loinc_of(item: Element) -> str:
    """The LOINC code that the linkId of an item ends in, as in `/44249-1/44260-8`; empty if there is none."""
    found = re.search(r"(?:^|/)(\d{1,7}-\d)$", item.text("linkId") or item.text("definition") or "")
    return found[1] if found else ""


def _in_words(measure: Measure, text: str | None) -> Json | None:
    """A number that stands in a text, with its unit; a score may have none."""
    found = _NUMBER.fullmatch(text.strip()) if text else None
    unit = (found[2] or "").strip() if found else ""
    if found is None or not (unit in measure.form.units if unit else measure.unit in ("", "{score}")):
        return None
    return {"value": float(found[1]), "unit": unit} if unit else {"value": float(found[1])}


def _stands(measure: Measure, comparator: str | None) -> bool:
    """Whether a number can be taken as it stands: what is said to lie beyond it is at least as grave."""
    return comparator is None or comparator[:1] == (">" if measure.graver == "higher" else "<")


def _written(moment: Moment | None) -> str | None:
    """A moment as a request takes it; None for one that names no day."""
    if moment is None or len(moment.day) != len("2026-01-31"):
        return None
    at = moment.day if moment.instant is None else moment.instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    return at if re.match(MOMENT, at) and is_real(at) else None
