"""What people wrote beside the entries of a record, and what was measured that makes no factor, searched for danger.

A record says in notes, flags and free text what none of its codes says. Nothing of such words is read as a fact. A sentence
in which danger is read joins the illnesses as it was written, so that a person reads it first, and all others are reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from textwrap import wrap

from careplan.fhir.read import answer_values
from careplan.fhir.read.code_systems import LOINC
from careplan.fhir.read.completeness import narrative, sections
from careplan.fhir.read.datetimes import Moment, later, long_before, moment_in, moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import LONGEST_WORDS, Gathering
from careplan.fhir.read.terminology import codes, names, words
from careplan.rulebook.measures import Measure

OF_TODAY_FOR_DAYS = 14
READ_FOR_DAYS = 90
THIS_WEEK_DAYS = 7
MOST_SENTENCES = 200
SEARCHED = "It is in words, which are searched for danger and not read otherwise."
_OLD = f"It is more than {OF_TODAY_FOR_DAYS} days old, so it is not searched for danger."
_TOO_MANY = f"Only the first {MOST_SENTENCES} sentences beside the entries of a record are searched for danger."
_SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
_NO_VISIT = frozenset({"cancelled", "entered-in-error", "planned", "discontinued"})
_NO_PATIENTS = (
    "Practitioner",
    "PractitionerRole",
    "Organization",
    "Device",
    "CareTeam",
    "HealthcareService",
    "RelatedPerson",
)
"""Who else writes messages."""
_OF_ONESELF = {"yourself": "myself", "your": "my", "you are": "i am", "you were": "i was", "you": "i"}
_WHOM = re.compile(r"\byou(?=\W*$|,|\?| or )", re.IGNORECASE)
_YOU = re.compile(r"\b(?:yourself|your|you are|you were|you)\b", re.IGNORECASE)
_ASKS = re.compile(r"\W*(do|are|have|can|did|were) you (.+)", re.IGNORECASE)
_SEEN = ("effectiveDateTime", "effectivePeriod", "issued")


class NoteReader:
    """Looks through the words of one request's record."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._dangers = gathering.tables.dangers
        self._left = MOST_SENTENCES
        self._newest: dict[str, tuple[Moment | None, str, Element]] = {}
        self._joining: list[tuple[str, Element]] = []

    def read(self, resource: Element) -> None:
        """Look through the notes of an entry."""
        for note in notes_of(resource):
            if text := note.text("text"):
                self._words("note", text, note, moment_of(note.text("time")))
        # What an illness rests on, and how far it has come, is written beside its name.
        concepts = [(one, concept) for one in resource.children("evidence") for concept in one.children("code")]
        concepts += [(one, summary) for one in resource.children("stage") if (summary := one.child("summary"))]
        for at, concept in concepts:
            said = words(concept)
            if said is not None and self._dangers.in_sentence(said):
                self._joining.append((said[:LONGEST_WORDS], at))

    def observed(self, resource: Element) -> bool:
        """Look through an observation of which no factor is made; whether that says something."""
        self.read(resource)
        return self.told_in(resource, moment_in(resource, *_SEEN))

    def told_in(self, part: Element, moment: Moment | None) -> bool:
        """Look through an observation, or a part of one, of which no factor is made; whether that says something."""
        text = part.text("valueString")
        name = words(part.child("code"))
        if self._says_yes(name, part, moment):
            return True
        if text is not None:
            self._words(name or "observation without a name", text, part, moment)
            return True
        return self._measured(part, moment) or self._is_critical(part, moment)

    def _says_yes(self, name: str | None, part: Element, moment: Moment | None) -> bool:
        """Take in a finding of the last days that is a danger by its name and its value together; whether it is one."""
        said = answer_values.said_in(part)
        if name is None or not said or self._denies(part) or is_of_long_ago(moment, self._gathering.on):
            return False
        told = f"{name}: {said}"
        affirmed = said.casefold() in self._dangers.affirming
        is_told = affirmed and (self._dangers.in_sentence(name) or self._dangers.asked(name, said))
        if not is_told and not self._dangers.in_finding(told):
            return False
        self._joining.append((told[:LONGEST_WORDS], part))
        return True

    def _is_critical(self, resource: Element, moment: Moment | None) -> bool:
        """Take in a result of the last days that is called critical; whether it is one."""
        name = words(resource.child("code"))
        if name is None or not answer_values.is_critical(resource):
            return False
        if is_of_long_ago(moment, self._gathering.on):
            return False
        number = _number_of(resource)
        text = name if number is None else f"{name}: {number:g}"
        self._joining.append((f"{text[: LONGEST_WORDS - 20]} (called critical)", resource))
        return True

    def _denies(self, answer: Element) -> bool:
        return answer_values.denies(answer, self._dangers.denying)

    def flag(self, resource: Element) -> bool:
        """Look at what another clinic flags about the patient; whether it joined the illnesses."""
        said = words(resource.child("code"))
        if said is None or resource.text("status") != "active" or not self._dangers.in_sentence(said, flagged=True):
            return False
        self._joining.append((said, resource))
        return True

    def form(self, response: Element, is_read: Callable[[Element], bool]) -> None:
        """Look through the answers to a form of which no factor is made: words, and what is said to questions about danger.

        `is_read` says of an item whether its answers count by themselves.
        """
        if is_of_long_ago(moment_of(response.text("authored")), self._gathering.on):
            return
        for item in items_of(response):
            if is_read(item):
                continue
            question = item.text("text") or ""
            told = next(filter(self._dangers.in_sentence, _ways_to_tell(question)), None)
            # What is a danger as it is asked for is none where it is denied.
            denied = None if told else next(filter(self._dangers.in_sentence, _as_denied(question)), None)
            for answer in item.children("answer"):
                text = answer.text("valueString")
                said = answer_values.said_in(answer)
                if told and said and not self._denies(answer):
                    self._joining.append((f"{told[: LONGEST_WORDS - 60]}: {said[:50]}", answer))
                elif denied and self._denies(answer):
                    self._joining.append((denied[:LONGEST_WORDS], answer))
                elif said and not self._denies(answer) and (asked := self._dangers.asked(question, said)):
                    self._joining.append((asked[:LONGEST_WORDS], answer))
                elif text is not None:
                    for sentence in _SENTENCE.split(text)[: self._left]:
                        self._left -= 1
                        if self._dangers.in_sentence(sentence):
                            self._joining.append((sentence[:LONGEST_WORDS], answer))

    def beside(self, resource: Element, kind: str) -> None:
        """Look through the words of a resource of a type that is not read otherwise."""
        match kind:
            case "Encounter" | "ClinicalImpression":
                self._visit(resource)
            case "Communication":
                self._told_to_the_clinic(resource)
            case "RiskAssessment":
                self._risk(resource)
            case "Composition":
                for section in sections(resource):
                    self._section(section)

    def _visit(self, resource: Element) -> None:
        """Look through what brought the patient to a visit of the last days, and what was written of it."""
        period = resource.child("period")
        moment = moment_of(period.text("start")) if period else moment_in(resource, "date", "effectiveDateTime")
        if resource.text("status") in _NO_VISIT or is_of_long_ago(moment, self._gathering.on):
            return
        reasons = [*resource.children("reasonCode"), *resource.children("reason")]
        reasons += [concept for reason in resource.children("reason") for concept in reason.children("value")]
        for reason in reasons:
            concept = reason.child("concept") or reason
            said = [*names(concept), *(one.code for one in codes(concept))]
            told = next((one for one in said if self._dangers.in_sentence(one)), None)
            if told is not None:
                self._joining.append((told[:LONGEST_WORDS], reason))
        for field in ("summary", "description"):
            for sentence in _SENTENCE.split(resource.text(field) or ""):
                if self._dangers.in_sentence(sentence):
                    self._joining.append((sentence[:LONGEST_WORDS], resource))

    def _told_to_the_clinic(self, message: Element) -> None:
        """Look through what a patient wrote to the clinic in the last days."""
        sender = message.child("sender")
        by = (sender.text("reference") or "") if sender else ""
        moment = moment_in(message, "sent", "received")
        if message.text("status") in _NO_VISIT or any(f"{kind}/" in by for kind in _NO_PATIENTS):
            return
        for part in message.children("payload"):
            if text := part.text("contentString"):
                self._words("message", text, part, moment)

    def _risk(self, resource: Element) -> None:
        """Take in a risk that somebody assessed in the last days, where it is a danger by its name and its size together."""
        if resource.text("status") in _NO_VISIT or is_of_long_ago(
            moment_in(resource, "occurrenceDateTime", "occurrencePeriod"), self._gathering.on
        ):
            return
        for prediction in resource.children("prediction"):
            outcome, size = words(prediction.child("outcome")), words(prediction.child("qualitativeRisk"))
            told = f"{outcome} risk: {size}"[:LONGEST_WORDS]
            if outcome and size and (self._dangers.in_sentence(told) or self._dangers.in_finding(told)):
                self._joining.append((told, prediction))

    def _section(self, section: Element) -> None:
        """Look through a section of a document that tells of illnesses in words alone: each line as one of a list."""
        for line in narrative(section).split("\n"):
            said = " ".join(line.split())[:LONGEST_WORDS]
            if said and self._left > 0:
                self._left -= 1
                if self._dangers.in_sentence(said) or self._dangers.names_what_holds(said):
                    self._joining.append((said, section))

    def unread_reading(self, measure: Measure, part: Element, resource: Element, moment: Moment | None) -> None:
        """Put a value of a measure that could not be read among the illnesses, where a person has to look at it.

        That is an answer about a danger, a result that is called critical, and a number that would be a danger in the unit
        in which it is usually told.
        """
        on = self._gathering.on
        if "dataAbsentReason" in part or (moment and on and long_before(moment, on, measure.counts_days)):
            return
        is_critical = answer_values.is_critical(part) or answer_values.is_critical(resource)
        number = _number_of(part)
        said = f"{number:g}" if number is not None else min(answer_values.choice_words(part), default=None)
        said = said or next((one.code for one in answer_values.choice_codes(part)), None)
        text = ": ".join(filter(None, (measure.label, said)))[:LONGEST_WORDS]
        if (measure.assessed_as and said) or is_critical or (number is not None and self._dangers.in_sentence(text)):
            self._joining.append((f"{text} (called critical)" if is_critical else text, part))

    def finish(self) -> None:
        """Hand over of each reading the newest, where a person has to look at it; with its day, where that is long ago."""
        on = self._gathering.on
        for moment, text, resource in self._newest.values():
            name = words(resource.child("code")) or text
            is_old = moment is not None and on is not None and long_before(moment, on, READ_FOR_DAYS)
            if is_old or not self._dangers.in_reading(text):
                self._gathering.skip(resource, name, "No factor of the request is made from it.")
            else:
                dated = moment is not None and (on is None or long_before(moment, on, THIS_WEEK_DAYS))
                self._joining.append((f"{text} on {moment.day}" if moment and dated else text, resource))
        body, none = self._gathering.body, self._gathering.none
        is_sent = "conditions" in body or "other_conditions" in body or "conditions" in none
        for said, at in self._joining:
            self._gathering.other_condition(said, at)
            if not is_sent:  # Nobody who sent a note or a figure has sent the list of illnesses with it.
                self._gathering.lacks(at, "conditions")

    def _words(self, what: str, text: str, at: Element, moment: Moment | None) -> None:
        if is_of_long_ago(moment, self._gathering.on):
            self._gathering.skip(at, what, _OLD)
            return
        sentences = [piece for said in _SENTENCE.split(text) for piece in wrap(said, LONGEST_WORDS)]
        searched = sentences[: self._left]
        self._left -= len(searched)
        for sentence in searched:
            if self._dangers.in_sentence(sentence):
                self._joining.append((sentence, at))
        self._gathering.skip(at, what, SEARCHED if len(searched) == len(sentences) else _TOO_MANY)

    def _measured(self, resource: Element, moment: Moment | None) -> bool:
        kinds = self._dangers.readings
        kind = next(
            (kinds[one.code] for one in codes(resource.child("code")) if one.system == LOINC and one.code in kinds), None
        )
        quantity = resource.child("valueQuantity")
        value = quantity.number("value") if quantity else None
        if kind is None or quantity is None or value is None:
            return False
        units = [unit for unit in (quantity.text("unit"), quantity.text("code")) if unit and unit.casefold() in kind.units]
        if kind.units and not units:
            return False
        text = f"{kind.words[0]} {value:g} {units[0]}" if units else f"{kind.words[0]} {value:g}"
        found, other = (moment, text, resource), self._newest.get(kind.words[0])
        is_newer = other is None or (moment is not None and (other[0] is None or later(moment, other[0])))
        if is_newer:
            self._newest[kind.words[0]] = found
        if other is not None:
            _, text, aside = other if is_newer else found
            name = words(aside.child("code")) or text
            self._gathering.skip(aside, name, "Another observation counts, which is newer or first.")
        return True


