"""Texts put together from parts, of which no two are the same however many are asked for."""

from __future__ import annotations

import math
import random
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")
_SLOT = re.compile(r"\{(\w+)\}")
_GOLDEN = (math.sqrt(5) - 1) / 2


class Weighted(Generic[T]):
    """Values to be drawn by their weights. Raises `ValueError` where there are none, or no weight."""

    def __init__(self, weighted: Iterable[tuple[T, float]]) -> None:
        pairs = list(weighted)
        self._values = [value for value, _ in pairs]
        self._ends = list(accumulate(weight for _, weight in pairs))
        if not pairs or min(weight for _, weight in pairs) < 0 or self._ends[-1] <= 0:
            raise ValueError("there is nothing to draw from")
        self._all = self._ends[-1]

    def draw(self, chance: random.Random) -> T:
        """One of the values."""
        return self._values[bisect_right(self._ends, chance.random() * self._all)]


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence with slots in braces, and how often it is taken against other forms."""

    text: str
    weight: float


class _Composer:
    """All texts of one form in an order that looks like chance: no two places of it have the same combination of words."""

    def __init__(self, form: Form, parts: Mapping[str, Sequence[str]], chance: random.Random) -> None:
        slots = [parts[name] for name in _SLOT.findall(form.text)]
        self._slots = slots
        self._text = _SLOT.sub("{}", form.text)
        self.size = math.prod(len(words) for words in slots)
        # Steps that have no divisor in common with the size come to every place once before any comes again.
        step = max(1, int(self.size * _GOLDEN))
        while math.gcd(step, self.size) != 1:
            step += 1
        self._step = step
        self._place = chance.randrange(self.size)
        self.left = self.size

    def next(self) -> str:
        self.left -= 1
        self._place = rest = (self._place + self._step) % self.size
        words = []
        for choices in self._slots:
            rest, at = divmod(rest, len(choices))
            words.append(choices[at])
        return self._text.format(*words)


class Composed:
    """Texts of several forms, each once. Only where it stands in each form is remembered, never a text."""

    def __init__(self, forms: Sequence[Form], parts: Mapping[str, Sequence[str]], chance: random.Random) -> None:
        composers = [_Composer(form, parts, chance) for form in forms]
        self._composers = composers
        self._forms = Weighted(zip(composers, (form.weight for form in forms), strict=True))
        self._chance = chance
        self.size = sum(one.size for one in composers)

    def next(self) -> str:
        """A text that was not given before. Raises `ValueError` once all have been."""
        form = self._forms.draw(self._chance)
        if not form.left:
            form = max(self._composers, key=lambda one: one.left)
            if not form.left:
                raise ValueError(f"all {self.size:,} texts have been given")
        return form.next()
