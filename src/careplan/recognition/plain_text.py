"""Text as people and machines send it, made plain for look-up, with the way back to the characters that were sent."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Sequence

_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_SIGNS = {
    **dict.fromkeys("‘’‚‛ʼʹʻ`´′＇ꞌ", "'"),
    **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    **dict.fromkeys("⁄∕", "/"),
    **dict.fromkeys("™®©℠", ""),
    "ı": "i",
    "×": "x",
    "µ": "μ",
    "\t": " ",
    "\r": " ",
    "\xa0": " ",
}
"""Look-alikes. The sign for micro is kept as the Greek letter, which no compatibility form makes of it."""
_SPACES = str.maketrans("\t\r`", "  '")
_INVISIBLE = frozenset(("Cf", "Mn", "Me", "Cc", "Cs", "Co"))
"""Zero-width characters, soft hyphens, marks of direction, combining accents, control characters."""


def plain(text: str) -> tuple[str, Sequence[int]]:
    """`text` without capitals, accents, invisible characters, entities of HTML and look-alike signs.

    Second, for each character of it the place in `text` that it came from, with the length of `text` at the end.
    """
    if text.isascii() and "&" not in text:
        folded = text.lower()
        if "\t" in folded or "\r" in folded or "`" in folded:
            folded = folded.translate(_SPACES)
        return folded, range(len(text) + 1)
    characters: list[str] = []
    places: list[int] = []
    at = 0
    while at < len(text):
        entity = _ENTITY.match(text, at) if text[at] == "&" else None
        width = entity.end() - at if entity else 1
        for char in html.unescape(text[at : at + width]) if entity else text[at]:
            for part in _folded(char, characters[-1] if characters else ""):
                characters.append(part)
                places.append(at)
        at += width
    return "".join(characters), [*places, len(text)]


def any_of(phrases: Iterable[str]) -> str:
    """A pattern that finds each of these phrases, of several the longest; one of no phrases finds nothing."""
    return f"(?:{'|'.join(map(re.escape, sorted(phrases, key=len, reverse=True))) or '(?!)'})"


def whole(phrases: Iterable[str]) -> re.Pattern[str]:
    """What finds each of these phrases where it stands as words of its own."""
    return re.compile(rf"\b{any_of(phrases)}\b")


def _folded(char: str, before: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    if char.isascii():
        return char.lower() if char.isprintable() or char == "\n" else ""
    if unicodedata.decomposition(char).startswith("<fraction>"):
        apart = " " if before.isdecimal() else ""  # 1½ is one and a half, and not eleven halves
        return apart + unicodedata.normalize("NFKD", char).replace("⁄", "/")
    parts = (part for part in unicodedata.normalize("NFKD", char).casefold() if unicodedata.category(part) not in _INVISIBLE)
    return "".join(_SIGNS.get(part, part) for part in unicodedata.normalize("NFKD", "".join(parts)))


def squeezed(name: str) -> str:
    """`name` as the vocabularies keep it: letters and figures of the plain text, nothing between them."""
    if name.isascii() and name.isalnum():
        return name.lower()
    return "".join(filter(str.isalnum, plain(name)[0]))
