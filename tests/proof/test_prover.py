"""What does not hold of a rulebook is found, with a smallest patient that the engine agrees about."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
import z3
from click.testing import CliRunner

from careplan.authoring.proof.claims import Claims
from careplan.authoring.proof.invariants import invariants
from careplan.authoring.proof.prover import Prover
from careplan.authoring.proof.report import Failure
from careplan.authoring.proof.search import Search, checked
from careplan.cli.main import main
from careplan.errors import InvalidRulebook
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from tests.proof.small_lists import few_medicines_in
from tests.shipped import MADE_UP_RULE, lists_in

RULE = f"""\
{MADE_UP_RULE.partition("when:")[0]}certain: true
when: WHEN
then:
  patient: >-
    Your prescriber and the clinic look after you. WARNING
  clinician: Prescriber and clinic. WARNING
examples:
  fires:
    - {{why: unread here, patient: {{}}}}
  silent:
    - {{why: unread here, patient: {{}}}}
scope: personal
topic: sleep
line: A line of made-up-rule.
"""
OWN_WARNINGS = (
    (("benzodiazepine", "lorazepam"), "Stopping can cause withdrawal, even seizures."),
    (("lamotrigine",), "After missed doses there can be a rash."),
)
"""What a rule about these must say, and no other may."""


@pytest.fixture
def rulebook(tmp_path: Path) -> Callable[..., Path]:
    """A folder with few of the shipped medicines, some of the shipped rules and no invariants but the named ones."""

    def make(*keep: str, invariant: Collection[str] = ()) -> Path:
        return few_medicines_in(tmp_path / "rules", (*keep, *invariant))

    return make


def add(folder: Path, when: str, name: str = "made-up-rule", **change: str) -> None:
    warnings = [words for names, words in OWN_WARNINGS if any(token in when for token in names)]
    text = RULE.replace("made-up-rule", name).replace("WHEN", when).replace("WARNING", " ".join(warnings))
    for old, new in change.items():
        text = text.replace(old, new)
    (folder / "aftercare").mkdir(exist_ok=True)
    (folder / "aftercare" / f"{name}.yaml").write_text(text)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def failures(folder: Path) -> list[Failure]:
    book = load(folder)
    prover = Prover(book)
    try:
        return prover.prove(invariants(folder, book)).failures
    finally:
        prover.close()


IMPOSSIBLE = (
    ("{lifestyle: {sleep_hours_per_night: {at_least: 6, less_than: 5}}}", ["at least 6", "less than 5"]),
    ("{history: {list: empty, has: porphyria}, support: {therapist: true}}", ["list one of empty", "has any porphyria"]),
    ("{medicine: {class: lamotrigine, half_life: long}}", ["class has any lamotrigine", "half_life one of long"]),
    ("{medicine: {class: benzodiazepine, schedule: daily, hold_question: open}}", ["schedule", "hold_question"]),
    (
        "{medicine: {ingredient: clonazepam, hold_question: open}, history: {has: catatonia}}",
        ["hold_question", "catatonia"],
    ),
    (
        "{treatment: {sessions_left: {more_than: 3}, sessions_planned: {at_most: 2}}}",
        ["sessions_left", "sessions_planned"],
    ),
    ("{lifestyle: {alcohol_drinks_per_week: {more_than: 500}}}", ["alcohol_drinks_per_week more than 500"]),
    ("{protocol: {driving_hours: known, approved: false}}", ["driving_hours known", "approved one of False"]),
    ("{goals: {count: {less_than: 2}, specific_count: {at_least: 2}}}", ["count less than 2", "specific_count"]),
    ("{goal: {specific: true, amount: false}}", ["specific one of True", "amount one of False"]),
    ("{shared_class: {class: lamotrigine, count: {at_least: 2}}}", ["class one of lamotrigine"]),
    ("{regimen: {takes: {all: [benzodiazepine]}, list: empty}}", ["takes has all benzodiazepine", "list"]),
)
"""Conditions that no patient can meet, and words of those that clash."""


@pytest.mark.long
def test_rules_that_no_patient_can_meet_are_named_with_the_clashing_conditions(rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    for at, (when, _) in enumerate(IMPOSSIBLE):
        own = {"look after you": f"look after you, {at}", "Prescriber and clinic": f"Prescriber and clinic, {at}"}
        add(folder, when, f"made-up-{at}", **own)
    found = {failure.subject: failure for failure in failures(folder) if failure.kind == "unreachable"}
    assert len(found) == len(IMPOSSIBLE)
    for at, (_, clash) in enumerate(IMPOSSIBLE):
        assert [words for words in clash if words not in found[f"made-up-{at}"].detail] == []


@pytest.mark.long
def test_an_alternative_that_no_patient_can_meet_is_named_by_its_place(rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    add(folder, "{any_of: [{support: {therapist: true}}, {patient: {age_years: {less_than: 3, more_than: 4}}}]}")
    (found,) = failures(folder)
    assert (found.kind, found.subject) == ("unreachable", "made-up-rule, alternative 2")


@pytest.mark.parametrize(
    "when",
    [
        "{lifestyle: {sleep_hours_per_night: {at_least: 4.99, less_than: 5}}}",
        "{medicine: {ingredient: buprenorphine, schedule: rescue, protocol_hold: true, sent_twice: true}}",
        "{medicine: {class: z_drug, hold_question: closed, indication: insomnia}, history: {list: not_asked}}",
        "{medicine: {ingredient: lorazepam, hold_question: unknown, sent_twice: true}, history: {list: empty}}",
        "{medicine_check: {problem: partly_recognized, suggestion: true}, regimen: {takes: benzodiazepine}}",
        "{medicine_check: {problem: code_and_name_disagree}}",
        "{medicine_check: {problem: no_rule}}",
        "{shared_class: {class: opioid, count: {at_least: 4}}}",
        "{regimen: {list: given, takes: {not: [metformin]}}}",
        "{goals: {count: {at_least: 3, at_most: 3}, specific_count: {at_least: 3}}}",
        "{treatment: {sessions_left: {at_most: 0}, sessions_completed: {more_than: 100}}}",
        "{protocol: {approved: true, driving_hours: unknown}}",
    ],
)
@pytest.mark.long
def test_a_rule_that_a_patient_can_meet_has_one_whom_the_engine_finds(rulebook: Callable[..., Path], when: str) -> None:
    folder = rulebook("goal-well-chosen")
    add(folder, when)
    # That no other rule speaks of a medicine whose question closes is another matter than whether this one can.
    assert [found for found in failures(folder) if found.kind != "one_more_takes_away"] == []


@pytest.mark.long
def test_a_rule_that_another_makes_needless_is_named(rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    add(folder, "{lifestyle: {sleep_hours_per_night: {less_than: 6}}}", "wide-rule")
    add(folder, "{lifestyle: {sleep_hours_per_night: {less_than: 5}, cannabis: daily}}", "narrow-rule")
    (found,) = failures(folder)
    assert (found.kind, found.subject) == ("implied", "narrow-rule")
    assert "wide-rule" in found.detail


@pytest.mark.long
def test_two_rules_that_say_the_same_of_different_patients_are_both_needed(rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    add(folder, "{lifestyle: {sleep_hours_per_night: {less_than: 6}}}", "one-rule")
    add(folder, "{lifestyle: {sleep_hours_per_night: {less_than: 7}, cannabis: daily}}", "other-rule")
    assert failures(folder) == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("when", "patients"),
    [
        ("{patient: {age_years: {at_least: 40}}}", [{}]),
        ("{any_of: [{patient: {age_years: {at_least: 40}}}, {patient: {age_years: {less_than: 40}}}]}", [{}]),
    ],
)
def test_a_choice_that_nobody_makes_for_some_patient_is_shown(
    rulebook: Callable[..., Path], when: str, patients: list[dict[str, Any]]
) -> None:
    folder = rulebook()
    add(folder, when, **{"  clinician:": "  decides: {subject: route, choice: iv}\n  clinician:"})
    (found,) = failures(folder)
    assert (found.kind, found.subject, found.replayed) == ("decision", "route", True)
    assert found.patient in patients


@pytest.mark.long
def test_a_choice_made_twice_is_shown(rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    decides = {"  clinician:": "  decides: {subject: route, choice: iv}\n  clinician:"}
    everyone = {"rationale: It": "for_everyone: For a test.\nrationale: It"}
    add(folder, "everyone", "always", **decides, **everyone)
    add(folder, "{red_flags: {chest_pain_now: true}}", "sometimes", **decides)
    (found,) = [failure for failure in failures(folder) if failure.kind == "decision"]
    assert (found.patient, found.replayed) == ({"red_flags": {"chest_pain_now": True}}, True)


@pytest.mark.long
def test_a_rule_that_holds_for_some_answers_only_while_it_is_unknown_is_shown(rulebook: Callable[..., Path]) -> None:
    folder = rulebook()
    add(
        folder,
        "{any_of: [{treatment: {sessions_left: unknown}}, {treatment: {sessions_completed: {at_most: 0}}}]}",
    )
    found = [failure for failure in failures(folder) if failure.kind == "unknown_as_answer"]
    assert [failure.subject for failure in found] == ["made-up-rule"]
    assert "sessions_completed" in found[0].detail
    assert found[0].replayed is True


@pytest.mark.long
def test_a_red_flag_that_no_longer_blocks_is_shown_with_the_flag_alone(rulebook: Callable[..., Path]) -> None:
    flags = ("suicidal-thoughts-passive", "suicidal-thoughts-without-a-plan", "suicidal-plan-or-intent")
    folder = rulebook(*flags, invariant=["suicidal-thoughts-block"])
    assert failures(folder) == []
    edit(folder / "screening" / f"{flags[1]}.yaml", "level: stop", "level: hold")
    edit(folder / "screening" / f"{flags[1]}.yaml", "clears_with: [suicidal_thoughts]\n", "")
    (found,) = failures(folder)
    assert (found.kind, found.subject, found.replayed) == ("invariant", "suicidal-thoughts-block", True)
    assert found.patient == {"red_flags": {"suicidal_thoughts": "active_no_plan"}}


@pytest.mark.long
def test_a_boundary_moved_by_one_is_shown_with_the_patient_on_it(rulebook: Callable[..., Path]) -> None:
    folder = rulebook("younger-than-eighteen", invariant=["minors-block"])
    edit(folder / "screening" / "younger-than-eighteen.yaml", "less_than: 18}", "less_than: 17}")
    (found,) = failures(folder)
    assert (found.patient, found.replayed) == ({"age_years": 17}, True)


@pytest.mark.long
def test_a_medicine_that_slips_through_the_rules_is_shown_alone(tmp_path: Path) -> None:
    # These name rules that the table of interactions makes, which is not in these rulebooks.
    of_table = ("bleeding-adds-up", "insulin-not-on-the-list", "memory-medicine-without-memory-trouble")
    alone = [path.stem for path in (shipped() / "medications").glob("*.yaml") if path.stem not in of_table]
    keep = [
        *alone,
        "alcohol-daily-plan-first",
        "alcohol-fourteen-or-more",
        "heart-disease-known",
        "qtc-long",
        "qtc-very-long",
        "low-potassium-or-magnesium",
        "pregnancy-before-the-series",
        "pregnancy-known-before-the-series",
    ]
    name = "benzodiazepines-have-prescriber-and-warning"
    folder = lists_in(tmp_path / "rules", (*keep, name))  # of these it holds, as of the whole rulebook
    (folder / "medications" / "benzodiazepine-kept-as-rescue.yaml").unlink()
    book = load(folder)
    (demand,) = invariants(folder, book)
    search = Search(book)
    try:  # this claim alone: to prove all of so many rules takes long
        (found,) = search.refute(Claims(book, search.symbolic).invariant(demand))
    finally:
        search.close()
    assert (found.kind, found.subject, found.replayed) == ("invariant", name, True)
    assert found.patient is not None
    (medicine,) = found.patient["medications"]
    assert found.patient.keys() == {"medications"}
    assert medicine.keys() <= {"name", "schedule"}


@pytest.mark.long
def test_two_items_that_must_not_meet_are_shown(rulebook: Callable[..., Path]) -> None:
    folder = rulebook("sleep-under-five-hours", "sleep-five-to-six-hours", invariant=["one-word-on-sleep"])
    assert failures(folder) == []
    edit(folder / "aftercare" / "sleep-five-to-six-hours.yaml", "at_least: 5", "at_least: 4.5")
    (found,) = failures(folder)
    assert (found.kind, found.replayed) == ("invariant", True)
    assert found.patient is not None
    assert 4.5 <= found.patient["lifestyle"]["sleep_hours_per_night"] < 5


def test_a_condition_is_followed_to_the_item_about_it_and_not_to_another(rulebook: Callable[..., Path]) -> None:
    folder = rulebook("preeclampsia-and-ketamine", "allergy-to-ketamine", invariant=["contraindications-block"])
    edit(
        folder / "invariants" / "contraindications-block.yaml",
        "aneurysmal_vascular_disease, arteriovenous_malformation, intracerebral_hemorrhage, ",
        "",
    )
    (found,) = failures(folder)
    assert found.replayed is True
    assert found.patient is not None
    assert len(found.patient["conditions"]) == 1
    assert found.patient["conditions"][0] in ("serious_risk_from_blood_pressure_rise", "recent_cardiovascular_event")


def test_a_solver_that_disagrees_with_the_engine_is_said(
    rulebook: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = rulebook("younger-than-eighteen")
    monkeypatch.setattr(Search, "fired", lambda *_: frozenset())
    (found,) = failures(folder)
    assert (found.kind, found.replayed) == ("disagreement", False)


INVARIANT = """\
id: made-up
title: A made-up invariant
rationale: It exists for a test.
who: {medicine: {class: opioid}}
must:
  some_item: {section: [medications]}
