"""Medicines that were dispensed or administered: what no order and no statement tells of is taken from these."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from careplan.fhir.read.completeness import is_ordered, was_given
from careplan.fhir.read.datetimes import Moment, before, moment_in
from careplan.fhir.read.element import Element
from careplan.fhir.read.medications import UNNAMED, MedicineReader
from careplan.fhir.read.patient_builder import Gathering
from careplan.fhir.read.products import Product
from careplan.fhir.read.references import References
from careplan.recognition.just_ended import LATELY_DAYS

SUPPLY_DAYS = 90
"""For so long what was handed over lasts, where no number of days is said: the most that pharmacies give at once."""
DEPOT_DAYS = 90
"""For so long an injection that is made to last may still work."""
TOO_OLD_DAYS = 365
"""What ended so long ago says nothing of today's list."""
_WHOLE_DAY = len("2026-01-31")
_DAYS = frozenset({"d", "day", "days", "Day(s)", "Days", "Tage", None})


class _Given(NamedTuple):
    """A medicine that was handed over or given, and the days from which and until which that lasts."""

    day: str
    until: date
    resource: Element
    reference: str
    product: Product


class GivenReader:
    """Reads what was dispensed and administered, once everything else about medicines was read."""

    def __init__(self, gathering: Gathering, references: References, medicines: MedicineReader) -> None:
        self._gathering = gathering
        self._references = references
        self._medicines = medicines
        self._products = medicines.products
        self._read: list[tuple[Element, str]] = []

    def read(self, resource: Element, reference: str) -> None:
        """Take note of a dispensed or administered medicine of this patient."""
        self._read.append((resource, reference))

    def finish(self) -> None:
        """Put on the list what is not on it yet: of each medicine the newest, where it still lasts or ended lately."""
        newest: dict[tuple[str, ...], _Given] = {}
        for resource, reference in self._read:
            given = self._given(resource, reference)
            if given is None:
                continue
            key = self._medicines.known_as(given.product)
            other = newest.get(key)
            if other is not None and (other.until, other.day) >= (given.until, given.day):
                given, other = other, given
            newest[key] = given
            if other is not None:
                self._skip(other.resource, other.product, "Another supply of the same medicine counts, which lasts longer.")
        listed = self._medicines.listed() if newest else set()
        was_sent = "medications" in self._gathering.body or "medications" in self._gathering.none
        for key, given in newest.items():
            if any(set(key) <= set(one) for one in listed):
                self._skip(given.resource, given.product, "The list has this medicine already.")
            else:
                self._take(key, given)
                if not was_sent:  # What a pharmacy gave is no list of all that is taken.
                    self._gathering.lacks(given.resource, "medications")

    def _given(self, resource: Element, reference: str) -> _Given | None:
        """What was given and until when it lasts; None, and a report, where it says nothing of today or not enough."""
        product = self._products.of(resource)
        moment = moment_in(resource, "whenHandedOver", "whenPrepared", "effectiveDateTime", "effectivePeriod")
        on, name = self._gathering.on, self._products.called(product)
        until = self._until(resource, moment, product) if moment and len(moment.day) == _WHOLE_DAY else None
        if not was_given(resource):
            self._skip(resource, product, f"Its status says that it was not given ({resource.text('status')}).")
        elif until is not None and on is not None and before(_of(until), on - timedelta(days=TOO_OLD_DAYS)):
            self._skip(resource, product, f"It was to last until {until.isoformat()}, more than a year ago.")
        elif self._medicines.is_treatment(product):
            self._skip(resource, product, "It is the treatment itself, and no medicine that is taken beside it.")
        elif name is not None and on is not None and moment is not None and until is not None and not product.unread:
            return _Given(moment.day, until, resource, reference, product)
        elif is_ordered(resource, self._references):
            self._skip(resource, product, "It is read by its order.")
        else:
            why = "What was given, or when, could not be read, and no order for it was sent."
            self._gathering.leave_out(resource, name or _kind(resource), why, "medications")
        return None

    def _until(self, resource: Element, moment: Moment, product: Product) -> date:
        """The last day on which a medicine that was given still lasts."""
        day = date.fromisoformat(moment.day)
        if resource.text("resourceType") == "MedicationAdministration":
            match = self._products.match(product)
            return _days_after(day, DEPOT_DAYS if match is not None and match.depot else 0)
        supply = resource.child("daysSupply")
        days = supply.number("value") if supply and supply.text("unit") in _DAYS else None
        return _days_after(day, int(days) if days is not None and 0 < days <= TOO_OLD_DAYS else SUPPLY_DAYS)

    def _take(self, key: tuple[str, ...], given: _Given) -> None:
        on = self._gathering.on
        assert on is not None
        match = self._products.match(given.product)
        if before(_of(given.until), on - timedelta(days=LATELY_DAYS)):
            why = f"It was to last until {given.until.isoformat()}; whether it is still taken is not known."
            over = self._medicines.was_ended(key) or is_ordered(given.resource, self._references)
            lists = () if over else ("medications",)
            self._gathering.leave_out(given.resource, self._products.called(given.product) or UNNAMED, why, *lists)
        elif given.until < on and (match is None or not match.ingredients):
            self._skip(given.resource, given.product, f"It was to last until {given.until.isoformat()}.")
        elif self._medicines.was_ended(key) or given.until < on:
            why = f"It was given on {given.day} and may have ended since, so it counts as on hold, and is asked about."
            self._skip(given.resource, given.product, why)
            self._medicines.take(given.resource, given.reference, given.product, on_hold=True)
        else:
            self._skip(given.resource, given.product, f"It was given on {given.day}, so it counts as taken.")
            self._medicines.take(given.resource, given.reference, given.product)

    def _skip(self, resource: Element, product: Product, why: str) -> None:
        self._gathering.skip(resource, self._products.called(product) or _kind(resource), why)


def _kind(resource: Element) -> str:
    return resource.text("resourceType") or UNNAMED


def _days_after(day: date, days: int) -> date:
    """The day so many days later; the last of all where there is none, as an end that no calendar has means no end."""
    return day + timedelta(days=min(days, (date.max - day).days))


def _of(day: date) -> Moment:
    return Moment(day.isoformat())
