"""A line cut into words, figures and signs, and the phrases that stand in it."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

from careplan.recognition.figures import figure
from careplan.recognition.list_words import NUMBER, Meaning, Node, Phrases

_LETTER = r"[^\W\d_]"
_PATTERN = (
    rf"( ?)({_LETTER}++(?!['.])|{_LETTER}+(?:'{_LETTER}+|\.{_LETTER}(?!{_LETTER}))*"  # words; q.d., p.r.n; John's
    r"|(?<!\d )[0-4](?: [0-4]){3}(?! ?[\d.,/%-])"  # 1 0 0 1, columns of a plan
    r"|\d++(?= [c-su-z])"  # 10 mg, as most figures stand
    r"|(?:19|20)\d\d[/-]\d\d?[/-]\d\d?|\d\d?[/.-]\d\d?[/.-](?:19|20)?\d\d(?![\d-])|\d\d?[/-](?:19|20)\d\d"  # dates
    r"|\d+(?:[.,/]\d+)?(?:\s?-\s?\d+(?:[.,/]\d+)?){2,3}(?![\d.])"  # 1-0-1
    r"|(?:\d+(?:[.,]\d+)*|(?<!\w)[.,]\d+)(?:\s?(?:-|to\b|bis\b|a\b(?=\s?\d))\s?\d+(?:[.,]\d+)*)?"  # 5, 1,000, .5, 1-2
    r"|(?<=\s)-+(?=\s)"
    r"|[^\w\s.'-]|\n)"
)
_TOKEN = re.compile(_PATTERN)
_TOKEN_IN_ASCII = re.compile(_PATTERN.replace(_LETTER, "[a-z]"), re.ASCII)
"""The same for what most lines are, in half the time. Both cut a line into what stands between, a space, a token ..."""
_BULLET = re.compile(
    r"\s*(?:[-*•·◦▪‣●○■□→>~+–]+\s*|\(?\d{1,2}[.)](?:\s+|(?=[^\W\d]))|\(?[a-h]\)\s*|#\d{1,2}[:.)]?\s+|\[[ x]?\]\s*)+"
)


class Tokens:
    """The tokens of one line. `words` are without dots and apostrophes: "q.d." is "qd".

    `starts` and `ends` are their places in the plain text, `sent_starts` and `sent_ends` those in the text that was sent.
    """

    __slots__ = ("_numbers", "_phrases", "_places", "ends", "folded", "sent_ends", "sent_starts", "starts", "text", "words")

    def __init__(
        self, text: str, folded: str, places: Sequence[int], phrases: Phrases, numbers: Mapping[str, float]
    ) -> None:
        self.folded, self.text, self._places = folded, text, places
        self._phrases, self._numbers = phrases, numbers
        begin = 0
        if not folded[:2].isalpha() and (bullet := _BULLET.match(folded)) is not None and bullet.end() < len(folded):
            begin = bullet.end()
        pattern = _TOKEN_IN_ASCII if folded.isascii() else _TOKEN
        if begin:
            found = list(pattern.finditer(folded, begin))
            words = [match[2] for match in found]
            self.starts = [match.start(2) for match in found]
            self.ends = [match.end() for match in found]
        else:
            cut = pattern.split(folded)
            stops = list(accumulate(map(len, cut)))
            words, self.starts, self.ends = cut[2::3], stops[1::3], stops[2::3]
        if "(" in words:
            self._say_once(words, numbers)
        if isinstance(places, range):
            self.sent_starts, self.sent_ends = self.starts, self.ends
        else:
            self.sent_starts = [places[start] for start in self.starts]
            self.sent_ends = [places[end - 1] + 1 for end in self.ends]
        if "." in folded or "'" in folded:
            words = [word.replace(".", "").replace("'", "") if word[0].isalpha() else word for word in words]
        self.words = words

    def _say_once(self, words: list[str], numbers: Mapping[str, float]) -> None:
        """Leave out a number in brackets that says the one before it again, as in "3 (three) times daily"."""
        opened = [at for at, word in enumerate(words[:-2]) if at and word == "(" and words[at + 2] == ")"]
        for at in reversed(opened):
            value, again = (_value(words[place], numbers) for place in (at - 1, at + 1))
            if value is not None and value == again:
                for several in (words, self.starts, self.ends):
                    del several[at : at + 3]

    def is_number(self, word: str) -> bool:
        """True for figures and for numbers in words."""
        return word[0].isdigit() or word in self._numbers

    def phrase(self, at: int) -> tuple[Meaning | None, int]:
        """The longest phrase that begins here, and the token behind it."""
        words = self.words
        word = words[at]
        node = self._phrases.plain.get(word)
        if node is not None:
            # Most words mean something by themselves or with the next one, which begins nothing longer.
            step = node.get(words[at + 1]) if at + 1 < len(words) else None
            if step is None:
                return node.get(""), at + 1
            if len(step) == 1 and "" in step:
                return step[""], at + 2
        node = self._phrases.tree.get(word)
        best: tuple[Meaning | None, int] = (None, at) if node is None else self._longest(node, at + 1)
        if word in self._numbers or word[0].isdigit():
            other = self._longest(self._phrases.tree[NUMBER], at + 1)
            return other if other[1] > best[1] else best
        return best

    def _longest(self, node: Node, end: int) -> tuple[Meaning | None, int]:
        best: tuple[Meaning | None, int] = (None, 0)
        for word in self.words[end:]:
            meaning = node.get("")
            if meaning is not None and end >= best[1]:
                if len(node) == 1:  # the end of a phrase, as most are
                    return meaning, end
                best = (meaning, end)
            step = node.get(word)
            if NUMBER in node and self.is_number(word):
                if step is None:
                    step = node[NUMBER]
                else:
                    other = self._longest(node[NUMBER], end + 1)
                    best = other if other[1] > best[1] else best
            if step is None:
                return best
            node, end = step, end + 1
        meaning = node.get("")
        return (meaning, end) if meaning is not None and end >= best[1] else best

    def stretch(self, at: int, end: int) -> tuple[str, int, int]:
        """The text from token `at` up to but not including token `end`, with its place in the text that was sent."""
        start, behind = self.sent_starts[at], self.sent_ends[end - 1]
        return self.text[start:behind], start, behind

    def is_abbreviated(self, at: int) -> bool:
        """True for a token that stands with dots or apostrophes in the text, such as "q.d."."""
        return self.ends[at] - self.starts[at] != len(self.words[at])

    def between(self, at: int) -> str:
        """The plain text between token `at` and the one before it."""
        return self.folded[self.ends[at - 1] : self.starts[at]]

    def behind(self, at: int, place: int) -> int:
        """The first token from `at` on that begins at or behind `place` of the plain text."""
        return bisect_left(self.starts, place, at)

    def found(self, match: re.Match[str]) -> tuple[str, int, int]:
        """The text of a match in the plain text, with its place in the text that was sent."""
        start, behind = self._places[match.start()], self._places[match.end() - 1] + 1
        return self.text[start:behind], start, behind


def _value(word: str, numbers: Mapping[str, float]) -> float | None:
    return numbers.get(word) if word[0].isalpha() else figure(word)
