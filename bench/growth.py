"""How the cost of a plan grows: with medicines, with what else a request says, and with the number of rules."""

from __future__ import annotations

import gc
import json
import math
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, count
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bench.measure import MICRO, Figure, NeverSeen, clock, planned, seconds_of
from careplan.authoring.composed_texts import Composed
from careplan.authoring.realistic_data import source
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.rulebook.factors import KINDS, LIMITS, OF_DERIVED
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import SECTIONS

Json = dict[str, Any]


def growth_of_medicines(rounds: int) -> Json:
    """Microseconds a plan by the number of medicines, which are others in every request."""
    names = [row.name for row in load(shipped()).catalogue.ingredients.values()]
    schedules, reasons = KINDS["medicine"].fields["schedule"].tokens, KINDS["medicine"].fields["indication"].tokens

    def taking(count: int) -> Callable[[random.Random], Json]:
        def request(chance: random.Random) -> Json:
            taken = [
                {"name": name, "schedule": chance.choice(schedules), "indication": chance.choice(reasons)}
                for name in chance.sample(names, count)
            ]
            return {"medications": taken}

        return request

    return _growth({str(count): taking(count) for count in (1, 2, 5, 10, 20, 50)}, rounds)


def growth_of_requests(rounds: int) -> Json:
    """Microseconds a plan by what else a request says, up to all that it may say; in other words in every request."""
    book = load(shipped())
    conditions = [name for name, row in book.conditions.items() if row.kind != "current_problem"][:60]
    numbers = count()
    goals = source().goals

    def some_goals(chance: random.Random, many: int, length: int = 0) -> list[str]:
        composed = Composed(goals.forms, goals.parts, chance)
        found = [composed.next() for _ in range(many)]
        return [(goal + " and then" * 60)[:length] + f" {at:03}" for at, goal in enumerate(found)] if length else found

    def others(_: random.Random) -> list[str]:
        return [(f"something else {next(numbers)} " + "of long standing " * 20)[:195] for _ in range(60)]

    def unknown(_: random.Random) -> list[Json]:
        names = [(f"unheard of {next(numbers)} " + "by any name " * 20)[:195] for _ in range(100)]
        return [{"name": name, "schedule": "daily"} for name in names]

    requests: dict[str, Callable[[random.Random], Json]] = {
        "an age": lambda chance: {"age_years": chance.randint(18, 90)},
        "1 goal": lambda chance: {"expectations": {"goals": some_goals(chance, 1)}},
        "5 goals": lambda chance: {"expectations": {"goals": some_goals(chance, 5)}},
        "20 goals": lambda chance: {"expectations": {"goals": some_goals(chance, 20)}},
        "20 goals of 500 characters": lambda chance: {"expectations": {"goals": some_goals(chance, 20, 490)}},
        "5 conditions": lambda chance: {"conditions": chance.sample(conditions, 5)},
        "20 conditions": lambda chance: {"conditions": chance.sample(conditions, 20)},
        f"{len(conditions)} conditions": lambda chance: {"conditions": chance.sample(conditions, len(conditions))},
        "60 conditions in other words": lambda chance: {"other_conditions": others(chance)},
        "100 medicines nobody knows": lambda chance: {"medications": unknown(chance)},
        "all of these at once": lambda chance: {
            "medications": unknown(chance),
            "conditions": chance.sample(conditions, len(conditions)),
            "other_conditions": others(chance),
            "expectations": {"goals": some_goals(chance, 20, 490)},
        },
    }
    return _growth(requests, rounds)


TOGETHER = 4
"""Requests of a kind that are timed together in a round."""


def _growth(requests: Mapping[str, Callable[[random.Random], Json]], rounds: int) -> Json:
    """Requests of each kind, drawn anew for every round, by a planner that has met some of each kind and other patients."""
    planner, chance = Planner(load(shipped())), random.Random(13)  # noqa: S311 - no secret
    for body in NeverSeen(19, planner.book).some(100):
        planned(planner, body)
    taken: dict[str, list[float]] = {name: [] for name in requests}
    sizes: dict[str, tuple[int, int]] = {}
    for at in range(rounds + 1):
        for name, request in requests.items():
            bodies = [msgspec.json.encode(request(chance)) for _ in range(TOGETHER)]
            seconds = seconds_of(lambda body: planned(planner, body), bodies)
            if at:
                taken[name].append(seconds * MICRO)
            else:
                sizes[name] = len(bodies[0]), len(planned(planner, bodies[0]))
    return {
        name: {"never_seen": Figure.of(times), "request": sizes[name][0], "bytes": sizes[name][1]}
        for name, times in taken.items()
    }


def growth_of_rules(sizes: Sequence[int], rounds: int = 5, fresh: int = 20) -> Json:
    """Loading rulebooks of so many rules from files, making them ready, and planning for patients never seen."""
    new = NeverSeen(11)
    met, everyone = new.some(fresh), [new.some(fresh) for _ in range(rounds)]
    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "rules"
            rulebook(folder, size)
            gc.disable()  # as the service has it until it is ready
            began = clock()
            book = load(folder)
            loaded = clock()
            planner = Planner(book)
            ready = clock()
            gc.enable()
        gc.freeze()

        def plan(body: bytes, planner: Planner = planner) -> None:
            planned(planner, body)

        seconds_of(plan, met)
        times = [seconds_of(plan, bodies) * MICRO for bodies in everyone]
        items = [sum(1 for _ in items_of(planner.plan(planner.intake.decode(body)))) for body in met]
        found[str(size)] = {
            "rules": len(book.rules),
            "load_ms": (loaded - began) * 1000,
            "ready_ms": (ready - loaded) * 1000,
            "items": sum(items) / len(items),
            "never_seen": Figure.of(times),
        }
        planner.close()
        gc.unfreeze()
        del planner, book, plan
        gc.collect()
    return found