def _number_of(part: Element) -> float | None:
    """The number of a value, but for one that only bounds it."""
    quantity = part.child("valueQuantity")
    if quantity is None:
        return part.number("valueInteger")
    return None if "comparator" in quantity else quantity.number("value")


def _ways_to_tell(question: str) -> Iterator[str]:
    """A question as it stands, as who is asked would tell it of themselves, and without the time that it asks about."""
    told = _YOU.sub(_of_oneself, _WHOM.sub("me", question))
    yield from filter(None, dict.fromkeys((question, told, told.rpartition(", ")[2])))


def _as_denied(question: str) -> Iterator[str]:
    """What a no to a question says of who is asked, as "I do not feel safe at home"; nothing if it asks for more."""
    if begins := _ASKS.match(question):
        yield f"i {begins[1]} not {_YOU.sub(_of_oneself, begins[2])}"


def _of_oneself(found: re.Match[str]) -> str:
    return _OF_ONESELF[found[0].casefold()]


def items_of(within: Element) -> Iterator[Element]:
    """The items of a form, with those within items and within answers."""
    for item in within.children("item"):
        yield item
        yield from items_of(item)
        for answer in item.children("answer"):
            yield from items_of(answer)


def is_of_long_ago(moment: Moment | None, on: date | None) -> bool:
    """Whether words say nothing of today any more; those of which nobody knows when they were written do."""
    return moment is not None and on is not None and long_before(moment, on, OF_TODAY_FOR_DAYS)


def notes_of(resource: Element) -> Iterator[Element]:
    """The notes of an entry: a list, or a single one before STU 3."""
    found = resource.value.get("note")
    if isinstance(found, dict):
        yield Element(found, f"{resource.pointer}/note", resource.faults)
    for at, one in enumerate(found if isinstance(found, list) else ()):
        if isinstance(one, dict):
            yield Element(one, f"{resource.pointer}/note/{at}", resource.faults)
