"""Two rulebooks compared for all patients: every change is classified as patients through the engine show it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from click.testing import CliRunner

from careplan.authoring.proof.difference import Comparer, Fires
from careplan.authoring.synthetic_patients import synthetic
from careplan.cli.main import main
from careplan.facts.case import Case
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.rulebook.conditions import When
from careplan.rulebook.factors import KINDS
from careplan.rulebook.validity import ALWAYS
from tests.mutants import Mutant, mutants
from tests.patients import Json
from tests.proof.made_up_rules import NO_RULES
from tests.proof.small_lists import few_medicines_in
from tests.shipped import BOOK

CHANGES = int(os.environ.get("CAREPLAN_TEST_CHANGES", "500"))
EVERY_DAY = 24
PATIENTS = 150


class Pair(NamedTuple):
    """A rule as it was and as it became."""

    rule: str
    how: str
    before: When
    after: When


def changes(seed: int) -> Iterator[Pair]:
    """Seeded changes of shipped rules in one place each, without end."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    rules = BOOK.in_order()
    while True:
        rule = chance.choice(rules)
        mutant: Mutant = chance.choice(list(mutants(BOOK, rule)))
        # A change back is a change as well: what became narrower there becomes wider.
        sides = (rule.when, mutant.when) if chance.random() < 0.5 else (mutant.when, rule.when)
        yield Pair(rule.id, mutant.how, *sides)


@pytest.fixture(scope="module")
def comparer() -> Iterator[Comparer]:
    found = Comparer(BOOK, BOOK)
    yield found
    found.close()


class Held:
    """What the engine says of patients under both sides of many changes."""

    def __init__(self, comparer: Comparer, pairs: list[Pair]) -> None:
        self._intake = comparer.intake
        rules = {f"{at} {side}": when for at, pair in enumerate(pairs) for side, when in zip("ba", pair[2:], strict=True)}
        self._cases = CaseMaker(NO_RULES, list(rules.values()))
        self._engine = Engine(rules)

    def close(self) -> None:
        self._engine.close()

    def fired(self, body: Json) -> set[tuple[str, str]]:
        """Which sides hold, and about which medicine, goal or condition: of several a change may concern only one."""
        case: Case = self._cases.case(self._intake.decode(msgspec.json.encode(body)))
        many = {fact.id for fact in case.facts if KINDS[fact.kind].many}
        return {
            (finding.rule, " ".join(one for one in finding.facts if one in many))
            for finding in self._engine.evaluate(case.facts)
        }


def turns(at: int, fired: set[tuple[str, str]]) -> Fires:
    """What one patient shows of a change."""
    before, after = ({about for name, about in fired if name == f"{at} {side}"} for side in "ba")
    return "same" if before == after else "more" if before < after else "fewer" if after < before else "others"


def classified_rightly(comparer: Comparer, pairs: list[Pair]) -> dict[Fires, int]:
    """Assert that every change is classified as patients show it; how many there are of each class."""
    held = Held(comparer, pairs)
    try:
        seen = [held.fired(body) for body in synthetic([BOOK], PATIENTS, seed=7)]
        counts: dict[Fires, int] = {}
        for at, pair in enumerate(pairs):
            fires, gains, loses = comparer.classified((pair.before, ALWAYS), (pair.after, ALWAYS))
            counts[fires] = counts.get(fires, 0) + 1
            turned = partial(turns, at)
            if gains is not None:
                assert turned(held.fired(gains)) in ("more", "others"), (pair, gains)
            if loses is not None:
                assert turned(held.fired(loses)) in ("fewer", "others"), (pair, loses)
            for fired in seen:
                assert turned(fired) in {"others": ("same", "more", "fewer", "others")}.get(fires, ("same", fires)), pair
        return counts
    finally:
        held.close()


def test_seeded_changes_are_classified_as_the_engine_shows_them(comparer: Comparer) -> None:
    counts = classified_rightly(comparer, list(islice(changes(1), EVERY_DAY)))
    assert {"more", "fewer", "others"} <= counts.keys()
    assert "not_decided" not in counts


@pytest.mark.deep
@pytest.mark.skipif("CAREPLAN_TEST_CHANGES" not in os.environ, reason="scripts/long does it")
def test_many_seeded_changes_are_classified_as_the_engine_shows_them(comparer: Comparer) -> None:
    counts = classified_rightly(comparer, list(islice(changes(2), CHANGES)))
    assert {"same", "more", "fewer", "others"} <= counts.keys()


def changed(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A small rulebook, and the same with two limits moved, one rule gone and one left alone."""
    keep = (
        "younger-than-eighteen",
        "sleep-under-five-hours",
        "sleep-five-to-six-hours",
        "minors-block",
        "one-word-on-sleep",
    )
    old, new = (
        few_medicines_in(tmp_path_factory.mktemp(name) / "rules", (*keep, "alcohol-none-keep")) for name in ("old", "new")
    )
    changed(new / "screening" / "younger-than-eighteen.yaml", "less_than: 18}", "less_than: 17}")
    changed(new / "aftercare" / "sleep-five-to-six-hours.yaml", "at_least: 5,", "at_least: 4.5,")
    (new / "aftercare" / "alcohol-none-keep.yaml").unlink()
    return old, new


def test_the_command_says_of_each_rule_for_whom_it_comes_up_now(sides: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(main, ["rules", "compare", *map(str, sides), "--format", "json"])
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    rules = {rule["rule"]: rule for rule in found["rules"]}
    assert {name: rule["fires"] for name, rule in rules.items()} == {
        "younger-than-eighteen": "fewer",
        "sleep-five-to-six-hours": "more",
        "alcohol-none-keep": "gone",
    }
    minor = rules["younger-than-eighteen"]["loses"]
    assert (minor["patient"], minor["replayed"]) == ({"age_years": 17}, True)
    assert [title for title in minor["before"] if title not in minor["after"]]
    assert found["unchanged"] == 1
    invariants = {one["invariant"]: (one["held"], one["holds"]) for one in found["invariants"]}
    assert invariants == {"minors-block": (True, False), "one-word-on-sleep": (True, False)}


def test_the_command_says_in_words_that_nothing_else_changed(sides: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(main, ["rules", "compare", str(sides[0]), str(sides[0])])
    assert done.exit_code == 0
    assert "Nothing else changed, for any patient: 4 other rules" in done.output


XANTHINE = "xanthine-and-seizure-threshold"


def test_that_a_medicine_joins_a_class_is_proved_of_rules_that_name_it_and_not_of_what_the_program_makes_of_it(
    tmp_path: Path,
) -> None:
    old, new = (few_medicines_in(tmp_path / name, (XANTHINE, "stimulant-blood-pressure")) for name in ("old", "new"))
    changed(new / "medications.csv", "sertraline,antidepressant,", "sertraline,antidepressant;xanthine;antiseizure,")
    done = CliRunner().invoke(main, ["rules", "compare", str(old), str(new), "--format", "json"])
    found = json.loads(done.stdout)
    rules = {rule["rule"]: rule for rule in found["rules"]}
    assert {name: rule["fires"] for name, rule in rules.items()} == {
        XANTHINE: "more",
        "stimulant-blood-pressure": "not_decided",  # an antiseizure medicine more closes the question of a hold
    }
    gains = rules[XANTHINE]["gains"]
    assert gains["patient"]["medications"][0]["name"].casefold() == "sertraline"
    assert gains["replayed"] is True
    assert "the medicines" not in found["lists"]
