"""Whether somebody tells that another person harms them, in words that no list of illnesses has.

"My husband hits me" is no illness, and it must not stand among what could not be read. What is said of long ago is another
matter and is left to a person.
"""

from __future__ import annotations

import re

from careplan.recognition.illness_words import HarmWords
from careplan.recognition.plain_text import any_of, plain

_BETWEEN = r"(?: (?!(?:not|no|doesnt|doesn't|didnt|didn't|hasnt|hasn't|isnt|isn't|aint|ain't)\b)[\w']+){0,3} "
"""A few words between who does something and what is done, none of which denies it."""
_NOT_DENIED = r"(?<!\bno )(?<!\bany )(?<!\bnot )(?<!\bwithout )"
"""Not right behind a denial."""
_OF_ANOTHER_TIME = r"(?:19|20)\d\d|age \d+"
_IN_THE_FIRST_PERSON = frozenset({"i", "i'm", "im", "i've", "ive", "my", "me", "we", "our"})
_WORD = re.compile(r"[\w']+")


class ToldHarm:
    """Finds such words, by the lists of one rulebook."""

    def __init__(self, words: HarmWords) -> None:
        who, does, is_so, fear, phrases, past = map(
            any_of, (words.who, words.does, words.is_so, words.fear_of, words.phrases, words.not_today)
        )
        suffered, by_whom = any_of(words.suffered), any_of(words.by_whom)
        # Fear of what becomes of somebody ("afraid of my mother dying") is no fear of them.
        said = (
            f"{who}{_BETWEEN}{does}|{who}{_BETWEEN}(?:is |gets )?{is_so}|{is_so} {who}"
            rf"|{fear} (?:my |the )?{who}(?! \w+ing\b)|{phrases}"
            rf"|{_NOT_DENIED}{suffered} by (?:\w+ ){{0,2}}{by_whom}(?!')"
        )
        self._told = re.compile(rf"\b(?:{said})\b")
        who_else, does_to, whom = map(any_of, (words.who_else, words.does_to, words.whom))
        self._told_by_another = re.compile(rf"\b{who_else} (?:(?:\w+ ){{1,5}}and )?{does_to} {whom}\b(?!')")
        self._past = re.compile(rf"\b(?:{past}|{_OF_ANOTHER_TIME})\b")

    def today(self, text: str) -> bool:
        """Whether a text tells of harm by somebody, and not as of long ago."""
        words = " ".join(_WORD.findall(plain(text)[0]))
        told = self._told.search(words) or (
            _IN_THE_FIRST_PERSON.isdisjoint(words.split()) and self._told_by_another.search(words)
        )
        return bool(told) and not self._past.search(words)
