"""The words that stand beside names in medicine lists (`list_words.yaml`), made ready to be found in a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from operator import attrgetter
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec

from careplan.recognition.line import Status, Steps
from careplan.recognition.line_remarks import RemarkWords
from careplan.recognition.plain_text import plain
from careplan.recognition.told_words import EndWords, ToldWords
from careplan.request.patient import MedicineIndication

NUMBER = "<n>"
_PART = re.compile(r"<n>|[^\W\d_]+|\d+|[^\w\s.'’]")


class FrequencyWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phrases of one frequency. The number in them is the count with `counted`, the gap with `hours` or `days`.

    `in_steps`: they say that doses follow each other, as "taper" does, and nothing of how often each is taken.
    """

    words: tuple[str, ...]
    a_day: float | None = None
    a_week: float | None = None
    hours: bool = False
    days: bool = False
    counted: bool = False
    time_of_day: bool = False
    at_the_end: bool = False
    in_steps: bool = False
    part: str = ""


class StaysPut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Medicines of `classes` or `ingredients`, else of any, that in these `forms` stay where they are put."""

    forms: tuple[str, ...]
    classes: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    per_cent: Literal["", "only", "also"] = ""
    any_dose: bool = False


class ListWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`list_words.yaml`. What each section means stands in that file."""

    frequencies: tuple[FrequencyWords, ...]
    as_needed: tuple[str, ...]
    routes: dict[str, tuple[str, ...]]
    local_routes: tuple[str, ...]
    forms: dict[str, tuple[str, ...]]
    local_forms: tuple[str, ...]
    rescue_forms: tuple[str, ...]
    releases: tuple[str, ...]
    salts: tuple[str, ...]
    makers: tuple[str, ...]
    reasons: dict[MedicineIndication, tuple[str, ...]]
    reason_words: tuple[str, ...]
    gravest_reasons: tuple[MedicineIndication, ...]
    statuses: dict[Status, tuple[str, ...]]
    before_names: dict[Status, tuple[str, ...]]
    no_allergies: tuple[str, ...]
    nothing: tuple[str, ...]
    since_words: tuple[str, ...]
    date_words: tuple[str, ...]
    months: tuple[str, ...]
    durations: tuple[str, ...]
    quantities: tuple[str, ...]
    refills: tuple[str, ...]
    numbers: dict[str, float]
    units: tuple[str, ...]
    volumes: tuple[str, ...]
    per: tuple[str, ...]
    amounts: tuple[str, ...]
    joins: tuple[str, ...]
    filler: tuple[str, ...]
    limits: tuple[str, ...]
    steps: dict[Steps | Literal["earlier"], tuple[str, ...]]
    if_words: tuple[str, ...]
    people: tuple[str, ...]
    before_brands: tuple[str, ...]
    switches: dict[Status, tuple[str, ...]]
    endings: dict[str, tuple[str, ...]]
    whole_only: tuple[str, ...]
    medicines_in_goals: tuple[str, ...] = ()
    with_a_number_sign: dict[str, str] = {}
    limits_behind: tuple[str, ...] = ()
    limits_a_day: tuple[str, ...] = ()
    directions: tuple[str, ...] = ()
    in_mg: dict[str, float] = {}
    units_of_activity: tuple[str, ...] = ()
    counted_singly: tuple[str, ...] = ()
    hours: tuple[str, ...] = ()
    millilitres: tuple[str, ...] = ()
    through_the_skin: tuple[str, ...] = ()
    other_ways_in: tuple[str, ...] = ()
    swallowed: tuple[str, ...] = ()
    stays_put: tuple[StaysPut, ...] = ()
    acts_through_the_skin: tuple[str, ...] = ()
    in_larger_amounts: tuple[str, ...] = ()
    in_larger_amounts_from: float = 0.0
    tells_no_strength: tuple[str, ...] = ()
    words_of_allergy: tuple[str, ...] = ()
    signs_of_allergy: tuple[str, ...] = ()
    against_allergies: tuple[str, ...] = ()
    negations: tuple[str, ...] = ()
    denials: tuple[str, ...] = ()
    remarks: RemarkWords = RemarkWords()
    ended: EndWords = EndWords()
    told: dict[str, ToldWords] = {}
    earlier_doses: tuple[str, ...] = ()
    tells_earlier: tuple[str, ...] = ()
    not_borne: tuple[str, ...] = ()
    kept_apart: tuple[str, ...] = ()
    kept_from: tuple[str, ...] = ()
    adds_up: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    leaves: dict[Status, tuple[str, ...]] = {}
    leaves_from: tuple[str, ...] = ()
    leaves_for: tuple[str, ...] = ()
    nothing_said: tuple[str, ...] = ()
    nothing_of: tuple[str, ...] = ()
    from_a_day: tuple[str, ...] = ()
    dated: tuple[str, ...] = ()
    unwilling: tuple[str, ...] = ()
    not_done: tuple[str, ...] = ()
    ended_it: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    without_it: tuple[str, ...] = ()
    money: tuple[str, ...] = ()
    measured_in_drops: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()
    unticked: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()
    in_vain: tuple[str, ...] = ()
    begins: tuple[str, ...] = ()
    begins_again: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    is_to: tuple[str, ...] = ()
    begins_so: tuple[str, ...] = ()
    put_on: tuple[str, ...] = ()
    body_sites: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    relatives_take: tuple[str, ...] = ()
    said_by: tuple[str, ...] = ()
    for_pets: tuple[str, ...] = ()
    pets: tuple[str, ...] = ()


