"""Medicines from MedicationStatements and MedicationRequests, and the treatment itself where it is being ordered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

from careplan.fhir.read.absence import absence
from careplan.fhir.read.datetimes import Moment, before, moment_of
from careplan.fhir.read.dosage import dose_of, ended, is_of_every_day, schedule_of, words_alone, words_of
from careplan.fhir.read.dosage_line import line_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.notes import is_of_long_ago, notes_of
from careplan.fhir.read.patient_builder import LONGEST_WORDS, Gathering
from careplan.fhir.read.products import Product, ProductReader
from careplan.fhir.read.references import References
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.terminology import codes, words
from careplan.recognition.just_ended import LATELY_DAYS
from careplan.request.patient import Medication

Json = dict[str, Any]

NOT_TAKEN = frozenset({"stopped", "not-taken", "completed", "cancelled", "entered-in-error", "ended", "draft"})
ON_HOLD = "on-hold"
_HOW = ("", "-as-directed", "-not-as-directed")
_NOT_ADHERED = frozenset({"not-taken", "not-taking", *(f"stopped{how}" for how in _HOW)})
"""Codes of the adherence of a MedicationStatement of R5 for what is not taken now."""
_HELD = frozenset(f"{ON_HOLD}{how}" for how in _HOW)
_REASONS_BEFORE = ("reasonForUseCodeableConcept",)
_POINTING_BEFORE = ("reasonForUseReference",)
"""Where DSTU 2 has what a medicine is taken for."""
NOT_DECIDED = frozenset({"proposal", "option"})
UNNAMED = "unnamed medicine"
_ANY_MEDICINE = "sertraline"
"""A medicine that is read, behind which a reason is read as it stands on a list."""
_NEVER_BEGUN = frozenset({"cancelled", "draft", "entered-in-error", "intended", "not-taken"})
_WHOLE_DAY = len("2026-01-31")
_LONGEST_LINE = 500
"""What a request takes as the line of a medicine."""


class _Ended(NamedTuple):
    """A medicine that ended within the last two weeks: when, where it stands, and why it is not taken."""

    day: str
    resource: Element
    reference: str
    product: Product
    why: str


class MedicineReader:
    """Reads the medicines of one request. `ordered` are the pointers of those that are just being ordered."""

    def __init__(self, gathering: Gathering, references: References) -> None:
        self._gathering = gathering
        self._references = references
        self.products = ProductReader(gathering.tables.catalogue, references)
        self._told: set[tuple[str, str]] = set()
        self._taken_now: list[Product] = []
        self._ended: set[tuple[str, ...]] = set()
        self._just_ended: dict[tuple[str, ...], list[_Ended]] = {}
        self.ordered: list[str] = []
        self.treats = False

    def read(self, resource: Element, reference: str, *, ordering: bool) -> None:
        """Take one in, or say why it does not count."""
        product = self.products.of(resource)
        name = self.products.called(product)
        if why := self._not_taken(resource, ordering=ordering):
            day = self._ended_lately(resource)
            if day is not None and (ingredients := self._ingredients(product)):
                self._just_ended.setdefault(ingredients, []).append(_Ended(day, resource, reference, product, why))
                return
            if resource.text("status") not in _NEVER_BEGUN - {"not-taken"}:
                self._ended.add(self.known_as(product))
            # The draft of a word on what is taken may be right: what it names may be taken, and may not.
            open_ = resource.text("resourceType") == "MedicationStatement" and resource.text("status") == "draft"
            self._gathering.leave_out(resource, name or "medicine", why, *(("medications",) if open_ else ()))
            return
        self.take(resource, reference, product, ordering=ordering, on_hold=_is_on_hold(resource))

    def take(
        self, resource: Element, reference: str, product: Product, *, ordering: bool = False, on_hold: bool = False
    ) -> None:
        """Take in a medicine that counts, as one that is on hold where somebody said so or nobody knows whether it ended."""
        name = self.products.called(product)
        if kind := absence(product.concept, "medications"):
            self._gathering.nothing("medications", resource, name or "medicines", kind)
            return
        for at, why in product.unread:
            if (at.pointer, why) in self._told:
                continue  # of a Medication that others lead to as well
            self._told.add((at.pointer, why))
            self._gathering.leave_out(at, name or "medicine", why, "medications")
        entry = self._entry(product)
        if name is None:
            why = "It has neither a code nor a text, nor a Medication that was sent."
            self._gathering.leave_out(resource, "medicine", why, "medications")
            name = entry["name"] = UNNAMED
        if product.by_ingredients:
            self._gathering.skip(resource, product.by_ingredients, f"It is read by its ingredients: {name}.")
        if ordering and (treatment := self._treatment_of(product)):
            self._treatment(resource, treatment, name)
            return
        if on_hold:
            entry["status"] = "on_hold"
        self._taken_now.append(product)
        dosages = self._dosages(resource, name)
        entry |= self._taken(dosages, name, entry)
        if product.name and "text" not in entry and (line := self._put_where(dosages, product.name)):
            entry["text"] = line
        if product.name and (line := self._told_in_notes(resource, product.name)):
            entry["text"] = line
        if indication := self._indication(resource, name) or self._needed_for(dosages):
            entry["indication"] = indication
        pointer = self._gathering.entry("medications", entry, resource, reference, called=name)
        if ordering and pointer:
            self.ordered.append(pointer)

    def finish(self) -> None:
        """Ask about what ended within the last two weeks, as of a line of a list that says so, unless another order goes on.

        A sudden end may be felt for days, and some medicines act on for weeks. Of several that ended the last one counts.
        """
        taken_now = set(map(self._ingredients, self._taken_now)) if self._just_ended else set()
        for ingredients, several in self._just_ended.items():
            *others, last = sorted(several, key=lambda one: one.day)
            if ingredients in taken_now:
                others.append(last)
            else:
                entry = self._entry(last.product) | {"status": "on_hold"}
                name = self.products.called(last.product) or UNNAMED
                why = f"It ended on {last.day}, so it counts as on hold, and is asked about."
                self._gathering.skip(last.resource, name, why)
                self._gathering.entry("medications", entry, last.resource, last.reference, called=name)
            for one in others:
                self._gathering.leave_out(one.resource, self.products.called(one.product) or UNNAMED, one.why)

    def known_as(self, product: Product) -> tuple[str, ...]:
        """What makes a medicine the same as another: its ingredients; its name where rules look at none of them."""
        return self._ingredients(product) or ((self.products.called(product) or UNNAMED).casefold(),)

    def listed(self) -> set[tuple[str, ...]]:
        """The medicines that are taken so far or ended lately, each as `known_as` has it."""
        return {*map(self.known_as, self._taken_now), *self._just_ended}

    def was_ended(self, key: tuple[str, ...]) -> bool:
        """Whether a word of the record says that a medicine is not taken any more, at a time that is not known."""
        return key in self._ended

    def is_treatment(self, product: Product) -> bool:
        """Whether a medicine is the treatment itself."""
        return self._treatment_of(product) is not None

    def _ingredients(self, product: Product) -> tuple[str, ...]:
        """The ingredients that the rulebook knows; none where rules look at none."""
        match = self.products.match(product)
        return tuple(sorted(one.ingredient for one in match.ingredients)) if match else ()

    def _ended_lately(self, resource: Element) -> str | None:
        """The day on which a medicine ended that was taken until then, if that is less than two weeks ago."""
        on = self._gathering.on
        said = {resource.text("status"), *_adherence(resource)}
        if on is None or said & (_NEVER_BEGUN | {"not-taking"}) or resource.text("intent") in NOT_DECIDED:
            return None
        if resource.flag("doNotPerform") or resource.flag("wasNotTaken") or resource.value.get("taken") == "n":
            return None
        period = resource.child("effectivePeriod") or resource.child("effectiveDosePeriod")
        end = moment_of(period.text("end")) if period else None
        day = end.day if end else ended([*resource.children("dosage"), *resource.children("dosageInstruction")], on)
        is_whole = day is not None and len(day) == _WHOLE_DAY
        return day if is_whole and on - timedelta(days=LATELY_DAYS) <= date.fromisoformat(day or "") <= on else None

    def _entry(self, product: Product) -> Json:
        named: Json = {"name": product.name[:LONGEST_WORDS]} if product.name else {}
        return named | ({"rxcui": product.rxcui} if product.rxcui else {})

    def _taken(self, dosages: list[Element], name: str, named: Json) -> Json:
        """How a medicine is taken, as far as its dosages say it plainly; all else is reported in their words."""
        taken: Json = {}
        written: str | None = named.get("name")
        words = f": {said}" if (said := words_of(dosages)) else ""
        if schedule := schedule_of(dosages, self._gathering.on):
            taken["schedule"] = schedule
        elif in_words := self._in_words(dosages, named):
            taken["text"] = in_words
        elif dosages:
            why = f"How it is taken could not be read plainly, so it is asked for{words}."
            if over := ended(dosages, self._gathering.on):
                why = f"It was to be taken until {over}, and yet it counts as taken now, so it is asked for{words}."
            self._gathering.skip(dosages[0], f"dosage of {name}", why)
        dose, given = dose_of(dosages)
        line = line_of(dosages, written) if written and "schedule" in taken else None
        if line is not None:
            taken["text"] = line
        if dose is not None:
            taken["dose_mg"] = dose
        elif given and line is None and "text" not in taken:
            self._gathering.skip(dosages[0], f"dose of {name}", "It is not one number of milligrams.")
        return taken

    def _in_words(self, dosages: list[Element], named: Json) -> str | None:
        """The words of a dosage as a line of a list has them, where they say plainly how it is taken, or that it ended.

        Where it says so several times, all must say the same.
        """
        texts = words_alone(dosages)
        if not texts or not named or any(len(text) > _LONGEST_LINE for text in texts):
            return None
        reads = [self._gathering.tables.catalogue.resolve(0, Medication(text=text, **named)) for text in texts]
        if any(read.problem is not None or not read.taken or read.disagreements for read in reads):
            return None
        told, schedules = reads[0], {read.entry.schedule for read in reads}
        (schedule,) = schedules if len(schedules) == 1 else (None,)
        plain = schedule is not None and (schedule != "daily" or all(map(is_of_every_day, texts)))
        return texts[0] if plain or (len(texts) == 1 and (told.on_hold or told.told)) else None

    def _not_taken(self, resource: Element, *, ordering: bool) -> str | None:
        status, intent, on = resource.text("status"), resource.text("intent"), self._gathering.on
        if status in (NOT_TAKEN - {"draft"} if ordering else NOT_TAKEN):
            return f"Its status says that it is not taken now ({status})."
        if resource.value.get("taken") == "n" or resource.flag("wasNotTaken"):  # As STU 3 has it, and DSTU 2.
            return "It says that it is not taken."
        if any(code in _NOT_ADHERED for code in _adherence(resource)):
            return "Its adherence says that it is not taken now."
        if resource.flag("doNotPerform"):
            return "It says that this is not to be given."
        if intent in NOT_DECIDED:
            return f"Its intent says that it is not decided yet ({intent})."
        period = resource.child("effectivePeriod") or resource.child("effectiveDosePeriod")
        end = moment_of(period.text("end")) if period else None
        if end is not None and on is not None and before(end, on):
            return f"Its period says that it is not taken any more (until {end.day})."
        return None

    def _told_in_notes(self, resource: Element, name: str) -> str | None:
        """The medicine with a note that tells of how it ended or of missed doses, as a line of a list would."""
        catalogue = self._gathering.tables.catalogue
        for note in notes_of(resource):
            line = f"{name}, {note.text('text')}"
            if len(line) > _LONGEST_LINE or is_of_long_ago(moment_of(note.text("time")), self._gathering.on):
                continue
            read = catalogue.resolve(0, Medication(text=line))
            if read.told or (read.on_hold and read.problem is None):
                return line
        return None

    def _put_where(self, dosages: Sequence[Element], name: str) -> str | None:
        """The words for the way in, where by them a medicine stays where it is put, as eye drops do."""
        said = {words(dosage.child("route")) or dosage.text("text") or "" for dosage in dosages}
        way_in = said.pop() if len(said) == 1 else ""
        if not way_in or len(way_in) > LONGEST_WORDS:
            return None
        alone = Medication(name=name[:LONGEST_WORDS])
        catalogue = self._gathering.tables.catalogue
        if catalogue.resolve(0, alone).recognition != "read":
            return None
        put = catalogue.resolve(0, Medication(name=alone.name, text=way_in))
        return way_in if put.recognition == "known" else None

    def _dosages(self, resource: Element, name: str) -> list[Element]:
        """The dosages; none of them where one may mean something else, since the others alone are half of what was said."""
        found = [*resource.children("dosage"), *resource.children("dosageInstruction")]
        if not found and (rendered := resource.text("renderedDosageInstruction")):  # All of them in words, as R5 has it.
            found = [Element({"text": rendered}, f"{resource.pointer}/renderedDosageInstruction", resource.faults)]
        modified = [dosage for dosage in found if is_modified(dosage)]
        for dosage in modified:
            self._gathering.skip(dosage, f"dosage of {name}", MODIFIED)
        return [] if modified else found

    def _indication(self, resource: Element, name: str) -> str | None:
        """What it is taken for, where its reasons have one meaning; reported where they were not understood."""
        concepts: list[Element | None] = list(resource.children("reasonCode"))
        concepts += map(self._code_of, resource.children("reasonReference"))
        concepts += [one for name in _REASONS_BEFORE if (one := resource.child(name))]
        concepts += [self._code_of(one) for name in _POINTING_BEFORE if (one := resource.child(name))]
        concepts += [one.child("concept") or self._code_of(one.child("reference")) for one in resource.children("reason")]
        meant = self._meant(concepts)
        if len(meant) == 1 and None not in meant:
            return meant[0]
        if concepts:
            self._gathering.skip(resource, f"reason for {name}", "It could not be read as one reason, so it is asked for.")
        return None

    def _needed_for(self, dosages: Sequence[Element]) -> str | None:
        """What it is taken for where it is needed, if that is one thing."""
        concepts = [dosage.child("asNeededCodeableConcept") for dosage in dosages]
        concepts += [concept for dosage in dosages for concept in dosage.children("asNeededFor")]
        meant = self._meant(filter(None, concepts))
        return meant[0] if len(meant) == 1 else None

    def _code_of(self, pointing: Element | None) -> Element | None:
        reason = self._references.to(pointing)
        return reason.child("code") if reason else None

    def _meant(self, concepts: Iterable[Element | None]) -> list[str | None]:
        """The meanings of some reasons, None among them for each that has none."""
        tables = self._gathering.tables
        meant: dict[str | None, None] = {}
        for concept in concepts:
            words = ((concept.text("text") or "") if concept else "").strip().casefold().replace(" ", "_")
            tokens = tables.indications.of(codes(concept)) or ([words] if words in tables.codes.indications else [])
            tokens = tokens or list(filter(None, [self._reason_in_words(concept)]))
            meant |= dict.fromkeys(tokens) if tokens else {None: None}
        return list(meant)

    def _reason_in_words(self, concept: Element | None) -> str | None:
        """What the words of a reason mean as those of a list do, if that is one thing and none of them is left over."""
        text = concept.text("text") if concept else None
        if not text or len(text) > LONGEST_WORDS or any(True for _ in codes(concept)):
            return None
        line = f"for {text}"
        read = self._gathering.tables.catalogue.resolve(0, Medication(name=_ANY_MEDICINE, text=line))
        reasons = [reason for said in read.said for listed in said.medicines for reason in listed.reasons]
        whole = len(reasons) == 1 and line[reasons[0].start : reasons[0].end].removeprefix("for ") == text
        return reasons[0].indication if whole and reasons[0].indication != "other" else None

    def _treatment_of(self, product: Product) -> str | None:
        """The product of the treatment that an order is for; None where it is for another medicine."""
        match = self.products.match(product)
        if match is None or len(match.ingredients) != 1:
            return None
        return self._gathering.tables.codes.treatments.get(match.ingredients[0].ingredient)

    def _treatment(self, resource: Element, product: str, name: str) -> None:
        """The treatment is being ordered: no medicine that is taken already, but what the plan is for."""
        self.treats = True
        now = Moment(self._gathering.on.isoformat()) if self._gathering.on else None
        self._gathering.claim("treatment.product", product, resource, now)
        routes = [code for dosage in self._dosages(resource, name) if (at := dosage.child("route")) for code in codes(at)]
        meant = self._gathering.tables.routes.of(routes)
        if len(meant) == 1:
            self._gathering.claim("treatment.preferred_route", meant[0], resource, now)
        else:
            self._gathering.skip(
                resource, f"route of {name}", "The order names no route that could be read, so it is asked for."
            )


def _adherence(resource: Element) -> list[str | None]:
    adherence = resource.child("adherence")
    return [one.code for one in codes(adherence.child("code") if adherence else None)]


def _is_on_hold(resource: Element) -> bool:
    """Whether somebody said to leave it out for now: rules look at it, and it is asked about."""
    return resource.text("status") == ON_HOLD or any(code in _HELD for code in _adherence(resource))