def rulebook(folder: Path, size: int) -> None:
    """Write a rulebook of so many rules: the shipped one, or some of it, and copies of its rules with other conditions."""
    shutil.copytree(shipped(), folder, ignore=lambda *_: [*SECTIONS, "rules.lock", "retired", "invariants", INTERACTIONS])
    known = load(shipped())
    files = [
        path for section in SECTIONS for path in sorted((shipped() / section).glob("*.yaml")) if path.stem in known.rules
    ]
    files = files[:: max(1, len(files) // size)][:size]
    varied = _Varying(known.catalogue.ingredients, known.classes, known.conditions)
    texts = {path: path.read_text() for path in files}
    loader = yaml.CBaseLoader  # which builds nothing but texts
    whens = {path: yaml.load(text, Loader=loader)["when"] for path, text in texts.items()}  # noqa: S506
    topics = {path: known.rules[path.stem].file.topic for path in files}
    written = copy = 0
    while written < size:
        for path in files:
            text = texts[path]
            if copy or len(files) < len(known.rules):
                text = _without(text, "related")
            if copy:
                when = whens[path]
                if when == "everyone" or not OF_DERIVED.isdisjoint(_kinds(when)):  # what is derived cannot be certain
                    continue
                line = json.dumps(varied.when(when, copy), ensure_ascii=False)
                # What a copy asks besides may be that every entry was read, which is to ask for certainty.
                text = (
                    _without(_without(_without(text, "when"), "clears_with"), "certain") + f"certain: true\nwhen: {line}\n"
                )
                if not re.search(r'benzodiazepine"|"lamotrigine"|"names_', line):
                    # Its new conditions may be about another medicine, whose rules must not bring these warnings.
                    text = re.sub(r"\b(?:seizures?|rash)\b", "harm", text, flags=re.IGNORECASE)
                text = re.sub(r"^id: .*$", f"id: {path.stem}-{copy}", text, count=1, flags=re.MULTILINE)
                text = _without(_without(_without(text, "line"), "scope"), "topic") + (
                    f"scope: personal\ntopic: {topics[path]}\nline: Copy {copy} of a rule, number {written}.\n"
                )
            target = folder / path.parent.name / f"{path.stem}{f'-{copy}' if copy else ''}.yaml"
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            written += 1
            if written == size:
                return
        copy += 1


def _kinds(when: Json) -> set[str]:
    return {kind for group in when.get("any_of", [when]) for kind in group}


def _without(text: str, key: str) -> str:
    return re.sub(rf"^{key}:.*?(?=^[a-z_]+:|\Z)", "", text, flags=re.MULTILINE | re.DOTALL)


class _Varying:
    """Conditions of the same shape that no other copy has: one more test in each pattern, which few patients pass."""

    def __init__(self, *vocabularies: Mapping[str, object]) -> None:
        # A rule about these two must bring warnings that a copy of another rule does not have.
        warned = {"benzodiazepine", "lamotrigine"}
        self._ingredients, self._classes, self._conditions = (sorted(set(names) - warned) for names in vocabularies)

    def when(self, when: Json, copy: int) -> Json:
        """The conditions of a copy."""
        if set(when) == {"any_of"}:
            return {"any_of": [self._group(group, copy) for group in when["any_of"]]}
        return self._group(when, copy)

    def _group(self, group: Json, copy: int) -> Json:
        return {kind: self._pattern(kind, _plain(tests), copy) for kind, tests in group.items()}

    def _pattern(self, kind: str, tests: Json, copy: int) -> Json:
        # A copy that asked whether a goal names a medicine would have to warn of it.
        free = {
            name: field for name, field in KINDS[kind].fields.items() if name not in tests and not name.startswith("names_")
        }
        listed: dict[str, Sequence[str]] = {
            "ingredients": self._ingredients,
            "conditions": self._conditions,
            "classes": self._classes,
        }
        for name, field in free.items():
            if field.type == "number" and not field.between:
                most = LIMITS[f"{kind}.{name}"].most if f"{kind}.{name}" in LIMITS else 20
                step = most / 500
                return tests | {name: {"at_least": round(copy * step, 2), "less_than": round((copy + 3) * step, 2)}}
            if field.vocabulary:
                tokens = listed.get(field.vocabulary, self._ingredients)
                token = tokens[copy * 37 % len(tokens)]
                return tests | {
                    name: token if field.type == "token" else {"all": [token, tokens[(copy * 37 + 5) % len(tokens)]]}
                }
        # Answers to other questions: every combination is another pattern, and there are millions: only one is worked out.
        answers: dict[str, Sequence[object]] = {
            name: ("", *((True, False) if field.type == "boolean" else field.tokens)) for name, field in free.items()
        }
        place = math.prod(map(len, answers.values())) - copy
        if place > 0:
            more: Json = {}
            for name, values in reversed(answers.items()):
                place, at = divmod(place, len(values))
                more[name] = values[at]
            return tests | {name: more[name] for name in answers if more[name] != ""}
        # Nothing else to ask of such a fact: the copy names other tokens where the rule names some.
        for name in tests:
            known = KINDS[kind].fields.get(name)
            if known is not None and known.type == "token":
                several = list(combinations(listed.get(known.vocabulary, known.tokens), 2))
                return tests | ({name: list(several[copy * 13 % len(several)])} if several else {})
        return tests


def _plain(value: Any) -> Any:
    """What the loader that builds only texts has read, as YAML's core schema means it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if value in ("true", "false"):
        return value == "true"
    return float(value) if re.fullmatch(r"-?\d+(\.\d+)?", value) else value
