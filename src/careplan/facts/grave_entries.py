"""Illnesses in words that nobody could read, and that may name a danger or something for which there is a stop.

What is not read sets nothing. But nobody takes it for harmless either: what a near name stands for, and words that speak of
danger wherever they stand, say which of these entries a person reads before anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from careplan.facts.measured import Told, day_of_plan
from careplan.facts.told_readings import ToldReadings
from careplan.facts.unread_entries import Entries
from careplan.recognition.goal_judge import GoalJudge, GoalJudgement
from careplan.recognition.illness_read import IllnessPart, IllnessRead
from careplan.recognition.plain_text import plain, whole
from careplan.recognition.reading_words import PAIR
from careplan.recognition.told_danger import ToldDanger
from careplan.recognition.told_harm import ToldHarm
from careplan.recognition.told_long_ago import ToldLongAgo
from careplan.request.patient import Patient
from careplan.rulebook.conditions import Test, tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import GRAVER
from careplan.rulebook.model import Rulebook

SPEAKS_OF_DANGER = frozenset({"self_harm", "harm_to_others"})
"""What the judge of goals says of one that speaks of death or harm."""
_ONESELF = frozenset({"i", "me", "myself", "self"})
_SELF_HARM = "self_harm_history"
_ABUSIVE = "lifestyle.home_environment=abusive"
_OF_HARM_BY_OTHERS = frozenset({_ABUSIVE, "harm_to_others_intent"})
"""What words about violence are near to."""
_RED_FLAG = "red_flags."
_OF_THIRDS = re.compile(r"\b(?:himself|herself|themself|themselves|oneself|him self|her self)\b")
_HIS_OR_HER = re.compile(r"\b(?:his|her|their)\b")
_ENDS_A_SENTENCE = re.compile(r"[;.\n]")
_SOME_TIME_AGO = re.compile(r"\b(?:days?|d|weeks?|wks?|months?|mos?) ago\b")
_AGE_THEN = re.compile(r"\bwhen i was (?:a |an |in |about )?\w+")
"""Says when something was that may be of others: "dad killed himself when I was 9"."""
_NOW_AT_THE_END = re.compile(r"\bnow\W*$")


class GraveEntries(NamedTuple):
    """Entries among the other conditions, the goals and the lines of medicines.

    What is in `danger` may be a red flag, or somebody says in it that they would harm themselves or others, or that what a
    stop names may be happening now. What is in `grave` may be what a stop names, or speaks of death and harm as lists do of
    what others did and of losses. A reading that a stop looks at is in either, by when it was.
    """

    danger: Entries = Entries()
    grave: Entries = Entries()


class GraveEntryReader:
    """Knows for one rulebook what a stop names, and which words speak of danger."""

    def __init__(self, book: Rulebook) -> None:
        self._judge: GoalJudge = book.goals
        words = book.known_conditions.words
        self._harm, self._now = ToldHarm(words.harmed), whole(words.at_once)
        others = _with_short_forms((*words.family, *words.first_degree, *words.of_others), words.abbreviations)
        self._emergencies = ToldDanger(words.dangers, others, words.abbreviations, book.known_conditions.reader.signs)
        self._lately, self._own = whole((*words.at_once, *words.lately)), whole(words.of_oneself)
        self._intending, self._never = whole(words.intending), whole(words.never_did)
        self._says_danger, self._acute = whole(words.says_danger), words.acute
        self._long_ago = ToldLongAgo(words.long_past, book.known_conditions.reader.first_year)
        self._others, self._losses = whole(others), whole(words.losses)
        tests = list(_of_levels(book, "stop"))
        self._named_by_stops = frozenset(_values(book, tests))
        self._named_by_holds = frozenset(_values(book, _of_levels(book, "stop", "hold")))
        self._sudden = self._named_by_stops.difference(words.no_emergency)
        self._readings = ToldReadings(book, (test for kind, test in tests if kind == "measures"))

    def of(self, written: Sequence[str], read: Sequence[IllnessRead]) -> GraveEntries:
        """The grave ones among entries as they were written, with what was read of each."""
        danger, grave = [], []
        for at, (text, entry) in enumerate(zip(written, read, strict=True)):
            unread = tuple(_unread_parts(text, entry))
            stopped = any(self._readings.of_a_stop(said) for said, _ in unread)
            # What is a figure of speech in the whole ("tired of living with back pain") is none that a part speaks.
            speaks = bool(unread) and self._speaks_of_danger(text)
            spoken = [
                said
                for said, _ in unread
                if (speaks and self._speaks_of_danger(said))
                or self._readings.is_beyond(said)
                or self._readings.of_a_hold(said)
                or self._losses.search(plain(said)[0])
            ]
            now = stopped and not self._readings.is_earlier(text)
            now |= any(self._readings.tells_of_danger(said) for said, _ in unread)
            at_once, told = self._emergencies.is_told(text) if unread else (False, False)
            dangers = [said for said, part in unread if self._is_danger(said, part.offers, speaks=speaks)]
            if now or at_once or not all(map(self._long_ago.is_told, dangers)):
                danger.append(at)
            elif (
                dangers
                or stopped
                or told
                or spoken
                or any(not self._named_by_stops.isdisjoint(part.offers) for _, part in unread)
            ):
                grave.append(at)
        return GraveEntries(Entries(conditions=tuple(danger)), Entries(conditions=tuple(grave)))

    def names_what_holds(self, read: IllnessRead) -> bool:
        """Whether an entry names something for which there is a stop or hold, be it read or, for a stop, only offered."""
        return any(
            not self._named_by_holds.isdisjoint(part.tokens) or not self._named_by_stops.isdisjoint(part.offers)
            for part in read.parts
        )

    def finding(self, text: str) -> IllnessRead:
        """What a finding says with its value, where it is none of a patient's own words."""
        return self._readings.read(text, None, set(), 0)[0]

    def with_others(
        self, found: GraveEntries, patient: Patient, goals: Sequence[GoalJudgement], unread: Entries
    ) -> GraveEntries:
        """These with the goals and the lines of medicines that tell of an emergency, or of what is grave and none.

        Of a goal that the judge found to speak of death or harm that is said already.
        """
        texts = patient.expectations.goals or ()
        of_goals = {at: self._told(texts[at]) for at, one in enumerate(goals) if one.safety not in SPEAKS_OF_DANGER}
        of_medicines = {}
        for at, entry in enumerate(patient.medications or ()):
            text = entry.text or entry.name or ""
            if self._emergencies.may_tell(text):  # Most lines do not, and are not read for it.
                of_medicines[at] = self._emergencies.is_told(text, in_list=True)
        for at in unread.medications:
            text = (patient.medications or ())[at].written or ""
            if self._speaks_of_danger(text) and self._is_of_the_patient(plain(text)[0]):
                of_medicines[at] = True, False
        told = ("goals", of_goals), ("medications", of_medicines)
        if not any(map(any, (*of_goals.values(), *of_medicines.values()))):
            return found
        return GraveEntries(
            msgspec.structs.replace(found.danger, **{name: _places(levels, 0) for name, levels in told}),
            msgspec.structs.replace(found.grave, **{name: _places(levels, 1) for name, levels in told}),
        )

    def _told(self, text: str) -> tuple[bool, bool]:
        danger, grave = self._emergencies.is_told(text) if self._emergencies.may_tell(text) else (False, False)
        return danger, grave or (PAIR.search(text) is not None and self._readings.of_a_stop(text))

    def is_beyond(self, text: str) -> bool:
        """Whether a text has a reading of no measure that a person has to read first."""
        return self._readings.is_beyond(text)

    def _is_danger(self, said: str, offers: Sequence[str], *, speaks: bool) -> bool:
        words = plain(said)[0]
        if any(map(_is_red_flag, offers)) or self._says_danger.search(words):
            return True
        if speaks and self._speaks_of_danger(said) and self._is_of_the_patient(words):
            return True
        if _SELF_HARM in offers and self._lately.search(words):
            return True
        return not self._sudden.isdisjoint(offers) and bool(self._now.search(words) or _NOW_AT_THE_END.search(words))

    def _is_of_the_patient(self, words: str) -> bool:
        """Whether words about death and harm are of the patient and of these days, in the first person or the third."""
        if self._never.search(words):
            return False
        if _is_of_oneself(words) or self._own.search(words):
            return True
        own = self._intending.search(words) or _OF_THIRDS.search(words)
        return own is not None and self._others.search(words, 0, own.start()) is None

    def read(self, patient: Patient, text: str, place: int) -> tuple[IllnessRead, tuple[Told, ...]]:
        """What an entry of a patient says, what people tell in it though it is no illness, and readings that are taken."""
        today = day_of_plan(patient)
        sent = {name for name, one in patient.measures.items() if one is not None}
        found, told = self._readings.read(text, today, sent, place)
        return self.with_more_told(text, found), told

    def with_more_told(self, text: str, read: IllnessRead) -> IllnessRead:
        """What was read of an entry, with what people tell in it of harm.

        Somebody who harms the patient makes an abusive home; self-harm that goes on is no matter of the past, and what is
        known but happens now as an emergency is no quiet line, so that both are left to a person.
        """
        parts = tuple([self._as_lately(_with_what_follows(text, read.parts[at:]), one) for at, one in enumerate(read.parts)])
        if any(map(_is_known_illness, parts)) and self._emergencies.is_told(text)[0]:
            parts = tuple([_as_unread(part) if _is_known_illness(part) else part for part in parts])
        return self._with_harm_told(text, IllnessRead(parts) if parts != read.parts else read)

    def _as_lately(self, said: str, part: IllnessPart) -> IllnessPart:
        acute = tuple([self._acute[token] for token in part.tokens if token in self._acute])
        if acute and part.recognition == "read" and part.status == "present" and self._now.search(plain(said)[0]):
            return msgspec.structs.replace(part, recognition="unread", offers=acute)
        if part.recognition != "read" or _SELF_HARM not in part.tokens or not self._lately.search(plain(said)[0]):
            return part
        return msgspec.structs.replace(part, recognition="unread", status="unsure", offers=(_SELF_HARM,))

    def _with_harm_told(self, text: str, read: IllnessRead) -> IllnessRead:
        """The same with an abusive home where somebody tells that they are harmed.

        Nothing of such words is unread then, unless they may be about something else that is grave as well.
        """
        # "My partner is violent" is of somebody else by its words, and of the patient by what it tells.
        open_to_it = [part.recognition == "unread" or part.status == "family" for part in read.parts]
        if not any(open_to_it) or not self._harm.today(text):
            return read
        parted = zip(open_to_it, read.parts, strict=True)
        tells = [is_open and self._harm.today(text[part.start : part.end]) for is_open, part in parted]
        if not any(tells):  # It is told over several parts.
            tells = open_to_it
        parts = zip(read.parts, tells, strict=True)
        return IllnessRead(tuple([self._as_harm(text, part) if told else part for part, told in parts]))

    def _as_harm(self, text: str, part: IllnessPart) -> IllnessPart:
        tokens = (*part.tokens, _ABUSIVE)
        offers = self._named_by_stops.intersection(part.offers) - _OF_HARM_BY_OTHERS
        said = text[part.start : part.end]
        if offers or (self._judge.judge(said).safety == "self_harm" and _is_of_oneself(said, but="me")):
            return msgspec.structs.replace(part, tokens=tokens)
        return msgspec.structs.replace(part, recognition="read", status="present", tokens=tokens, offers=())

    def _speaks_of_danger(self, text: str) -> bool:
        """Whether words speak of death or harm, also those that a clinician writes in the third person."""
        if self._judge.judge(text).safety in SPEAKS_OF_DANGER:
            return True
        words = plain(text)[0]
        told = _HIS_OR_HER.sub("my", _OF_THIRDS.sub("myself", words))
        return told != words and self._judge.judge(told).safety in SPEAKS_OF_DANGER


