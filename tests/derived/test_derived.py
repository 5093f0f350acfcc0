"""What a rulebook derives is to engine, logic, proof and explanations one more field, and says what its definition says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import msgspec
import pytest
import yaml
import z3
from hypothesis import given, settings

from careplan.authoring.proof.answers import Unwritable
from careplan.authoring.proof.formulas import of_group, of_when
from careplan.authoring.proof.search import Search
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.errors import InvalidPatient
from careplan.facts.case import Case, Fact, Properties
from careplan.inference.case_logic import CaseLogic
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.inference.verdicts import RuleTables
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.what_if_request import merge_patch
from careplan.rulebook.conditions import Reader, When
from careplan.rulebook.derived_order import read_in_order
from careplan.rulebook.model import Rulebook
from careplan.rulebook.yaml_and_csv import Document
from tests import reference
from tests.answers import completed
from tests.derived.made_up import BESIDE, DERIVED, FACTS, bodies, made_up
from tests.patients import Json
from tests.proof.assignment import Chosen, assigned
from tests.shipped import BOOK
from tests.sizes import cases

CALMING = {"antipsychotic", "antidepressant"}
MADE_UP = settings(max_examples=cases(40))


class Made:
    """The made-up rulebook, and all that is made of it."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.rules: dict[str, When] = {rule.id: rule.when for rule in book.rules.values()}
        self.planner = Planner(book)
        self.cases = CaseMaker(book)
        self.engine = Engine(self.rules)
        self.tables = RuleTables(self.rules)

    def case(self, body: Json) -> Case:
        """The facts of a patient."""
        return self.cases.case(self.planner.intake.decode(msgspec.json.encode(body)))

    def there(self, body: Json) -> set[str]:
        """The rules with an item in the plan of a patient."""
        return {item.rule.id for item in items_of(self.planner.plan(self.planner.intake.decode(msgspec.json.encode(body))))}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    found = Made(made_up(tmp_path_factory.mktemp("made") / "rules"))
    yield found
    for each in (found.planner, found.engine, found.tables):
        each.close()


BODIES = bodies(BOOK)


@MADE_UP
@given(body=BODIES)
def test_engine_tables_reference_and_logic_agree_on_what_is_derived(made: Made, body: Json) -> None:
    case = made.case(body)
    verdicts = made.tables.verdicts(case)
    found = made.engine.evaluate(case.facts)
    assert verdicts.findings == found == reference.findings(made.rules, case.facts)
    logic = CaseLogic(case)
    hanging: dict[str, set[str]] = {}
    for name, when in made.rules.items():
        holds, pointers = logic.of(when)
        assert (holds is True) <= (name in {finding.rule for finding in found}) <= (holds is not False)
        for pointer in pointers:
            hanging.setdefault(pointer, set()).add(name)
    names = list(made.rules)
    told = {pointer: {name for at, name in enumerate(names) if bits >> at & 1} for pointer, bits in verdicts.hanging.items()}
    assert told == hanging


def told(case: Case) -> dict[str, Properties]:
    """What is derived of a case, by kind."""
    return {fact.kind: fact.properties for fact in case.facts if fact.kind in ("derived", "counts", "days_since")}


@MADE_UP
@given(body=BODIES)
def test_what_is_derived_is_what_plain_python_says(made: Made, body: Json) -> None:
    case = made.case(body)
    found = told(case)
    for name, wanted in plainly(body, case).items():
        kind = "derived" if name in FACTS else "days_since" if name == "last_time" else "counts"
        if kind == "counts":
            assert (found[kind].get(f"{name}_least"), found[kind].get(f"{name}_most")) == wanted, name
        else:
            assert found[kind].get(name) == wanted, name


