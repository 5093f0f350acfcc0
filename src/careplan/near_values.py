"""Which values a refused one may have been meant to be, and how they are offered: for tokens, parameters and settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

LEAST, LONGEST = 70, 200
"""Below such a score of likeness, or of a longer text, nothing is offered."""
MOST_OFFERS = 3


def near_values(written: object, among: Iterable[str], *, least: int = LEAST, most: int = 1) -> list[str]:
    """The values spelled most alike, whatever their capitals; `least` is the score of likeness from 0 to 100."""
    if not isinstance(written, str) or len(written) > LONGEST:
        return []
    lowered = {value.lower(): value for value in among}
    return [lowered[one] for one, *_ in process.extract(written.lower(), list(lowered), score_cutoff=least, limit=most)]


def near_tokens(written: object, words: Mapping[str, str]) -> list[str]:
    """The tokens whose words have all words of what was written, the shortest first; else the one that is spelled alike.

    `words` has for each token what it is called.
    """
    if not isinstance(written, str) or len(written) > LONGEST:
        return []
    plain = default_process(written.replace("_", " "))
    said = {token: default_process(f"{token.replace('_', ' ')} {called}") for token, called in words.items()}
    whole = [token for token, text in said.items() if plain and fuzz.token_set_ratio(plain, text) == 100]
    if whole:
        return sorted(whole, key=lambda token: (plain not in token.replace("_", " "), len(said[token]), token))[:MOST_OFFERS]
    return near_values(written, words)


def offer(values: Iterable[str]) -> str:
    """How values are offered behind a fault; "" for none."""
    found = list(values)
    return f"; did you mean {alternatives(found)}?" if found else ""


def alternatives(values: Iterable[str]) -> str:
    """One or several values in words: "a", "a or b", "a, b or c"."""
    *before, last = values
    return f"{', '.join(before)} or {last}" if before else last
