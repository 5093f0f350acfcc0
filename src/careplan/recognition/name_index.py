"""Quick answers to "is this a name?", which is asked some ten times a line and mostly answered by no.

All names together are too many for the caches of a processor, so that each question costs more than it looks. Most are
spared: keys with figures in them stand apart, for they are few, and words of everyday are known to begin no name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable

FIRST = 3
_BEHIND_ALL = "\U0010ffff"


class NameIndex:
    """Names in letters and figures alone. `everyday` are words of which it is worked out which ones begin a name."""

    def __init__(self, names: Collection[str], everyday: Iterable[str]) -> None:
        self.names = names
        self.with_figures = frozenset([name for name in names if not name.isalpha()])
        self.begin_with_figures = frozenset([name[:FIRST] for name in self.with_figures if name[0].isdecimal()])
        """The first signs of names such as 5-HTP. Most figures in a line begin none."""
        self.before_figures = frozenset([name[: _letters(name)] for name in self.with_figures])
        """What stands before the first figure of a name, such as the letters of vitamin B12. Most figures go on no name."""
        ordered = sorted(names)
        going_on = {word: _going_on(word, ordered) for word in everyday}
        self.beginnings = {word: signs for word, signs in going_on.items() if signs}
        """The words of everyday with which a name begins, such as "iron", and the signs that go on; "" ends it."""


def _letters(name: str) -> int:
    return next((at for at, sign in enumerate(name) if not sign.isalpha()), len(name))


def _going_on(word: str, ordered: list[str]) -> frozenset[str]:
    at, length = bisect_left(ordered, word), len(word)
    if at == len(ordered) or not ordered[at].startswith(word):
        return frozenset()
    end = bisect_left(ordered, word + _BEHIND_ALL, at)
    signs = set()
    while at < end:
        sign = ordered[at][length : length + 1]
        signs.add(sign)
        at = bisect_left(ordered, word + chr(ord(sign) + 1), at, end) if sign else at + 1
    return frozenset(signs)