class Meaning(NamedTuple):
    """What a phrase is (`kind`) and which one of its kind."""

    kind: str
    value: Any = None


Node: TypeAlias = dict[str, Any]
"""A step in the tree of phrases: the next word to the next step, and "" to the meaning of what was read so far."""


class Phrase(NamedTuple):
    """A phrase, cut as lines are cut, with its place in the file and its meaning."""

    path: tuple[str | int, ...]
    text: str
    cut: tuple[str, ...]
    meaning: Meaning


_GROUPS = ("routes", "forms", "reasons", "statuses", "steps", "switches", "leaves", "before_names")
_LISTS = (
    "as_needed",
    "releases",
    "salts",
    "makers",
    "reason_words",
    "no_allergies",
    "if_words",
    "people",
    "before_brands",
    "since_words",
    "date_words",
    "months",
    "durations",
    "quantities",
    "refills",
    "amounts",
    "joins",
    "filler",
    "limits",
)


def phrases(words: ListWords) -> Iterator[Phrase]:
    """Every phrase of the lists, in the order of the file."""
    for at, frequency in enumerate(words.frequencies):
        meaning = Meaning("frequency", frequency)
        for place, text in enumerate(frequency.words):
            yield Phrase(("frequencies", at, "words", place), text, parts(text), meaning)
    for section in _GROUPS:
        groups: Mapping[str, tuple[str, ...]] = getattr(words, section)
        for value, listed in groups.items():
            meaning = Meaning(section, value)
            for place, text in enumerate(listed):
                yield Phrase((section, value, place), text, parts(text), meaning)
    for section in _LISTS:
        yield from _listed(words, section, Meaning(section))


def _listed(words: ListWords, section: str, meaning: Meaning) -> Iterator[Phrase]:
    for place, text in enumerate(attrgetter(section)(words)):
        yield Phrase((section, place), text, parts(text), meaning)


def _graft(node: Node, behind: Node) -> bool:
    """Put all of `behind` below a step, and say whether something stood there already. What both have is copied."""
    twice = False
    for word, below in behind.items():
        if word == "":
            twice |= word in node
            node[word] = below
        elif word in node:
            node[word] = dict(node[word])
            twice |= _graft(node[word], below)
        else:
            node[word] = below
    return twice


def parts(phrase: str) -> tuple[str, ...]:
    """The words, figures and signs of a phrase, as a line is cut into them."""
    return (phrase,) if phrase.isalpha() else tuple(_PART.findall(phrase))


_PRODUCTS = (
    ("relatives", "relatives_take", Meaning("statuses", "not_taken")),
    ("for_pets", "pets", Meaning("statuses", "not_taken")),
    ("said_by", "relatives", Meaning("filler")),
    ("put_on", "body_sites", Meaning("filler")),
    ("wishes", "begins", Meaning("statuses", "not_taken")),
    ("from_a_day", "ended.weekdays", Meaning("statuses", "on_hold")),
    ("dated", "ended.weekdays", Meaning("date_words")),
    ("unwilling", "ends", Meaning("statuses", "taking")),
    ("unwilling", "begins", Meaning("statuses", "not_taken")),
    ("not_done", "ended_it", Meaning("statuses", "taking")),
    ("cannot", "without_it", Meaning("statuses", "taking")),
    ("wishes", "begins_again", Meaning("statuses", "on_hold")),
    ("is_to", "begins_so", Meaning("statuses", "on_hold")),
    ("wishes", "ends", Meaning("statuses", "taking")),
    ("is_to", "ends", Meaning("statuses", "taking")),
    ("in_vain", "ends", Meaning("statuses", "taking")),
)
"""Two lists of which each phrase of the first stands before each one of the second, and what they mean together."""


