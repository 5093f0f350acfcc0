"""A line as most of a list are, such as "sertraline 50 mg tablet, take 1 tablet daily for anxiety", read in one pass.

It begins with a name, its words stand one space apart, and each of them says one thing wherever it stands. Any other line
is left to the reader of all lines, which reads these in the same way: tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from careplan.recognition.figures import figure
from careplan.recognition.how_often import how_often, values
from careplan.recognition.line import Amount, Draft, Frequency, Listed, Named, Reason, Strength, Stretch, Word
from careplan.recognition.line_state import MOST_WORDS_OF_A_NAME
from careplan.recognition.line_tables import Tables
from careplan.recognition.list_words import NUMBER, FrequencyWords, Meaning, Node
from careplan.recognition.name_index import FIRST

BESIDE_A_NAME = frozenset(("salts", "releases", "makers"))
"""Directly behind a name these are no medicine of their own: "atorvastatin calcium"."""
_PLACE_STAYS = frozenset(("filler", "amounts", *BESIDE_A_NAME))
_STOPS, _DASH = frozenset(",:"), "-"
"""Signs directly behind a word, and one between spaces: what follows them is said of the same medicine, or names another."""
_GOES_ON = (["to"], ["bis"], ["a"], ["-"])
_PIECES = frozenset(("forms", "amounts"))


def usual_line(text: str, folded: str, tables: Tables) -> Listed | None:
    """The medicine of a line in plain ASCII; None where the line is of another kind."""
    words: list[str] = folded.split(" ")
    stops: Mapping[int, str] = {}
    if "," in folded or ":" in folded:
        stops = {at: word[-1] for at, word in enumerate(words) if word[-1:] in _STOPS}
        words = [word[:-1] if at in stops else word for at, word in enumerate(words)]
    if words[-1][-1:] == ".":
        words[-1] = words[-1][:-1]
    named = _name(words, stops, tables)
    return None if named is None else _Reading(text, words, stops, tables).read(*named)


def _name(words: list[str], stops: Mapping[int, str], tables: Tables) -> tuple[Any, int] | None:
    """What the longest name at the beginning means, and the word behind it."""
    key = words[0]
    if not key.isalpha() or len(key) < 2 or key in tables.tree or key in tables.numbers or key in tables.opens_nothing:
        return None
    names, end = tables.index.names, 1
    found, longest = 1 if key in names else 0, key
    for word in words[1:MOST_WORDS_OF_A_NAME]:
        if not word.isalpha():
            if word == _DASH:
                break
            if word[:1].isdigit() and key not in tables.index.before_figures:
                break
            if word[:1] == "(":
                break
            return None
        key += word
        end += 1
        if key in names:
            found, longest = end, key
    if not found or longest in tables.whole_only or (found > 1 and (stops or words[found - 1] in tables.forms)):
        return None
    meaning = tables.meaning(longest)
    return None if meaning is None else (meaning, found)


class _Reading:
    """What follows the name, phrase by phrase. `_last` is the kind of what was read before."""

    __slots__ = ("_directed", "_draft", "_last", "_may_be_named", "_stops", "_tables", "_text", "_words")

    def __init__(self, text: str, words: list[str], stops: Mapping[int, str], tables: Tables) -> None:
        self._text, self._words, self._stops, self._tables = text, words, stops, tables
        self._draft = Draft()
        self._last, self._may_be_named, self._directed = "name", True, False

    def read(self, meaning: Any, at: int) -> Listed | None:
        """The medicine, of which the name ends before word `at`."""
        text, words, stops, tables, draft = self._text, self._words, self._stops, self._tables, self._draft
        opening, numbers, count = tables.in_letters, tables.numbers, len(words)
        place = _end_of(words, 0, at, 0)
        draft.names.append(Named(text[:place], 0, place, meaning))
        while True:
            is_parted = at - 1 in stops
            if is_parted and not self._parted(stops[at - 1], at):
                return None
            place += is_parted
            if at == count:
                return draft.listed(tables)
            word, start = words[at], place + 1
            node = opening.get(word)
            if node is None:
                end = self._figure(at, start) if word[:1].isdigit() else self._brand_or_dash(at, start)
                if not end:
                    return None
                place = _end_of(words, at, end, start)
                at = end
                continue
            said, end = (node.get(""), at + 1) if len(node) == 1 else self._phrase(node, at)
            if said is None or (word in numbers and not 0 < self._phrase(tables.tree[NUMBER], at)[1] <= end):
                return None
            kind, value = said
            place = start + len(word) if end == at + 1 else _end_of(words, at, end, start)
            if self._may_be_named:
                if self._last in ("name", ")") and kind in BESIDE_A_NAME:
                    at = end
                    continue
                if word in tables.beginnings and self._may_go_on(at, word):
                    return None
            if kind in _PLACE_STAYS:
                self._directed = self._directed or word in tables.directions
                if kind != "filler" or self._last != "reason_words":
                    self._last = kind
                at = end
                continue
            if kind == "frequency" and not (value.at_the_end or value.in_steps):
                draft.frequencies.append(self._frequency(value, at, end, start, place))
                self._directed = False
            elif not self._keep(kind, value, Stretch(text[start:place], start, place)):
                return None
            self._last, self._may_be_named = kind, False
            at = end

    def _parted(self, sign: str, at: int) -> bool:
        """Note a sign before word `at`; False where it may say more, as in "benzos: none"."""
        self._last, self._may_be_named = sign, True
        following = self._words[at : at + 1]
        return sign not in self._tables.tree and self._tables.denials.isdisjoint(following)

    def _keep(self, kind: str, value: Any, stretch: Stretch) -> bool:
        """Keep what a phrase says of form, way in or reason; False for any other phrase."""
        draft = self._draft
        if kind in ("forms", "routes"):
            kept = draft.forms if kind == "forms" else draft.routes
            kept.append(Word(stretch.text, stretch.start, stretch.end, value))
        elif kind == "reasons":
            draft.reasons.append(Reason(stretch.text, stretch.start, stretch.end, value))
        elif kind == "as_needed":
            draft.single.setdefault(kind, stretch)
        else:
            return kind == "reason_words"
        return True

    def _may_go_on(self, at: int, word: str) -> bool:
        """Whether a name may begin with this word of everyday."""
        signs, words = self._tables.beginnings[word], self._words
        following = words[at + 1][:1] if at + 1 < len(words) and at not in self._stops else ""
        return "" in signs or following in signs or not following.isalnum()

    def _phrase(self, node: Node, at: int) -> tuple[Meaning | None, int]:
        """The longest phrase from this word on, and the word behind it; None where a number may go on in it."""
        words, stops, count = self._words, self._stops, len(self._words)
        meaning, end, behind = node.get(""), at + 1, at + 1
        while behind < count:
            if behind - 1 in stops:
                return (None, 0) if stops[behind - 1] in node else (meaning, end)
            word = words[behind]
            step = node.get(word)
            if NUMBER in node and (word[:1].isdigit() or word in self._tables.numbers):
                if step is not None or not self._is_one_number(behind):
                    return None, 0
                step = node[NUMBER]
            if step is None:
                break
            node, behind = step, behind + 1
            if "" in node:
                meaning, end = node[""], behind
        return meaning, end

    def _is_one_number(self, at: int) -> bool:
        """Whether a number ends with this word, as "every 4 to 6 hours" does not behind the first."""
        words = self._words
        return words[at].isalpha() or (words[at].isdecimal() and words[at + 1 : at + 2] not in _GOES_ON)

    def _frequency(self, said: FrequencyWords, at: int, end: int, start: int, place: int) -> Frequency:
        counts = end > at + 1 and (said.counted or said.hours or said.days)
        numbers = values(self._words[at:end], self._tables.numbers) if counts else []
        how = how_often(said, numbers)
        weekdays = () if how[0] != "weekly" else self._tables.days_named(self._words[at:end])
        return Frequency(self._text[start:place], start, place, *how, said.part, weekdays)

    def _figure(self, at: int, start: int) -> int:
        """The word behind "10 mg", "10mg" or "1 tablet"; 0 for any other figure."""
        words, tables, draft, word = self._words, self._tables, self._draft, self._words[at]
        unit, end, figures = words[at + 1] if at + 1 < len(words) else "", at + 2, word
        if not word[-1:].isdigit():
            figures = word.rstrip("abcdefghijklmnopqrstuvwxyz")
            unit, end = word[len(figures) :], at + 1
        elif at in self._stops:
            return 0
        amount = float(figures) if figures.isdecimal() else figure(figures)
        if amount is None:
            return 0
        if unit in tables.plain_units:
            if words[end : end + 1] == ["per"]:
                return 0
            place = _end_of(words, at, end, start)
            draft.strengths.append(
                Strength(self._text[start:place], start, place, amount, unit, "", self._directed, bare=True)
            )
            self._last, self._may_be_named, self._directed = "strength", False, False
            return end
        is_a_name = (figures + unit)[:FIRST] in tables.index.begin_with_figures
        if is_a_name or end == at + 1 or unit in tables.behind_figures or unit not in tables.pieces:
            return 0
        if unit in tables.few.get(figures, (unit,)):
            return 0
        return self._pieces(amount, at, start)

    def _pieces(self, count: float, at: int, start: int) -> int:
        words, draft, text = self._words, self._draft, self._text
        said, end = self._phrase(self._tables.tree[words[at + 1]], at + 1)
        if said is None or said.kind not in _PIECES:
            return 0
        of = str(said.value or words[at + 1])
        if of in self._tables.measured_in_drops:
            return 0
        place, begin = _end_of(words, at, end, start), start + len(words[at]) + 1
        draft.amounts.append(Amount(text[start:place], start, place, count or None, of))
        if said.kind == "forms":
            draft.forms.append(Word(text[begin:place], begin, place, of))
        self._may_be_named = self._may_be_named and self._last != "name"
        self._last, self._directed = "amount", False
        return end

    def _brand_or_dash(self, at: int, start: int) -> int:
        """The word behind a dash, or behind a brand in brackets directly after the name, "sertraline (Zoloft)"; else 0."""
        tables, word = self._tables, self._words[at]
        if word == _DASH:
            return at + 1 if self._parted(word, at + 1) else 0
        key = word[1:-1]
        if self._last != "name" or word[:1] != "(" or word[-1:] != ")" or not key.isalpha():
            return 0
        if key not in tables.index.names or key in tables.tree or key in tables.numbers or key in tables.whole_only:
            return 0
        meaning = tables.meaning(key)
        if meaning is None:
            return 0
        end = start + len(word) - 1
        self._draft.names.append(Named(self._text[start + 1 : end], start + 1, end, meaning))
        self._last = ")"
        return at + 1


def _end_of(words: list[str], at: int, end: int, start: int) -> int:
    """The place behind word `end` - 1, where word `at` begins at `start`."""
    return start + sum(map(len, words[at:end])) + end - at - 1
