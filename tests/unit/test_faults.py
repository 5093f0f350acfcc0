"""A corpus of broken rulebooks: one for each kind of fault, each with the file, line, field and words that it must give."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from careplan.authoring.editor_schema import DERIVED_FILE, DERIVED_MODELINE, FILE, MODELINE, derived_schema, rule_schema
from careplan.cli.main import main
from careplan.errors import InvalidRulebook, RuleFault
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import SECTIONS
from tests.everyday import one_in, one_of_each
from tests.shipped import BOOK, MADE_UP_RULE, lists_in

RULE = f"# yaml-language-server: $schema=../schema/rule.schema.json\n{MADE_UP_RULE}"
MADE_UP = "aftercare/made-up-rule.yaml"
UNTIL_SLOT = RULE[RULE.index("  lifestyle:") : RULE.index("hours.")].removesuffix("hours.")


LOAD = "regimen:\n    takes: [benzodiazepine]\n    diazepam_mg_a_day: {at_least: 40}"


class Broken(NamedTuple):
    """An edit of one file, and the fault that must come of it."""

    old: str
    new: str
    code: str
    line: int
    field: str
    says: str
    mend: str = ""
    file: str = MADE_UP


CORPUS = [
    Broken("level: caution", "level: cautoin", "unknown-token", 5, "level", "cautoin is not a value", "Did you mean caution?"),
    Broken("level: caution\n", "", "missing-key", 2, "", "The field level is missing", "Add level."),
    Broken("rationale:", "rational:", "unknown-key", 7, "rational", "no field called rational", "Did you mean rationale?"),
    Broken("title: A", "title: A\ntitle: A", "duplicate-key", 7, "title", "title stands twice", "Keep one"),
    Broken("rationale: It exists", "rationale: It: exists", "yaml", 7, "", "not YAML", "quote"),
    Broken("version: 1", "version: zero", "form", 3, "version", "zero", "README"),
    Broken("id: made-up-rule", "id: other-rule", "id-and-file", 2, "id", "not the name of the file", "made-up-rule"),
    Broken('place: "2.2"', 'place: "9.9"', "unknown-place", 9, "sources.0.place", "no place 9.9"),
    Broken("source: founding", "source: foundin", "unknown-source", 9, "sources.0.source", "no source foundin"),
    Broken("  lifestyle:\n", "  lifestile:\n", "unknown-kind", 11, "when.lifestile", "lifestile", "Did you mean lifestyle?"),
    Broken("    sleep_hours_per_night: {", "    sleep_hours: {", "unknown-field", 12, "when.lifestyle.sleep_hours", "sleep_hours"),
    Broken("{less_than: 5}", "{}", "comparison", 12, "when.lifestyle.sleep_hours_per_night", "at_least"),
    Broken("{less_than: 5}", "{lessthan: 5}", "comparison", 12, "when.lifestyle.sleep_hours_per_night.lessthan", "lessthan"),
    Broken("{less_than: 5}", '{less_than: "5"}', "value", 12, "when.lifestyle.sleep_hours_per_night.less_than.0", "not a number"),
    Broken("{less_than: 5}", "{less_than: 5.125}", "value", 12, "when.lifestyle.sleep_hours_per_night.less_than.0", "too fine"),
    Broken("{less_than: 5}", "[]", "empty-list", 12, "when.lifestyle.sleep_hours_per_night", "never true"),
    Broken("sleep_hours_per_night: {less_than: 5}", "cannabis: weekly", "unknown-token", 12, "when.lifestyle.cannabis.0", "weekly"),
    Broken("sleep_hours_per_night: {less_than: 5}", "any_of: [{cannabis: daily}]", "any-of", 12, "when.lifestyle.any_of", "two or more"),
    Broken("  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "  lifestyle: {}", "empty-conditions", 11, "when.lifestyle", "at least one"),
    Broken("{less_than: 5}", "{less_than: 5}\n  goal: {small: true}\n  condition: {name: porphyria}", "too-many-kinds", 10, "when", "many times"),
    Broken("{less_than: 5}", "{less_than: 5}\n  support: {therapist: yes}", "value", 13, "when.support.therapist.0", "not true or false"),
    Broken("  patient: Sleep matters.", "  patient: Stop your medicine today.", "order-to-patient", 14, "then.patient", "order to change"),
    Broken("Sleep matters.", "Take 2 mg of it.", "dose", 14, "then.patient", "names a dose"),
    Broken("Short sleep.", "Give 0.5 mg/kg.", "dose", 15, "then.clinician", "dose by weight"),
    Broken("Sleep matters.", "Ketamine is a reset.", "oversold", 14, "then.patient", "reset"),
    Broken("{lifestyle.sleep_hours_per_night} hours", "{lifestyle.nutrition}", "slot", 14, "then.patient", "not known whenever"),
    Broken("{lifestyle.sleep_hours_per_night} hours", "{hold}", "slot", 14, "then.patient", "{hold} may stand only"),
    Broken("{lifestyle.sleep_hours_per_night} hours", "{lifestyle", "braces", 14, "then.patient", "braces"),
    Broken("level: caution", "level: hold", "asks", 13, "then", "must say who does what", "Add asks."),
    Broken("status: trial", "status: trial\nfor_everyone: because", "everyone", 5, "for_everyone", "Only a rule with"),
    Broken("when:\n  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "when: everyone", "everyone", 10, "when", "must say why"),
    Broken("  silent:\n    - {why: long, patient: {lifestyle: {sleep_hours_per_night: 8}}}\n", "", "no-silent-example", 16, "examples", "silent"),
    Broken("title: A made-up rule", "title: A made-up rule\nrelated: [no-such-rule]", "unknown-rule", 7, "related.0", "no-such-rule"),
    Broken("topic: sleep", "topic: sleap", "unknown-topic", 22, "topic", "no topic sleap", "sleep"),
    Broken("scope: personal", "scope: standing", "scope", 21, "scope", "lifestyle.sleep_hours_per_night", "personal"),
    Broken("line: Short", "line: Your short", "voice", 23, "line", "speaks to the patient", "of the patient"),
    Broken("line: Short sleep", f"line: Short{' very' * 30} sleep", "length", 23, "line", "36 words", "shorter"),
    Broken("line: Short sleep", "line: Give 0.5 mg/kg", "dose", 23, "line", "dose by weight"),
    Broken("  clinician: Short sleep.", "  clinician: Short sleep.\n  card: {slot: call, says: Stop your medicine today.}", "order-to-patient", 16, "then.card.says", "order to change"),
    Broken("  clinician: Short sleep.", f"  clinician: Short sleep.\n  card: {{slot: call, says: Call{' us' * 15}.}}", "length", 16, "then.card.says", "16 words"),
    Broken("  clinician: Short sleep.", "  clinician: Short sleep.\n  card: {slot: call, says: Ask for an ECG.}", "voice", 16, "then.card.says", "word of clinicians"),
    Broken("  clinician: Short sleep.", "  clinician: Short sleep.\n  in_languages: {es: {card: Llame.}}", "card", 16, "then.in_languages.es.card", "has not"),
    Broken("status: trial", "status: active", "review", 4, "status", "Nobody has decided", "careplan rules review"),
    Broken("title: A", 'valid_from: "2027-01-01"\nvalid_until: "2026-12-31"\ntitle: A', "dates", 7, "valid_until", "before it begins"),
    Broken("title: A", 'valid_until: "2026-02-30"\ntitle: A', "dates", 6, "valid_until", "no day of the calendar"),
    Broken("title: A", 'exempt: {why: because, until: "2026-12-31"}\ntitle: A', "source", 6, "exempt", "Only a stop or hold"),
    Broken('by: "Andrashko', 'replaced_by: no-such-work\n  by: "Andrashko', "source", 66, "andrashko-2020.replaced_by", "no source no-such-work", file="sources.yaml"),
    Broken("[]", '- {rule: made-up-rule, version: 1, as: pharmacist, by: TBD, decision: accept, on: "2026-01-31", content: ' + "0" * 64 + "}", "review", 3, "0.by", "full name", file="reviews.yaml"),
    Broken("  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "  medicine: {class: benzodiazepine}", "warning", 13, "then.patient", "withdrawal"),
    Broken("clinician: Short sleep.", "clinician: Missed doses can bring a rash.", "warning", 15, "then.clinician", "belongs to rules about lamotrigine"),
    Broken("level: caution", "level: caution\nclears_with: [sleep_hours_per_night]", "clearing", 6, "clears_with", "Only a stop"),
    Broken(UNTIL_SLOT, "  medicine: {hold_question: open, class: stimulant}\nthen:\n  patient: Wait 12 ", "hours", 13, "then.patient", "hours"),
    Broken("  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "  history: {list: empty}", "certain", 10, "when", "history.list", "certain: true"),
    Broken("  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "  medicine: {class: stimulant, hold_question: open}", "certain", 10, "when", "hold_question", "certain: true"),
    Broken("Short sleep.", "Short sleep. {hold_gate}", "slot", 15, "then.clinician", "not known whenever"),
    Broken("  lifestyle:\n    sleep_hours_per_night: {less_than: 5}\nthen:\n  patient: Sleep matters. You told us about {lifestyle.sleep_hours_per_night} hours.", "  medicine: {class: stimulant}\nthen:\n  patient: Sleep matters. {hold_gate}", "hours", 13, "then.patient", "only a clinician may read"),
    Broken("sex", "sex", "encoding", 1, "", "not UTF-8"),
    Broken("antiseizure:", "antiseizures:", "unknown-token", 0, "", "no drug class antiseizure", file="drug_classes.yaml"),
    Broken("seit, depuis,", "seit, seit,", "list-words", 0, "since_words.29", "two places", file="list_words.yaml"),
    Broken("clonazepam,clonazepam,benzodiazepine", "clonazepam,clonazepam,benzo", "unknown-token", 0, "clonazepam", "benzo", file="medications.csv"),
    Broken("{before}", "{beforehand}", "slot", 0, "signed_hold.patient", "wrong names", file="rulebook.yaml"),
    Broken("drinks_that_close_holds: 14", "drinks_that_close_holds: 40", "form", 0, "drinks_that_close_holds", "40", file="rulebook.yaml"),
    Broken("    label: chest pain now\n", "    label: chest pain now\n    changeable: true\n", "not-changeable", 0, "fields.red_flags.chest_pain_now.changeable", "cannot be called changeable", file="vocabulary.yaml"),
    Broken("  patient.age_years:", "  patient.age_years: {label: a, says: b, unknown: c}\n  patient.shoes:", "unusable-factor", 0, "fields.patient.shoes", "no rule could use it", file="vocabulary.yaml"),
    Broken('loinc: ["8867-4", ', 'loinc: ["8480-6", ', "code-taken", 0, "measures.pulse.loinc", "already a code of systolic", file="vocabulary.yaml"),
    Broken('"the pulse is {value} a minute"', '"there is a pulse"', "measure", 0, "measures.pulse.says", "leave out the value", file="vocabulary.yaml"),
    Broken("  patient.age_years:", "  patient.age:", "no-words", 1, "", "no words for patient.age_years", file="vocabulary.yaml"),
    Broken("when:\n", "days_since: treatment.last_session_at\nwhen:\n", "derived", 0, "", "one of when, compare", file="derived/high_benzodiazepine_load.yaml"),
    Broken("takes: [benzodiazepine]", "takes: [benzodiazepin]", "unknown-token", 0, "when.regimen.takes.0", "benzodiazepin", "Did you mean benzodiazepine?", file="derived/high_benzodiazepine_load.yaml"),
    Broken("{at_least: 40}", "unknown", "derived", 0, "when", "not of what was asked", file="derived/high_benzodiazepine_load.yaml"),
    Broken(LOAD, "goals: {count: {at_least: 1}}", "derived", 0, "when", "cannot rest on goals", file="derived/high_benzodiazepine_load.yaml"),
    Broken(LOAD, "derived: {last_session: true}", "unknown-field", 0, "when.derived.last_session", "no field called last_session", file="derived/high_benzodiazepine_load.yaml"),
    Broken('"true": takes', '"yes": takes', "derived", 0, "values", "has its words", file="derived/high_benzodiazepine_load.yaml"),
    Broken("treatment.last_session_at", "treatment.first_session_at", "unknown-field", 0, "days_since", "has a date", "treatment.last_session_at", file="derived/last_session.yaml"),
    Broken("{value} days ago", "some days ago", "derived", 0, "says", "leave out the number", file="derived/last_session.yaml"),
    Broken("name: last_session", "name: last_visit", "id-and-file", 0, "name", "not the name of the file", file="derived/last_session.yaml"),
    Broken("more_than: protocol.solid_food_hours", "more_than: protocol.food_hours", "unknown-field", 0, "compare.more_than", "no number called protocol.food_hours", file="derived/no_drink_longer_than_no_food.yaml"),
    Broken("more_than: protocol.solid_food_hours", "plus: 1", "comparison", 0, "compare", "held against one other", file="derived/no_drink_longer_than_no_food.yaml"),
    Broken("  medicine:\n    class:", "  regimen:\n    takes:", "derived", 0, "count", "one kind of fact", file="derived/slowing_medicines.yaml"),
    Broken("  lifestyle:\n    sleep_hours_per_night: {less_than: 5}\nthen:\n  patient: Sleep matters. You told us about {lifestyle.sleep_hours_per_night} hours.", "  derived: {breathing_reserve_low: false}\ncertain: true\nthen:\n  patient: Sleep matters.", "certain", 10, "when", "never certain", "Test regimen"),
    Broken("{less_than: 5}", "{less_than: 5}\n  patient: {age_years: 1}\n  support: {therapist: true}\n  history: {has: ptsd}\n  regimen: {takes: opioid}", "too-many-kinds", 10, "when", "more than 4 kinds"),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped lists with one made-up rule."""
    made = lists_in(tmp_path / "rules")
    (made / MADE_UP).write_text(RULE)
    return made


