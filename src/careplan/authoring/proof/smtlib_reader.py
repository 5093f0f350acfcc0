"""SMT-LIB text as nested tuples of words: the part of the language in which the questions of a certificate are written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

Term: TypeAlias = "str | tuple[Term, ...]"
"""A word, or several terms in parentheses."""

_WORD = re.compile(r"\(|\)|\|[^|]*\||[^\s()|;]+|;[^\n]*|\s+")
_NUMBER = re.compile(r"\d+(\.\d+)?")


class NotRead(ValueError):
    """Text that is not of the part of SMT-LIB that is known here. Says what."""


def commands(text: str) -> Iterator[Term]:
    """Every command of a script, in order. Raises `NotRead` for text that does not end where a command ends."""
    open_: list[list[Term]] = []
    end = 0
    for found in _WORD.finditer(text):
        if found.start() != end:
            break
        end, word = found.end(), found.group()
        if word == "(":
            open_.append([])
        elif word == ")":
            if not open_:
                raise NotRead("a parenthesis is closed that was not opened")
            done = tuple(open_.pop())
            if open_:
                open_[-1].append(done)
            else:
                yield done
        elif word[0] != ";" and not word.isspace():
            if not open_:
                raise NotRead(f"{word} stands outside of a command")
            open_[-1].append(word)
    if open_ or end != len(text):
        raise NotRead(f"the text ends, or cannot be read, at character {end}")


def number(word: str) -> Fraction | None:
    """The number that a word is, if it is one."""
    return Fraction(word) if _NUMBER.fullmatch(word) else None
