"""An entry of a list of illnesses, cut where signs and small words part what is listed."""

from __future__ import annotations

import re
from typing import Literal, NamedTuple, TypeAlias

from careplan.recognition.illness_words import WORD, Normal
from careplan.recognition.plain_text import plain
from careplan.recognition.signs import Signs

Separator: TypeAlias = Literal["strong", "comma", "slash", "and", "or", "with", "colon", "bracket", "attached"]
"""What stands before a piece: in brackets, or `attached` by a dash, it says something of what stands before it."""

MOST_PIECES = 40
_WORDS: dict[str, Separator] = {
    "and": "and",
    "plus": "and",
    "or": "or",
    "nor": "or",
    "but": "comma",
    "with": "with",
    "w/": "with",
    "on": "with",
    "s/p": "with",
}
_BEFORE_ON = frozenset({"not", "no", "never", "longer", "off"})
_NUMBERED = re.compile(r"\s*(?:\d{1,2}[.)]|[-*•>]+)\s+(?=\S)")
_STRONG = re.compile(r"[;\n|•]")
_HEADING = re.compile(r"[a-z/&]{2,18}(?: [a-z]{2,12})?:")
_BEGINS = re.compile(
    r"(?:no|not|denies|denied|denying|neg|negative|never|without|reports|reported|endorses|admits|pt|patient)\b"
)
"""Words with which a sentence begins, so that a full stop before one is none of a short form: "No HI. No mania."."""
_DASH = re.compile(r"\s-+\s|--|\s-|-\s")


class Piece(NamedTuple):
    """The words between two separators, in one form, with their place; `joining` is the word that stands before them."""

    words: tuple[str, ...]
    start: int
    end: int
    separator: Separator
    joining: tuple[str, ...] = ()


def pieces_of(text: str, normal: Normal, signs: Signs) -> list[Piece]:
    """The pieces of an entry; none of one that is longer than any list in one entry."""
    told, places = signs.written_out(*plain(text))
    found: list[Piece] = []
    words: list[str] = []
    numbered = _NUMBERED.match(told)
    start = end = last = numbered.end() if numbered else 0
    separator: Separator = "strong"
    joining: tuple[str, ...] = ()

    def close() -> None:
        if words:
            # One character can stand for several, so that two pieces may begin in it.
            begin = max(places[start], found[-1].end if found else 0)
            found.append(Piece(tuple(words), begin, max(begin, places[end - 1] + 1), separator, joining))
            words.clear()

    for match in WORD.finditer(told, last):
        word = match.group()
        parting = _parting(told[last : match.start()], told[:last]) if last > start or found or words else None
        if parting is None and ". " in told[last : match.start()] and _opens(told, match.start()):
            parting = "strong"
        last = match.end()
        parts = word in _WORDS and not (word == "on" and words and words[-1] in _BEFORE_ON)
        if parts and parting in (None, "comma") and (words or found):
            close()
            separator, joining = _WORDS[word], normal.word(word)
            start = end = last
            continue
        if parting is not None:
            if words:
                close()
                separator, joining = parting, ()
            elif found and separator not in ("and", "or", "with"):
                separator = parting if separator != "strong" else separator
        if not words:
            start = match.start()
        words += normal.word(word)
        end = last
    close()
    return found if len(found) <= MOST_PIECES else [Piece((), 0, len(text), "strong")]


def _opens(told: str, at: int) -> bool:
    """Whether a sentence or a list with a heading begins at a place."""
    return bool(_HEADING.match(told, at) or _BEGINS.match(told, at))


def _parting(gap: str, before: str) -> Separator | None:
    """What the signs between two words say."""
    if gap == " ":
        return None
    if _STRONG.search(gap):
        return "strong"
    if "." in gap and gap.rstrip() != gap and len(before) - len(before.rstrip("abcdefghijklmnopqrstuvwxyz")) > 4:
        return "strong"
    if "(" in gap or "[" in gap:
        return "bracket"
    rest = gap.replace(")", " ").replace("]", " ")
    if "," in rest:
        return "comma"
    if ":" in rest:
        return "colon"
    if "/" in rest:
        return "slash"
    if "&" in rest or "+" in rest:
        return "and"
    return "attached" if _DASH.search(rest) else "bracket" if rest != gap else None
