"""The words that stand beside names of illnesses in lists (`illness_words.yaml`), and one form for all of them.

What is compared are words in one spelling: without capitals, accents, apostrophes and endings of the plural, in American
spelling, with abbreviations written out. Two texts of one form say the same; nothing is taken for something it is only like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

import msgspec

from careplan.recognition.plain_text import plain
from careplan.recognition.times_ago import TimeWords

Qualifier: TypeAlias = Literal[
    "neutral",
    "present",
    "graver",
    "history",
    "over",
    "remission",
    "denied",
    "denied_all",
    "uncertain",
    "family",
    "first_degree",
    "of_others",
    "severity",
]
"""What a phrase beside a name says of the illness; of `severity` are those that matter to some illnesses only."""

MOST_WORDS = 6
"""The longest phrase beside a name."""


class HarmWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in which people tell that somebody harms them: `who`, what they do (`does`), and what says so without either.

    Told the other way round it is what was `suffered`, then "by" and one of `by_whom`.

    Beside a word of `not_today` it is of the past, or denied.
    """

    who: tuple[str, ...] = ()
    does: tuple[str, ...] = ()
    is_so: tuple[str, ...] = ()
    fear_of: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    who_else: tuple[str, ...] = ()
    does_to: tuple[str, ...] = ()
    whom: tuple[str, ...] = ()
    suffered: tuple[str, ...] = ()
    by_whom: tuple[str, ...] = ()
    not_today: tuple[str, ...] = ()


