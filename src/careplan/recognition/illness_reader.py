"""Illnesses as people write them on lists: what an entry says, part by part.

A part is read (it stands for conditions, or says that there is none of them), known (no rule concerns it) or unread. Only
whole names count, with words beside them that this rulebook knows; what is only like a name is an offer. Whoever says that
something is not there, or is somebody else's, sets nothing; of what is not sure nobody takes it for absent: it stays unread.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import msgspec

from careplan.recognition.illness_around import Around, Unit
from careplan.recognition.illness_codes import IllnessCodes, System, bare, nearest
from careplan.recognition.illness_grouping import STATUS, Grouping, Part
from careplan.recognition.illness_parts import DENIED, NONE_OF_TODAY, OF_FAMILY, YEAR, Phrases
from careplan.recognition.illness_pieces import Piece, pieces_of
from careplan.recognition.illness_read import MOST_OFFERS, IllnessPart, IllnessRead, Lasting, Recognition, Status
from careplan.recognition.illness_scope import deny_backwards, ended_then, sentences, spread
from careplan.recognition.illness_words import Qualifier

_HISTORY = "_history"
"""How conditions are called that are nothing but the past of another one."""
_ALCOHOL = "alcohol_use_disorder_active"
_AT_ANY_TIME = frozenset({"history", "ever", "never", "past", "prior", "previous"})


class IllnessReader:
    """Reads illnesses by the names, codes and words of one rulebook."""

    def __init__(
        self,
        phrases: Phrases,
        codes: IllnessCodes,
        of_icd10: Mapping[str, tuple[str, ...]],
        lasting: Mapping[str, Lasting],
        least_day: date = date.min,
    ) -> None:
        """`of_icd10` has what codes of ICD-10 without points stand for, as all below them; () for those of no rule.

        No plan is of a day before `least_day`, by which years are judged where the day of a plan is not known.
        """
        self._least_day = least_day
        self._marks = _in_brackets(phrases.marks)
        self._phrases, self._grouping = phrases, Grouping(phrases)
        self.signs = phrases.signs
        self._codes, self._of_icd10, self._lasting = codes, of_icd10, lasting

    def read(self, text: str, on: date | None = None) -> IllnessRead:
        """What an entry says; `on` is the day of the plan, by which years are judged."""
        on = on or self._least_day
        if self._marks is not None and not text.startswith(("(", "[")):
            text = self._marks.sub(_blank, text)
        pieces = pieces_of(text, self._phrases.names.normal, self._phrases.signs)
        parts: list[IllnessPart] = []
        for sentence in sentences(pieces):
            self._sentence(sentence, on, parts)
        return IllnessRead(tuple(self._as_little_drunk(text, self._as_treated(text, parts))))

    def _as_little_drunk(self, text: str, parts: Sequence[IllnessPart]) -> Sequence[IllnessPart]:
        """The parts that only say that little is drunk as known, unless another part tells of trouble with alcohol."""
        if not any(map(_is_of_alcohol_alone, parts)):
            return parts
        for start, end in self._phrases.drinks.little(text):
            inside = [part for part in parts if start <= part.start and part.end <= end]
            others = [part for part in parts if part not in inside]
            told = any("alcohol" in token for part in others for token in (*part.tokens, *part.offers))
            if inside and all(map(_is_of_alcohol_alone, inside)) and not told:
                one = IllnessPart(inside[0].start, inside[-1].end, "known", "present")
                parts = sorted((*others, one), key=lambda part: part.start)
        return parts

    def _as_treated(self, text: str, parts: Sequence[IllnessPart]) -> Sequence[IllnessPart]:
        """The parts with an illness as treated that is named beside its treatment: "OUD, methadone maintenance"."""
        if len(parts) < 2:
            return parts
        for treated, (instead_of, names) in self._phrases.under_treatment.items():
            if any(treated in part.tokens and part.status == "present" for part in parts):
                parts = [
                    msgspec.structs.replace(part, tokens=(treated,))
                    if part.tokens == (instead_of,) and names.search(self.form(text[part.start : part.end]))
                    else part
                    for part in parts
                ]
        return parts

    def may_be_none(self, text: str) -> bool:
        """Whether a text could deny what it names, or say that it is over or another person's."""
        return self._phrases.may_turn(self._phrases.names.normal.words(text), NONE_OF_TODAY)

    @property
    def first_year(self) -> int:
        """The year before which no plan is made."""
        return self._least_day.year

    def warm(self) -> None:
        """Bring the names into their form, which else is done when the first entry is read."""
        self._phrases.names.longest()

    def names(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Every name that is known, after the file that has it, with what it stands for."""
        return self._phrases.names.all()

    def form(self, name: str) -> str:
        """The one form that all spellings of a name have."""
        return " ".join(self._phrases.names.normal.words(name))

    def may_be(self, name: str) -> tuple[str, ...]:
        """What is offered for words that can mean several things."""
        return self._phrases.names.may_be(self._phrases.names.normal.words(name))

    def clashes(self) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
        """Names that stand for two things, each with its file and both."""
        return self._phrases.names.clashes()

    def _sentence(self, pieces: Sequence[Piece], on: date, into: list[IllnessPart]) -> None:
        taken = self._grouping.parts(pieces)
        deny_backwards(taken)
        scope: Part | None = None
        turned = False
        for at, part in enumerate(taken):
            unsure = at > 0 and self._came_with_the_past(part, taken[at - 1])
            unsure |= at + 1 < len(taken) and self._is_of_the_time_behind(part, taken[at + 1])
            own = part.around.kinds & STATUS
            if part.unit is None:
                # What could deny an illness and is not understood may be said of all that follows.
                turned |= self._phrases.may_turn(part.words)
            elif own:
                scope = part if part.unit.before.kinds & STATUS else _of_a_family_list(scope)
                unsure |= turned and "present" not in own
            else:
                unsure |= turned
                reach = spread(scope, part.separator, taken[at:]) if scope is not None else "no"
                if reach == "yes" and scope is not None and scope.unit is not None:
                    part.around = part.around.and_also(Around(scope.unit.before.kinds & STATUS))
                elif reach == "history":
                    unsure |= not self._same_in_the_past(part, on)
                elif reach == "unsure":
                    unsure = True
                else:
                    scope = None
            into.append(self._judged(part, on, unsure=unsure))

    def _came_with_the_past(self, part: Part, before: Part) -> bool:
        """Whether something acute stands behind "with" after what was at an earlier time, as a fever with a seizure then.

        It may be of that time or of now.
        """
        if part.separator == "bracket" and before.unit is None:
            return self._is_acute(part)
        if part.separator != "with" or before.unit is None or "since" in before.words:
            return False
        is_past = before.around.has_a_day or before.unit.behind.kinds & {"history"}
        return bool(is_past) and not part.around.has_a_day and self._is_acute(part)

    def _is_of_the_time_behind(self, part: Part, behind: Part) -> bool:
        """Whether unread words with a year follow on something acute, as in "psychosis on steroids in 2010"."""
        if behind.separator != "with" or behind.unit is not None or "since" in behind.words or part.around.has_a_day:
            return False
        return any(map(YEAR.fullmatch, behind.words)) and self._is_acute(part)

    def _is_acute(self, part: Part) -> bool:
        """Whether a part names nothing but what says something of today for a while only."""
        tokens = part.unit.tokens if part.unit is not None else None
        return bool(tokens) and all(self._of(one).onset is not None and "=" not in one for one in tokens or ())

    def _same_in_the_past(self, part: Part, on: date) -> bool:
        """Whether an illness counts as the same thing where it is one of the past."""
        named, _ = self._meant(part.unit, part.around) if part.unit else ((), True)
        past = part.around.and_also(Around(frozenset({"history"})))
        lasts = part.unit.lasts if part.unit else ()
        return self._counting(named or (), part.around, on, lasts) == self._counting(named or (), past, on, lasts)

    def _judged(self, part: Part, on: date, *, unsure: bool) -> IllnessPart:
        unit, around = part.unit, part.around
        if unit is None or part.left_over:
            offers = self._barely_given_up(around) or self._offers_then(part.words, on)
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=offers)
        if unit.tokens is None and not around.codes:
            return IllnessPart(part.start, part.end, "read", "nothing")
        named, known = self._meant(unit, around)
        if named is None:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=self._offers(part.words))
        if ended_then(part):
            given_up = bool(named) and all(one in self._phrases.given_up for one in named)
            ended = frozenset[Qualifier]({"remission" if given_up else "history"})
            around = part.around = around._replace(kinds=around.kinds - DENIED | ended)
        kinds = around.kinds
        denied = bool(kinds & DENIED)
        if not named:
            return self._of_no_rule(part, known=known)
        past = tuple(dict.fromkeys(filter(None, (self._of(one).history for one in named))))
        both = tuple(dict.fromkeys((*named, *past)))
        if "uncertain" in kinds or part.turned or unsure:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=both[:MOST_OFFERS])
        if denied:
            # "Never manic" denies no bipolar disorder, as that is more than a mania that was. "Denies SI" is of today.
            ever = not _AT_ANY_TIME.isdisjoint(part.words) or not any("=" in one for one in named)
            histories = tuple(one for one in past if one in named or (ever and one.endswith(_HISTORY)))
            without = tuple(dict.fromkeys((*named, *histories)))
            return IllnessPart(part.start, part.end, "read", "denied", denied=() if unit.may_be else without)
        # "Cocaine" alone leaves open what it means; who is clean of it had trouble with it.
        is_given_up = "remission" in kinds and all(one in self._phrases.given_up for one in named)
        if unit.may_be and not is_given_up and not (kinds & OF_FAMILY and not any(self._of(one).of_family for one in named)):
            lasting = tuple(one for one in named if self._of(one).onset is None)
            acute = tuple(one for one in named if one not in lasting)
            meant = (*lasting, *self._counting(acute, around, on, unit.lasts))
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=meant[:MOST_OFFERS])
        if kinds & OF_FAMILY:
            if "family" not in kinds and not self._phrases.done_by_others.isdisjoint(named):
                # Who stands beside it is the one who does it.
                return IllnessPart(part.start, part.end, "unread", "unsure", offers=named[:MOST_OFFERS])
            return self._of_the_family(part, named, kinds)
        if self._is_early_remission(around) and "=" not in named[0]:
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=both[:MOST_OFFERS])
        if around.within is not None and any((self._of(one).onset or around.within) < around.within for one in named):
            # A heart attack of the past year may be one of last week.
            return IllnessPart(part.start, part.end, "unread", "unsure", offers=both[:MOST_OFFERS])
        counted = self._counting(named, around, on, unit.lasts)
        graver = tuple(dict.fromkeys(token for one in named for token in self._of(one).graver))
        worse = "graver" in kinds and any(self._of(one).onset is None for one in named)
        worse |= "severity" in kinds and bool(graver)
        recognition: Recognition = "unread" if worse else "read"
        status: Status = "present" if counted == named else "past"
        offers = graver if worse else ()
        return IllnessPart(part.start, part.end, recognition, status, counted, offers=offers, lasts=unit.lasts)

    def _barely_given_up(self, around: Around) -> tuple[str, ...]:
        """What may still be there where somebody is sober for a short time, and nobody says of what."""
        return self._phrases.given_up[:MOST_OFFERS] if self._is_early_remission(around) else ()

    def _is_early_remission(self, around: Around) -> bool:
        so_long = around.lasting if around.lasting is not None else around.days_ago
        return "remission" in around.kinds and so_long is not None and so_long < self._phrases.earliest_remission

    def _of_no_rule(self, part: Part, *, known: bool) -> IllnessPart:
        """An illness that no rule concerns. One that passes is over where it is said to be of the past; any other lasts.

        A year alone says when something began, and not that it is over.
        """
        kinds = part.around.kinds
        if kinds & (DENIED | OF_FAMILY):
            return IllnessPart(part.start, part.end, "read", "denied" if kinds & DENIED else "family")
        over = bool(kinds & {"over", "remission"})
        of_the_past = "history" in kinds or part.around.within is not None
        over |= of_the_past and "present" not in kinds and self._phrases.passes(part.words)
        status: Status = "unsure" if "uncertain" in kinds else "past" if over else "present"
        return IllnessPart(part.start, part.end, "known" if known else "read", status)

    def _meant(self, unit: Unit, around: Around) -> tuple[tuple[str, ...] | None, bool]:
        """What name and codes stand for together, and whether they are known; None where a code is of nothing known."""
        by_name = unit.tokens
        by_code = [self._of_code(*one) for one in around.codes]
        if any(one is None for one in by_code) and not by_name:
            return None, False
        tokens = dict.fromkeys(by_name or ())
        for one in by_code:
            tokens |= dict.fromkeys(one or ())
        return tuple(tokens), True

    def _of_code(self, system: System, code: str) -> tuple[str, ...] | None:
        if system == "SNOMED CT":
            return self._codes.tokens(code) or (() if self._codes.are_known(system, code) else None)
        short = bare(code)
        near = nearest(short, self._of_icd10)
        found = self._of_icd10[near] if near else ()
        if found and len(short) == 7 and short.endswith("S"):  # What is left of an injury.
            return tuple(dict.fromkeys(filter(None, (self._of(one).sequela for one in found))))
        return found or (() if self._codes.are_known(system, code) else None)

    def _of(self, token: str) -> Lasting:
        return self._lasting.get(token) or Lasting(None, token, token, token, token, token)

    def _of_the_family(self, part: Part, named: tuple[str, ...], kinds: frozenset[str]) -> IllnessPart:
        found = tuple(dict.fromkeys(filter(None, (self._of(one).of_family for one in named))))
        if not found or "of_others" in kinds:
            return IllnessPart(part.start, part.end, "read", "family")
        if "first_degree" in kinds:
            return IllnessPart(part.start, part.end, "read", "family", found)
        # Whose it is was not said, and it matters.
        return IllnessPart(part.start, part.end, "unread", "unsure", offers=found)

    def _counting(self, named: tuple[str, ...], around: Around, on: date, lasts: tuple[str, ...] = ()) -> tuple[str, ...]:
        """What illnesses count as by what is said of their time. What `lasts` is over only where somebody says so."""
        found: dict[str, None] = {}
        for token in named:
            lasting = self._of(token)
            counts = token
            if "remission" in around.kinds:
                counts = lasting.remission
            elif "over" in around.kinds:
                counts = token if lasting.is_recent(around.days_ago) else lasting.over
            elif token in lasts:
                counts = token
            elif lasting.onset is not None and around.days_ago is not None:
                counts = lasting.older if around.days_ago > lasting.onset else token
            elif lasting.onset is not None and around.year is not None:
                year = around.year if around.year > 0 else on.year + around.year
                old = year < on.year and (on - date(year, 12, 31)).days > lasting.onset
                counts = lasting.older if old else token
            elif "history" in around.kinds:
                counts = lasting.history
            if counts:
                found[counts] = None
        return tuple(found)

    def _offers_then(self, words: tuple[str, ...], on: date) -> tuple[str, ...]:
        """What unread words may mean, as what it counts by now where their last words say that it was long ago."""
        offers = self._offers(words)
        found = self._phrases.time_at_the_end(words) if offers else None
        return self._counting(offers, found[0], on) if found is not None else offers

    def _offers(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """What unread words may mean: names inside of them, else the nearest name."""
        inside = dict.fromkeys(token for tokens in self._phrases.inside(words) for token in tokens)
        names = self._phrases.names
        slips = names.near_one_of(self._phrases.misspelled, words)
        return tuple(dict.fromkeys((*slips, *inside)))[:MOST_OFFERS] or names.near(words)


def _of_a_family_list(scope: Part | None) -> Part | None:
    """What stands before a whole list of the family: also of what follows one with a word of its own."""
    return scope if scope is not None and scope.all and scope.around.kinds & OF_FAMILY else None


def _is_of_alcohol_alone(part: IllnessPart) -> bool:
    """Whether nothing but drinking may be meant by words that nobody could read."""
    return part.recognition == "unread" and not part.tokens and set(part.offers) <= {_ALCOHOL}


def _in_brackets(marks: Iterable[str]) -> re.Pattern[str] | None:
    """What finds one of these in brackets of its own; None where there are none."""
    listed = "|".join(map(re.escape, marks))
    return re.compile(rf"[(\[]\s*(?:{listed})\s*[)\]]", re.IGNORECASE) if listed else None


def _blank(found: re.Match[str]) -> str:
    """Spaces in the place of what was found, so that all else keeps its place."""
    return " " * len(found[0])
