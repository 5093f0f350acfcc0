"""Finding phrases of word lists in what a person wrote.

A text becomes a row of words in which numbers, times of day and dates are signs. All phrases of all lists stand in one
tree, so that a single walk over the words finds every one of them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, product
from typing import NamedTuple, TypeAlias

from careplan.recognition.spelling import plain_text

MOST_SKIPPED = 2
"""So many filler words may stand between two words of a phrase."""

NUMBER, TIME, DATE, MEDICINE = "{number}", "{time}", "{date}", "{medicine}"
"""The signs that stand for any number, time of day, date or name of a medicine."""

_WORD = re.compile(r"\d+(?:[:.,/]\d+)*|[^\W\d_]+|[,;.&+/!?]")
_IN_A_PHRASE = re.compile(rf"\{{\w+\}}|{_WORD.pattern}")
_THOUSANDS = re.compile(r",(?=\d{3}(?:\D|$))")
_FRACTIONS = {"1/2": 0.5, "1/3": 1 / 3, "2/3": 2 / 3, "1/4": 0.25, "3/4": 0.75}


class Span(NamedTuple):
    """Where a phrase was found: the words from `start` up to `end`, and what its list says of it."""

    start: int
    end: int
    value: str = ""


Found: TypeAlias = Mapping[str, Sequence[Span]]
"""What was found in a text: the spans of each list by its name, in the order of their starts."""


Rows: TypeAlias = Collection[tuple[str, ...]]
"""The rows of words that may stand in one place of a phrase."""


class PhraseTree:
    """Phrases by their first word, then their second, and so on; `ends` are the lists whose phrase is complete here.

    Much is the same after several words, such as the forms of one, so nodes are shared: none is changed once it follows a
    word, and where more phrases come to it another one takes its place.
    """

    __slots__ = ("children", "ends")

    def __init__(self, ends: tuple[tuple[str, str], ...] = ()) -> None:
        self.children: dict[str, PhraseTree] = _NOTHING_BELOW
        self.ends = ends

    def add(self, phrase: Iterable[str], kind: str, value: str = "") -> None:
        """Let `phrase` be found as one of the list `kind`, with `value` in its span."""
        self.add_all([[tuple(phrase)]], kind, value)

    def add_all(self, phrase: Sequence[Rows], kind: str, value: str = "") -> None:
        """The same for every phrase that has one of the rows of the first place, then one of the second, and so on."""
        self._add(phrase, PhraseTree(((kind, value),)))

    def add_endings(self, first: Iterable[str], lasts: Iterable[str], kinds: Iterable[str]) -> None:
        """Let the words of `first` with any word of `lasts` be found as one of each list of `kinds`."""
        phrase = [*([(word,)] for word in first), [(last,) for last in lasts]]
        self._add(phrase, PhraseTree(tuple([(kind, "") for kind in kinds])))

    def _add(self, phrase: Sequence[Rows], last: PhraseTree) -> None:
        rest = last
        for rows in reversed(phrase):
            before = PhraseTree()
            for first, *others in rows:
                after = rest
                for word in reversed(others):
                    after = PhraseTree()._followed(word, after)
                before._followed(first, after)
            rest = before
        self._take_in(rest)

    def _followed(self, word: str, after: PhraseTree) -> PhraseTree:
        """Let a word lead on to another node besides what it led on to already; gives this node."""
        if self.children is _NOTHING_BELOW:
            self.children = {}
        there = self.children.get(word)
        self.children[word] = after if there is None else there._with(after)
        return self

    def _with(self, other: PhraseTree) -> PhraseTree:
        both = PhraseTree(self.ends)
        if self.children:
            both.children = dict(self.children)
        both._take_in(other)
        return both

    def _take_in(self, other: PhraseTree) -> None:
        """Add all phrases of another node to this one."""
        if self.ends != other.ends:
            self.ends += tuple([end for end in other.ends if end not in self.ends])
        if other.children and self.children is _NOTHING_BELOW:
            self.children = dict(other.children)
            return
        joined: dict[tuple[int, int], PhraseTree] = {}
        for word, after in other.children.items():
            there = self.children.get(word)
            if there is None:
                self.children[word] = after
            elif there is not after:
                pair = id(there), id(after)
                if pair not in joined:
                    joined[pair] = there._with(after)
                self.children[word] = joined[pair]

    def find(self, words: Sequence[str], fillers: frozenset[str] = frozenset()) -> dict[str, list[Span]]:
        """Every phrase in `words` by its list, in the order of starts. No phrase is long, so the work is linear."""
        found: dict[str, list[Span]] = {}
        opening, count = self.children, len(words)
        for start, first in enumerate(words):
            begun = opening.get(first)
            todo = [] if begun is None else [(begun, start + 1)]
            while todo:
                node, at = todo.pop()
                for kind, value in node.ends:
                    found.setdefault(kind, []).append(Span(start, at, value))
                below = node.children
                if not below:
                    continue
                for ahead in range(at, min(at + MOST_SKIPPED + 1, count)):
                    word = words[ahead]
                    child = below.get(word)
                    if child is not None:
                        todo.append((child, ahead + 1))
                    if word not in fillers:
                        break
        return found


_NOTHING_BELOW: dict[str, PhraseTree] = {}
"""Of every node without children; never written to."""


def words_of(text: str, pattern: re.Pattern[str] = _WORD) -> list[str]:
    """Words, numbers and marks of a text, without case, accents, apostrophes and invisible characters."""
    plain = plain_text(text).replace("'", "")
    if not plain.isascii():
        # Upper case first: some letters, such as the dotless i, fold to one form only that way round.
        decomposed = unicodedata.normalize("NFKD", plain.upper().casefold()).replace("\N{FRACTION SLASH}", "/")
        plain = "".join(char for char in decomposed if unicodedata.category(char) not in ("Mn", "Me", "Cf"))
    return pattern.findall(plain.lower())


def symbols_in(text: str) -> bool:
    """Whether a text has signs that `words_of` passes over though they may mean something, such as a picture of a weapon."""
    plain = plain_text(text)
    return not plain.isascii() and any(unicodedata.category(char) in ("So", "Cn", "Co") for char in plain)


def valued(word: str, numbers: Mapping[str, float]) -> tuple[str, float]:
    """A number as its sign and value, a time of day or a date as its sign, any other word as itself."""
    if not word[0].isdecimal():
        return (NUMBER, numbers[word]) if word in numbers else (word, 0.0)
    if word in _FRACTIONS:
        return NUMBER, _FRACTIONS[word]
    if ":" in word or "/" in word:
        return (TIME if ":" in word else DATE), 0.0
    plain = _THOUSANDS.sub("", word).replace(",", ".")
    return NUMBER, float(plain if plain.count(".") < 2 else plain.split(".")[0])


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "z", "ch", "sh", "o")) else f"{word}s"


def _forms(word: str) -> set[str]:
    """A word and its likely endings. Those that do not exist do no harm: nobody writes them."""
    if len(word) < 3 and word not in ("go", "do", "be"):
        return {word}
    forms = {word, _plural(word), f"{word}ing", f"{word}ed"}
    if word.endswith("ie"):
        forms |= {f"{word[:-2]}ying", f"{word}d"}
    elif word.endswith("e"):
        forms |= {f"{word[:-1]}ing", f"{word}d"}
    elif word.endswith("y"):
        forms.add(f"{word[:-1]}ied")
    elif word[-1] not in "aiouwx":
        forms |= {f"{word}{word[-1]}ing", f"{word}{word[-1]}ed"}
    return forms


Spelled = dict[tuple[str, int], set[tuple[str, ...]]]
"""Lists that were spelled out before, by name and by how deep in other lists they were named."""


def places(
    phrase: str, numbers: Mapping[str, float], lists: Mapping[str, Sequence[str]], spelled: Spelled, depth: int = 0
) -> list[Rows]:
    """What may stand in each place of a phrase.

    `lists` in braces are spelled out (also in the plural), the first word stands in all its forms.
    `spelled` saves work between phrases of the same lists and numbers; begin with an empty one.
    Raises ValueError for a phrase without words, an unknown or empty list, and lists that name each other in circles.
    """
    read = words_of(phrase, _IN_A_PHRASE)
    if not read or depth > 3:
        raise ValueError(f"the phrase “{phrase}” has no words" if not read else f"the lists in “{phrase}” go in circles")
    parts: list[Rows] = []
    for at, word in enumerate(read):
        if word in (NUMBER, TIME, DATE, MEDICINE):
            parts.append([(word,)])
        elif word.startswith("{"):
            if word[1:-1] not in lists:
                raise ValueError(f"there is no list {word}, which the phrase “{phrase}” names")
            rows = spelled.get((word, depth))
            if rows is None:
                entries = lists[word[1:-1]]
                rows = {row for entry in entries for row in spellings(entry, numbers, lists, spelled, depth + 1)}
                spelled[word, depth] = rows
            if not rows:
                raise ValueError(f"the list {word}, which the phrase “{phrase}” names, is empty")
            parts.append(rows)
        else:
            sign, _ = valued(word, numbers)
            inflected = at == 0 and sign == word and word.isalpha()
            parts.append(
                [(form,) for form in ((_forms(word) if not depth else {word, _plural(word)}) if inflected else [sign])]
            )
    return parts


def spellings(
    phrase: str, numbers: Mapping[str, float], lists: Mapping[str, Sequence[str]], spelled: Spelled, depth: int = 0
) -> Iterator[tuple[str, ...]]:
    """Every row of words that a phrase stands for; see `places`."""
    for row in product(*places(phrase, numbers, lists, spelled, depth)):
        yield tuple(word for part in row for word in part)


def outside(found: Found, kind: str, cover: str) -> list[Span]:
    """The spans of one list that do not lie inside a span of another."""
    return uncovered(found.get(kind, ()), found.get(cover, ()))


def uncovered(spans: Iterable[Span], covers: Collection[Span]) -> list[Span]:
    """The spans that do not lie inside one of the covers."""
    if not covers:
        return list(spans)
    ordered = sorted(covers)
    reach = list(accumulate((cover.end for cover in ordered), max))
    starts = [cover.start for cover in ordered]
    return [span for span in spans if not (at := bisect_left(starts, span.start + 1)) or reach[at - 1] < span.end]


def longest(spans: Iterable[Span]) -> list[Span]:
    """From the left, the longest of the spans that overlap."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.value)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def pairs(these: Sequence[Span], near: Iterable[Span], before: int, after: int) -> Iterator[Span]:
    """The stretches from one of `these` to one of `near` with fewer than `before` words between, or back with `after`."""
    starts = [span.start for span in these]
    for span in near:
        at = bisect_left(starts, span.start)
        if at and span.start - these[at - 1].end < before:
            yield Span(these[at - 1].start, span.end)
        if at < len(these) and these[at].start - span.end < after:
            yield Span(span.start, max(these[at].end, span.end))


def number_in(span: Span, values: Mapping[int, float]) -> float:
    """The value of the first number in a span, 1 if it has none."""
    return next((values[at] for at in range(span.start, span.end) if at in values), 1.0)
