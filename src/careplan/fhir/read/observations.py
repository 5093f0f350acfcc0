"""Factors from Observations, by the codes that the rulebook lists."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.fhir.read.answer_values import choice_codes, choice_words
from careplan.fhir.read.code_systems import LOINC
from careplan.fhir.read.conflicting_answers import gravity
from careplan.fhir.read.datetimes import Moment, later, long_before, moment_in
from careplan.fhir.read.element import Element
from careplan.fhir.read.measures import WHEN, MeasureReader
from careplan.fhir.read.notes import NoteReader
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.terminology import Code, Meanings, codes, words
from careplan.rulebook.codes import ObservationCode

NAMELESS = "observation without a name"
NO_FACTOR = "No factor of the request is made from it."
_NOT_FINAL = frozenset({"cancelled", "entered-in-error", "registered"})
_Part = tuple[float, Element, Moment | None]


class ObservationReader:
    """Reads the observations of one request."""

    def __init__(self, gathering: Gathering, measures: MeasureReader, notes: NoteReader) -> None:
        self._gathering = gathering
        self._measures = measures
        self._notes = notes
        self._parts: dict[str, dict[str, _Part]] = {}

    def read(self, resource: Element) -> None:
        """Take one in, or say why it does not count."""
        concept = resource.child("code")
        found = list(codes(concept))
        name = words(concept) or NAMELESS
        known = self._known(found)
        status = resource.text("status")
        measured = status not in _NOT_FINAL and self._measures.read(resource, found)
        in_parts = status not in _NOT_FINAL and self._parts_of(resource, whole=known is not None or measured)
        if known is None and not measured and not in_parts:
            if status in _NOT_FINAL or not self._notes.observed(resource):
                self._gathering.skip(resource, name, NO_FACTOR)
            return
        self._notes.read(resource)
        if status in _NOT_FINAL:
            self._gathering.skip(resource, name, f"Its status is {status}.")
        elif known is not None:
            self._of_factor(resource, known, found, moment_in(resource, *WHEN), name)
        elif not measured and any(member.startswith("value") for member in resource.value):
            self._gathering.skip(resource, name, NO_FACTOR)

    def _known(self, found: Iterable[Code]) -> ObservationCode | None:
        """The factor that is made of what has one of these codes."""
        tables = self._gathering.tables
        loinc = [one.code for one in found if one.system == LOINC]
        first = min((at for code in loinc for at in tables.observations_of.get(code, ())), default=None)
        return None if first is None else tables.codes.observations[first]

    def _of_factor(
        self, part: Element, known: ObservationCode, found: Iterable[Code], moment: Moment | None, name: str
    ) -> None:
        """Take in the value of an observation, or of a part of one, of which a factor is made."""
        if known.values:
            self._chosen(part, known, moment, name)
        else:
            loinc = {one.code for one in found if one.system == LOINC}
            self._number(part, known, next(one for one in known.loinc if one in loinc), moment, name)

    def _parts_of(self, resource: Element, *, whole: bool) -> bool:
        """Take in the parts of an observation that are no measures; whether one of them says something.

        Where something is read of the observation, of the `whole` or of a part, every other part is reported by itself.
        """
        moment, said, silent = moment_in(resource, *WHEN), False, []
        for part in resource.children("component"):
            found = list(codes(part.child("code")))
            name, known = words(part.child("code")) or NAMELESS, self._known(found)
            if self._measures.has(found):
                continue
            if is_modified(part):
                silent.append((part, name, MODIFIED))
            elif known is not None:
                self._of_factor(part, known, found, moment, name)
                said = True
            elif self._notes.told_in(part, moment):
                said = True
            else:
                silent.append((part, name, NO_FACTOR))
        if whole or said:
            for part, name, why in silent:
                self._gathering.skip(part, name, why)
        return said

    def _is_old(self, resource: Element, name: str, moment: Moment | None, days: int | None) -> bool:
        """Whether an observation says nothing of today any more, which is reported."""
        on = self._gathering.on
        if on is None or moment is None or days is None or not long_before(moment, on, days):
            return False
        self._gathering.skip(resource, name, f"It is more than {days} days old, so it is asked for.")
        return True

    def _chosen(self, resource: Element, known: ObservationCode, moment: Moment | None, name: str) -> None:
        said_in_words = choice_words(resource)
        meant = Meanings(known.factor, known.values).of(choice_codes(resource))
        meant = meant or [token for token, entry in known.values.items() if not said_in_words.isdisjoint(entry.names)]
        quantity = resource.child("valueQuantity")
        score = quantity.number("value") if quantity else resource.number("valueInteger")
        meant += [token for token, entry in known.values.items() if score is not None and score in entry.scores]
        said = next(iter(meant), None)
        warns = known.warns_for_days if said is not None and gravity(known.factor, said) > 0 else None
        if self._is_old(resource, name, moment, warns or known.within_days):
            return
        if len(meant) != 1 or not self._gathering.claim(known.factor, said, resource, moment, floor=known.at_least):
            self._gathering.skip(resource, name, "Its value is none that a request can give.")

    def _number(self, resource: Element, known: ObservationCode, loinc: str, moment: Moment | None, name: str) -> None:
        quantity = resource.child("valueQuantity")
        units = known.units.get(loinc, ())
        if quantity is None:
            value, fits = resource.number("valueInteger"), "1" in units
        else:
            said = {quantity.text("code"), quantity.text("unit")} - {None}
            value, fits = quantity.number("value"), bool(said) and not said.isdisjoint(units)
        if value is None or not fits or (quantity is not None and "comparator" in quantity):
            self._gathering.skip(resource, name, f"It gives no plain number in {' or '.join(units)}.")
            return
        if self._is_old(resource, name, moment, known.within_days):
            return
        parts = self._parts.setdefault(known.factor, {})
        if len(known.loinc) == 1:
            self._claim(known, value, resource, moment)
            return
        other = parts.get(loinc)
        if other is None:
            parts[loinc] = (value, resource, moment)
            return
        newer = moment is not None and (other[2] is None or later(moment, other[2]))
        if newer:
            parts[loinc] = (value, resource, moment)
        if value != other[0]:
            self._gathering.skip(
                other[1] if newer else resource, name, "Another observation counts, which is newer or first."
            )

    def _claim(self, known: ObservationCode, value: float, at: Element, moment: Moment | None) -> None:
        if not self._gathering.claim(known.factor, value * known.times, at, moment):
            self._gathering.skip(at, known.factor, "It is beyond what such a number can be.")

    def finish(self) -> None:
        """Multiply the numbers that belong together, and hand over what was measured."""
        self._measures.finish()
        for known in self._gathering.tables.codes.observations:
            parts = list(self._parts.get(known.factor, {}).values())
            if not parts:
                continue
            if len(parts) < len(known.loinc):
                why = f"It takes observations {' and '.join(known.loinc)} together to make a factor of it."
                self._gathering.skip(parts[0][1], known.factor, why)
                continue
            value = 1.0
            for number, _, _ in parts:
                value *= number
            self._claim(known, value, parts[0][1], parts[0][2])
