"""Two rulebooks compared: what changed in words, and what it does to the plans of many patients."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import zstandard
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.authoring.compare_rulebooks import compare
from careplan.authoring.synthetic_patients import synthetic
from careplan.authoring.word_changes import cut_to_changes
from careplan.cli.main import main
from careplan.explain.item_phrases import PHRASES
from careplan.explain.plan_diff import difference
from careplan.plan.model import CarePlan, Item, items_of
from careplan.planner import Planner
from careplan.request.what_if_request import merge_patch
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from tests.everyday import one_in
from tests.patients import patients
from tests.sizes import cases

SLEEP = "aftercare/sleep-under-five-hours.yaml"


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The shipped rulebook with one limit moved."""
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    path = folder / SLEEP
    path.write_text(path.read_text().replace("less_than: 5}", "less_than: 5.5}"))
    return folder


def run(*arguments: str, typed: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(main, list(arguments), input=typed)
    return done.exit_code, done.output


def test_a_rulebook_does_not_differ_from_itself(book: Rulebook) -> None:
    assert compare(book, load(shipped())).changes == ()
    code, text = run("rules", "diff", str(shipped()))
    assert code == 0
    assert "Nothing changed." in text


def test_a_moved_limit_is_one_changed_rule_in_words(book: Rulebook, edited: Path) -> None:
    (change,) = compare(book, load(edited)).changes
    assert (change.kind, change.id, change.what) == ("rule", "sleep-under-five-hours", "changed")
    (detail,) = change.details
    assert "less than 5 hours" in detail.before
    assert "less than 5.5 hours" in detail.after


CHANGES = [
    ("rulebook.yaml", "drinks_that_close_holds: 14", "drinks_that_close_holds: 13", "drinks_that_close_holds"),
    ("vocabulary.yaml", "says: is {value} years old", "says: has {value} years", "fields.patient.age_years"),
    ("medications.csv", "clonazepam,clonazepam,", "clonazepam,Clonazepam,", "clonazepam"),
    ("conditions.yaml", 'label: "porphyria"', 'label: "known porphyria"', "porphyria"),
    ("drug_classes.yaml", "plural: benzodiazepines", "plural: all benzodiazepines", "benzodiazepine"),
    ("sources.yaml", "title: ", "title: The ", "founding"),
    ("goals.yaml", "fillers: [a, ", "fillers: [a, some, ", "fillers"),
    (SLEEP, "version: ", "version: 1", "sleep-under-five-hours"),
]


@pytest.mark.long
def test_a_change_of_each_file_is_found_by_what_was_changed_in_it(book: Rulebook, edited: Path) -> None:
    for file, old, new, _ in CHANGES:
        path = edited / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
    found = {(change.kind, change.id) for change in compare(book, load(edited)).changes}
    assert {("rule" if file == SLEEP else file, name) for file, *_, name in CHANGES} <= found


@pytest.mark.long
def test_new_and_gone_rules_are_told_apart(book: Rulebook, edited: Path) -> None:
    shutil.move(edited / SLEEP, edited / "aftercare/sleep-anew.yaml")
    path = edited / "aftercare/sleep-anew.yaml"
    path.write_text(path.read_text().replace("id: sleep-under-five-hours", "id: sleep-anew"))
    for other in edited.rglob("*.yaml"):
        other.write_text(other.read_text().replace("sleep-under-five-hours", "sleep-anew"))
    found = {(change.id, change.what) for change in compare(book, load(edited)).changes if change.kind == "rule"}
    assert {("sleep-anew", "new"), ("sleep-under-five-hours", "gone")} <= found


@pytest.mark.parametrize("form", one_in(2, ["text", "markdown", "json"]))
def test_the_command_says_what_changed_in_every_form(edited: Path, form: str) -> None:
    code, text = run("rules", "diff", str(shipped()), str(edited), "--format", form)
    assert code == 1
    assert "sleep-under-five-hours" in text
    assert "5.5" in text
    if form == "json":
        assert json.loads(text)["changes"][0]["what"] == "changed"


TEXT = "Try to go to bed at the same time, and get up at the same time, for a week or longer, and see how you sleep then"


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        (TEXT, TEXT.replace("week", "month"), ("... the same time, for a week or longer, and see how ...", "week", "month")),
        (TEXT, f"{TEXT} please", ("... see how you sleep then", "then", "then please")),
        (TEXT, f"Please {TEXT}", ("Try to go to bed ...", "Try", "Please Try")),
        ("one\ntwo\nthree\nfour\nfive", "one\ntwo\nthree\nfour\n5", ("...\nfour\nfive", "five", "5")),
        ("", TEXT, ("", "", TEXT)),
        (TEXT, "", (TEXT, TEXT, "")),
        ("5", "5.5", ("5", "5", "5.5")),
    ],
)
def test_of_a_changed_text_only_what_differs_is_shown(before: str, after: str, shown: tuple[str, str, str]) -> None:
    first, old, new = shown
    assert cut_to_changes(before, after) == (first, first.replace(old, new) if old else new)


