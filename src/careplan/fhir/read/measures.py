"""Measures from Observations: their own value, their components, and answers of standard forms by LOINC code.

Which reading counts is decided later, where all readings are known; here each is put down with its unit and time.
"""

from __future__ import annotations

import re
from typing import Any

from careplan.fhir.read.datetimes import Moment
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.terminology import LOINC, OWN, SNOMED, codes, words
from careplan.request.measurements import BIGGEST, MOMENT, MOST_READINGS, is_real
from careplan.rulebook.measures import Measure

Json = dict[str, Any]

_OWN = f"{OWN}measures"
_UNREAD = "It gives no value that could be read, so the measure is asked for."
_UNIT = "Its unit is none in which this measure can be told, so the measure is asked for."


class MeasureReader:
    """Reads the measures of one request."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._measures = gathering.tables.measures
        self._by_code = {(LOINC, code): name for name, one in self._measures.items() for code in one.loinc}
        self._by_code |= {(_OWN, name): name for name in self._measures}
        self._found: dict[str, list[tuple[str, str, Json, Element]]] = {}

    def read(self, resource: Element, moment: Moment | None) -> bool:
        """Take in all measures of an observation; False if it is none and has none."""
        parts = [resource, *resource.children("component")]
        # Every part is read, also those after the first that is a measure.
        return sum(self._part(part, moment) for part in parts) > 0

    def _part(self, part: Element, moment: Moment | None) -> bool:
        concept = part.child("code")
        name = next((self._by_code[key] for one in codes(concept) if (key := (one.system, one.code)) in self._by_code), None)
        if name is None:
            return False
        value = self._value(self._measures[name], part)
        if isinstance(value, str):
            self._gathering.skip(part, words(concept) or name, value)
            return True
        if moment is not None and len(moment.day) == len("2026-01-31"):
            at = moment.day if moment.instant is None else moment.instant.strftime("%Y-%m-%dT%H:%M:%SZ")
            if re.match(MOMENT, at) and is_real(at):
                value["at"] = at
        self._found.setdefault(name, []).append((value.get("at", ""), str(value), value, part))
        return True

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
            if number is None or "comparator" in quantity or abs(number) > BIGGEST:
                return _UNREAD
            return {"value": number, "unit": unit} if unit else {"value": number}
        number = part.number("valueInteger")
        if number is None:
            coded = [
                measure.scores[one.code] for one in codes(part.child("valueCodeableConcept")) if one.code in measure.scores
            ]
            number = coded[0] if len(set(coded)) == 1 else None
        return _UNREAD if number is None or abs(number) > BIGGEST else {"value": number}

    def _answer(self, measure: Measure, part: Element) -> Json | str:
        flag = part.flag("valueBoolean")
        if measure.type == "boolean" and flag is not None:
            return {"value": flag}
        concept = part.child("valueCodeableConcept")
        found = {(one.system, one.code) for one in codes(concept)}
        text = (part.text("valueString") or (concept.text("text") if concept else None) or "").strip().casefold()
        meant = [
            token
            for token, entry in measure.answers.items()
            if any((LOINC, code) in found for code in entry.loinc)
            or any((SNOMED, code) in found for code in entry.snomed)
            or text in entry.names
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
            listed.sort(key=lambda one: (one[0], one[1]), reverse=True)
            body[name] = [value for _, _, value, _ in listed[:MOST_READINGS]]
            for at, (_, _, _, part) in enumerate(listed):
                if at < MOST_READINGS:
                    self._gathering.origins[f"/measures/{name}/{at}"] = part.pointer
                else:
                    self._gathering.skip(part, self._measures[name].label, "More recent readings of it are there.")
            self._gathering.origins.setdefault(f"/measures/{name}", listed[0][3].pointer)
