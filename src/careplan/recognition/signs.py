"""Signs for "it is there" and "it is not" beside what clinicians ask for at each visit: "-SI -HI", "SI (-)", "+AVH".

A minus sign before any other word is a mark of a list. Where one such word stands so, all minus signs of the entry are such
marks, and what they stand before is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from careplan.recognition.form_answers import in_words, with_boxes_of_a_list
from careplan.recognition.plain_text import any_of, plain

_ABSENT, _PRESENT = "not present", "positive for"
_NO_WORD = r"(?![\w'])"
_MINUS = re.compile(r"(?:^|(?<=[\s,;:/(]))-(?=[a-z])")
_HAS_A_SIGN = re.compile(r"[-+]")
_BRACKETED = r"[(\[]\s?[-+]\s?[)\]]"
_END = r"\s*(?:$|[,;.\n/)\]]|(?:and|or|but)\b)"
_BEHIND_OTHERS = re.compile(rf"(?<=[a-z0-9])\s?(?P<sign>[(\[]\s?-\s?[)\]]|-ve\b|\+ve\b)(?={_END})")
"""The same behind any word, as in "HIV (-)", where nothing follows that it could be said of."""
_AT_A_TIME = r"(?: (?:today|currently|now|at present|at this time|this visit))?"


class Signs:
    """Writes such signs out in words, by the words of one rulebook for what is asked for."""

    def __init__(self, asked_for: Iterable[str]) -> None:
        name = any_of(plain(word)[0] for word in asked_for)
        terms = rf"{name}{_NO_WORD}(?:\s?/\s?{name}{_NO_WORD})*"
        before = rf"(?:^|(?<=[\s,;:/(.&]))(?P<sign>{_BRACKETED}\s?|[-+])(?P<terms>{terms})"
        next_sign = rf"(?=(?P<time>{_AT_A_TIME})(?:{_END}|\s*[-+](?:{name})\b|\s*{_BRACKETED}|\s*&))"
        behind = rf"\b(?P<terms>{terms})\s?(?::\s?)?(?P<sign>{_BRACKETED}|[-+]ve\b|[-+](?={_END}|\s+{name}\s?[-+(\[]))"
        self._term = re.compile(rf"\b{name}{_NO_WORD}")
        self._before, self._next, self._behind = re.compile(before), re.compile(next_sign), re.compile(behind)

    def without_marks(self, entries: Sequence[str]) -> Sequence[str]:
        """The entries of a list, blanks in the place of minus signs where these mark its entries. Lengths stay."""
        entries = with_boxes_of_a_list(entries)
        if not any(_MINUS.match(plain(text[:2])[0]) for text in entries):
            return entries
        marked = [self._has_marks(plain(text)[0]) for text in entries]
        if not any(marked):
            return entries
        # Where an entry has such marks of its own, they are seen there.
        own = zip(entries, marked, strict=True)
        return [text if is_marked or not _MINUS.match(plain(text[:2])[0]) else f" {text[1:]}" for text, is_marked in own]

    def written_out(self, told: str, places: Sequence[int]) -> tuple[str, Sequence[int]]:
        """Plain text with such signs in words, and for each character of it the place that it came from."""
        told, places = in_words(told, places)
        if not _HAS_A_SIGN.search(told):
            return told, places
        told, places = _of_other_words(told, places)
        if not (first := self._term.search(told)):
            return told, places
        marks = self._has_marks(told)
        bracket = re.search(_BRACKETED, told)
        leads = bracket is not None and bracket.start() < first.start()
        parts: list[tuple[str, int]] = []
        at = 0
        while at < len(told):
            found = self._behind.match(told, at) if not leads and (at == 0 or not told[at - 1].isalnum()) else None
            end = found.end() if found else at
            if found is None and (found := self._before.match(told, at)) is not None:
                end = found.end()
                if "-" in found["sign"] and ((marks and found["sign"] == "-") or not (close := self._next.match(told, end))):
                    found = None
                elif "-" in found["sign"] and close:
                    end += len(close["time"])
            if found is None:
                parts.append((told[at], places[at]))
                at += 1
                continue
            begin, stop = found.span("terms")
            terms = [(told[place], places[place]) for place in range(begin, stop)]
            if "-" in found["sign"]:
                said = [*terms, *((char, places[stop - 1]) for char in f" {_ABSENT}")]
                parts += [(";", places[at]), *said, (";", places[end - 1])]
            else:
                parts += [*((char, places[begin]) for char in f"; {_PRESENT} "), *terms]
            at = end
        return "".join(char for char, _ in parts), [*(place for _, place in parts), places[len(told)]]

    def _has_marks(self, told: str) -> bool:
        """Whether minus signs of a plain text mark the entries of a list."""
        return any(not self._term.match(told, one.end()) for one in _MINUS.finditer(told))


def _of_other_words(told: str, places: Sequence[int]) -> tuple[str, Sequence[int]]:
    """Plain text with signs in brackets, and "-ve", in words behind whatever they stand behind."""
    parts: list[str] = []
    came_from: list[int] = []
    last = 0
    for found in _BEHIND_OTHERS.finditer(told):
        said = f" {_ABSENT}" if "-" in found["sign"] else ""
        parts += told[last : found.start()], said
        came_from += [*places[last : found.start()], *[places[found.start() - 1]] * len(said)]
        last = found.end()
    if not last:
        return told, places
    return "".join([*parts, told[last:]]), [*came_from, *places[last:]]
