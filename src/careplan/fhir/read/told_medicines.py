"""Medicines that are told in the answers to a form that nobody knows, as lines of a list."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from careplan.fhir.read import answer_values
from careplan.fhir.read.datetimes import long_before, moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.medications import UNNAMED, MedicineReader
from careplan.fhir.read.notes import READ_FOR_DAYS, items_of
from careplan.fhir.read.patient_builder import Gathering
from careplan.request.patient import Medication

_LINES = re.compile(r"[;\n]+")
_LONGEST_LINE = 500
"""What a request takes as the line of a medicine."""


class ToldMedicines:
    """Reads the lists of medicines in the answers to one request's forms that nobody knows."""

    def __init__(self, gathering: Gathering, medicines: MedicineReader) -> None:
        self._gathering = gathering
        self._medicines = medicines
        self._told: list[tuple[str, Element]] = []

    def form(self, response: Element, is_read: Callable[[Element], bool]) -> None:
        """Take note of the medicines in a form; `is_read` says of an item whether its answers count by themselves."""
        moment, on = moment_of(response.text("authored")), self._gathering.on
        if moment is not None and on is not None and long_before(moment, on, READ_FOR_DAYS):
            return
        dangers = self._gathering.tables.dangers
        for item in items_of(response):
            if is_read(item) or not dangers.is_about_medicines(item.text("text") or ""):
                continue
            for answer in item.children("answer"):
                said = answer.text("valueString") or answer_values.said_in(answer)
                says_yes = said.strip().casefold() in dangers.affirming
                if said.strip() and not says_yes and not answer_values.denies(answer, dangers.denying):
                    self._told += [(line.strip(), answer) for line in _LINES.split(said) if line.strip()]

    def finish(self) -> None:
        """Put on the list what is not on it yet, each line as it was written."""
        listed = self._medicines.listed() if self._told else set()
        for line, at in self._told:
            if len(line) > _LONGEST_LINE:
                self._gathering.leave_out(at, UNNAMED, "It is too long for a line of a list.", "medications")
                continue
            named = self._named(line)
            if named is None:
                self._gathering.body.setdefault("medications", [])
            elif not named or any(not any({name} <= set(one) for one in listed) for name in named):
                self._gathering.entry("medications", {"text": line}, at, called=line)
            else:
                self._gathering.skip(at, line, "The list has this medicine already.")

    def _named(self, line: str) -> Collection[str] | None:
        """The ingredients that a line names, none where it could not be read; None where it says that nothing is taken."""
        read = self._gathering.tables.catalogue.resolve(0, Medication(text=line))
        return None if not read.taken else frozenset(self._ingredients(line))

    def _ingredients(self, line: str) -> Iterator[str]:
        for part in line.split(","):
            match = self._gathering.tables.catalogue.resolve(0, Medication(text=part.strip() or line)).match
            yield from (row.ingredient for row in (match.ingredients if match else ()))
