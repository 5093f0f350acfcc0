"""What an unread name may have been meant to be: only what lies within reach of a slip, and nothing if in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

from careplan.recognition.medicine_catalogue import Match
from careplan.recognition.near_index import NearIndex
from careplan.recognition.vocabulary import WideVocabulary

SHORTEST, LONG = 4, 8
"""Shorter words are near to everything; from the second on, two slips are still one word."""
MOST_SLIPS = 2
MOST_OFFERS = 3
MOST_COMPARED = 8


class NearNames:
    """Offers for names that nobody knows. `controlled`: classes that are offered for one slip only."""

    def __init__(self, names: Mapping[str, Match], vocabulary: WideVocabulary, controlled: Collection[str]) -> None:
        self._names = {name: match for name, match in names.items() if len(name) > SHORTEST and _classes(match)}
        self._vocabulary, self._controlled = vocabulary, frozenset(controlled)
        self._place = {name: at for at, name in enumerate(self._names)}
        self._index = NearIndex(self._names)
        vocabulary.warm()

    def offers(self, key: str) -> tuple[Match, ...]:
        """The medicines under a rule that a squeezed name may mean, nearest first.

        None if a harmless name is as near as they are, or if they are of different classes: a wrong guess does harm.
        """
        reach = 0 if len(key) < SHORTEST else 1 if len(key) < LONG else MOST_SLIPS
        if not reach:
            return ()
        near = self._near(key, 1) or (self._near(key, reach) if reach > 1 else [])
        if not near:
            return ()
        nearest = near[0][0]
        matches = self._apart(self._names[name] for distance, _, name in near if distance == nearest)
        if len({_classes(match) for match in matches}) > 1:
            return ()
        if nearest > 1 and not self._controlled.isdisjoint(_classes(matches[0])):
            return ()
        for harmless in self._vocabulary.known_like(key, nearest):
            if process.extractOne(key, harmless, scorer=OSA.distance, score_cutoff=nearest) is not None:
                return ()
        return tuple(matches[:MOST_OFFERS])

    def _near(self, key: str, reach: int) -> list[tuple[int, int, str]]:
        """The nearest names, each after its distance and its place among all names. Other lengths are out of reach."""
        lengths, index = range(len(key) - reach, len(key) + reach + 1), self._index
        like = [name for length in lengths for name in index.within(key, length, reach)]
        compared = process.extract(key, like, scorer=OSA.distance, score_cutoff=reach, limit=None) if like else ()
        found = [(distance, self._place[name], name) for name, distance, _ in compared]
        return sorted(found)[:MOST_COMPARED]

    @staticmethod
    def _apart(matches: Iterable[Match]) -> list[Match]:
        """Each medicine once, by the first of its names."""
        found: dict[tuple[str, ...], Match] = {}
        for match in matches:
            found.setdefault(tuple(row.ingredient for row in match.ingredients), match)
        return list(found.values())


def _classes(match: Match) -> frozenset[str]:
    return frozenset(token for row in match.ingredients for token in row.classes)
