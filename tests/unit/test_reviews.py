"""Reviews: what is listed to be decided, whose decisions a rule needs, and that a changed rule asks anew."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from careplan.authoring.review_list import ReviewList, as_markdown
from careplan.cli.main import main
from careplan.planner import Planner
from careplan.rulebook.load import load
from careplan.rulebook.review_decisions import REVIEWS, ROLES, ReviewDecision, Role, Verdict
from careplan.rulebook.reviews import BY_BOTH, content_of, standing_of
from tests.shipped import BOOK, few_rules_in
from tests.work import calls

STOP, NOTE = "chest-pain-right-now", "sleep-seven-or-more-keep"
SLEEP = "sleep-under-five-hours"


def decision(rule: str, role: Role, verdict: Verdict = "accept", **changed: Any) -> ReviewDecision:
    one = BOOK.rules[rule]
    made = ReviewDecision(
        rule=rule,
        version=one.file.version,
        role=role,
        by={"pharmacist": "Ada Quill, PharmD", "physician": "Bo Stone, MD"}[role],
        decision=verdict,
        on="2026-12-02",
        content=content_of(one, BOOK),
    )
    return msgspec.structs.replace(made, **changed)


def lacks(rule: str, *decisions: ReviewDecision) -> str:
    book = msgspec.structs.replace(BOOK, decisions=decisions)
    return standing_of(book.rules[rule], book).lacks(book.rules[rule].file)


@pytest.mark.parametrize("verdicts", list(product([None, "accept", "reject"], repeat=2)))
def test_a_stop_needs_both_roles_another_rule_one_of_them_and_a_rejection_stands_in_the_way(
    verdicts: tuple[Verdict | None, Verdict | None],
) -> None:
    given = [(role, one) for role, one in zip(ROLES, verdicts, strict=True) if one is not None]
    for rule, needed in ((STOP, 2), (NOTE, 1)):
        found = lacks(rule, *(decision(rule, role, verdict) for role, verdict in given))
        assert (found == "") == (len(given) >= needed and "reject" not in verdicts)


def test_the_last_decision_of_a_role_counts_and_one_on_anything_else_does_not() -> None:
    assert lacks(NOTE, decision(NOTE, "physician", "reject"), decision(NOTE, "physician")) == ""
    assert "rejected" in lacks(NOTE, decision(NOTE, "physician"), decision(NOTE, "physician", "reject"))
    for other in ({"version": 99}, {"content": "0" * 64}):
        assert lacks(NOTE, decision(NOTE, "physician", **other)) == "Nobody has decided on this version."
    assert lacks(NOTE, decision(STOP, "physician")) == "Nobody has decided on this version."


def test_what_a_reviewer_judges_is_every_text_and_passage_and_not_the_rationale() -> None:
    rule = BOOK.rules[STOP]
    before = content_of(rule, BOOK)
    file = rule.file
    ref = file.sources[0]
    other = msgspec.structs.replace(BOOK.sources[ref.source], places={}, advice={})
    changes = [
        (msgspec.structs.replace(file, line="Another line."), BOOK),
        (msgspec.structs.replace(file, sources=file.sources[1:]), BOOK),
        (msgspec.structs.replace(file, then=msgspec.structs.replace(file.then, clinician="Another text.")), BOOK),
        (file, msgspec.structs.replace(BOOK, sources={**BOOK.sources, ref.source: other})),
    ]
    for changed, book in changes:
        assert content_of(msgspec.structs.replace(rule, file=changed), book) != before
    kept = msgspec.structs.replace(file, rationale="Better said.", status="active")
    assert content_of(msgspec.structs.replace(rule, file=kept), BOOK) == before


def test_nobody_has_decided_on_the_shipped_rules_so_none_is_active() -> None:
    assert BOOK.decisions == ()
    assert {rule.file.status for rule in BOOK.rules.values()} == {"trial"}


def test_a_task_has_prose_passages_examples_as_sentences_and_what_a_cohort_would_lose() -> None:
    listing = ReviewList(BOOK, patients=20)
    try:
        [task] = listing.tasks([BOOK.rules[SLEEP]])
    finally:
        listing.close()
    assert task.prose.startswith("When the patient")
    assert [entry.source for entry in task.passages] == [ref.source for ref in BOOK.rules[SLEEP].file.sources]
    fires, silent = BOOK.rules[SLEEP].file.examples.fires, BOOK.rules[SLEEP].file.examples.silent
    assert len(task.examples) == len(fires) + len(silent)
    assert any(one.startswith("Speaks up: ") and "4.9" in one for one in task.examples)
    assert any(one.startswith("Stays silent: ") and "What is missing" in one for one in task.examples)
    assert task.off.patients == 20 >= task.off.has_it
    assert task.missing == list(ROLES)
    page = as_markdown([task], "About.")
    assert "# 1 rule to decide on" in page and "**If it were off.** Of 20 made-up patients" in page
    assert "as pharmacist" in page and "as physician" in page


def test_a_list_begins_with_how_much_there_is_of_each_weight_and_who_decides_on_it() -> None:
    chosen = [rule for rule in BOOK.in_order() if rule.section == "route"]
    listing = ReviewList(BOOK, patients=0)
    try:
        tasks = list(listing.tasks(chosen))
    finally:
        listing.close()
    page = as_markdown(tasks, "About.")
    overview, _, rest = page.partition("\n## ")
    for level, who in (("hold", "a pharmacist and a physician"), ("caution", "a pharmacist or a physician")):
        of_it = [task for task in tasks if task.level == level]
        unread = sum(bool(task.not_read) for task in of_it)
        assert (f"| {level} | {len(of_it)} | {unread} | {who} |" in overview) is bool(of_it)
        graves = sum(task.level in BY_BOTH for task in tasks)
        assert rest.count(f"To be decided by {who}:") == (graves if level in BY_BOTH else len(tasks) - graves)


def test_a_rule_alone_is_explained_as_among_all_and_the_list_says_how_far_it_is(planner: Planner) -> None:
    patient = planner.intake.convert({"lifestyle": {"sleep_hours_per_night": 4}, "medications": [{"name": "Xanax"}]})
    whole = planner.explained(patient).explanation
    assert whole is not None
    for among_all in whole.rules[::40]:
        assert planner.explained_rule(patient, among_all.rule.id)[1] == among_all
    with pytest.raises(KeyError):
        planner.explained_rule(patient, "no-such-rule")
    told: list[tuple[str, int, int]] = []
    listing = ReviewList(BOOK, patients=2, advance=lambda *step: told.append(step))
    try:
        list(listing.tasks([BOOK.rules[SLEEP]]))
    finally:
        listing.close()
    assert told == [("made-up patients", 1, 2), ("made-up patients", 2, 2), ("rules", 1, 1)]
    of_one = calls(lambda: planner.explained_rule(patient, SLEEP)) - calls(lambda: planner.plan(patient))
    of_all = calls(lambda: planner.explained(patient)) - calls(lambda: planner.plan(patient))
    assert of_one < of_all / 10, "what became of the other rules is not worked out"


def ran(folder: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["rules", *arguments, "--rules", str(folder)])
    return done.exit_code, done.output


def take(folder: Path, by: str, role: str, verdict: str = "accept") -> int:
    said = ("--by", by, "--as", role, "--decision", verdict, "--on", "2026-12-02")
    return ran(folder, "review", SLEEP, *said, "--note", "Read: with care")[0]


@pytest.mark.long
def test_decisions_are_kept_as_data_make_a_rule_fit_to_be_active_and_lapse_when_it_changes(tmp_path: Path) -> None:
    folder = few_rules_in(tmp_path / "rules")
    path = folder / "aftercare" / f"{SLEEP}.yaml"
    digest = load(folder).digest
    assert take(folder, "TBD", "pharmacist") == 2
    assert take(folder, "Ada Quill, PharmD", "pharmacist") == 0
    assert take(folder, "Ada Quill, MD", "physician") == 2, "two decisions are of two people"
    assert [one["missing"] for one in json.loads(ran(folder, "review", SLEEP, "--json", "--patients", "0")[1])] == [
        ["physician"]
    ]
    assert take(folder, "Bo Stone, MD", "physician") == 0
    assert json.loads(ran(folder, "review", SLEEP, "--json", "--patients", "0")[1]) == []
    book = load(folder)
    assert book.digest == digest, "a decision changes no plan"
    assert [(one.role, one.by, one.note) for one in book.decisions] == [
        ("pharmacist", "Ada Quill, PharmD", "Read: with care"),
        ("physician", "Bo Stone, MD", "Read: with care"),
    ]
    path.write_text(path.read_text().replace("status: trial", "status: active"))
    assert load(folder).rules[SLEEP].file.status == "active"
    path.write_text(path.read_text().replace("title: ", "title: Now "))
    code, text = ran(folder, "check")
    assert code == 1 and "Nobody has decided on this version." in text
    path.write_text(path.read_text().replace("status: active", "status: trial"))
    assert len(json.loads(ran(folder, "review", SLEEP, "--json", "--patients", "0")[1])) == 1, "a changed rule asks anew"


def test_a_decision_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = few_rules_in(tmp_path / "rules")
    before = (folder / REVIEWS).read_bytes()
    for arguments in (
        ("review", SLEEP, "--by", "Ada Quill"),
        ("review", "--by", "Ada Quill", "--as", "physician", "--decision", "accept", "--on", "2026-12-02"),
        ("review", "no-such-rule", "--by", "Ada Quill", "--as", "physician", "--decision", "accept", "--on", "2026-12-02"),
        ("review", SLEEP, "--by", "Ada Quill", "--as", "physician", "--decision", "accept", "--on", "2026-02-30"),
    ):
        assert ran(folder, *arguments)[0] == 2
    assert (folder / REVIEWS).read_bytes() == before