def found_in(folder: Path) -> list[RuleFault]:
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    return list(raised.value.faults)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["rules", *arguments])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "broken", one_of_each(lambda broken: broken.code, CORPUS, lambda broken: f"{broken.code}-{broken.field or broken.file}")
)
def test_a_broken_rulebook_gives_file_line_field_and_mend(folder: Path, broken: Broken) -> None:
    path = folder / broken.file
    text = path.read_text()
    if broken.code == "encoding":
        path.write_bytes(b"\xff" + text.encode())
    else:
        assert broken.old in text
        path.write_text(text.replace(broken.old, broken.new, 1))
    matching = [
        fault for fault in found_in(folder) if fault.code == broken.code and broken.says in f"{fault.problem} {fault.mend}"
    ]
    assert matching, found_in(folder)
    fault = matching[0]
    assert fault.mend
    assert broken.mend in fault.mend
    if broken.file == MADE_UP:
        assert (fault.file, fault.line) == (MADE_UP, broken.line), fault
    if broken.field:
        assert fault.field == broken.field


def test_the_rule_that_the_corpus_is_made_from_is_sound(folder: Path) -> None:
    assert list(load(folder).rules) == ["made-up-rule"]


def test_every_kind_of_fault_in_the_code_has_a_broken_rulebook() -> None:
    source = Path(__file__).parents[2] / "src" / "careplan"
    used = set(re.findall(r'code="([a-z-]+)"', "".join(path.read_text() for path in source.rglob("*.py"))))
    elsewhere = {
        "id-taken", "section", "missing-file", "row", "lock", "rule-gone", "version-back", "version-not-raised", "id-retired", "reload",
        "said-twice", "front", "interaction", "engine", "not-accepted", "tracked",
            "derived-circle",  # see tests/derived
        "unread-file", "file-name", "unreadable", "too-large", "too-deep", "blank", "unseen",  # see test_rule_files
    }  # fmt: skip
    assert {broken.code for broken in CORPUS} | elsewhere == used | {"form"}


