"""A bad rulebook does not load: every fault names file, line, field and the mend."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import msgspec
import pytest

from careplan.authoring.coverage import as_markdown, coverage
from careplan.errors import InvalidRulebook, RuleFault
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.factors import KINDS
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from tests.everyday import one_in, one_row_in
from tests.shipped import MADE_UP_RULE, lists_in


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(shipped(), tmp_path / "rules"))


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """The shipped lists without the rules, which take most of the time to read."""
    return lists_in(tmp_path / "rules")


def faults(folder: Path, rule: str, name: str = "made-up-rule") -> list[RuleFault]:
    (folder / "aftercare" / f"{name}.yaml").write_text(rule)
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    return list(raised.value.faults)


def test_the_rule_that_the_others_are_made_from_is_sound(folder: Path) -> None:
    (folder / "aftercare" / "made-up-rule.yaml").write_text(MADE_UP_RULE)
    assert "made-up-rule" in load(folder).rules


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    one_row_in(
        4,  # test_faults has the like of each
        [
            ("level: caution", "level: cautoin", 4, "Did you mean caution?"),
            ("level: caution\n", "", 1, "The field level is missing."),
            ("rationale:", "rational:", 6, "Did you mean rationale?"),
            ("title: A made-up rule", "title: A made-up rule\ntitle: Twice", 6, "stands twice"),
            ("id: made-up-rule", "id: another-rule", 1, "is not the name of the file"),
            ('place: "2.2"', 'place: "9.9"', 8, "has no place 9.9"),
            ("source: founding", "source: foundin", 8, "There is no source foundin"),
            ("  lifestyle:\n", "  lifestile:\n", 10, "Did you mean lifestyle?"),
            ("    sleep_hours_per_night: {less", "    sleep_hours: {less", 11, "Did you mean sleep_hours_per_night?"),
            ("{less_than: 5}", "{lessthan: 5}", 11, "Did you mean less_than?"),
            ("{less_than: 5}", '{less_than: "5"}', 11, "is not a number"),
            ("{less_than: 5}", "{less_than: 5.125}", 11, "too fine"),
            ("{less_than: 5}", "[]", 11, "never true"),
            ("  silent:\n    - {why: long, patient: {lifestyle: {sleep_hours_per_night: 8}}}\n", "", 15, "stays silent"),
            (
                "{lifestyle.sleep_hours_per_night} hours",
                "{lifestyle.nutrition} hours",
                13,
                "is not known whenever this rule holds",
            ),
            ("{lifestyle.sleep_hours_per_night} hours", "{hold}", 13, "{hold} may stand only where"),
            ("Sleep matters.", "Stop your medicine today.", 13, "reads as an order to change a medicine"),
            ("Sleep matters.", "You can skip a dose.", 13, "reads as an order to change a medicine"),
            ("Sleep matters.", "Take 2 mg of it.", 13, "names a dose"),
            ("Sleep matters.", "Ketamine is a reset.", 13, "sells an estimate as a fact"),
            ("Short sleep.", "Give 0.5 mg/kg.", 14, "dose by weight"),
            ("level: caution", "level: stop", 12, "must say who does what"),
            ("then:", "then:\n  asks: [{who: patient, what: rest, by: now}]", 13, "must say who does what"),
            (
                "{less_than: 5}",
                "{less_than: 5}\n  medicine: {schedule: daily}\n  condition: {name: stroke_or_tia}",
                10,
                "can each occur",
            ),
            ("status: trial", "status: trial\nfor_everyone: because", 4, "Only a rule with"),
            ("when:\n  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "when: everyone", 9, "must say why"),
            ("rationale: It exists", "rationale: It: exists", 6, "This is not YAML"),
        ],
        lambda row: f"{row[0]}-{row[1]}-{row[2]}-{row[3]}",
    ),
)
def test_a_bad_rule_file_is_refused_with_file_line_and_mend(lists: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in MADE_UP_RULE
    broken = MADE_UP_RULE.replace(old, new, 1)
    if "who: patient" in new:
        broken = broken.replace("level: caution", "level: stop")
        says = "needs a human of the clinic"
    found = faults(lists, broken)
    assert any(fault.file == "aftercare/made-up-rule.yaml" for fault in found)
    assert any(says in f"{fault.problem} {fault.mend}" for fault in found), found
    matching = next(fault for fault in found if says in f"{fault.problem} {fault.mend}")
    assert matching.mend
    assert abs(matching.line - line) <= 1, matching


def test_all_faults_are_named_at_once(folder: Path) -> None:
    broken = (
        MADE_UP_RULE.replace("level: caution", "level: loud")
        .replace("lifestyle:\n", "lifestile:\n")
        .replace("strength: expert", "strength: expret")
    )
    found = faults(folder, broken)
    assert len(found) >= 3


def test_a_rule_about_benzodiazepines_must_warn_of_withdrawal(folder: Path) -> None:
    rule = MADE_UP_RULE.replace(
        "  lifestyle:\n    sleep_hours_per_night: {less_than: 5}", "  medicine:\n    class: benzodiazepine"
    ).replace(" You told us about {lifestyle.sleep_hours_per_night} hours.", "")
    assert any("must warn of withdrawal" in fault.problem for fault in faults(folder, rule))


def test_the_sentences_about_a_hold_must_quote_who_signed_it(folder: Path) -> None:
    path = folder / "rulebook.yaml"
    path.write_text(path.read_text().replace("signed by {approved_by}, ", ""))
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    fields = ["signed_hold.patient", "signed_hold_between_doses.patient"]
    assert [(fault.file, fault.field) for fault in raised.value.faults] == [("rulebook.yaml", field) for field in fields]


def test_one_id_in_two_folders_is_refused(folder: Path) -> None:
    (folder / "preparation" / "made-up-rule.yaml").write_text(MADE_UP_RULE)
    assert any("already taken" in fault.problem for fault in faults(folder, MADE_UP_RULE))


LISTS = ("rulebook.yaml", "sources.yaml", "vocabulary.yaml", "medications.csv", "conditions.yaml", "goals.yaml")


@pytest.mark.parametrize("name", one_in(3, (*LISTS, "drug_classes.yaml")))
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    assert [fault.file for fault in raised.value.faults] == [name]


def test_a_file_that_is_not_utf_8_is_named_with_its_line(folder: Path) -> None:
    (folder / "aftercare" / "made-up-rule.yaml").write_bytes(MADE_UP_RULE.encode() + b"# \xff\n")
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    assert any("UTF-8" in fault.problem for fault in raised.value.faults)


def test_yes_no_and_clock_times_stay_what_they_are(folder: Path) -> None:
    text = (folder / "sources.yaml").read_text() + "odd:\n  title: no\n  by: 12:30\n  read: full\n"
    (folder / "sources.yaml").write_text(text)
    source = load(folder).sources["odd"]
    assert (source.title, source.by) == ("no", "12:30")


def test_drafts_and_retired_rules_rest(folder: Path) -> None:
    (folder / "aftercare" / "made-up-rule.yaml").write_text(MADE_UP_RULE.replace("status: trial", "status: draft"))
    book = load(folder)
    assert "made-up-rule" in book.resting
    assert "made-up-rule" not in book.rules


def test_the_digest_changes_with_any_file(folder: Path) -> None:
    before = load(folder).digest
    (folder / "aftercare" / "made-up-rule.yaml").write_text(MADE_UP_RULE)
    assert load(folder).digest != before


def test_every_piece_of_advice_of_the_founding_text_is_said_to_patients(book: Rulebook) -> None:
    for places in coverage(book).values():
        assert [place for place, told in places.items() if not told.patient] == []


def test_a_rule_covers_a_piece_of_advice_by_what_its_text_says_and_not_by_what_it_cites(book: Rulebook) -> None:
    told = {place: [rule.id for rule in one.patient] for place, one in coverage(book)["founding"].items()}
    assert "getting-ready-for-the-first-session" in told["1.3"]
    assert "intentions-set-bring-them" not in told["1.3"]
    assert set(told["5.4"]) == {"uptake-varies-by-mouth-and-nose", "open-product-and-route"}
    assert set(told["5.5"]) == {"iv-as-you-prefer", "iv-when-no-wish-is-known", "open-product-and-route"}
    silent = msgspec.structs.replace(book.sources["founding"], said={})
    without = msgspec.structs.replace(book, sources={**book.sources, "founding": silent})
    assert not any(one.patient or one.clinician for one in coverage(without)["founding"].values())


def test_who_sent_nothing_hears_the_general_advice_and_of_no_doses_left_out(book: Rulebook, planner: Planner) -> None:
    heard = {item.rule.id for item in items_of(planner.plan(planner.intake.convert({})))}
    places = coverage(book)["founding"]
    told = {place for place, one in places.items() if heard & {rule.id for rule in one.patient}}
    asked = {"0.1", "0.2", "0.3", "0.4", "1.3", "1.6", "1.8", "2.9", "3.5", "3.6", "5.2", "5.4", "5.5", "5.8", "7.3"}
    assert asked | {"6.3", "6.4", "6.5", "6.7", "6.8"} <= told
    assert "6.6" not in told


def test_the_coverage_table_is_the_one_that_the_rules_make(book: Rulebook) -> None:
    assert (shipped() / "COVERAGE.md").read_text() == as_markdown(book), "run `make coverage`"


def test_rules_for_everybody_are_few_beside_all_others_and_belong_to_the_standing_protocol(book: Rulebook) -> None:
    for_all = [rule for rule in book.rules.values() if rule.file.for_everyone]
    assert len(for_all) <= len(book.rules) / 20
    assert {rule.file.scope for rule in for_all} == {"standing"}


def test_every_field_has_words_and_every_factor_that_can_be_sent_has_a_question(book: Rulebook) -> None:
    for kind, described in KINDS.items():
        for name, field in described.fields.items():
            words = book.vocabulary.fields[f"{kind}.{name}"]
            assert words.says
            if field.sent:
                assert words.question.endswith("?"), f"{kind}.{name}"
                assert words.why
            if field.tokens:
                assert set(field.tokens) <= set(words.values), f"{kind}.{name}"


def test_a_source_is_equally_strong_wherever_a_rule_rests_on_it(book: Rulebook) -> None:
    found: dict[str, set[str]] = {}
    for rule in book.rules.values():
        for ref in rule.file.sources:
            # What stands in no label is said to be general knowledge, which is an opinion.
            if "general knowledge" not in ref.place:
                found.setdefault(ref.source, set()).add(ref.strength)
    assert {source: strengths for source, strengths in found.items() if len(strengths) > 1} == {}


def test_whoever_sent_nothing_hears_what_the_founding_text_advises_everybody(planner: Planner) -> None:
    texts = " ".join(" ".join(item.patient_text.split()) for item in items_of(planner.plan(Patient())))
    said = planner.book.sources["founding"].said
    unheard = [place for place, words in said.items() if not re.search(words, texts, re.IGNORECASE)]
    assert set(unheard) <= {"5.3", "5.5", "6.6"}, (
        "of the uptake by a wished route, and of hours, those hear whom it concerns"
    )
