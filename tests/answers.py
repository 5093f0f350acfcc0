"""Answers worth trying to the questions on which a rule hangs: what its conditions and its examples speak of, and beside."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice, product
from typing import Any

from careplan.cli.answering import put
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.derived import behind
from careplan.rulebook.factors import KINDS
from careplan.rulebook.model import Rule, Rulebook

Json = dict[str, Any]

LEFT_OPEN = object()
CLOSING: dict[str, Any] = {
    "/conditions": [],
    "/lifestyle/alcohol_drinks_per_week": 0,
    "/red_flags/intoxicated_now": False,
    "/red_flags/new_neurological_symptom": False,
}
"""What could close the hold question besides the medicines, with the answers that do not."""
_MOST = 4_000


def completed(book: Rulebook, rule: Rule, body: Json, questions: Sequence[str]) -> Iterator[Json]:
    """The patient with the questions answered in every way worth trying, or left open; many ways are sampled."""
    ways = [[LEFT_OPEN, *_answers(book, rule, body, pointer)] for pointer in questions]
    if "/medications" in questions:
        # What may be said of a medicine is asked as soon as it is known, and hangs on these answers.
        more = [pointer for pointer in CLOSING if pointer not in questions and not _answered(body, pointer)]
        questions, ways = [*questions, *more], [*ways, *([LEFT_OPEN, CLOSING[pointer]] for pointer in more)]
    size = 1
    for way in ways:
        size *= len(way)
    chance = random.Random(0)  # noqa: S311
    every = product(*ways) if size <= _MOST else (tuple(map(chance.choice, ways)) for _ in range(_MOST))
    for answers in islice(every, _MOST):
        answered = body
        for pointer, answer in zip(questions, answers, strict=True):
            if answer is not LEFT_OPEN:
                answered = _with(answered, pointer, answer)
        yield answered


def _answers(book: Rulebook, rule: Rule, body: Json, pointer: str) -> list[Any]:
    first, *rest = pointer.strip("/").split("/")
    looked_at = behind(book.derived, rule.when)
    tests = [(pattern.kind, test) for pattern in looked_at for test in tests_of(pattern.tests)]
    examples = [example.patient for example in (*rule.file.examples.fires, *rule.file.examples.silent)]
    if pointer == "/conditions":
        named = list(dict.fromkeys(str(value) for _, test in tests for value in test.values if value in book.conditions))
        closing = [name for name, condition in book.conditions.items() if condition.closes_hold][:1]
        return [[], *([name] for name in [*named, *closing]), named, *_sent(examples, "conditions")]
    if pointer == "/expectations/goals":
        return [[], ["Feel better"], *_sent([example.get("expectations", {}) for example in examples], "goals")]
    if pointer == "/medications":
        classes = {hold["drug_class"] for hold in body.get("protocol", {}).get("holds", [])}
        rows = [row for row in book.catalogue.ingredients.values() if not classes.isdisjoint(row.classes)]
        return [[], [{"name": "aspirin"}], *([{"name": row.name}] for row in rows), *_sent(examples, "medications")]
    if first == "medications":
        return sorted(KINDS["medicine"].fields[rest[1]].tokens)
    kind, field = (first, rest[0]) if rest else ("patient", first)
    described = book.kinds[kind].fields[field]
    if described.type == "boolean":
        return [True, False]
    if described.type == "token":
        return sorted(described.tokens)
    allowed = book.limits[f"{kind}.{field}"]
    limits = {float(str(value)) for _, test in tests if test.field == field for value in test.values} | {
        float(allowed.least)
    }
    if field.startswith("sessions_"):
        left = {float(str(value)) for _, test in tests if test.field == "sessions_left" for value in test.values}
        left |= {0.0} if any(test.field == "beyond_plan" for _, test in tests) else set()
        beside = "sessions_planned" if field == "sessions_completed" else "sessions_completed"
        given = body.get("treatment", {}).get(beside)
        tested = {float(str(value)) for _, test in tests if test.field == beside for value in test.values}
        others = {0.0, 1.0, *tested} if given is None else {float(given)}
        limits |= (
            left | {other + one for other in others for one in left} | {other - one for other in others for one in left}
        )
    if kind == "protocol" and field in book.about.plausible:
        limits.add(book.about.plausible[field].least)
    near = sorted({limit + step for limit in limits for step in (-1, 0, 1)})
    return [int(one) if one.is_integer() else one for one in near if allowed.least <= one <= allowed.most]


def _answered(body: Json, pointer: str) -> bool:
    value: Any = body
    for key in pointer.strip("/").split("/"):
        value = value.get(key) if isinstance(value, dict) else None
    return value is not None


def _sent(examples: Sequence[Json], key: str) -> list[Any]:
    return [example[key] for example in examples if key in example]


def _with(body: Json, pointer: str, answer: Any) -> Json:
    given = put(body, pointer, answer)
    return given | {"protocol": SIGNED | given["protocol"]} if pointer.startswith("/protocol/") else given


SIGNED = {"approved_by": "Dr. Ada Quill"}