def test_faults_of_all_files_come_in_one_run(folder: Path) -> None:
    """Of form, of tokens, of texts and of lists, in files that have nothing to do with each other."""
    (folder / "preparation").mkdir(exist_ok=True)
    (folder / "preparation" / "other-rule.yaml").write_text(
        RULE.replace("made-up-rule", "other-rule").replace("level:", "levle:")
    )
    (folder / "preparation" / "third-rule.yaml").write_text(
        RULE.replace("made-up-rule", "third-rule").replace("Sleep matters.", "Take 2 mg.")
    )
    (folder / MADE_UP).write_text(RULE.replace("  lifestyle:", "  lifestile:"))
    vocabulary = folder / "vocabulary.yaml"
    vocabulary.write_text(vocabulary.read_text().replace("    says: is {value} years old\n", "", 1))
    assert {fault.file for fault in found_in(folder)} >= {
        "preparation/other-rule.yaml",
        MADE_UP,
        "vocabulary.yaml",
    }
    vocabulary.write_text((shipped() / "vocabulary.yaml").read_text())
    assert {fault.code for fault in found_in(folder)} == {"unknown-key", "missing-key", "dose", "unknown-kind"}


def test_two_rules_of_a_topic_do_not_say_the_same(folder: Path) -> None:
    (folder / "preparation").mkdir(exist_ok=True)
    (folder / MADE_UP).write_text(RULE)
    other = RULE.replace("made-up-rule", "other-rule").replace("Short sleep to be", "SHORT sleep, to be")
    (folder / "preparation" / "other-rule.yaml").write_text(other)
    assert [(fault.code, fault.field) for fault in found_in(folder)] == [("said-twice", "line")]
    (folder / "preparation" / "other-rule.yaml").write_text(other.replace("topic: sleep", "topic: habits"))
    assert len(load(folder).rules) == 2