def test_one_changed_word_of_a_paragraph_prints_no_paragraph(edited: Path) -> None:
    rule = edited / SLEEP
    rule.write_text(rule.read_text().replace("rationale: >-\n  ", "rationale: >-\n  Zzq ", 1))
    code, text = run("rules", "diff", str(shipped()), str(edited))
    assert code == 1
    assert "Zzq" in text
    assert max(map(len, text.splitlines())) < 120


@pytest.mark.long
def test_a_rulebook_may_be_a_git_revision(edited: Path) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", str(edited.parent), *who, *arguments], check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    shutil.copy(shipped() / SLEEP, edited / SLEEP)
    code, text = run("rules", "diff", "HEAD", "--rules", str(edited))
    assert code == 1
    assert "sleep-under-five-hours" in text
    assert run("rules", "diff", "no-such", "--rules", str(edited))[0] == 2
    assert run("rules", "diff", "--rules", str(edited), "--", "-x")[0] == 2


def test_a_name_outside_any_repository_is_refused(edited: Path) -> None:
    code, text = run("rules", "diff", "HEAD", "--rules", str(edited))
    assert code == 2
    assert "not a git repository" in text


def bodies(*hours: float) -> str:
    return "".join(json.dumps({"lifestyle": {"sleep_hours_per_night": hour}}) + "\n" for hour in hours)


@pytest.mark.long
def test_the_impact_counts_whose_plans_change_and_by_which_rules(edited: Path, tmp_path: Path) -> None:
    file = tmp_path / "patients.ndjson"
    file.write_text(bodies(4, 5, 5.4, 5.5, 8))
    code, text = run("rules", "impact", str(shipped()), str(edited), "--patients", str(file), "--format", "json")
    found = json.loads(text)
    assert code == 1
    assert (found["patients"], found["differing"], found["statuses"]) == (5, 2, {"draft to draft": 5})
    by_rule = {entry["rule"]: (entry["new"], entry["gone"], entry["changed"]) for entry in found["rules"]}
    assert by_rule["sleep-under-five-hours"] == (2, 0, 0)
    assert [sample["patient"] for sample in found["samples"]] == [2, 3]
    assert any("Very short sleep" in line for line in found["samples"][0]["difference"]["in_words"])


@pytest.mark.long
def test_lines_that_are_no_patients_are_named_and_the_rest_is_planned(edited: Path) -> None:
    typed = bodies(5) + '{"age_years": "old"}\nnot json\n' + bodies(8)
    code, text = run("rules", "impact", str(shipped()), str(edited), "--patients", "-", typed=typed)
    assert code == 2
    assert "patient 2 is refused by the rulebook before" in text
    assert "/age_years" in text
    assert "patient 3 is refused by the rulebook after" in text
    assert "4 patients, 1 plans differ" in text


@pytest.mark.long
def test_impact_reads_what_batches_read_and_names_files_and_lines(edited: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    slept = '{"request_key": "k", "lifestyle": {"sleep_hours_per_night": 5.2}}'
    (folder / "a.ndjson.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf\n\n" + slept.encode() + b"\n"))
    (folder / "b.ndjson").write_text('{"resourceType": "Bundle", "type": "collection", "entry": []}\n\n{"age_years": -1}\n')
    (folder / "c.ndjson.zst").write_bytes(zstandard.compress(b"{" + b" " * 300_000 + b"}\n"))
    code, text = run("rules", "impact", str(shipped()), str(edited), "--patients", str(folder), "--format", "json")
    found = json.loads(text)
    assert (code, found["patients"], found["differing"]) == (2, 4, 1)
    assert [(one["file"], one["patient"]) for one in found["samples"]] == [("a.ndjson.gz", 3)]
    assert [(one["file"], one["patient"]) for one in found["refused"]] == [("b.ndjson", 3)] * 2 + [("c.ndjson.zst", 1)] * 2
    (folder / "c.ndjson.zst").write_bytes(zstandard.compress(b"{}\n" * 9)[:-3])
    code, text = run("rules", "impact", str(shipped()), str(edited), "--patients", str(folder))
    assert code == 4
    assert "c.ndjson.zst is cut off" in text