def plainly(body: Json, case: Case) -> dict[str, Any]:
    """What the definitions say of a patient, written out by hand."""
    lifestyle, support = body.get("lifestyle", {}), body.get("support", {})
    has = case.patient.conditions  # Whoever names an illness in words was asked for illnesses.
    sleep, friends, age = lifestyle.get("sleep_hours_per_night"), support.get("trusted_people"), body.get("age_years")
    listed = [fact for fact in case.facts if fact.kind == "medicine" and fact.ingredient] if "medications" in body else None
    opioid = None if listed is None else any("opioid" in classes(fact) for fact in listed)
    tired = None if sleep is None else sleep < 6
    old = None if age is None else age >= 65
    drinks, cannabis = lifestyle.get("alcohol_drinks_per_week"), lifestyle.get("cannabis")
    sent, today = body.get("treatment", {}).get("last_session_at"), body.get("as_of")
    today = today or (body["measures"]["pulse"]["at"] if "measures" in body else None)
    days = (date.fromisoformat(today) - date.fromisoformat(sent[:10])).days if sent and today else None
    heart = {"hypertension", "heart_or_vessel_disease", "stroke_or_tia"}
    counted = {name(fact) for fact in listed or () if classes(fact) & (CALMING | {"opioid"})}
    calming = None if listed is None else counted
    rested = None if sleep is None else max(sleep, 0.0001 * (sleep > 0))
    alone = None if (escort := support.get("escort_available")) is None else not escort
    without = None if (therapist := support.get("therapist")) is None else not therapist
    at_risk = some(None if has is None else bool({"sleep_apnea", "porphyria"} & {*has}), every(opioid, old), alone)
    worn = every(tired, without)
    in_danger = some(at_risk, worn, None if has is None else "ptsd" in has)
    burdens = [in_danger, tired, some(None if cannabis is None else cannabis == "daily", opioid)]
    strained = [tired, without, None if has is None else "ptsd" in has]
    return {
        "tired": tired,
        "at_risk": at_risk,
        "worn": worn,
        "in_danger": in_danger,
        "burdens": (float(burdens.count(True)), float(3 - burdens.count(False))),
        "drinks_little": every(None if drinks is None else drinks <= 6, None if cannabis is None else cannabis != "daily"),
        "an_opioid": opioid,
        "spared": every(None if opioid is None else not opioid, None if has is None else "sleep_apnea" not in has),
        "daily_calming": None
        if listed is None
        else some(*(every(bool(classes(fact) & CALMING), daily(fact)) for fact in listed)),
        "more_sleep_than_company": None if rested is None or friends is None else rested >= friends + 2,
        "strained": (float(strained.count(True)), float(3 - strained.count(False))),
        "calming": (0.0, None) if calming is None else (float(len(calming)), float(len(calming))),
        "of_the_heart": (0.0, None) if has is None else (float(len(heart & {*has})),) * 2,
        "last_time": float(days) if days is not None and days >= 0 else None,
    }  # fmt: skip


def name(fact: Fact) -> str:
    return str(fact.properties["ingredient"])


def classes(fact: Fact) -> set[str]:
    return {*fact.ingredient.classes} if fact.ingredient else set()


def daily(fact: Fact) -> bool | None:
    schedule = fact.properties.get("schedule")
    return None if schedule is None else schedule == "daily"


def some(*parts: bool | None) -> bool | None:
    return True if True in parts else None if None in parts else False


def every(*parts: bool | None) -> bool | None:
    return False if False in parts else None if None in parts else True


@MADE_UP
@given(body=BODIES)
def test_another_medicine_is_beside_one_only_if_it_is_of_another_name(made: Made, body: Json) -> None:
    case = made.case(body)
    medicines = [fact for fact in case.facts if fact.kind == "medicine"]
    for fact in medicines:
        others = [one for one in medicines if name(one) != name(fact)]
        wanted = some(*(every(bool(classes(one) & CALMING), daily(one)) for one in others))
        assert fact.properties.get("beside_is_daily_calming") == wanted
        assert fact.properties.get("beside_is_an_opioid") == some(*("opioid" in classes(one) for one in others))


@pytest.mark.long
@settings(max_examples=6)
@given(body=BODIES)
def test_answers_decide_what_is_unknown_and_overturn_nothing_that_is_known(made: Made, body: Json) -> None:
    answered_in_many_ways(made, body)


@pytest.mark.long
@settings(max_examples=60)
@given(body=BODIES)
def test_answers_of_many_patients_decide_what_is_unknown_and_overturn_nothing(made: Made, body: Json) -> None:
    answered_in_many_ways(made, body)