class DangerKind(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences that tell of one kind of danger, in classes of words; a `grave` one is a decision and no alert.

    One that lines of medicines tell in words of their own (`told` in `list_words.yaml`) is not looked for `in_lists`.
    """

    said: tuple[str, ...]
    grave: bool = False
    in_lists: bool = True


class DangerWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sentences that tell of an emergency: `kinds` of them, made of `classes` of words, and what takes one back.

    Denials stand shortly before what they deny (`denied_near`), anywhere before it (`denied_before`) or behind it
    (`denied_behind`). With words of `not_meant` before it nothing has happened. Beside `past`, without `now`, it is over.
    After words for others it is of them, unless a word of `oneself` stands there too. Words of `everyday` stand in so many
    sentences that none is looked at for them alone.
    """

    classes: dict[str, tuple[str, ...]] = {}
    everyday: tuple[str, ...] = ()
    kinds: dict[str, DangerKind] = {}
    denied_near: tuple[str, ...] = ()
    denied_before: tuple[str, ...] = ()
    denied_behind: tuple[str, ...] = ()
    not_meant: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    oneself: tuple[str, ...] = ()


class ReadingRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Readings from `least` to `most` that mean a condition, or that a person reads first where they mean none."""

    least: float
    most: float
    means: str = ""


class ReadingWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By which words a reading is told; `second` is what the number behind a stroke is of, as in 190/120.

    `bare` are the units, in this order, in which a number may be that has none; None for that of the measure, and empty
    where a number without a unit says nothing. `units` are further ways to write a unit, each with one that the measure is
    sent in; `answers` the same for answers. Of a score `out_of` is the most there is. A reading of no measure has `ranges`,
    and `loinc`, the codes by which records send it.
    """

    words: tuple[str, ...]
    measure: str = ""
    second: str = ""
    bare: tuple[str, ...] | None = None
    units: dict[str, str] = {}
    answers: dict[str, str] = {}
    out_of: int = 0
    ranges: tuple[ReadingRange, ...] = ()
    loinc: tuple[str, ...] = ()


class BesideReadings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words beside readings: that change nothing, for now, for an earlier time, and for what is no reading of one time."""

    beside: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    not_one: tuple[str, ...] = ()


class DrinkWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words for little drinking: so many (`counts`) of `what`, and how often (`units`, `how_often`).

    `units` and `how_often` have how many times a week that is; between the drink and a unit stands one of `before_units`.
    `seldom` says so without a number. `beside` changes nothing, and `headings` announce what is drunk.
    """

    headings: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    counts: dict[str, float] = {}
    before_units: tuple[str, ...] = ()
    units: dict[str, float] = {}
    how_often: dict[str, float] = {}
    seldom: tuple[str, ...] = ()
    most_a_week: float = 0


class LongPast(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words of what was long ago: how it begins to be told (`began`), when it was (`times`), and words of `today`."""

    began: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    today: tuple[str, ...] = ()


class UnderTreatment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The condition in whose place another one stands that says it is treated, where it has one of these names."""

    instead_of: str
    names: tuple[str, ...]


class IllnessWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`illness_words.yaml`. What each section means stands in that file."""

    abbreviations: dict[str, str] = {}
    misspelled: tuple[str, ...] = ()
    neutral: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    graver: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    remission: tuple[str, ...] = ()
    earliest_remission: int = 0
    denied: tuple[str, ...] = ()
    denied_all: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    first_degree: tuple[str, ...] = ()
    of_others: tuple[str, ...] = ()
    done_oneself: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    asked_for: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    at_once: tuple[str, ...] = ()
    lately: tuple[str, ...] = ()
    of_oneself: tuple[str, ...] = ()
    intending: tuple[str, ...] = ()
    never_did: tuple[str, ...] = ()
    long_past: LongPast = LongPast()
    says_danger: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    acute: dict[str, str] = {}
    no_emergency: tuple[str, ...] = ()
    given_up: tuple[str, ...] = ()
    done_by_others: tuple[str, ...] = ()
    answers_no: tuple[str, ...] = ()
    answers_yes: tuple[str, ...] = ()
    asks_of_others: tuple[str, ...] = ()
    under_treatment: dict[str, UnderTreatment] = {}
    days_ago: dict[str, int] = {}
    times: TimeWords = TimeWords()
    drinking: DrinkWords = DrinkWords()
    harmed: HarmWords = HarmWords()
    off_paper: tuple[str, ...] = ()
    dangers: DangerWords = DangerWords()
    readings: tuple[ReadingWords, ...] = ()
    told_readings: BesideReadings = BesideReadings()


WORD = re.compile(
    r"[a-z]\d[0-9a-z]\.[0-9a-z]{1,4}(?![0-9a-z])"  # a code of ICD-10
    r"|\d{1,3}(?=(?:wks?|weeks?|mos?|mths?|months?|yrs?|years?|days?)(?![a-z0-9]))"  # 12wks
    r"|\d{1,2}(?:-\d{1,2}-|\.\d{1,2}\.)(?:19|20)\d\d(?!\d)|(?:19|20)\d\d-\d\d(?:-\d\d)?(?![\d-])"  # 20.11.2014, 2014-11-20
    r"|[a-z]/[a-z](?![a-z/])|w/o?(?![a-z])|\d{1,2}/(?:\d{1,2}/)?(?:\d{4}|\d\d)(?![\d/])|[^\W_]+(?:'[^\W_]+)*|[?%<>~]"
)
"""A word of plain text about illnesses: also `d/o`, `w/`, a date and a code."""


class Normal:
    """One form for words about illnesses, by the abbreviations of one rulebook."""

    def __init__(self, abbreviations: Mapping[str, str] | None = None) -> None:
        self._written_out = {short: tuple(map(_plain_word, full.split())) for short, full in (abbreviations or {}).items()}

    def words(self, text: str) -> tuple[str, ...]:
        """The words of a text in this form; signs that part what is listed are none of them."""
        return self.of_plain(plain(text)[0])

    def of_plain(self, text: str) -> tuple[str, ...]:
        """The same of a text that is plain already."""
        found: list[str] = []
        for word in WORD.findall(text):
            found += self.word(word)
        return tuple(found)

    def word(self, word: str) -> tuple[str, ...]:
        """One word in this form."""
        full = self._written_out.get(word)
        if full is None and word[:1].isdecimal() and (weeks := _WEEKS.fullmatch(word)):
            return weeks[1], "week"
        if full is None and word[:1].isdecimal() and (person := _AGE_AND_SEX.fullmatch(word)):
            return person[1], "year", "old"
        return full if full is not None else (_plain_word(word),)

    def keys(self, names: Iterable[str]) -> dict[str, str]:
        """Names by the one form that each has. Words that stand in many of them are put into this form once."""
        known: dict[str, tuple[str, ...]] = {}
        found: dict[str, str] = {}
        for name in names:
            text = name.lower() if name.isascii() else plain(name)[0]
            parts: list[str] = []
            for word in text.translate(_SIGNS).split() if _SPECIAL.isdisjoint(text) else WORD.findall(text):
                full = known.get(word)
                if full is None:
                    full = known[word] = self.word(word)
                parts += full
            found[name] = " ".join(parts)
        return found


def _plain_word(word: str) -> str:
    if word in _NUMBERS:
        return _NUMBERS[word]
    word = word.removesuffix("'s").replace("'", "")
    if not word.isalpha() or len(word) < 4:
        return word
    if "ae" in word or "oe" in word or "our" in word:
        word = word.replace("ae", "e").replace("oe", "e").replace("our", "or")
    if word[-1] != "s" or word.endswith(("ss", "us", "is")):
        return word
    return f"{word[:-3]}y" if word.endswith("ies") and len(word) > 5 else word[:-1]


_WEEKS = re.compile(r"(\d{1,2})w(?:\d?d)?")
"""Weeks and days as notes on a pregnancy have them: 31w2d."""
_AGE_AND_SEX = re.compile(r"([1-9]\d)(?:yo?)?[mf]")
"""Whom a note begins with: 52M, 38yoF."""
_SPECIAL = frozenset("/'.?%<>~*_")
"""Signs with which words have to be told apart one by one."""
_SIGNS = str.maketrans(dict.fromkeys('-,;:()[]{}&+=#|!"\\^@$', " "))
_IN_WORDS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {"ii": "2", "iii": "3"} | {word: str(number) for number, word in enumerate(_IN_WORDS, 2)}
