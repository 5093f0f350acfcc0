"""What has been read of a request so far: the patient's factors, where each came from, and what was left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from careplan.fhir.read.absence import NOT_ASKED, OLD, Absence, is_old
from careplan.fhir.read.code_systems import LOINC
from careplan.fhir.read.conflicting_answers import Claim, Claims, fitted
from careplan.fhir.read.dangers import Dangers
from careplan.fhir.read.datetimes import Moment
from careplan.fhir.read.element import Element
from careplan.fhir.read.terminology import OWN, Meanings
from careplan.plan.model import NotConsidered
from careplan.recognition.allergies import Allergies
from careplan.request.decode import LISTS
from careplan.request.patient import ListName
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]

LONGEST_WORDS = 200


class Tables:
    """What the codes of one rulebook mean."""

    def __init__(self, book: Rulebook) -> None:
        codes, catalogue, conditions = book.codes, book.catalogue, book.conditions
        self.measures = book.vocabulary.measures
        self.measure_codes = {(LOINC, code): name for name, one in self.measures.items() for code in one.loinc}
        self.measure_codes |= {(f"{OWN}measures", name): name for name in self.measures}
        self.codes = codes
        self.observations_of: dict[str, list[int]] = {}
        """The numbers of the entries in `codes.observations` that have a code of LOINC."""
        for at, observation in enumerate(codes.observations):
            for code in observation.loinc:
                self.observations_of.setdefault(code, []).append(at)
        self.known = book.known_conditions
        snomed = self.known.codes.tokens
        self.catalogue = catalogue
        self.known_conditions = conditions
        self.conditions = Meanings(
            "conditions",
            conditions,
            {token: course.icd9 for token, course in codes.courses.items()},
            [code for entry in codes.looked_at for code in entry.icd10],
            snomed,
        )
        self.lasting = Meanings("lasting", {token: course.lasting for token, course in codes.courses.items()})
        """The conditions that a code stands for however old its entry is."""
        self.indications = Meanings("indication", codes.indications)
        self.allergies = Meanings("allergies", codes.allergies)
        self.allergies_in_words = Allergies(catalogue, self.known.reader, codes.allergens, book.allergy_classes)
        self.diagnoses = [
            (
                diagnosis,
                Meanings(
                    diagnosis.factor,
                    diagnosis.values,
                    beside=diagnosis.beside,
                    further=_answers_of(diagnosis.factor, snomed),
                ),
            )
            for diagnosis in codes.diagnoses
        ]
        self.dangers = Dangers(book)
        self.routes = Meanings("treatment.preferred_route", codes.routes)


def _answers_of(factor: str, snomed: Callable[[str], tuple[str, ...]]) -> Callable[[str], list[str]]:
    begin = f"{factor}="
    return lambda code: [token.removeprefix(begin) for token in snomed(code) if token.startswith(begin)]


class Gathering:
    """One patient on the way to a request body. `on` is the day of which ages are counted, if it is known."""

    def __init__(self, tables: Tables, on: date | None) -> None:
        self.tables = tables
        self.on = on
        self.age: int | None = None
        self.body: Json = {}
        self.claims = Claims()
        self.unmapped: list[NotConsidered] = []
        self.origins: dict[str, str] = {}
        self.sources: dict[str, str] = {}
        self.none: dict[str, Element] = {}
        """The lists of which somebody said that there is nothing to put on them."""
        self.day_from: str | None = None
        """Where `on` was found, if nobody named it: the newest date in the record."""
        self.unsent: Mapping[ListName, str] = {}
        """The lists that nobody sent as such, each with the place that would have had it."""
        self._incomplete: dict[ListName, str] = {}

    def skip(self, at: Element | str, what: str, why: str) -> None:
        """Report something that is left out."""
        pointer = at if isinstance(at, str) else at.pointer
        self.unmapped.append(NotConsidered(pointer=pointer, what=what[:LONGEST_WORDS], why=why))

    def leave_out(self, at: Element | str, what: str, why: str, *lists: ListName) -> None:
        """Report something that is left out although it belongs on some lists, which are then known to be incomplete."""
        self.skip(at, what, why)
        self.lacks(at, *lists)

    def nothing(self, field: str, at: Element, name: str, kind: Absence) -> None:
        """Take in an entry that says that there is nothing on a list, or that nobody knows what is."""
        if kind == "none" and not is_old(at, self.on):
            self.none.setdefault(field, at)
        else:
            self.skip(at, name, OLD if kind == "none" else NOT_ASKED)

    def lacks(self, at: Element | str, *lists: ListName) -> None:
        """Note that some lists are not all there is."""
        for name in lists:
            self._incomplete.setdefault(name, at if isinstance(at, str) else at.pointer)

    def claim(self, factor: str, value: object, at: Element, moment: Moment | None, *, floor: bool = False) -> bool:
        """Take in what an entry says of a factor; False where no request can say this."""
        found = fitted(factor, value)
        if found is None:
            return False
        if moment is not None and self.on is not None and moment.day[:4] > str(self.on.year + 1):
            moment = None  # A slip of the pen: it must not outlive every true entry.
        self.claims.add(factor, Claim(found, at.pointer, moment, floor))
        return True

    def entry(self, field: str, value: object, at: Element, reference: str = "", *, called: str = "") -> str | None:
        """Put a value on the list `field` of the request; returns its pointer, or None and a report where the list is full.

        Args:
            field: The list: medications, conditions or other_conditions.
            value: The entry as a request has it.
            at: Where it stands in the record.
            reference: The resource that it was read from, such as "Condition/7"; none for an entry of a form.
            called: What to call it in the report, where its value is no name.

        """
        entries = self.body.setdefault(field, [])
        if len(entries) >= LISTS[f"/{field}"]:
            of: ListName = "medications" if field == "medications" else "conditions"
            self.leave_out(at, called or str(value), f"There are more than {LISTS[f'/{field}']} on this list.", of)
            return None
        pointer = f"/{field}/{len(entries)}"
        entries.append(value)
        self.origins[pointer] = at.pointer
        if reference:
            self.sources[pointer] = reference
        return pointer

    def condition(self, tokens: list[str], name: str, at: Element, reference: str = "") -> None:
        """A condition by its tokens; one that has none is put down as written.

        As in a request, only what is read or known of such words says that the list of illnesses was sent.
        """
        for token in tokens:
            if token not in self.body.setdefault("conditions", []):
                self.entry("conditions", token, at, reference, called=name)
        if not tokens:
            self.other_condition(name, at, reference)

    def other_condition(self, name: str, at: Element, reference: str = "") -> None:
        """A condition as written, once."""
        known = {entry.casefold() for entry in self.body.get("other_conditions", ())}
        if name[:LONGEST_WORDS].casefold() not in known:
            self.entry("other_conditions", name[:LONGEST_WORDS], at, reference)

    def allergy(self, name: str, at: Element, reference: str = "") -> None:
        """An allergy as written, once."""
        known = {entry.casefold() for entry in self.body.get("allergies", ())}
        if name[:LONGEST_WORDS].casefold() not in known:
            self.entry("allergies", name[:LONGEST_WORDS], at, reference)

    def settle(self) -> None:
        """Decide every factor of which something was said, and every list of which somebody said that it is empty.

        A list that is known to be incomplete was sent, even where nothing of it could be read.
        """
        self.claims.settle(self._take, lambda factor, claim, why: self.skip(claim.pointer, factor, why))
        for factor, at in self.none.items():
            kind, _, field = factor.rpartition(".")
            into = self.body.setdefault(kind, {}) if kind else self.body
            if into.get(field) or (field == "conditions" and self.body.get("other_conditions")):
                into.setdefault(field, [])
                self.skip(at, field, "Somebody said that there are none, but some are named; these count.")
            else:
                into[field] = []
                self.origins[f"/{factor.replace('.', '/')}"] = at.pointer
        for unsent, place in self.unsent.items():
            # What was found elsewhere, such as an order, is a part of the list.
            if self.body.get(unsent) or (unsent == "conditions" and self.body.get("other_conditions")):
                self._incomplete.setdefault(unsent, place)
        for name in ("medications", "conditions", "goals"):
            if name in self._incomplete:
                self._present(name)

    def _present(self, name: ListName) -> None:
        into = self.body.setdefault("expectations", {}) if name == "goals" else self.body
        into.setdefault(name, [])
        self.body.setdefault("incomplete", []).append(name)
        pointer = "/expectations/goals" if name == "goals" else f"/{name}"
        self.origins.setdefault(pointer, self._incomplete[name])

    def _take(self, factor: str, claim: Claim) -> None:
        kind, _, field = factor.rpartition(".")
        into = self.body.setdefault(kind, {}) if kind else self.body
        into[field] = claim.value
        self.origins.setdefault(f"/{factor.replace('.', '/')}", claim.pointer)

    def origin(self, pointer: str) -> str:
        """Where in the request a part of the patient came from."""
        while pointer:
            if pointer in self.origins:
                return self.origins[pointer]
            pointer = pointer.rpartition("/")[0]
        return "/entry"
