"""How the cost of a plan grows: with medicines, with what else a request says, and with the number of rules."""

from __future__ import annotations

import gc
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any

import msgspec
import yaml

from bench.measure import MICRO, Figure, golden_bodies, in_turns, made_up_bodies
from careplan.planner import Planner
from careplan.rulebook.factors import KINDS, LIMITS
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import SECTIONS

Json = dict[str, Any]


def growth_of_medicines(rounds: int) -> Json:
    """Microseconds a plan by the number of medicines."""
    names = [row.name for row in load(shipped()).catalogue.ingredients.values()]
    taken = [{"name": name, "schedule": "daily", "indication": "other"} for name in names]
    return _growth({str(count): {"medications": taken[:count]} for count in (1, 2, 5, 10, 20, 50)}, rounds)


def growth_of_requests(rounds: int) -> Json:
    """Microseconds a plan by what else a request says, up to all that it may say."""
    book = load(shipped())
    conditions = [name for name, row in book.conditions.items() if row.kind != "current_problem"][:60]
    topics = [topic.example for topic in book.goals.words.topics.values()]
    goals = [f"{topics[at % len(topics)]}, number {at}" for at in range(20)]
    long = [(goal + " and then " * 100)[:490] + f" {at:03}" for at, goal in enumerate(goals)]
    other = [(f"something else {at} " + "of long standing " * 20)[:195] for at in range(60)]
    entries = [{"name": (f"unheard of {at} " + "by any name " * 20)[:195], "schedule": "daily"} for at in range(100)]
    everything = {
        "medications": entries,
        "conditions": conditions,
        "other_conditions": other,
        "expectations": {"goals": long},
    }
    requests: dict[str, Json] = {
        "nothing": {},
        "1 goal": {"expectations": {"goals": goals[:1]}},
        "5 goals": {"expectations": {"goals": goals[:5]}},
        "20 goals": {"expectations": {"goals": goals}},
        "20 goals of 500 characters": {"expectations": {"goals": long}},
        "5 conditions": {"conditions": conditions[:5]},
        "20 conditions": {"conditions": conditions[:20]},
        f"{len(conditions)} conditions": {"conditions": conditions},
        "60 conditions in other words": {"other_conditions": other},
        "100 medicines nobody knows": {"medications": entries},
        "all of these at once": everything,
    }
    return _growth(requests, rounds)


def _growth(requests: Mapping[str, Json], rounds: int) -> Json:
    """Each request again and again, and by a planner that has just forgotten everything."""
    book = load(shipped())
    planner, forgetful = Planner(book), Planner(book)
    bodies = {name: msgspec.json.encode(request) for name, request in requests.items()}

    def again(body: bytes) -> None:
        planner.encoded(planner.intake.decode(body))

    def afresh(body: bytes) -> None:
        forgetful.forget()
        forgetful.encoded(forgetful.intake.decode(body))

    work: dict[str, Callable[[], object]] = {}
    for name, body in bodies.items():
        work[f"{name} known"] = lambda body=body: again(body)  # type: ignore[misc]
        work[f"{name} afresh"] = lambda body=body: afresh(body)  # type: ignore[misc]
    in_turns(work, 1)
    taken = in_turns(work, rounds)
    return {
        name: {kind: Figure.of([one * MICRO for one in taken[f"{name} {kind}"]]) for kind in ("known", "afresh")}
        | {"request": len(body), "bytes": len(planner.encoded(planner.intake.decode(body)))}
        for name, body in bodies.items()
    }


def growth_of_rules(sizes: Sequence[int], rounds: int = 5, fresh: int = 20) -> Json:
    """Loading rulebooks of so many rules from files, making them ready, and planning with them."""
    made_up = made_up_bodies(load(shipped()), fresh * (rounds + 1), seed=11)
    golden = golden_bodies()
    found = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "rules"
            rulebook(folder, size)
            gc.disable()  # as the service has it until it is ready
            began = time.perf_counter()
            book = load(folder)
            loaded = time.perf_counter()
            planner = Planner(book)
            ready = time.perf_counter()
            gc.enable()
        gc.freeze()
        decode = planner.intake.decode

        def planned(bodies: Sequence[bytes], planner: Planner = planner) -> float:
            decode = planner.intake.decode
            began = time.perf_counter()
            for body in bodies:
                planner.encoded(decode(body))
            return (time.perf_counter() - began) / len(bodies) * MICRO

        planned(golden)
        planned(made_up[:fresh])
        taken: dict[str, list[float]] = {"known": [], "never_seen": [], "afresh": []}
        for at in range(1, rounds + 1):
            taken["never_seen"].append(planned(made_up[at * fresh : (at + 1) * fresh]))
            planned(golden)
            taken["known"].append(planned(golden))
            planner.forget()
            taken["afresh"].append(planned(golden[:3]))
        found[str(size)] = {
            "rules": len(book.rules),
            "load_ms": (loaded - began) * 1000,
            "ready_ms": (ready - loaded) * 1000,
            "items": sum(len(planner.summed_up(decode(body)).rules) for body in golden) / len(golden),
            **{name: Figure.of(values) for name, values in taken.items()},
        }
        planner.close()
        gc.unfreeze()
        del planner, book
        gc.collect()
    return found


