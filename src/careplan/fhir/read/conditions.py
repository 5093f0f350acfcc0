"""Illnesses and problems, from Conditions and AllergyIntolerances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Literal, NamedTuple

from careplan.fhir.read.absence import absence
from careplan.fhir.read.datetimes import long_before, moment_in
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import LONGEST_WORDS, Gathering
from careplan.fhir.read.resource_status import (
    NOT_SURE,
    NOT_TRUE,
    OVER,
    clinical_status,
    end_of,
    is_of_family,
    verification_status,
)
from careplan.fhir.read.terminology import Code, codes, is_sequela, known_code, names, words
from careplan.recognition.allergies import OF_NO_ALLERGY
from careplan.recognition.illness_codes import with_code, without_code
from careplan.recognition.known_conditions import OF_NO_RULE
from careplan.request.decode import LISTS
from careplan.rulebook.codes import NOTHING, SAME

UNNAMED = "condition without a name"
NAMELESS = "allergy without a name"
_BACK_AGAIN = frozenset({"recurrence", "relapse"})
"""Clinical statuses of what was over and is there again."""


_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_IN_YEARS = frozenset({"a", "yr", "year", "years", "Years"})
_DAYS_OF_A_YEAR = 365


class _Said(NamedTuple):
    """A condition that a code or a name stands for: as what is left of it, or as one that no time makes older."""

    token: str
    sequela: bool = False
    lasts: bool = False


class IllnessReader:
    """Reads the conditions and allergies of one request."""

    def __init__(self, gathering: Gathering) -> None:
        self._gathering = gathering
        self._known: list[tuple[str, Element, str]] = []

    def condition(self, resource: Element, reference: str) -> None:
        """Take a condition in, or say why it does not count."""
        concept = resource.child("code")
        name = words(concept) or UNNAMED
        status, sure = clinical_status(resource), verification_status(resource)
        if sure in NOT_TRUE or is_of_family(resource):
            why = f"Its verification status is {sure}." if sure in NOT_TRUE else "It is about the family."
            self._gathering.skip(resource, name, why)
            return
        if status not in OVER and (kind := absence(concept, "conditions")):
            self._gathering.nothing("conditions", resource, name, kind)
            return
        found = list(codes(concept))
        over = f"Its clinical status is {status}." if status in OVER else None
        end = end_of(resource, self._gathering.on) if status is None else None
        if end == "over":
            over = "It has an end, so it is over."
        meant, said = self._meant(name, found, resource, in_remission=status == "remission", over=over is not None)
        answers, past = self._answers(found, resource, over=over is not None)
        if status in _BACK_AGAIN:
            courses = self._gathering.tables.codes.courses
            meant = [(one in courses and courses[one].relapse) or one for one in meant]
        meant = list(dict.fromkeys([*meant, *past]))
        known = said or any(meanings.of(found) for _, meanings in self._gathering.tables.diagnoses)
        if not meant and not answers and (over or known):
            self._gathering.skip(
                resource, name, over or "It is too long ago, or what was left of it, to say something of today."
            )
            return
        if name == UNNAMED:
            self._gathering.leave_out(resource, name, "It has neither a code nor a text.", "conditions")
        if end == "unsure":
            self._gathering.skip(resource, name, "Whether it is over could not be read, so it counts as there.")
        if sure in NOT_SURE:
            self._gathering.skip(resource, name, f"It {NOT_SURE[sure or '']}; until it is ruled out, it counts as there.")
        for factor, token in answers:
            self._gathering.body.setdefault("conditions", [])
            self._gathering.claim(factor, token, resource, None)
        if not meant and answers:
            return
        called = None if meant else self._as_known(name, found)
        if called:
            self._gathering.body.setdefault("conditions", [])
            self._known.append((called, resource, reference))
        else:
            self._gathering.condition(meant, name, resource, reference)

    def _meant(
        self, name: str, codings: list[Code], resource: Element, *, in_remission: bool, over: bool
    ) -> tuple[list[str], bool]:
        """The conditions that count, by codes or else by name, and whether codes or name say one at all."""
        tables = self._gathering.tables
        coded = [
            _Said(token, sequela=is_sequela(one), lasts=token in tables.lasting.of([one]))
            for one in codings
            for token in tables.conditions.of([one])
        ]
        if coded:
            return self._counting(coded, resource, in_remission=in_remission, over=over), True
        named = list(self._by_name(name, codings))
        counted = self._counting(named, resource, in_remission=in_remission, over=over)
        if not over and counted == [one.token for one in named]:
            return [], False  # It is read as it is written.
        return counted, bool(named)

    def _by_name(self, name: str, codings: list[Code]) -> Iterator[_Said]:
        """What the words of an entry without a known code say plainly, so that its status and its days count as of a code.

        What they say of the past, the family or a denial is read later, with all that stands beside the name.
        """
        known = self._gathering.tables.known
        if known_code(codings, known.codes) or any(meanings.of(codings) for _, meanings in self._gathering.tables.diagnoses):
            return
        read = known.reader.read(name, self._gathering.on)
        if read.recognition == "read" and all(part.status == "present" for part in read.parts):
            lasts = {token for part in read.parts for token in part.lasts}
            yield from (_Said(token, lasts=token in lasts) for token in read.tokens if "=" not in token)

    def _as_known(self, name: str, codings: list[Code]) -> str | None:
        """How an illness is written that is known and that no rule concerns; None for any other one."""
        known = self._gathering.tables.known
        if known.has(name):
            return name
        coded = known_code(codings, known.codes)
        return with_code(name, *coded, LONGEST_WORDS) if coded else None

    def _counting(self, said: Iterable[_Said], resource: Element, *, in_remission: bool, over: bool) -> list[str]:
        """What conditions count as."""
        counted: dict[str, None] = {}
        for token, sequela, lasts in said:
            course = self._gathering.tables.codes.courses.get(token)
            counts = token
            if course is not None:
                if sequela:
                    counts = course.sequela
                elif in_remission:
                    counts = course.remission
                elif over:
                    counts = token if course.recent and self._was_lately(resource, course.onset) else course.over
                elif course.onset != "any" and not lasts and self._is_older(resource, course.onset, event=course.event):
                    counts = course.older
            if counts != NOTHING:
                counted[token if counts == SAME else counts] = None
        return list(counted)

    def _answers(self, codings: list[Code], resource: Element, *, over: bool) -> tuple[list[tuple[str, str]], list[str]]:
        """The answers that diagnoses give of today, and the conditions that those of another day count as."""
        now, past = [], []
        for diagnosis, known in self._gathering.tables.diagnoses:
            for coding in codings:
                tokens = known.of([coding])
                old = is_sequela(coding) or (over and diagnosis.older) or self._is_older(resource, diagnosis.within_days)
                if over or old:
                    past += [diagnosis.older] if tokens and diagnosis.older else []
                else:
                    now += [(diagnosis.factor, token) for token in tokens]
        return now, past

    def _is_older(self, resource: Element, days: int, *, event: bool = False) -> bool:
        """Whether an entry began, and unless it is an event was recorded, surely more than so many days ago."""
        began = moment_in(resource, "onsetDateTime", "onsetPeriod")
        recorded = moment_in(resource, "recordedDate")
        moments = [began or recorded] if event else [began, recorded]
        said = [moment for moment in moments if moment is not None]
        on = self._gathering.on
        if began is None and not said and on is not None:
            return self._began_in_other_words(resource, on, days)
        return on is not None and bool(said) and all(long_before(moment, on, days) for moment in said)

    def _was_lately(self, resource: Element, days: int | Literal["any"]) -> bool:
        """Whether an entry began, or where that is not said ended, surely within the last so many days."""
        moment = moment_in(resource, "onsetDateTime", "onsetPeriod") or moment_in(
            resource, "abatementDateTime", "abatementPeriod", "recordedDate"
        )
        on = self._gathering.on
        if on is None or moment is None or days == "any" or len(moment.day) <= len("2026"):
            return False
        return not long_before(moment, on, days)

    def _began_in_other_words(self, resource: Element, on: date, days: int) -> bool:
        """The same of an onset that is told as an age or in words with a year, at the latest that it can mean."""
        text = resource.text("onsetString")
        if text is not None:
            years = [int(year) for year in _YEAR.findall(text)]
            return bool(years) and (on - date(max(years), 12, 31)).days > days
        span = resource.child("onsetRange")
        age = resource.child("onsetAge") or (span.child("high") if span else None)
        at, now = age.number("value") if age else None, self._gathering.age
        if age is None or at is None or now is None or _IN_YEARS.isdisjoint({age.text("unit"), age.text("code")}):
            return False
        return bool((now - at - 1) * _DAYS_OF_A_YEAR > days)

    def allergy(self, resource: Element, reference: str) -> None:
        """Take an allergy in, or say why it does not count."""
        concepts = [resource.child("code"), resource.child("substance")]  # The substance as DSTU 2 has it.
        concepts += [one.child("substance") for one in resource.children("reaction")]
        name = next(filter(None, map(words, concepts)), NAMELESS)
        status, sure = clinical_status(resource), verification_status(resource)
        tables = self._gathering.tables
        meant = [token for concept in concepts for token in tables.allergies.of(codes(concept))]
        meant += [
            token for concept in concepts for text in names(concept) for token in tables.allergies_in_words.of_record(text)
        ]
        if sure in NOT_TRUE:
            self._gathering.skip(resource, name, f"Its verification status is {sure}.")
            return
        self._gathering.body.setdefault("allergies", [])  # Whoever notes an allergy has asked.
        if status in OVER and not (status == "inactive" and any(map(self._stays, meant))):
            self._gathering.skip(resource, name, f"Its clinical status is {status}.")
        elif name == NAMELESS:
            self._gathering.leave_out(resource, name, "It has neither a code nor a text.", "conditions")
        elif not meant and tables.allergies_in_words.read(name).ingredients:
            self._gathering.allergy(name, resource, reference)
        elif not meant:
            self._gathering.skip(resource, name, OF_NO_ALLERGY)
        else:
            self._allergy_to(dict.fromkeys(meant), name[:LONGEST_WORDS], resource, reference)

    def _stays(self, token: str) -> bool:
        """Whether an allergy that a list no longer shows still counts: unlike a resolved one nobody may have tested it."""
        course = self._gathering.tables.codes.courses.get(token)
        return course is not None and course.over == SAME

    def _allergy_to(self, tokens: Iterable[str], name: str, resource: Element, reference: str) -> None:
        """An allergy as it is called, if that says which one it is, or else in the words of the condition that it means.

        It is no entry among the illnesses: an allergy alone does not say that there are no other conditions.
        """
        tables = self._gathering.tables
        by_name = tables.allergies_in_words.read(name).tokens
        for token in tokens:
            said = name if token in by_name else tables.known_conditions[token].label
            self._gathering.allergy(said, resource, reference)

    def finish(self) -> None:
        """Put the illnesses of no rule among the conditions, once the others are all there."""
        body = self._gathering.body
        names: set[str] = set()
        for called, resource, reference in self._known:
            name = without_code(called).casefold()
            if name in names:
                continue
            names.add(name)
            if len(body.get("other_conditions", ())) < LISTS["/other_conditions"]:
                self._gathering.other_condition(called, resource, reference)
            else:  # A list that is full of them lacks nothing that a rule looks at.
                self._gathering.skip(resource, without_code(called), OF_NO_RULE)