@pytest.mark.long
def test_topics_whose_names_would_fill_the_front_page_are_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    vocabulary = folder / "vocabulary.yaml"
    vocabulary.write_text(re.sub(r"(?m)^(  [a-z_]+: \{title: )[^},]*(,|\})", r"\1a b c d e f g\2", vocabulary.read_text()))
    assert [fault.code for fault in found_in(folder)] == ["front"]


def test_one_id_in_two_sections_and_a_folder_that_is_no_section_are_refused(folder: Path) -> None:
    for section in ("preparation", "prepartion"):
        (folder / section).mkdir(exist_ok=True)
        (folder / section / "made-up-rule.yaml").write_text(RULE)
    assert {fault.code for fault in found_in(folder)} == {"id-taken", "section"}


def test_a_row_with_too_many_cells_is_refused_with_its_line(folder: Path) -> None:
    path = folder / "combinations.csv"
    path.write_text(path.read_text() + ",".join("x" * 20) + "\n")
    assert [(fault.file, fault.code) for fault in found_in(folder)] == [("combinations.csv", "row")]


def test_the_check_prints_all_faults_by_file_and_fails(folder: Path) -> None:
    (folder / MADE_UP).write_text(RULE.replace("level: caution", "level: cautoin").replace("foundin", "fundin"))
    code, text = run("check", "--rules", str(folder))
    assert code == 1
    assert MADE_UP in text
    assert "line 5: level: cautoin is not a value of this field." in text
    assert "Did you mean caution? [unknown-token]" in text


