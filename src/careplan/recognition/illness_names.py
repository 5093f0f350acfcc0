"""Which names mean which illness: every name that a rulebook has for one, in one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from careplan.recognition.illness_read import MOST_OFFERS
from careplan.recognition.illness_words import Normal

SHORTEST, LONG = 5, 9
"""Shorter names are near to everything; from the second on, two slips are still one name."""
_ANY_NUMBER = "< n >"
"""The one form of `<n>` in a name, which is any number."""
KNOWN: tuple[str, ...] = ()
"""What a name stands for that is known and that no rule concerns."""


class Named(NamedTuple):
    """Names with what they stand for: conditions, and answers written as `factor=answer`; none where no rule concerns them.

    Names of an earlier source win over those of a later one.
    """

    source: str
    names: Iterable[tuple[str, tuple[str, ...]]]
    own: bool = False
    """Whether the rulebook's owner chose the names, so that one of several words is no chance meeting of others."""


class IllnessNames:
    """The names of illnesses of one rulebook. They are brought into one form when the first one is looked up."""

    def __init__(
        self,
        normal: Normal,
        sources: Iterable[Named],
        may_be: Mapping[str, tuple[str, ...]],
        lasting: Iterable[tuple[str, str]] = (),
    ) -> None:
        """`may_be` has words that can mean an illness or something else, with what is offered for them.

        `lasting` has names of illnesses that stay, each with the condition of which others pass.
        """
        self.normal = normal
        self._sources = tuple(sources)
        self._may_be_sent = may_be
        self._lasting_sent = lasting

    def of(self, words: tuple[str, ...]) -> tuple[str, ...] | None:
        """What the words stand for, which are in the one form; None where nobody knows them. Any number stands for `<n>`."""
        found = self._tokens.get(" ".join(words))
        if found is None and any(map(str.isdecimal, words)):
            found = self._tokens.get(" ".join(_ANY_NUMBER if word.isdecimal() else word for word in words))
        return self._in_any_order.get(tuple(sorted(words))) if found is None and len(words) > 1 else found

    def runs(self, words: Sequence[str]) -> list[int]:
        """For each word how many from there on stand in names, one after another: no name goes on for longer."""
        found, run = [0] * len(words), 0
        for at in range(len(words) - 1, -1, -1):
            run = run + 1 if words[at] in self._words or words[at].isdecimal() else 0
            found[at] = run
        return found

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(" ".join([*self._tokens, *self._may_be]).split())

    def lasts(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The conditions that a name stands for however long ago it was first said."""
        return self._lasting.get(tuple(sorted(words)), ())

    @cached_property
    def _lasting(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        for name, token in self._lasting_sent:
            key = tuple(sorted(self.normal.words(name)))
            found[key] = (*found.get(key, ()), token)
        return found

    def is_own(self, words: tuple[str, ...]) -> bool:
        """Whether a source that an owner chose has the name."""
        key = " ".join(words)
        return key in self._own or key in self._may_be

    @cached_property
    def _own(self) -> frozenset[str]:
        names = [name for source in self._sources if source.own for name, _ in source.names]
        return frozenset(self.normal.keys(names).values())

    def longest(self) -> int:
        """The most words that a name has."""
        return self._longest

    @cached_property
    def _longest(self) -> int:
        return max((name.count(" ") + 1 for name in self._tokens), default=0)

    @cached_property
    def _tokens(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for source in self._sources:
            listed = list(source.names)
            keys = self.normal.keys(name for name, _ in listed)
            own: dict[str, tuple[str, ...] | None] = {}
            for name, tokens in listed:
                key = keys[name]
                # Of a name for two things nobody can say which one is meant.
                own[key] = tokens if own.get(key, tokens) == tokens else None
            for key, one in own.items():
                if key and one is not None:
                    found.setdefault(key, one)
        for key in self._may_be:
            found.pop(key, None)
        return found

    @cached_property
    def _in_any_order(self) -> dict[tuple[str, ...], tuple[str, ...]]:
        """What the words of a name mean in any order, as lists have "glaucoma, narrow angle", where that is one thing."""
        found: dict[tuple[str, ...], tuple[str, ...] | None] = {}
        for name, tokens in self._tokens.items():
            key = tuple(sorted(name.split()))
            found[key] = tokens if found.get(key, tokens) == tokens else None
        return {key: tokens for key, tokens in found.items() if tokens is not None and len(key) > 1}

    @cached_property
    def _may_be(self) -> dict[str, tuple[str, ...]]:
        keys = self.normal.keys(self._may_be_sent)
        found: dict[str, dict[str, None]] = {}
        for name, tokens in self._may_be_sent.items():
            found.setdefault(keys[name], {}).update(dict.fromkeys(tokens))
        return {key: tuple(tokens) for key, tokens in found.items()}

    def clashes(self) -> Iterator[tuple[str, str, tuple[str, ...], tuple[str, ...]]]:
        """Names that one source has for two things, each with the source and both."""
        for source in self._sources:
            listed = list(source.names)
            keys = self.normal.keys(name for name, _ in listed)
            seen: dict[str, tuple[str, ...]] = {}
            for name, tokens in listed:
                if seen.setdefault(keys[name], tokens) != tokens:
                    yield source.source, name, seen[keys[name]], tokens

    def all(self) -> Iterator[tuple[str, str, tuple[str, ...]]]:
        """Every name as it is written, with its source and what it stands for."""
        for source in self._sources:
            yield from ((source.source, name, tokens) for name, tokens in source.names)

    def may_be(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """What words can mean that are no name of one thing only."""
        return self._may_be.get(" ".join(words), ())

    def near(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """What is offered for words that nobody knows: what the nearest name stands for, within reach of a slip.

        Nothing if a harmless name is as near, or names for different things are: a wrong guess does harm.
        """
        key = " ".join(words)
        reach = 0 if len(key) < SHORTEST else 1 if len(key) < LONG else 2
        if not reach:
            return ()
        near: dict[float, set[tuple[str, ...]]] = {}
        for length in range(len(key) - reach, len(key) + reach + 1):
            names = self._by_length.get(length, ())
            for name, distance, _ in process.extract(key, names, scorer=OSA.distance, score_cutoff=reach, limit=None):
                near.setdefault(distance, set()).add(self._tokens[name])
        if not near:
            return ()
        nearest = near[min(near)]
        return next(iter(nearest))[:MOST_OFFERS] if len(nearest) == 1 else ()

    def near_one_of(self, watched: Sequence[str], words: Sequence[str]) -> tuple[str, ...]:
        """The same for the first word of several that is a slip away from one that is watched for."""
        for word in words:
            reach = 0 if len(word) < SHORTEST else 1 if len(word) < LONG else 2
            if reach and (near := process.extractOne(word, watched, scorer=OSA.distance, score_cutoff=reach)) and near[1]:
                return self.of((near[0],)) or ()
        return ()

    @cached_property
    def _by_length(self) -> dict[int, list[str]]:
        found: dict[int, list[str]] = {}
        for name in self._tokens:
            found.setdefault(len(name), []).append(name)
        return found
