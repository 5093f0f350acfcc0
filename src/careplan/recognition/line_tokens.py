"""A line cut into words, figures and signs, and the phrases that stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from careplan.recognition.figures import figure
from careplan.recognition.list_words import NUMBER, Meaning, Node

_LETTER = r"[^\W\d_]"
_PATTERN = (
    rf"{_LETTER}+(?:'{_LETTER}+|\.{_LETTER}(?!{_LETTER}))*"  # words; q.d., p.r.n; John's
    r"|(?:19|20)\d\d[/-]\d\d?[/-]\d\d?|\d\d?[/.-]\d\d?[/.-](?:19|20)?\d\d(?![\d-])|\d\d?[/-](?:19|20)\d\d"  # dates
    r"|\d+(?:[.,/]\d+)?(?:\s?-\s?\d+(?:[.,/]\d+)?){2,3}(?![\d.])"  # 1-0-1
    r"|(?:\d+(?:[.,]\d+)*|(?<!\w)[.,]\d+)(?:\s?(?:-|to\b|bis\b|a\b(?=\s?\d))\s?\d+(?:[.,]\d+)*)?"  # 5, 1,000, .5, 1-2
    r"|(?<=\s)-+(?=\s)"
    r"|[^\w\s.'-]|\n"
)
_TOKEN = re.compile(_PATTERN)
_TOKEN_IN_ASCII = re.compile(_PATTERN.replace(_LETTER, "[a-z]"), re.ASCII)
"""The same for what most lines are, in half the time."""
_BULLET = re.compile(
    r"\s*(?:[-*•·◦▪‣●○■□→>~+–]+\s*|\(?\d{1,2}[.)](?:\s+|(?=[^\W\d]))|\(?[a-h]\)\s*|#\d{1,2}[:.)]?\s+|\[[ x]?\]\s*)+"
)


class Tokens:
    """The tokens of one line. `words` are without dots and apostrophes: "q.d." is "qd"."""

    __slots__ = ("_found", "_numbers", "_places", "_text", "_tree", "folded", "words")

    def __init__(self, text: str, folded: str, places: Sequence[int], tree: Node, numbers: Mapping[str, float]) -> None:
        self.folded, self._text, self._places = folded, text, places
        self._tree, self._numbers = tree, numbers
        begin = 0
        if not folded[:2].isalpha() and (bullet := _BULLET.match(folded)) is not None and bullet.end() < len(folded):
            begin = bullet.end()
        pattern = _TOKEN_IN_ASCII if folded.isascii() else _TOKEN
        found = list(pattern.finditer(folded, begin))
        if "(" in folded:
            found = _said_once(found, numbers)
        self._found = found
        self.words = [match[0] for match in found]
        if "." in folded or "'" in folded:
            self.words = [word.replace(".", "").replace("'", "") if word[0].isalpha() else word for word in self.words]

    def is_number(self, word: str) -> bool:
        """True for figures and for numbers in words."""
        return word[0].isdigit() or word in self._numbers

    def phrase(self, at: int) -> tuple[Meaning | None, int]:
        """The longest phrase that begins here, and the token behind it."""
        word = self.words[at]
        node = self._tree.get(word)
        best: tuple[Meaning | None, int] = (None, at) if node is None else self._longest(node, at + 1)
        if word[0].isdigit() or word in self._numbers:
            other = self._longest(self._tree[NUMBER], at + 1)
            return other if other[1] > best[1] else best
        return best

    def _longest(self, node: Node, end: int) -> tuple[Meaning | None, int]:
        if len(node) == 1 and "" in node:  # the end of a phrase, as most are
            return node[""], end
        words, count = self.words, len(self.words)
        best: tuple[Meaning | None, int] = (None, 0)
        while True:
            meaning = node.get("")
            if meaning is not None and end >= best[1]:
                best = (meaning, end)
            if end == count:
                return best
            word = words[end]
            step = node.get(word)
            if (numbered := node.get(NUMBER)) is not None and self.is_number(word):
                if step is None:
                    step = numbered
                else:
                    other = self._longest(numbered, end + 1)
                    best = other if other[1] > best[1] else best
            if step is None:
                return best
            node, end = step, end + 1

    def stretch(self, at: int, end: int) -> tuple[str, int, int]:
        """The text from token `at` up to but not including token `end`, with its place in the text that was sent."""
        found, places = self._found, self._places
        start, behind = places[found[at].start()], places[found[end - 1].end() - 1] + 1
        return self._text[start:behind], start, behind

    def start(self, at: int) -> int:
        """Where token `at` begins in the plain text."""
        return self._found[at].start()

    def between(self, at: int) -> str:
        """The plain text between token `at` and the one before it."""
        return self.folded[self._found[at - 1].end() : self._found[at].start()]

    def behind(self, at: int, place: int) -> int:
        """The first token from `at` on that begins at or behind `place` of the plain text."""
        end, found = at, self._found
        while end < len(found) and found[end].start() < place:
            end += 1
        return end

    def found(self, match: re.Match[str]) -> tuple[str, int, int]:
        """The text of a match in the plain text, with its place in the text that was sent."""
        start, behind = self._places[match.start()], self._places[match.end() - 1] + 1
        return self._text[start:behind], start, behind


def _said_once(found: list[re.Match[str]], numbers: Mapping[str, float]) -> list[re.Match[str]]:
    """Tokens without a number in brackets that says the one before it again, as in "3 (three) times daily"."""
    opened = [at for at, match in enumerate(found[:-2]) if at and match[0] == "(" and found[at + 2][0] == ")"]
    for at in reversed(opened):
        value, again = (_value(found[place][0], numbers) for place in (at - 1, at + 1))
        if value is not None and value == again:
            del found[at : at + 3]
    return found


def _value(word: str, numbers: Mapping[str, float]) -> float | None:
    return numbers.get(word) if word[0].isalpha() else figure(word)
