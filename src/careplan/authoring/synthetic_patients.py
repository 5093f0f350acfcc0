"""Made-up patients from a seed, to try a rulebook on many. They show what rules do; they are like no real population."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from careplan.rulebook.conditions import COMPARISONS, tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import GROUPS, KINDS, LIMITS, Field
from careplan.rulebook.model import Rulebook

Json = dict[str, Any]

ANSWERED = 0.85
"""The share of questions that a made-up patient has answered."""
RARE = 0.05
"""The share of emergencies among answers: an even choice would block nearly every plan."""
_USUAL = {"suicidal_thoughts": "none", "home_environment": "supportive", "pregnancy": "not_pregnant"}


def synthetic(books: Sequence[Rulebook], count: int, seed: int = 0) -> Iterator[Json]:
    """`count` request bodies that every one of `books` admits. Same seed and rulebooks, same patients."""
    draw = _Draw(books, random.Random(seed))  # noqa: S311 - made-up patients, no secret
    for _ in range(count):
        yield draw.patient()


class _Draw:
    def __init__(self, books: Sequence[Rulebook], chance: random.Random) -> None:
        self._chance = chance
        self._numbers = _numbers(books)
        common = sorted(set[str].intersection(*(set(book.conditions) for book in books)))
        self._problems_now = [name for name in common if books[0].conditions[name].kind == "current_problem"]
        self._conditions = [name for name in common if name not in self._problems_now]
        rows = [row for book in books for row in book.catalogue.ingredients.values()]
        self._medicines = sorted({name for row in rows for name in (row.name, *row.brands)})
        self._goals = sorted({topic.example for book in books for topic in book.goals.words.topics.values()})

    def patient(self) -> Json:
        chance = self._chance
        body = self._answers("patient") | {kind: self._answers(kind) for kind in GROUPS}
        if chance.random() < ANSWERED:
            names = chance.sample(self._medicines, chance.choice((0, 1, 1, 2, 3, 5)))
            body["medications"] = [{"name": name} | self._answers("medicine") for name in names]
        if chance.random() < ANSWERED:
            held = chance.sample(self._conditions, min(chance.choice((0, 0, 1, 2)), len(self._conditions)))
            rare = chance.random() < RARE and self._problems_now
            body["conditions"] = sorted([*held, chance.choice(self._problems_now)] if rare else held)
        if chance.random() < ANSWERED:
            body["expectations"]["goals"] = chance.sample(self._goals, chance.choice((0, 1, 2)))
        return body

    def _answers(self, kind: str) -> Json:
        fields = {name: field for name, field in KINDS[kind].fields.items() if field.sent}
        return {name: self._answer(kind, name, field) for name, field in fields.items() if self._chance.random() < ANSWERED}

    def _answer(self, kind: str, name: str, field: Field) -> Any:
        chance = self._chance
        match field.type:
            case "boolean":
                return chance.random() < (RARE if kind == "red_flags" else 0.5)
            case "token":
                return _USUAL[name] if name in _USUAL and chance.random() > RARE else chance.choice(field.tokens)
            case _:
                return chance.choice(self._numbers[f"{kind}.{name}"])


def _numbers(books: Sequence[Rulebook]) -> Mapping[str, Sequence[float]]:
    """For every number of a request the values at which rules change their mind, and those beside them."""
    limits: dict[str, set[float]] = {}
    for book in books:
        for pattern in (pattern for rule in book.rules.values() for pattern in behind(book.derived, rule.when)):
            for test in tests_of(pattern.tests):
                if test.operation in COMPARISONS:
                    limits.setdefault(f"{pattern.kind}.{test.field}", set()).add(float(str(test.values[0])))
    found: dict[str, Sequence[float]] = {}
    for name, allowed in LIMITS.items():
        near = {limit + step for limit in limits.get(name, {allowed.least}) for step in (-1, 0, 1)}
        whole = int if allowed.whole else float
        found[name] = sorted(whole(value) for value in near if allowed.least <= value <= allowed.most)
    return found