def rulebook(folder: Path, size: int) -> None:
    """Write a rulebook of so many rules: the shipped one, or some of it, and copies of its rules with other conditions."""
    shutil.copytree(shipped(), folder, ignore=lambda *_: [*SECTIONS, "rules.lock", "retired", "invariants"])
    known = load(shipped())
    files = [
        path for section in SECTIONS for path in sorted((shipped() / section).glob("*.yaml")) if path.stem in known.rules
    ]
    files = files[:: max(1, len(files) // size)][:size]
    varied = _Varying(known.catalogue.ingredients, known.classes, known.conditions)
    texts = {path: path.read_text() for path in files}
    loader = yaml.CBaseLoader  # which builds nothing but texts
    whens = {path: yaml.load(text, Loader=loader)["when"] for path, text in texts.items()}  # noqa: S506
    written = copy = 0
    while written < size:
        for path in files:
            text = texts[path]
            if copy or len(files) < len(known.rules):
                text = _without(text, "related")
            if copy:
                when = whens[path]
                if when == "everyone":
                    continue
                line = json.dumps(varied.when(when, copy), ensure_ascii=False)
                # What a copy asks besides may be that every entry was read, which is to ask for certainty.
                text = (
                    _without(_without(_without(text, "when"), "clears_with"), "certain") + f"certain: true\nwhen: {line}\n"
                )
                if not re.search(r'"benzodiazepine|"lamotrigine"|"names_', line):
                    # Its new conditions may be about another medicine, whose rules must not bring these warnings.
                    text = re.sub(r"\b(?:seizures?|rash)\b", "harm", text, flags=re.IGNORECASE)
                text = re.sub(r"^id: .*$", f"id: {path.stem}-{copy}", text, count=1, flags=re.MULTILINE)
            target = folder / path.parent.name / f"{path.stem}{f'-{copy}' if copy else ''}.yaml"
            target.parent.mkdir(exist_ok=True)
            target.write_text(text)
            written += 1
            if written == size:
                return
        copy += 1


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
        free = {name: field for name, field in KINDS[kind].fields.items() if name not in tests}
        listed: dict[str, Sequence[str]] = {
            "ingredients": self._ingredients,
            "conditions": self._conditions,
            "classes": self._classes,
        }
        for name, field in free.items():
            if field.type == "number":
                most = LIMITS[f"{kind}.{name}"].most if f"{kind}.{name}" in LIMITS else 20
                step = most / 500
                return tests | {name: {"at_least": round(copy * step, 2), "less_than": round((copy + 3) * step, 2)}}
            if field.vocabulary:
                tokens = listed.get(field.vocabulary, self._ingredients)
                token = tokens[copy * 37 % len(tokens)]
                return tests | {
                    name: token if field.type == "token" else {"all": [token, tokens[(copy * 37 + 5) % len(tokens)]]}
                }
        # Answers to other questions: every combination is another pattern.
        tokens_of = {name: (True, False) if field.type == "boolean" else field.tokens for name, field in free.items()}
        combined = [
            {name: value for name, value in zip(tokens_of, values, strict=True) if value != ""}
            for values in product(*[("", *tokens) for tokens in tokens_of.values()])
        ][1:]
        if len(combined) >= copy:
            return tests | combined[-copy]
        # Nothing else to ask of such a fact: the copy names other tokens where the rule names some.
        for name in tests:
            known = KINDS[kind].fields.get(name)
            if known is not None and known.type == "token":
                several = list(combinations(listed.get(known.vocabulary, known.tokens), 2))
                return tests | {name: list(several[copy * 13 % len(several)])}
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