def _is_known_illness(part: IllnessPart) -> bool:
    return part.recognition == "known" and part.status == "present"


def _as_unread(part: IllnessPart) -> IllnessPart:
    return msgspec.structs.replace(part, recognition="unread", status="unsure", offers=())


def _places(told: Mapping[int, tuple[bool, bool]], level: int) -> tuple[int, ...]:
    """The places of what is told at a level: 0 for an emergency, 1 for what is grave and no emergency."""
    return tuple([at for at, levels in told.items() if levels[level] and not any(levels[:level])])


def _unread_parts(text: str, read: IllnessRead) -> Iterator[tuple[str, IllnessPart]]:
    """The parts that could not be read, each after its words with those up to the next part that was read."""
    for at, part in enumerate(read.parts):
        if part.recognition == "unread":
            following = (other.start for other in read.parts[at + 1 :] if other.recognition != "unread")
            yield text[part.start : next(following, len(text))], part


def _with_what_follows(text: str, parts: Sequence[IllnessPart]) -> str:
    """The words of the first part, with those of unread ones behind it in the same sentence that say how long ago it was."""
    following = (other.start for other in parts[1:] if other.recognition != "unread")
    behind = text[parts[0].end : next(following, len(text))]
    said = _ENDS_A_SENTENCE.split(behind)[0]
    return text[parts[0].start : parts[0].end] + (said if _SOME_TIME_AGO.search(plain(said)[0]) else "")