def test_the_check_for_code_hosts_is_sarif(folder: Path) -> None:
    (folder / MADE_UP).write_text(RULE.replace("level: caution", "level: cautoin"))
    code, text = run("check", "--rules", str(folder), "--format", "sarif")
    log = json.loads(text)
    (single,) = log["runs"]
    driver = single["tool"]["driver"]
    assert (code, log["version"], driver["name"]) == (1, "2.1.0", "careplan")
    (result,) = single["results"]
    assert result["ruleId"] in {rule["id"] for rule in driver["rules"]}
    assert result["level"] == "error"
    assert result["message"]["text"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == MADE_UP
    assert place["region"]["startLine"] == 5


@pytest.mark.long
def test_warnings_fail_only_a_strict_check(folder: Path) -> None:
    code, text = run("check", "--rules", str(folder))
    assert code == 0
    assert "There is no lock file." in text
    assert run("check", "--rules", str(folder), "--strict")[0] == 1


@pytest.mark.long  # scripts/check asks the same of the command every day
def test_the_shipped_rulebook_is_sound_and_without_warnings() -> None:
    code, text = run("check", "--format", "json", "--strict")
    assert (code, json.loads(text)) == (0, {"faults": [], "warnings": []})


def active(version: int = 1, text: str = "Sleep matters.") -> str:
    rule = RULE.replace("status: trial", "status: active")
    return rule.replace("version: 1", f"version: {version}").replace("Sleep matters.", text)


def put(folder: Path, text: str) -> None:
    """Put an active rule into a folder once somebody has decided on what it says."""
    (folder / MADE_UP).write_text(text.replace("status: active", "status: trial"))
    by = ("--by", "Ada Quill, PharmD", "--as", "pharmacist", "--decision", "accept", "--on", "2026-01-31")
    lock = folder / "rules.lock"
    locked = lock.read_text() if lock.is_file() else ""
    lock.write_text("")
    assert run("review", "made-up-rule", "--rules", str(folder), *by)[0] == 0
    lock.write_text(locked)
    (folder / MADE_UP).write_text(text)


@pytest.mark.parametrize(
    ("after", "code"),
    [
        (lambda: active(text="Sleep is good."), "version-not-raised"),
        pytest.param(
            lambda: active(text="Sleep is good.").replace("status: active", "status: trial"),
            "version-not-raised",
            marks=pytest.mark.long,
        ),
        pytest.param(
            lambda: active(version=1).replace("less_than: 5}", "less_than: 4.5}"),
            "version-not-raised",
            marks=pytest.mark.long,
        ),
    ],
)
def test_an_active_rule_does_not_change_under_the_same_version(folder: Path, after: Callable[[], str], code: str) -> None:
    put(folder, active())
    assert run("lock", "--rules", str(folder))[0] == 0
    assert run("lock", "--check", "--rules", str(folder))[0] == 0
    put(folder, after())
    assert [fault.code for fault in found_in(folder)] == [code]
    assert run("lock", "--rules", str(folder))[0] == 2
    put(folder, after().replace("version: 1", "version: 2"))
    assert run("lock", "--check", "--rules", str(folder))[0] == 1
    assert run("lock", "--rules", str(folder))[0] == 0
    (folder / MADE_UP).write_text(active())
    assert [fault.code for fault in found_in(folder)] == ["version-back"]


@pytest.mark.long
def test_examples_and_rationale_may_change_without_a_new_version(folder: Path) -> None:
    put(folder, active())
    run("lock", "--rules", str(folder))
    (folder / MADE_UP).write_text(
        active().replace("It exists for a test.", "Another reason.").replace("why: long", "why: longer")
    )
    assert run("lock", "--check", "--rules", str(folder))[0] == 0


@pytest.mark.long
def test_a_trial_rule_that_changed_is_a_warning(folder: Path) -> None:
    run("lock", "--rules", str(folder))
    (folder / MADE_UP).write_text(RULE.replace("Sleep matters.", "Sleep is good."))
    code, text = run("check", "--rules", str(folder))
    assert code == 0
    assert "The rule has changed since the lock file was written." in text


@pytest.mark.long
def test_a_rule_that_vanished_is_missed_and_a_retired_id_stays_taken(folder: Path) -> None:
    run("lock", "--rules", str(folder))
    (folder / MADE_UP).rename(folder / "kept")
    assert "This rule is gone." in run("check", "--rules", str(folder))[1]
    (folder / "kept").rename(folder / MADE_UP)
    put(folder, active())
    run("lock", "--rules", str(folder))
    (folder / MADE_UP).unlink()
    assert [fault.code for fault in found_in(folder)] == ["rule-gone"]
    (folder / "retired").mkdir(exist_ok=True)
    (folder / "retired" / "made-up-rule.yaml").write_text(active().replace("status: active", "status: retired"))
    assert "made-up-rule" in load(folder).resting
    assert run("lock", "--rules", str(folder))[0] == 0
    assert run("new", "aftercare", "made-up-rule", "--rules", str(folder))[0] == 2
    (folder / "retired" / "made-up-rule.yaml").unlink()
    put(folder, active(version=2))
    assert [fault.code for fault in found_in(folder)] == ["id-retired"]


def test_a_lock_file_that_cannot_be_read_is_a_fault(folder: Path) -> None:
    (folder / "rules.lock").write_text("made-up-rule one trial\n")
    assert [fault.code for fault in found_in(folder)] == ["lock"]


def test_a_new_rule_is_a_sound_draft_to_fill_in(folder: Path) -> None:
    code, text = run("new", "aftercare", "walk-with-a-friend", "--rules", str(folder))
    assert code == 0
    assert "careplan rules test walk-with-a-friend" in text
    assert (folder / "aftercare" / "walk-with-a-friend.yaml").read_text().startswith(MODELINE)
    assert "walk-with-a-friend" in load(folder).resting
    assert run("test", "walk-with-a-friend", "--rules", str(folder))[0] == 0
    assert run("new", "aftercare", "walk-with-a-friend", "--rules", str(folder))[0] == 2
    assert run("new", "aftercare", "Walk With", "--rules", str(folder))[0] == 2
    assert run("new", "aftercaer", "walk-alone", "--rules", str(folder))[0] == 2


def test_the_committed_schema_is_the_one_of_the_rulebook() -> None:
    for arguments, file in ((["schema"], FILE), (["schema", "--derived"], DERIVED_FILE)):
        code, text = run(*arguments)
        assert code == 0
        assert (shipped() / file).read_text() == text


@pytest.mark.parametrize("first", one_in(4, range(4)))
def test_every_shipped_rule_names_the_schema_and_is_of_its_form(first: int) -> None:
    validator = jsonschema.Draft202012Validator(rule_schema(BOOK))
    validator.check_schema(validator.schema)
    for section in SECTIONS:
        for path in sorted((shipped() / section).glob("*.yaml"))[first::4]:
            text = path.read_text()
            assert text.startswith(MODELINE), path
            assert not list(validator.iter_errors(_data(text))), path


def test_every_shipped_file_of_what_is_derived_names_its_schema_and_is_of_its_form() -> None:
    validator = jsonschema.Draft202012Validator(derived_schema(BOOK))
    validator.check_schema(validator.schema)
    for path in (shipped() / "derived").glob("*.yaml"):
        text = path.read_text()
        assert text.startswith(DERIVED_MODELINE), path
        assert not list(validator.iter_errors(_data(text))), path


FORM = {
    "unknown-key",
    "missing-key",
    "unknown-kind",
    "unknown-field",
    "comparison",
    "any-of",
    "empty-list",
    "empty-conditions",
}


@pytest.mark.parametrize("broken", [broken for broken in CORPUS if broken.code in FORM], ids=lambda broken: broken.says)
def test_an_editor_sees_from_the_schema_what_the_check_sees(broken: Broken) -> None:
    whole = RULE if broken.file == MADE_UP else (shipped() / broken.file).read_text()
    schema = schema_of_the_shipped_rulebook() if broken.file == MADE_UP else derived_schema(BOOK)
    validator = jsonschema.Draft202012Validator(schema)
    assert not list(validator.iter_errors(_data(whole)))
    assert list(validator.iter_errors(_data(whole.replace(broken.old, broken.new, 1))))


@cache
def schema_of_the_shipped_rulebook() -> dict[str, Any]:
    return rule_schema(BOOK)


def _data(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)
