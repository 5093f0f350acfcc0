"""Quick answers to "is this a name?", which is asked some ten times a line and mostly answered by no.

All names together are too many for the caches of a processor, so that each question costs more than it looks. Most are
spared: keys with figures in them stand apart, for they are few, and words of everyday are known to begin no name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable


class NameIndex:
    """Names in letters and figures alone. `everyday` are words of which it is worked out which ones begin a name."""

    def __init__(self, names: Collection[str], everyday: Iterable[str]) -> None:
        self.names = names
        self.with_figures = frozenset([name for name in names if not name.isalpha()])
        ordered = sorted(names)
        self.beginnings = frozenset([word for word in everyday if _begins_one(word, ordered)])
        """The words of everyday with which a name begins, such as "iron"."""


def _begins_one(word: str, ordered: list[str]) -> bool:
    at = bisect_left(ordered, word)
    return at < len(ordered) and ordered[at].startswith(word)