def _values(book: Rulebook, tests: Iterable[tuple[str, Test]]) -> Iterator[str]:
    """The conditions that tests ask for, and the answers as `factor=answer`."""
    for kind, test in tests:
        for value in test.values:
            yield str(value) if value in book.conditions else f"{_factor(kind, test.field)}={value}"


def _of_levels(book: Rulebook, *levels: str) -> Iterator[tuple[str, Test]]:
    """What the rules of these levels test, with the kind of fact."""
    for rule in book.rules.values():
        if rule.file.level in levels:
            for pattern in behind(book.derived, rule.when):
                yield from ((pattern.kind, test) for test in tests_of(pattern.tests))


def _factor(kind: str, field: str) -> str:
    return field if kind == "patient" else f"{kind}.{field}"


def _with_short_forms(names: Sequence[str], abbreviations: Mapping[str, str]) -> tuple[str, ...]:
    """Names with the abbreviations that are written out as one of them: "dad" beside "father"."""
    return (*names, *(short for short, full in abbreviations.items() if full in names))


def _is_of_oneself(text: str, but: str = "") -> bool:
    words = _AGE_THEN.sub(" ", text.casefold()).split()
    return not (_ONESELF - {but}).isdisjoint(words)


def _is_red_flag(offer: str) -> bool:
    """Whether an offer is an answer that tells of a red flag, and not the one that there is none."""
    factor, _, value = offer.partition("=")
    return factor.startswith(_RED_FLAG) and value != GRAVER.get(factor, ("",))[0]