@pytest.mark.long
def test_a_status_that_changes_is_counted(edited: Path, tmp_path: Path) -> None:
    path = edited / SLEEP
    text = re.sub(r"  card:\n(    .*\n)+|  in_languages:\n(    .*\n)+", "", path.read_text())
    path.write_text(text.replace("level: caution", "level: stop").replace("by: before_next_session", "by: now"))
    (tmp_path / "one").write_text(bodies(3))
    code, text = run("rules", "impact", str(shipped()), str(edited), "--patients", str(tmp_path / "one"))
    assert code == 1
    assert "1 draft to blocked" in text


def test_impact_wants_exactly_one_source_of_patients(edited: Path) -> None:
    assert run("rules", "impact", str(shipped()), str(edited))[0] == 2
    assert run("rules", "impact", str(edited), "--synthetic", "2", "--patients", "-", typed="")[0] == 2


@pytest.mark.long
def test_made_up_patients_come_from_the_seed_and_are_all_admitted(planner: Planner, book: Rulebook) -> None:
    one = [msgspec.json.encode(body) for body in synthetic([book], 200, 1)]
    assert one == [msgspec.json.encode(body) for body in synthetic([book], 200, 1)]
    assert one != [msgspec.json.encode(body) for body in synthetic([book], 200, 2)]
    plans = [planner.plan(planner.intake.decode(body)) for body in one]
    assert len({plan.status for plan in plans}) == 2
    assert len({item.rule.id for plan in plans for item in items_of(plan)}) > len(book.rules) / 2


def test_the_cohort_command_prints_one_patient_a_line() -> None:
    code, text = run("cohort", "7", "--seed", "3")
    assert code == 0
    assert len([json.loads(line) for line in text.splitlines()]) == 7


@given(st.data())
@settings(max_examples=40)
def test_a_difference_names_exactly_what_differs(planner: Planner, book: Rulebook, data: st.DataObject) -> None:
    drawn: list[dict[str, Any]] = [data.draw(patients(book, medicines=2)) for _ in range(2)]
    before, after = (planner.plan(planner.intake.decode(msgspec.json.encode(body))) for body in drawn)
    found = difference(before, after)
    assert difference(before, before).same
    assert difference(before, before).in_words == []
    old, new = ({item.id: item for item in items_of(plan)} for plan in (before, after))
    assert {item.id for item in found.added} == new.keys() - old.keys()
    assert {item.id for item in found.removed} == old.keys() - new.keys()
    assert {change.item.id for change in found.changed} == {
        name for name in old.keys() & new.keys() if old[name] != new[name]
    }
    assert found.same == (before == after) == (found.in_words == [])
    assert not any(
        "something else in the two plans" in line or "/medications/" in line.partition(": ")[0] for line in found.in_words
    )
    back = difference(after, before)
    assert [item.id for item in back.added] == [item.id for item in found.removed]
    assert (back.status.before, back.status.after) == (found.status.after, found.status.before)


