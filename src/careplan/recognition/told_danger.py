"""Whether words tell of an emergency that no list has as a whole: who or what, beside what happens to it, beside when.

"Vomiting blood today" and "threw up a lot of blood" are one sentence of two classes of words. Each kind of danger says which
classes stand together; denials, other people, fears and what is long over take a sentence out again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from careplan.recognition.illness_words import DangerKind, DangerWords, Normal
from careplan.recognition.plain_text import any_of, plain
from careplan.recognition.signs import Signs

_ANY_WORDS = "~"
"""In a pattern: up to four words of the same clause."""
_TOGETHER = " & "
"""Between two parts of a pattern that stand anywhere in one sentence, in any order."""
_SIGNS = str.maketrans(dict.fromkeys('-,;:.()[]{}&=#|!?"/“”', " ") | dict.fromkeys("'’"))
"""Signs between words become blanks, and apostrophes nothing, as in the one form of words."""
_CLASS = re.compile(r"\{(\w+)\}")
_NO_THINGS = "(?! (?:mg|mcg|g|ml|cc|unit|minute|min|hour|hr|day|week|month|year|percent|%|x) )"
_NAMED = {
    "number": r"(?:\d+|one|2|3|4|five|six|seven|eight|nine|ten|couple|few|several)",
    "dozens": rf"(?:1\d|[2-9]\d|\d{{3}}|twenty|thirty|forty|fifty){_NO_THINGS}",
}
"""Classes of numbers; of `dozens` only those of things."""
_GAP = r"(?: (?![,])\S+){0,4} "
_SENTENCE = re.compile(r"[;\n|•!?]|\.(?=\s|$)|\b(?:but|however|although)\b")
_CLAUSE = re.compile(r"[,()\[\]:]|\s-+\s")
_PLUS = re.compile(r"\+\s?(?=[a-z])")
_LATER_YEARS = re.compile(r"\b(?:19|20)\d\d\b|\bage \d+\b")


class _Pattern(NamedTuple):
    """The parts of a pattern, all of which are found in a sentence that says it.

    Of each of `needs` a word stands in such a sentence; most sentences are told by that alone to say none of it.
    """

    needs: tuple[frozenset[str], ...]
    parts: tuple[re.Pattern[str], ...]
    kind: DangerKind


class ToldDanger:
    """Finds such sentences by the lists of one rulebook."""

    def __init__(
        self, words: DangerWords, others: Iterable[str], abbreviations: Mapping[str, str], signs: Signs | None = None
    ) -> None:
        self._normal, self._signs = Normal(abbreviations), signs or Signs(())
        self._classes = words.classes
        self._by_word: dict[str, list[_Pattern]] = {}
        everyday = frozenset(word for phrase in words.everyday for word in self._normal.words(phrase))
        for kind in words.kinds.values():
            for said in kind.said:
                parts = said.split(_TOGETHER)
                needs = tuple(filter(None, (self._first_words(piece) for part in parts for piece in part.split())))
                compiled = tuple(re.compile(self._as_pattern(part)) for part in parts)
                pattern = _Pattern(needs, compiled, kind)
                # What is looked for first has few words of everyday, and few words.
                for word in min(needs, key=lambda need: (len(need & everyday), len(need))):
                    self._by_word.setdefault(word, []).append(pattern)
        self._triggers = frozenset(self._by_word)
        short = {short for short, full in abbreviations.items() if not self._triggers.isdisjoint(self._normal.words(full))}
        plurals = {f"{word}s" for word in self._triggers} | {f"{word[:-1]}ies" for word in self._triggers if word[-1] == "y"}
        self._as_written = self._triggers | short | plurals
        self._near = re.compile(rf" {self._any(words.denied_near)}(?: \S+){{0,3}} $")
        self._denied, self._not_meant = self._whole(words.denied_before), self._whole(words.not_meant)
        self._behind, self._past, self._now = (
            self._whole(words.denied_behind),
            self._whole(words.past),
            self._whole(words.now),
        )
        self._others, self._oneself = self._whole(others), self._whole(words.oneself)

    def may_tell(self, text: str) -> bool:
        """Whether a text may tell of something, by one of its words alone; a cheap look before it is read."""
        plainly = text.lower().translate(_SIGNS).replace("ae", "e").replace("oe", "e").replace("our", "or")
        return not self._as_written.isdisjoint(plainly.split())

    def is_told(self, text: str, *, in_list: bool = False) -> tuple[bool, bool]:
        """Whether a text tells of an emergency, and whether it tells of something grave that is none.

        `in_list` says that it is a line of a list of medicines.
        """
        levels = {kind.grave for kind in self._told(text) if kind.in_lists or not in_list}
        return False in levels, True in levels

    def _told(self, text: str) -> Iterator[DangerKind]:
        words = _PLUS.sub(" positive ", self._signs.written_out(*plain(text))[0])
        if self._triggers.isdisjoint(self._normal.of_plain(words)):
            return
        for sentence in _SENTENCE.split(words):
            clauses = (" ".join(self._normal.of_plain(clause)) for clause in _CLAUSE.split(sentence))
            said = f" {' , '.join(filter(None, clauses))} "
            here = set(said.split())
            patterns = {id(one): one for word in self._triggers & here for one in self._by_word[word]}
            for pattern in patterns.values():
                if any(map(here.isdisjoint, pattern.needs)):
                    continue
                found = [part.search(said) for part in pattern.parts]
                if all(found) and not self._is_taken_back(said, [one for one in found if one]):
                    yield pattern.kind

    def _is_taken_back(self, said: str, found: Sequence[re.Match[str]]) -> bool:
        """Whether a sentence denies what was found in it, or tells of it as of others, as feared, or as long over."""
        now = self._now.search(said) is not None
        if not now and (self._past.search(said) or _LATER_YEARS.search(said)):
            return True
        if self._behind.search(said, max(one.end() - 1 for one in found)):
            return True
        first = min(one.start() for one in found)
        before = said[: first + 1]
        if self._denied.search(before) or self._not_meant.search(before):
            return True
        if any(self._near.search(f" {said[: one.start() + 1].rpartition(' , ')[2].lstrip()}") for one in found):
            return True
        return bool(self._others.search(before)) and not self._oneself.search(said[: max(one.end() for one in found) + 1])

    def _first_words(self, piece: str) -> frozenset[str]:
        """The words with which a piece of a pattern may begin; none where it may be any word or number."""
        named = _CLASS.fullmatch(piece)
        if piece == _ANY_WORDS or (named and named[1] in _NAMED):
            return frozenset()
        phrases = self._phrases(named[1]) if named else (piece,)
        return frozenset(words[0] for phrase in phrases if (words := self._normal.words(phrase)))

    def _phrases(self, name: str) -> Iterator[str]:
        """The phrases of a class, with those of the classes that it names."""
        for phrase in self._classes[name]:
            inside = _CLASS.fullmatch(phrase)
            yield from self._phrases(inside[1]) if inside else (phrase,)

    def _as_pattern(self, part: str) -> str:
        pattern, gap = " ", ""
        for word in part.split():
            if word == _ANY_WORDS:
                gap = _GAP
                continue
            named = _CLASS.fullmatch(word)
            if not named:
                piece = re.escape(" ".join(self._normal.words(word)))
            elif named[1] in _NAMED:
                piece = _NAMED[named[1]]
            else:
                piece = self._any(self._phrases(named[1]))
            pattern = f"{pattern.removesuffix(' ') if gap else pattern}{gap}{piece} "
            gap = ""
        return pattern.removesuffix(" ") + "(?= )"

    def _any(self, phrases: Iterable[str]) -> str:
        return any_of({" ".join(self._normal.words(phrase)) for phrase in phrases} - {""})

    def _whole(self, phrases: Iterable[str]) -> re.Pattern[str]:
        return re.compile(rf" {self._any(phrases)}(?= )")
