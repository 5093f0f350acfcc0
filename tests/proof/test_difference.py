"""Two rulebooks compared for all patients: every change is classified as patients through the engine show it."""

from __future__ import annotations

import csv
import io
import json
import os
import random
from collections.abc import Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from click.testing import CliRunner

from careplan.authoring.proof.difference import Comparer
from careplan.authoring.proof.difference_model import Fires
from careplan.authoring.synthetic_patients import synthetic
from careplan.cli.main import main
from careplan.facts.case import Case
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.plan.model import Item
from careplan.planner import Planner
from careplan.rulebook.conditions import When
from careplan.rulebook.factors import KINDS
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.rulebook.validity import ALWAYS
from tests.mutants import Mutant, mutants
from tests.patients import Json
from tests.proof.made_up_rules import NO_RULES
from tests.proof.small_lists import few_medicines_in
from tests.shipped import BOOK

CHANGES = int(os.environ.get("CAREPLAN_TEST_CHANGES", "500"))
EVERY_DAY = 12
PATIENTS = 150
PATIENTS_EVERY_DAY = 50


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
        if not (found := list(mutants(BOOK, rule))):
            continue  # a rule for everyone has nothing to change
        mutant: Mutant = chance.choice(found)
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
    if ("" in before) != ("" in after):
        # What is about the patient as a whole is said whatever else is about one medicine of theirs.
        return "more" if "" in after else "fewer"
    return "same" if before == after else "more" if before < after else "fewer" if after < before else "others"


def classified_rightly(comparer: Comparer, pairs: list[Pair], patients: int = PATIENTS) -> dict[Fires, int]:
    """Assert that every change is classified as patients show it; how many there are of each class."""
    held = Held(comparer, pairs)
    try:
        seen = [held.fired(body) for body in synthetic([BOOK], patients, seed=7)]
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


@pytest.mark.long
def test_seeded_changes_are_classified_as_the_engine_shows_them(comparer: Comparer) -> None:
    counts = classified_rightly(comparer, list(islice(changes(1), EVERY_DAY)), PATIENTS_EVERY_DAY)
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


@pytest.mark.long
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


@pytest.mark.long
def test_the_command_says_in_words_that_nothing_else_changed(sides: tuple[Path, Path]) -> None:
    done = CliRunner().invoke(main, ["rules", "compare", str(sides[0]), str(sides[0])])
    assert done.exit_code == 0
    assert "Nothing else changed, for any patient: 4 other rules" in done.output


XANTHINE = "xanthine-and-seizure-threshold"


@pytest.mark.long
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
    assert found["names"] == []


LISTED = ("younger-than-eighteen", "minors-block", "maoi-with-serotonergic-medicine", XANTHINE)
"""Rules about medicines and about none, and an invariant."""


class ListChange(NamedTuple):
    """The files of a changed list, the names that are read otherwise, and what the first stands for in the end."""

    files: dict[str, str]
    names: set[str]
    after: str


def list_changes(folder: Path, seed: int) -> Iterator[ListChange]:
    """Seeded changes of the lists of medicines without end: a new row, a new name and a new product in turn."""
    chance = random.Random(seed)  # noqa: S311 - a sample, no secret
    medicines, combinations = ((folder / name).read_text() for name in ("medications.csv", "combinations.csv"))
    rows = list(csv.DictReader(medicines.splitlines()))
    for at in count():
        word = "zq" + "".join(chance.choices("abdeikmnopu", k=9))
        one, other = chance.sample(rows, 2)
        match at % 3:
            case 0:  # a new row, of the classes of another one
                row = f"{word},{word},{one['classes']},,,,memory,,none,,,{word}brand,,,ask,,"
                yield ListChange({"medications.csv": f"{medicines}{row}\n"}, {word, f"{word}brand"}, word)
            case 1:  # a new name of a row
                lines = [{**row, "names": f"{row['names']};{word}".strip(";")} if row is one else row for row in rows]
                text = io.StringIO(newline="")
                writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
                writer.writeheader()
                writer.writerows(lines)
                yield ListChange({"medications.csv": text.getvalue()}, {word}, one["name"])
            case _:  # a new product of two
                row = f"{word},,{one['ingredient']};{other['ingredient']},,,,"
                yield ListChange(
                    {"combinations.csv": f"{combinations}{row}\n"}, {word}, f"{one['name']} and {other['name']}"
                )


