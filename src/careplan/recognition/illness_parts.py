"""What one part of an entry says: the name of an illness, and what stands around it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import get_args

from careplan.recognition.illness_around import NOTHING_AROUND, Around, Unit
from careplan.recognition.illness_codes import System, bare
from careplan.recognition.illness_names import IllnessNames
from careplan.recognition.illness_words import MOST_WORDS, IllnessWords, Qualifier
from careplan.recognition.plain_text import whole
from careplan.recognition.signs import Signs
from careplan.recognition.times_ago import TimesAgo
from careplan.recognition.told_drinks import ToldDrinks

_KINDS: tuple[Qualifier, ...] = tuple(kind for kind in get_args(Qualifier) if kind != "severity")
YEAR = re.compile(r"(?:19|20)\d\d")
_DATE = re.compile(r"\d{1,2}[-./](?:\d{1,2}[-./])?((?:19|20)\d\d|\d\d)|((?:19|20)\d\d)-\d\d(?:-\d\d)?")
_BEFORE_NUMBERS = frozenset(
    {"in", "since", "from", "around", "about", "circa", "approx", "approximately", "over", "for", "x", "at", "age", "aged"}
    | {"until", "till", "of", "diagnosed", "year", "~", ">", "<", "dated"}
)
_CODE = re.compile(r"[a-z]\d[0-9a-z](?:\.[0-9a-z]{1,4}|[0-9a-z]{0,4})")
_LAST_YEAR = ("last", "year")
_SINCE_WHEN = frozenset({"in", "within", "over", "during", "for"})
_UNTIL, _OVER = frozenset({"until", "till"}), frozenset[Qualifier]({"over"})
_LASTING = frozenset({"since", "from", "for"})
_DOSE = re.compile(r"\d{1,4}(?:mg|mcg|ml|g)")
_TIMES = re.compile(r"x\d{1,2}(?:y|yrs?|mos?|wks?)?")
_OLD, _SINCE = ("age", "aged"), frozenset({"since", "from"})
_ANY_TIME = 36_500
"""Longer ago than anything that a plan looks at: it may have been on any day of a life."""
_GROWN_UP, _A_YEAR = 17, 365
"""Nobody is planned for before eighteen, so what was at a younger age than this one is a year ago at the least."""
MOST_LOOKED_AT = 30
"""Of longer parts nothing is read: no name stands among so many words."""


DENIED: frozenset[Qualifier] = frozenset({"denied", "denied_all"})
OF_FAMILY: frozenset[Qualifier] = frozenset({"family", "first_degree", "of_others"})
NONE_OF_TODAY: frozenset[Qualifier] = DENIED | OF_FAMILY | _OVER
_OF_TODAY: frozenset[Qualifier] = frozenset({"present", "graver", "severity", "history"})
_TURNING: frozenset[Qualifier] = NONE_OF_TODAY | {"uncertain"}
_NO_KINDS: frozenset[Qualifier] = frozenset()
_LABELS = (
    ("icd", "10", "cm"),
    ("icd", "10"),
    ("icd10", "cm"),
    ("icd10",),
    ("icd10cm",),
    ("icd",),
    ("snomed", "ct"),
    ("snomed",),
)

_OPEN_LABELS = frozenset(label[0] for label in _LABELS)


class Phrases:
    """The phrases that stand beside names, and the names, of one rulebook."""

    def __init__(self, words: IllnessWords, names: IllnessNames, valid: Callable[[str], bool]) -> None:
        """`valid` says whether there is a code of ICD-10."""
        self.names, self.signs, self.marks = names, Signs(words.asked_for), words.marks
        self.earliest_remission, self.given_up = words.earliest_remission, words.given_up
        self.under_treatment = {
            treated: (one.instead_of, whole(" ".join(names.normal.words(name)) for name in one.names))
            for treated, one in words.under_treatment.items()
        }
        self.misspelled = tuple(" ".join(names.normal.words(one)) for one in words.misspelled)
        self.drinks = ToldDrinks(words.drinking)
        self.done_by_others = frozenset(words.done_by_others)
        normal = names.normal
        self._valid, self._times = valid, TimesAgo(words.times)
        kinds: dict[tuple[str, ...], set[Qualifier]] = {}
        for kind in _KINDS:
            doing = words.done_oneself if kind in ("first_degree", "of_others") else ()
            people = getattr(words, kind)
            for phrase in (*people, *(f"{one} {does}" for one in people if " " not in one for does in doing)):
                key = tuple("#" if word.isdecimal() else word for word in normal.words(phrase.replace("<n>", "1")))
                kinds.setdefault(key, set()).add(kind)
        self._kinds: dict[tuple[str, ...], frozenset[Qualifier]] = {
            key: frozenset({"severity"} if {"neutral", "graver"} <= found else found) for key, found in kinds.items()
        }
        self._longest: dict[str, int] = {}
        for key in self._kinds:
            if 0 < len(key) <= MOST_WORDS:
                self._longest[key[0]] = max(len(key), self._longest.get(key[0], 0))
        self._days_ago = {normal.words(phrase): days for phrase, days in words.days_ago.items()}
        self._open_days_ago = frozenset(key[0] for key in self._days_ago if key)
        self._nothing = frozenset(map(normal.words, words.nothing))
        self._passing = frozenset(word for one in words.passing for word in normal.words(one))
        self._telling = {key[0]: found for key, found in self._kinds.items() if len(key) == 1 and found & _TURNING}

    def time_at_the_end(self, words: tuple[str, ...]) -> tuple[Around, int] | None:
        """When it was by the last of words that are not understood as a whole, with their place; None if they do not say so.

        Nor where words before them say that something is so now, is graver, or is a history of its own.
        """
        for start in range(1, len(words)):
            said = self.around(words[start:])
            if said is None or not (said.has_a_day or (said.kinds == {"history"} and start < len(words) - 1)):
                continue
            before = (self._phrase(words, at) for at in range(start))
            if (
                not _LASTING.isdisjoint(words[start:])
                or said.kinds - {"history", "neutral", "over"}
                or any(one and one[0].kinds & _OF_TODAY for one in before)
            ):
                return None
            return said, start
        return None

    def may_turn(self, words: Iterable[str], by: Set[Qualifier] = _TURNING) -> bool:
        """Whether a word is among these that could deny an illness, put it in doubt, or say that it is another person's."""
        told, at = tuple(words), 0
        while at < len(told):
            # A word of a longer phrase says what that says: "Child-Pugh" is no child.
            step = self._phrase(told, at)
            if step is not None and step[1] > at + 1:
                if step[0].kinds & by:
                    return True
                at = step[1]
            elif self._telling.get(told[at], _NO_KINDS) & by:
                return True
            else:
                at += 1
        return False

    def says(self, words: tuple[str, ...]) -> Around | None:
        """What words say that are listed as one phrase; None of others."""
        kinds = self._kinds.get(words)
        return Around(kinds) if kinds is not None else None

    def passes(self, words: Iterable[str]) -> bool:
        """Whether the name of an illness says that it passes, or that it was done once."""
        return not self._passing.isdisjoint(words)

    def unit(self, words: tuple[str, ...], across: range = range(0), *, own: bool = False) -> Unit | None:
        """A part of an entry as a name and what stands around it, the longest name first; None if there is more to it.

        Of several parts taken as one, the name has to reach over all places of `across` where they meet, and with `own` be
        one that the rulebook's own lists have.
        """
        if not words or len(words) > MOST_LOOKED_AT:
            return None
        many, runs = len(words), self.names.runs(words)
        for length in range(min(max(runs), self.names.longest()), len(across), -1):
            for start in range(many - length + 1):
                if runs[start] < length:
                    continue
                if across and not (start < across[0] and start + length > across[-1]):
                    continue
                name = words[start : start + length]
                if own and not self.names.is_own(name):
                    continue
                tokens = self.names.of(name)
                offered = self.names.may_be(name) if tokens is None else ()
                if tokens is None and not offered:
                    continue
                before = self.around(words[:start])
                behind = self.behind(words[start + length :]) if before is not None else None
                if behind is None and before is not None and before.kinds & DENIED and self._since(words[start + length :]):
                    behind = NOTHING_AROUND
                if before is not None and behind is not None:
                    stands_for = offered if tokens is None else tokens
                    return Unit(stands_for, before, behind, may_be=bool(offered), lasts=self.names.lasts(name))
        if across:
            return None
        around = self.around(words)
        if around is not None:
            return Unit(None, around, nothing=words in self._nothing)
        return Unit(None, nothing=True) if words in self._nothing else None

    def _since(self, words: tuple[str, ...]) -> bool:
        """Whether words say since when, in whatever words, and nothing that could be said of an illness."""
        return words[0] == "since" and not self.may_turn(words) and next(self.inside(words), None) is None

    def behind(self, words: tuple[str, ...]) -> Around | None:
        """The same of what stands behind a name; None also where something else is denied there, as in "not on CPAP"."""
        found = self.around(words)
        if found is not None and found.kinds & OF_FAMILY:
            # "In mother", but not "since the baby": other words before it say something else of the family.
            first = self._phrase(words, 0)
            return found if first is not None and first[0].kinds & OF_FAMILY else None
        if found is None or len(words) < 2 or not found.kinds & DENIED:
            return found
        return found if words in self._kinds or self._denies_at_the_end(words) or self._denied_then(words) else None

    def _denied_then(self, words: tuple[str, ...]) -> bool:
        """Whether words are one that denies, and then say when: "ruled out 2019"."""
        for end in range(1, len(words)):
            when = self.around(words[end:]) if self._kinds.get(words[:end], _NO_KINDS) & DENIED else None
            if when is not None and when.has_a_day and not when.kinds:
                return True
        return False

    def _denies_at_the_end(self, words: tuple[str, ...]) -> bool:
        """Whether the last of several phrases is the one that denies, and none before it does."""
        for at in range(len(words) - 1, 0, -1):
            last = self._kinds.get(words[at:], frozenset())
            first = self.around(words[:at])
            if last & DENIED and first is not None and not first.kinds & DENIED:
                return True
        return False

    def around(self, words: tuple[str, ...]) -> Around | None:
        """What phrases say together; None if something among them is not known."""
        found = NOTHING_AROUND
        at = 0
        while at < len(words):
            step = (
                self._code(words, at)
                or self._number(words, at)
                or self._ago(words, at)
                or self._within(words, at)
                or self._phrase(words, at)
            )
            if step is None:
                return None
            said, at = step
            found = found.and_also(said)
        return found

    def _code(self, words: tuple[str, ...], at: int) -> tuple[Around, int] | None:
        """A code, with the name of its system before it. Without that it needs a point, or stands alone."""
        label: tuple[str, ...] = ()
        if words[at] in _OPEN_LABELS:
            label = next((one for one in _LABELS if words[at : at + len(one)] == one), ())
        at += len(label)
        if at >= len(words):
            return None
        code = words[at]
        if label[:1] == ("snomed",):
            return (Around(codes=(("SNOMED CT", code),)), at + 1) if code.isdecimal() and len(code) > 5 else None
        system: System = "ICD-10-CM" if "cm" in "".join(label) else "ICD-10"
        if _CODE.fullmatch(code) and (label or (("." in code or at == 0) and self._valid(bare(code)))):
            return Around(codes=((system, code.upper()),)), at + 1
        return None

    def without_codes(self, words: tuple[str, ...]) -> tuple[tuple[str, ...], Around]:
        """The words without codes among them, and the codes."""
        left: list[str] = []
        found = NOTHING_AROUND
        at = 0
        while at < len(words):
            step = self._code(words, at)
            if step is None:
                left.append(words[at])
                at += 1
            else:
                found, at = found.and_also(step[0]), step[1]
        return tuple(left), found

    def _phrase(self, words: tuple[str, ...], at: int) -> tuple[Around, int] | None:
        most = self._longest.get("#" if words[at].isdecimal() else words[at])
        if most is None:
            return None
        for end in range(min(len(words), at + most), at, -1):
            kinds = self._kinds.get(tuple(["#" if word.isdecimal() else word for word in words[at:end]]))
            if kinds is not None:
                return Around(kinds, year=-1 if words[at:end] == _LAST_YEAR else None), end
        return None

    def _ago(self, words: tuple[str, ...], at: int) -> tuple[Around, int] | None:
        """A word for a time that is so many days ago."""
        if words[at] not in self._open_days_ago:
            return None
        for end in range(min(len(words), at + MOST_WORDS), at, -1):
            if (days := self._days_ago.get(words[at:end])) is not None:
                return Around(days_ago=days), end
        return None

    def _number(self, words: tuple[str, ...], at: int) -> tuple[Around, int] | None:
        """A year, a date, a span of time, an age or a number of times."""
        start = at
        while at < len(words) and words[at] in _BEFORE_NUMBERS:
            at += 1
        if at == len(words):
            return None
        word = words[at]
        if YEAR.fullmatch(word):
            return Around(_OVER if not _UNTIL.isdisjoint(words[start:at]) else frozenset(), int(word)), at + 1
        if (dated := _DATE.fullmatch(word)) is not None:
            if word.count("/") == 1 and 0 < int(dated[1] or dated[2]) < 32:
                # "11/20" is a month and a day, or a month and a year.
                return Around(within=_ANY_TIME), at + 1
            year = int(dated[1] or dated[2])
            return Around(year=year if year > 99 else year + 2000 if year < 50 else year + 1900), at + 1
        if _TIMES.fullmatch(word) or _DOSE.fullmatch(word):
            return Around(), at + 1
        if not (word.isdecimal() and len(word) <= 3):
            return None
        after = words[at + 1 :]
        if after[:1] == ("+",):
            after, at = after[1:], at + 1
        if after and (days := self._times.days_of(word, after[0])) is not None:
            if after[1:2] == ("ago",):
                return Around(days_ago=days), at + 3
            is_old = after[1:2] == ("old",)
            return Around(lasting=None if is_old else days), at + (3 if is_old else 2)
        if after[:1] == ("%",):
            return Around(), at + 2
        # A number by itself says when or how often only behind a word for that.
        if at == start or words[at - 1] not in (*_OLD, "x", "at"):
            return None
        young = words[at - 1] in _OLD and int(word) < _GROWN_UP and _SINCE.isdisjoint(words[start:at])
        grown_up = words[at - 1] in (*_OLD, "at") and not young and _SINCE.isdisjoint(words[start:at])
        return Around(days_ago=_A_YEAR if young else None, within=_ANY_TIME if grown_up else None), at + 1

    def reaches_over(self, words: Sequence[str], place: int) -> bool:
        """Whether a name stands among words that begins before a place and ends behind it, as "bleed on the brain" does."""
        runs = self.names.runs(words) if len(words) <= MOST_LOOKED_AT else []
        return any(
            self.names.of(tuple(words[start:end])) or self.names.may_be(tuple(words[start:end]))
            for start in range(min(place, len(runs)))
            for end in range(place + 1, start + runs[start] + 1)
        )

    def inside(self, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
        """What names among words stand for that are not understood as a whole, the longest first, none inside another."""
        taken: set[int] = set()
        runs = self.names.runs(words) if len(words) <= MOST_LOOKED_AT else []
        for length in range(min(max(runs, default=0), self.names.longest()), 0, -1):
            for start in range(len(runs) - length + 1):
                if runs[start] < length:
                    continue
                place = range(start, start + length)
                found = tuple(words[start : start + length])
                tokens = self.names.of(found) or self.names.may_be(found)
                if tokens and taken.isdisjoint(place):
                    taken.update(place)
                    yield tokens

    def _within(self, words: Sequence[str], at: int) -> tuple[Around, int] | None:
        """A span of time up to now, as "in the past 6 months"; what goes on "for" it is there now."""
        first = words[at] if words[at] in _SINCE_WHEN else ""
        at += bool(first)
        at += words[at : at + 1] == ("the",)
        if not (
            words[at : at + 1] == ("past",)
            or (words[at : at + 1] == ("last",) and (first or words[at + 1 : at + 2] != ("year",)))
        ):
            return None
        at += 1
        counted = at < len(words) and words[at].isdecimal()
        many, unit = (words[at] if counted else "1"), words[at + counted : at + counted + 1]
        days = self._times.days_of(many, unit[0]) if unit else None
        if days is None:
            return None
        return Around(within=None if first == "for" else days), at + counted + 1