def answered_in_many_ways(made: Made, body: Json) -> None:
    """Whether answers to the questions on which a derived fact hangs decide it, and none turns what is known."""
    before = told(made.case(body))
    open_ = made.case(body).derived
    for kind, bases in open_.items():
        for field, basis in bases.items():
            seen = set()
            rule = next(rule for rule in made.book.rules.values() if field in str(rule.file.when))
            ways = list(completed(made.book, rule, body, sorted(basis.pointers)))
            for answered in [*ways[:20], *ways[20 :: len(ways) // 20 + 1]]:
                seen.add(told(made.case(answered))[kind].get(field))
                if kind == "derived" and field in before[kind]:
                    assert seen == {before[kind][field]}
            assert not basis.pointers or kind != "derived" or seen - {None}, (field, basis.pointers)


class Proof:
    """The formulas of the made-up rules."""

    def __init__(self, made: Made) -> None:
        self.symbolic = SymbolicPatient(made.book)
        self.solver = z3.Solver()
        self.solver.add(*self.symbolic.constraints)
        self.fires = {name: of_when(self.symbolic, when) for name, when in made.rules.items()}


@pytest.fixture(scope="module")
def proof(made: Made) -> Proof:
    return Proof(made)


@settings(max_examples=cases(5))
@given(body=BODIES)
def test_the_formulas_of_what_is_derived_agree_with_the_reference(made: Made, proof: Proof, body: Json) -> None:
    found = proof.solver
    case = made.case(body)
    for pick in range(2):
        chosen = Chosen.of(case, pick)
        expected = {finding.rule for finding in reference.findings(made.rules, chosen.looked_at(case.facts))}
        found.push()
        try:
            found.add(*assigned(proof.symbolic, case, chosen))
            assert found.check() == z3.sat, "the constraints leave this patient out"
            model = found.model()
            assert {
                name for name, formula in proof.fires.items() if z3.is_true(model.eval(formula, model_completion=True))
            } == expected
        finally:
            found.pop()


@pytest.mark.long
def test_the_prover_finds_patients_for_whom_made_up_rules_hold(made: Made) -> None:
    search = Search(made.book)
    try:
        for name, when in list(made.rules.items())[::3]:
            for group in when:
                answer, model = search.witness(of_group(search.symbolic, group))
                assert answer == z3.sat, name
                with suppress(Unwritable):
                    assert name in search.fired(search.write(model)), name
    finally:
        search.close()


@settings(max_examples=cases(10))
@given(body=BODIES)
@pytest.mark.long
def test_a_change_of_what_it_rests_on_brings_an_item_about(made: Made, body: Json) -> None:
    there = made.there(body)
    patient = made.planner.intake.decode(msgspec.json.encode(body))
    for rule in made.rules:
        found = made.planner.what_would_change(patient, rule)
        assert found.ways or found.fixed, rule
        for way in found.ways:
            try:
                now = made.there(merge_patch(body, way.patch))
            except InvalidPatient:  # A day that does not go with the day of the plan.
                continue
            assert (rule in now) != (rule in there), (rule, way)


@settings(max_examples=cases(10))
@given(body=BODIES)
def test_explanations_say_of_what_is_derived_why_it_does_not_hold(made: Made, body: Json) -> None:
    explanation = made.planner.explained(made.planner.intake.decode(msgspec.json.encode(body))).explanation
    assert explanation is not None
    for entry in explanation.rules:
        held = {condition.holds for condition in entry.because_not}
        assert entry.outcome == "fired" or ("false" in held) == (entry.outcome == "not_fired"), entry
        assert all(condition.words and condition.given for condition in entry.because_not)


@pytest.mark.parametrize(
    ("when", "of"), [({"derived": {"an_opioid": False}}, "opioid"), ({"counts": {"calming": {"at_most": 1}}}, "opioid")]
)
def test_an_item_says_what_it_presumes_of_an_entry_that_nobody_could_read(made: Made, when: Json, of: str) -> None:
    rule = next(rule.id for rule in made.book.rules.values() if rule.file.when == when)
    body = {"medications": [{"name": "zzqblorptan"}]}
    plan = made.planner.plan(made.planner.intake.decode(msgspec.json.encode(body)))
    (item,) = (item for item in items_of(plan) if item.rule.id == rule)
    assert [of in assumed.words and "zzqblorptan" in assumed.words for assumed in item.assumes] == [True]


def test_every_way_to_derive_and_to_test_is_among_the_made_up_ones() -> None:
    assert {form for one in DERIVED.values() for form in one} == {"when", "compare", "count", "days_since"}
    assert len(BESIDE) == 3


@pytest.mark.parametrize(
    ("files", "at", "says"),
    [
        ({"a": {"b": True}, "b": {"a": True}}, ["a", "b"], "rests on itself: "),
        ({"a": {"b": True}, "b": {"c": True}, "c": {"b": True}}, ["b", "c"], "rests on itself: "),
        ({"a": {"a": True}}, ["a"], "rests on itself: a > a"),
        ({"a": {"b": False}, "b": None}, ["a"], "only that it holds can stand here"),
        ({"a": {"b": "unknown"}, "b": None}, ["a"], "not of what was asked"),
        ({"a": {"nothing": True}}, ["a"], "nothing"),
    ],
)
def test_what_rests_on_itself_or_on_what_cannot_be_written_out_is_a_fault_of_its_file(
    files: dict[str, Json | None], at: list[str], says: str
) -> None:
    own = {"lifestyle": {"cannabis": "daily"}}
    documents = {
        name: Document(
            PurePosixPath("derived", f"{name}.yaml"),
            yaml.safe_dump(
                {"name": name, "label": name, "rationale": "It is.", "unknown": "not known"}
                | {"values": {"true": "it is", "false": "it is not"}}
                | {"when": own if named is None else {"derived": named}}
            ),
        )
        for name, named in files.items()
    }
    found = read_in_order(documents, BOOK.kinds, lambda kinds: Reader((), (), (), kinds))
    faults = {name: document.faults for name, document in documents.items() if document.faults}
    assert sorted(faults) == at
    for found_there in faults.values():
        [fault] = found_there
        assert says in fault.problem
        assert fault.line > 1
        assert fault.mend
    assert set(found) == set(files)
