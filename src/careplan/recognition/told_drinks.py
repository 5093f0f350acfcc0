"""Whether words say that somebody drinks little: "1-2 drinks/week", "2 beers on weekends", "EtOH: social".

An amount with its time is little up to so many drinks a week; words for "seldom" say so by themselves. All else that is
said of drinking is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from careplan.recognition.illness_words import DrinkWords
from careplan.recognition.plain_text import any_of, plain

_APART = re.compile(r"[;\n|•,]|(?<!\bocc)\.\s|\band\b(?!\s(?:then|sat|sun)\b)")
_FIGURE = r"\d{1,2}(?:\.5)?"


class ToldDrinks:
    """Finds such words, by the lists of one rulebook."""

    def __init__(self, words: DrinkWords) -> None:
        self._words = words
        heading, what, beside, seldom = map(any_of, (words.headings, words.what, words.beside, words.seldom))
        count = rf"(?:{_FIGURE}|{any_of(words.counts)})"
        begins = rf"(?:{heading}\s?[:=-]?\s?)?(?:{beside}\s)*"
        ends = rf"(?:\s?[,(]?\s?{any_of((*words.beside, *words.seldom))}\)?)*"
        self._amount = re.compile(
            rf"{begins}(?P<many>{count})(?:\s?(?:-|to|or)\s?(?P<most>{count}))?\s(?:{beside}\s)*{what}"
            rf"(?P<how_often>\s?/\s?{any_of(words.units)}s?|\s(?:{any_of(words.before_units)})\s{any_of(words.units)}s?"
            rf"|\s{any_of(words.how_often)}){ends}"
        )
        self._number_alone = re.compile(
            rf"{heading}\s?[:=-]?\s?(?:{beside}\s)*(?P<many>{_FIGURE})(?:\s?(?:-|to)\s?(?P<most>{_FIGURE}))?"
            rf"(?P<how_often>\s?/\s?{any_of(words.units)}|\s(?:{any_of(words.before_units)})\s{any_of(words.units)}){ends}"
        )
        self._seldom = re.compile(
            rf"{begins}(?:{heading}|{what})(?:\suse)?\s?[:=(-]?\s?(?:{beside}\s)*{seldom}\)?(?:\s?[,(]?\s?{seldom}\)?)*"
            rf"|{begins}{seldom}\s(?:{heading}|{what})(?:\suse)?"
            rf"|{begins}(?:{any_of(words.counts)})\s{what}\s(?:{beside}\s)*{seldom}"
        )

    def little(self, text: str) -> Iterator[tuple[int, int]]:
        """From where to where of a text words stand that say so."""
        told, places = plain(text)
        if not told or not self._words.what:
            return
        start = 0
        for end, following in [*((one.start(), one.end()) for one in _APART.finditer(told)), (len(told), len(told))]:
            begin = start + len(told[start:end]) - len(told[start:end].lstrip())
            said = re.sub(r"\s+", " ", told[begin:end].strip().rstrip("."))
            if self._is_little(said):
                yield places[begin], places[begin + len(told[begin:end].rstrip())]
            start = following

    def _is_little(self, said: str) -> bool:
        if self._seldom.fullmatch(said):
            return True
        found = self._amount.fullmatch(said) or self._number_alone.fullmatch(said)
        if found is None:
            return False
        times = self._times_a_week(found["how_often"])
        return max(self._number(found["many"]), self._number(found["most"] or "0")) * times <= self._words.most_a_week

    def _times_a_week(self, how_often: str) -> float:
        words = how_often.strip(" /")
        known: Mapping[str, float] = self._words.how_often
        unit = words.split()[-1]
        return known.get(words) or self._words.units.get(unit) or self._words.units[unit.removesuffix("s")]

    def _number(self, word: str) -> float:
        return self._words.counts[word] if word in self._words.counts else float(word)
