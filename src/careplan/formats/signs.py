"""Which signs can be shown: whatever somebody wrote, a page is made of it, and what has no sign shows as a box."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

BOX = "□"
"""What stands for a character that cannot be shown."""
LONGEST = 24
"""A word longer than this may be cut on paper, where nothing in it says where."""

_UNSEEN = re.compile("[\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff\u00ad\U000e0000-\U000e01ef\U0001f3fb-\U0001f3ff]")
"""What has no sign of its own: joiners, marks of direction, and what only changes the look of the sign before it."""
_TURNS = frozenset("\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text after it, so that something else is read than what was written."""


def visible(text: str) -> str:
    """A text in which every character can be seen: what steers or turns a line shows as a box, a break as a space."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_seen(char) for char in text)


def printable(text: str) -> str:
    """A text that the fonts of this package can set."""
    if text.isascii() and text.isprintable():
        return text
    known = _characters()
    plain = _UNSEEN.sub("", unicodedata.normalize("NFC", visible(text)))
    return "".join(char if char in known else BOX for char in plain)


def cuttable(text: str) -> str:
    """A text that the fonts of this package can set, with places in long words where a line may end."""
    plain = printable(text)
    if len(plain) <= LONGEST:
        return plain
    return re.sub(rf"\S{{{LONGEST},}}", lambda word: "\u200b".join(re.findall(".{1,12}", word[0])), plain)


def everywhere(found: Any, change: Callable[[str], str]) -> Any:
    """Data with every text in it changed; the keys stay as they are."""
    if isinstance(found, str):
        return change(found)
    if isinstance(found, list):
        return [everywhere(one, change) for one in found]
    if isinstance(found, dict):
        return {key: everywhere(one, change) for key, one in found.items()}
    return found


def _seen(char: str) -> str:
    if char.isprintable() and char not in _TURNS:
        return char
    if char.isspace():
        return " "
    return BOX if unicodedata.category(char) != "Cf" or char in _TURNS else char


@cache
def _characters() -> frozenset[str]:
    """The characters that the fonts have."""
    lines = files("careplan.formats").joinpath("fonts", "characters.txt").read_text("ascii").split()
    bounds = [[int(end, 16) for end in line.split("-")] for line in lines]
    return frozenset(chr(char) for first, last in bounds for char in range(first, last + 1))