class Flaw(NamedTuple):
    """Something wrong with the file, at a path in it."""

    path: tuple[str | int, ...]
    problem: str
    mend: str


class Phrases:
    """All phrases as a tree of their words, and what is wrong with the lists.

    A phrase that stands twice is a flaw, for it would mean two things; so is a token that no list has.
    """

    def __init__(self, words: ListWords) -> None:
        self.tree: Node = {NUMBER: {}}
        self.flaws: list[Flaw] = []
        for phrase in phrases(words):
            self._add(self.tree, phrase)
        for first, second, meaning in _PRODUCTS:
            self._add_product(words, first, second, meaning)
        self.plain: Node = {
            word: node
            for word, node in self.tree.items()
            if word.isalpha() and word not in words.numbers and NUMBER not in node
        }
        """The steps of words that are no numbers, and that no number follows in a phrase."""
        self._check(words)

    def _add(self, tree: Node, phrase: Phrase) -> None:
        node = self._end_of(tree, phrase)
        if "" in node:
            self._stands_twice(phrase)
        node[""] = phrase.meaning

    def _end_of(self, node: Node, phrase: Phrase) -> Node:
        """The step at the end of a phrase; one that stands nowhere in the tree for a phrase that no line can hold."""
        if not phrase.cut or phrase.text != (phrase.text.lower() if phrase.text.isascii() else plain(phrase.text)[0]):
            problem = f"No line can hold {phrase.text!r}."
            self.flaws.append(Flaw(phrase.path, problem, "Write it without capitals and accents."))
            return {}
        for word in phrase.cut:
            node = node.setdefault(word, {})
        return node

    def _stands_twice(self, phrase: Phrase) -> None:
        self.flaws.append(Flaw(phrase.path, f"{phrase.text!r} stands in two places.", "Keep it in one of them."))

    def _add_product(self, words: ListWords, first: str, second: str, meaning: Meaning) -> None:
        """Put the phrases of the second list behind each of the first: one tree of them, which all of these share."""
        behind: Node = {}
        for phrase in _listed(words, second, meaning):
            self._add(behind, phrase)
        for phrase in _listed(words, first, meaning):
            if _graft(self._end_of(self.tree, phrase), behind):
                self._stands_twice(phrase)

    def _check(self, words: ListWords) -> None:
        for section, known in (
            ("local_routes", words.routes),
            ("local_forms", words.forms),
            ("rescue_forms", {**words.forms, **words.routes}),
            ("swallowed", {**words.forms, **words.routes}),
            ("through_the_skin", {**words.forms, **words.routes}),
            ("other_ways_in", {**words.forms, **words.routes}),
            ("gravest_reasons", words.reasons),
            ("limits_behind", words.limits),
            ("limits_a_day", words.limits),
            ("directions", words.filler),
            ("tells_earlier", words.filler),
            ("counted_singly", words.forms),
            ("measured_in_drops", words.forms),
            ("again", words.statuses.get("taking", ())),
            ("earlier_doses", words.statuses.get("stopped", ())),
            ("not_borne", words.statuses.get("stopped", ())),
        ):
            for place, token in enumerate(getattr(words, section)):
                if token not in known:
                    self.flaws.append(Flaw((section, place), f"There is no {token}.", "Use a token of the lists above."))
        for at, kind in enumerate(words.stays_put):
            for place, form in enumerate(kind.forms):
                if form not in words.forms and form not in words.routes:
                    mend = "Use a token of the lists above."
                    self.flaws.append(Flaw(("stays_put", at, "forms", place), f"There is no {form}.", mend))
        for place, token in enumerate(words.ended.perhaps):
            if token not in words.statuses.get("on_hold", ()):
                problem, mend = f"No status on_hold is called {token!r}.", "Write it under on_hold of statuses as well."
                self.flaws.append(Flaw(("ended", "perhaps", place), problem, mend))
