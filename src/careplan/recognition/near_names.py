"""What an unread name may have been meant to be: only what lies within reach of a slip, and nothing if in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from rapidfuzz import process
from rapidfuzz.distance import OSA

from careplan.recognition.medicine_catalogue import Match
from careplan.recognition.vocabulary import WideVocabulary

SHORTEST, LONG = 4, 8
"""Shorter words are near to everything; from the second on, two slips are still one word."""
MOST_SLIPS = 2
MOST_OFFERS = 3


class NearNames:
    """Offers for names that nobody knows. `controlled`: classes that are offered for one slip only."""

    def __init__(self, names: Mapping[str, Match], vocabulary: WideVocabulary, controlled: Collection[str]) -> None:
        self._names = {name: match for name, match in names.items() if len(name) > SHORTEST and _classes(match)}
        self._vocabulary, self._controlled = vocabulary, frozenset(controlled)
        self._of_length: dict[int, dict[int, str]] = {}
        for place, name in enumerate(self._names):
            self._of_length.setdefault(len(name), {})[place] = name
        vocabulary.warm()

    def offers(self, key: str) -> tuple[Match, ...]:
        """The medicines under a rule that a squeezed name may mean, nearest first.

        None if a harmless name is as near as they are, or if they are of different classes: a wrong guess does harm.
        """
        reach = 0 if len(key) < SHORTEST else 1 if len(key) < LONG else MOST_SLIPS
        if not reach:
            return ()
        near = self._within(key, reach)
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

    def _within(self, key: str, reach: int) -> list[tuple[int, int, str]]:
        """The names at most `reach` slips away, nearest first, each after its distance and its place among all names."""
        found = []
        for length in range(len(key) - reach, len(key) + reach + 1):
            names = self._of_length.get(length, {})
            found += process.extract(key, names, scorer=OSA.distance, score_cutoff=reach, limit=None)
        return sorted((distance, place, name) for name, distance, place in found)

    @staticmethod
    def _apart(matches: Iterable[Match]) -> list[Match]:
        """Each medicine once, by the first of its names."""
        found: dict[tuple[str, ...], Match] = {}
        for match in matches:
            found.setdefault(tuple(row.ingredient for row in match.ingredients), match)
        return list(found.values())


def _classes(match: Match) -> frozenset[str]:
    return frozenset(token for row in match.ingredients for token in row.classes)