"""


@pytest.fixture(scope="module")
def opioids_and_goals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rulebook]:
    keep = ("opioid-taken-regularly", "goal-well-chosen", "goal-too-vague")
    folder = few_medicines_in(tmp_path_factory.mktemp("invariants") / "rules", keep)
    return folder, load(folder)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("class: opioid", "class: opiod", 4, "Did you mean opioid?"),
        ("  some_item: {section: [medications]}", "  some_item: {section: [medicatoins]}", 6, "Did you mean medications?"),
        ("  some_item: {section: [medications]}", "  some_itme: {section: [medications]}", 6, "Did you mean some_item?"),
        ("  some_item: {section: [medications]}", "  some_item: {rules: [no-such-*]}", 6, "No running rule"),
        ("must:\n", "must:\n  no_item: {level: [stop]}\n", 5, "one demand"),
        ("  some_item: {section", "  one_item: {rules: ['goal-*'], section", 6, "cannot be counted"),
        ("id: made-up", "id: other", 1, "not the name of the file"),
        ("rationale:", "rationale: twice\nrationale:", 4, "stands twice"),
    ],
)
def test_a_faulty_invariant_is_refused_with_file_line_and_mend(
    opioids_and_goals: tuple[Path, Rulebook], old: str, new: str, line: int, says: str
) -> None:
    folder, book = opioids_and_goals
    assert old in INVARIANT
    text = INVARIANT.replace(old, new)
    if "goal-*" in new:
        text = text.replace(", section: [medications]", "")
    (folder / "invariants" / "made-up.yaml").write_text(text)
    with pytest.raises(InvalidRulebook) as raised:
        invariants(folder, book)
    found = [fault for fault in raised.value.faults if says in str(fault)]
    assert [(fault.file, fault.line) for fault in found] == [("invariants/made-up.yaml", line)]


@pytest.mark.deep
@pytest.mark.skipif(
    "CAREPLAN_TEST_PROOF" not in os.environ, reason="scripts/long does it; test_certificate looks at what came of it"
)
def test_everything_holds_of_the_shipped_rulebook_for_all_patients() -> None:
    done = CliRunner().invoke(main, ["rules", "prove", "--format", "json"])
    report = json.loads(done.stdout)
    assert (done.exit_code, report["failures"]) == (0, [])
    files = list((shipped() / "invariants").glob("*.yaml"))
    assert report["holds"]["invariants that hold for every patient"] == len(files) > 30
    assert report["holds"]["rules that can fire, by each alternative"] == len(load(shipped()).rules)


@pytest.mark.long
def test_the_command_saves_patients_that_the_plan_command_takes(rulebook: Callable[..., Path], tmp_path: Path) -> None:
    folder = rulebook("younger-than-eighteen", invariant=["minors-block"])
    edit(folder / "screening" / "younger-than-eighteen.yaml", "less_than: 18}", "less_than: 12}")
    saved = tmp_path / "saved"
    done = CliRunner().invoke(main, ["rules", "prove", "--rules", str(folder), "--save", str(saved)])
    assert done.exit_code == 1
    assert "invariant: minors-block" in done.output
    assert "The engine's plan of this patient shows it." in done.output
    (patient,) = saved.glob("*.json")
    plan = CliRunner().invoke(main, ["plan", str(patient), "--rules", str(folder)])
    assert json.loads(plan.stdout)["status"] == "draft"


@pytest.mark.long
def test_of_one_rule_only_what_bears_on_it_is_proved_and_the_progress_can_be_read(rulebook: Callable[..., Path]) -> None:
    folder = rulebook("younger-than-eighteen", "sleep-under-five-hours", invariant=["minors-block"])
    command = ["rules", "prove", "--rules", str(folder), "--format", "json", "--progress-lines", "--only"]
    done = CliRunner().invoke(main, [*command, "younger-than-eighteen"])
    holds = json.loads(done.stdout)["holds"]
    assert (holds["rules that can fire, by each alternative"], holds["invariants that hold for every patient"]) == (1, 1)
    assert "rules that can fire, by each alternative: 1 of 1" in done.stderr
    assert CliRunner().invoke(main, [*command, "no-such-rule"]).exit_code == 2
    assert CliRunner().invoke(main, [*command, "younger-than-eighteen", "--certify"]).exit_code == 2


def test_an_interrupt_while_the_solver_searches_ends_the_command() -> None:
    solver = z3.Solver()
    solver.set("timeout", 60_000)
    numbers = [z3.Int(f"x{at}") for at in range(12)]
    solver.add(z3.Sum([one * one * one for one in numbers]) == 114_514_191)
    solver.add(*[one * numbers[at - 1] % 7 == at % 7 for at, one in enumerate(numbers)])
    timer = threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        checked(solver)
    timer.join()
