"""Which tokens a refused one may have been meant to be."""

from __future__ import annotations

from collections.abc import Mapping

from rapidfuzz import fuzz, process
from rapidfuzz.utils import default_process

LEAST, LONGEST = 70, 200
"""Below such a score of likeness, or of a longer text, nothing is offered."""
MOST_OFFERS = 3


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
    near = process.extractOne(written, list(words), score_cutoff=LEAST)
    return [near[0]] if near else []


def offer(tokens: list[str]) -> str:
    """How tokens are offered behind a fault; "" for none."""
    if not tokens:
        return ""
    *before, last = tokens
    listed = f"{', '.join(before)} or {last}" if before else last
    return f"; did you mean {listed}?"