def plans_of(book: Rulebook, bodies: list[Json]) -> list[list[Item]]:
    planner = Planner(book)
    try:
        return [planner.items(planner.intake.decode(msgspec.json.encode(body))) for body in bodies]
    finally:
        planner.close()


def changes_named(tmp_path: Path, *, seed: int, number: int) -> None:
    """Assert that changes, made and taken back in turn, are named in full, and that nobody else gets another plan."""
    folder = few_medicines_in(tmp_path / "rules", LISTED)
    old = load(folder)
    bodies = list(synthetic([old], 30, seed=3))
    plans = plans_of(old, bodies)
    for at, change in enumerate(islice(list_changes(folder, seed), number)):
        there = {name: (folder / name).read_text() for name in change.files}
        for name, text in change.files.items():
            (folder / name).write_text(text)
        new = load(folder)
        for name, text in there.items():
            (folder / name).write_text(text)
        backwards = at % 2 == 1
        comparer = Comparer(*((new, old) if backwards else (old, new)))
        found = comparer.compare(((), ()))
        comparer.close()
        assert (found.rules, found.lists) == ([], []), change
        assert {name for one in found.names for name in one.names} == change.names
        for one in found.names:
            assert (one.before, one.after) == ((change.after, "") if backwards else ("", change.after))
        assert plans_of(new, bodies) == plans, change


@pytest.mark.long
def test_of_a_new_medicine_name_or_product_the_names_are_said_and_that_nothing_else_changes_for_anybody(
    tmp_path: Path,
) -> None:
    changes_named(tmp_path, seed=1, number=3)


@pytest.mark.long
def test_many_changes_of_the_lists_of_medicines_are_named_in_full(tmp_path: Path) -> None:
    changes_named(tmp_path, seed=2, number=60)


@pytest.mark.long
def test_a_rule_that_names_a_new_medicine_is_shown_with_a_patient_who_takes_it(tmp_path: Path) -> None:
    old, new = (few_medicines_in(tmp_path / name, LISTED) for name in ("old", "new"))
    with (new / "medications.csv").open("a") as table:
        table.write("novelip,novelip,,,,,memory,,none,,,,,,,,\n")
    path = next(new.rglob(f"{XANTHINE}.yaml"))
    changed(path, "class: xanthine", "any_of: [{class: xanthine}, {ingredient: novelip}]")
    done = CliRunner().invoke(main, ["rules", "compare", str(old), str(new), "--rule", XANTHINE])
    assert done.exit_code == 1
    assert "It comes up for more patients" in done.output
    assert '{"medications":[{"name":"novelip"' in done.output
    assert "read otherwise: novelip\n  Before as nothing of the list of medicines, now as novelip." in done.output
    assert f"1 rule names it or one of its classes: {XANTHINE}." in done.output
    assert CliRunner().invoke(main, ["rules", "compare", str(old), "--rule", "no-such-rule"]).exit_code == 2


@pytest.mark.long
def test_what_is_not_proved_of_changed_lists_is_said_by_name(tmp_path: Path) -> None:
    old, new = (few_medicines_in(tmp_path / name, ("younger-than-eighteen",)) for name in ("old", "new"))
    changed(
        new / "medications.csv",
        "alprazolam,alprazolam,benzodiazepine,intermediate,",
        "alprazolam,alprazolam,benzodiazepine,long,",
    )
    with (new / "list_words.yaml").open("a") as words:
        words.write("# Nothing that is read.\n")
    done = CliRunner().invoke(main, ["rules", "compare", str(old), str(new)])
    assert "It is not proved what these changes do: half_life of alprazolam, list_words.yaml." in done.output