PLAN = {
    "medications": [{"name": "Xanax", "dose_mg": 1}],
    "lifestyle": {"stress_practice_minutes_per_day": 4},
    "conditions": ["hypertension"],
    "other_conditions": ["gout", "flumphitis"],
    "treatment": {"product": "racemic"},
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"treatment": {"session_times": ["2026-03-01T09:30:00Z"]}}, "Now sent, but not considered: times of the sessions"),
        ({"other_conditions": ["gout"]}, "Gone [take care] Entries that could not be read"),
        ({"other_conditions": ["flumphitis", "gout"]}, "flumphitis (/other_conditions/0)"),
        (
            {"lifestyle": {"stress_practice_minutes_per_day": 5}},
            "no longer “minutes of calming practice a day: 4",
        ),
        ({"medications": [{"name": "Valium"}]}, "Medicine 1 as understood: alprazolam (Xanax), benzodiazepine"),
        ({"medications": [{"name": "Xanax", "schedule": "daily"}]}, "No longer asked: How is this medicine taken"),
    ],
)
def test_a_difference_is_told_in_words_that_need_no_other_page(planner: Planner, change: dict[str, Any], said: str) -> None:
    before = planner.plan(planner.intake.convert(PLAN))
    after = planner.plan(planner.intake.convert(merge_patch(PLAN, change)))
    found = difference(before, after)
    assert not found.same
    assert any(said in line for line in found.in_words), found.in_words


@pytest.mark.long
def test_whatever_is_changed_in_a_plan_is_told(planner: Planner) -> None:
    made = planner.explained(planner.intake.convert(PLAN))
    data = msgspec.to_builtins(made)
    tried = 0
    # Every fourth place each day, all of them with more cases.
    for path in islice(leaves(data, ()), 0, None, 4 if cases(1) == 1 else 1):
        if path[0] == "rulebook":
            continue
        changed = msgspec.to_builtins(made)
        holder = changed
        for key in path[:-1]:
            holder = holder[key]
        before = holder[path[-1]]
        holder[path[-1]] = (
            not before if isinstance(before, bool) else before + 1 if isinstance(before, int) else f"{before}x"
        )
        try:
            other = msgspec.convert(changed, CarePlan)
        except msgspec.ValidationError:
            continue
        found = difference(made, other)
        assert not found.same
        assert found.in_words
        assert not any("something else in the two plans" in line for line in found.in_words), (path, found.in_words)
        tried += 1
    assert tried > 60


def test_an_assessment_that_was_recorded_since_is_told(planner: Planner) -> None:
    flags: dict[str, Any] = {"red_flags": {"suicidal_thoughts": "passive"}}
    record = {
        "what": "suicidal_thoughts",
        "by": "Dr. Ada Quill",
        "at": "2026-03-01T16:00:00-05:00",
        "arranged": "safety plan",
    }
    plain, recorded, later = (
        planner.plan(planner.intake.convert(flags | {"clearances": records}))
        for records in ([], [record], [record | {"by": "Dr. Bo Lark", "arranged": "a call on Thursday"}])
    )
    told = difference(plain, recorded).in_words
    assert any("assessed by Dr. Ada Quill at 2026-03-01T16:00:00-05:00; safety plan" in line for line in told), told
    told = difference(recorded, later).in_words
    assert any("Dr. Bo Lark" in line and "a call on Thursday" in line for line in told), told


def test_each_field_of_an_item_that_is_no_text_has_phrases_of_its_own() -> None:
    structured = {
        name
        for name, hint in get_type_hints(Item).items()
        if any(isinstance(one, type) and issubclass(one, msgspec.Struct) for one in (hint, *parts_of(hint)))
    }
    assert {"cleared", "gap", "hold", "asks"} <= structured <= PHRASES.keys()


def parts_of(hint: Any) -> list[Any]:
    """The types of which a type is made, such as those of the members of a list."""
    return [one for part in get_args(hint) for one in (part, *parts_of(part))]


def leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """The ways to every text, number and truth in plain data; of long lists to the first two entries."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, (*path, key))
    elif isinstance(value, list):
        for at, part in enumerate(value[:2]):
            yield from leaves(part, (*path, at))
    else:
        yield path


@pytest.mark.parametrize("field", ["alerts", "information_needed", "not_considered"])
def test_what_is_left_out_or_put_in_another_order_is_told(planner: Planner, field: str) -> None:
    flags = {"chest_pain_now": True, "psychosis_now": True}
    body = PLAN | {"red_flags": flags, "treatment": {"session_times": ["2026-03-01T09:30:00Z"]}}
    made = planner.plan(planner.intake.convert(body))
    listed = getattr(made, field)
    assert len(listed) > 1
    for other in (listed[::-1], listed[1:], [*listed, listed[0]], []):
        found = difference(made, msgspec.structs.replace(made, **{field: other}))
        assert not found.same
        assert found.in_words
        assert not any("something else in the two plans" in line for line in found.in_words)
