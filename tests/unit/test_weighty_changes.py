"""A reload can be told to refuse stops and holds that come up for other patients, as long as nobody has accepted that."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from careplan.authoring import rehearsal
from careplan.cli.main import main
from careplan.errors import InvalidSettings, RuleFault
from careplan.rulebook.folder import digest_of, read_folder
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.review_decisions import ReviewDecision
from careplan.rulebook.reviews import content_of
from careplan.rulebook.weighty_changes import not_accepted
from careplan.settings import Settings
from careplan.web import acceptance
from careplan.web.process.accepted import content_of as content
from tests.shipped import BOOK, few_rules_in, lists_in

STOP, HOLD, NOTE = "chest-pain-right-now", "benzodiazepine-taken-daily", "sleep-seven-or-more-keep"
DERIVING = "sedation-adds-up-gravely"


def with_rule(rule: Rule, book: Rulebook = BOOK) -> Rulebook:
    return msgspec.structs.replace(book, rules={**book.rules, rule.id: rule})


def for_others(name: str) -> Rulebook:
    """The rulebook in which a rule comes up for whom another one does."""
    rule, other = BOOK.rules[name], BOOK.rules["younger-than-eighteen"]
    file = msgspec.structs.replace(rule.file, when=other.file.when, version=rule.file.version + 1)
    return with_rule(msgspec.structs.replace(rule, when=other.when, file=file))


def without(name: str, *, resting: bool) -> Rulebook:
    rules = {one: rule for one, rule in BOOK.rules.items() if one != name}
    rests = {**BOOK.resting, name: BOOK.rules[name]} if resting else BOOK.resting
    return msgspec.structs.replace(BOOK, rules=rules, resting=rests)


def changed(name: str, **fields: Any) -> Rulebook:
    rule = BOOK.rules[name]
    return with_rule(msgspec.structs.replace(rule, file=msgspec.structs.replace(rule.file, **fields)))


def found(before: Rulebook, after: Rulebook) -> list[tuple[str, str]]:
    return [(fault.file, fault.code) for fault in not_accepted(before, after)]


def named(*names: str) -> list[tuple[str, str]]:
    return [(BOOK.rules[name].place, "not-accepted") for name in names]


def accepted(book: Rulebook, name: str, **said: Any) -> Rulebook:
    """The rulebook with one more decision on a rule."""
    rule = book.rules.get(name) or book.resting[name]
    one = ReviewDecision(
        rule=name,
        version=rule.file.version,
        role="pharmacist",
        by="Ada Quill, PharmD",
        decision="accept",
        on="2026-12-02",
        content=content_of(rule, book),
    )
    return msgspec.structs.replace(book, decisions=(*book.decisions, msgspec.structs.replace(one, **said)))


@pytest.mark.parametrize("name", [STOP, HOLD])
def test_a_stop_or_hold_for_other_patients_is_named_until_a_reviewer_accepts_it(name: str) -> None:
    after = for_others(name)
    assert found(BOOK, after) == named(name)
    assert found(after, BOOK) == named(name)
    assert found(BOOK, accepted(after, name)) == []


def test_what_changes_for_nobody_or_weighs_little_is_not_named() -> None:
    assert found(BOOK, BOOK) == []
    assert found(BOOK, for_others(NOTE)) == []
    assert found(BOOK, changed(STOP, title="Another title", rationale="Another reason.")) == []


def test_a_decision_that_is_no_acceptance_of_the_rule_as_it_is_now_does_not_count() -> None:
    after = for_others(STOP)
    for said in ({"decision": "reject"}, {"version": 1}, {"content": "0" * 64}, {"rule": HOLD}):
        assert found(BOOK, accepted(after, STOP, **said)) == named(STOP), said
    both = accepted(accepted(after, STOP), STOP, role="physician", by="Bo Stone, MD", decision="reject")
    assert found(BOOK, both) == named(STOP)
    assert found(accepted(BOOK, STOP), msgspec.structs.replace(after, decisions=accepted(BOOK, STOP).decisions)) == named(
        STOP
    )


@pytest.mark.parametrize(("name", "level"), [(STOP, "hold"), (HOLD, "caution"), (NOTE, "stop")])
def test_a_rule_that_becomes_graver_or_less_grave_is_named(name: str, level: str) -> None:
    after = changed(name, level=level)
    assert found(BOOK, after) == named(name)
    assert found(BOOK, accepted(after, name)) == []


def test_a_rule_that_is_new_retired_or_gone_is_named_and_one_that_is_gone_can_only_be_kept_and_retired() -> None:
    retired, gone = without(STOP, resting=True), without(STOP, resting=False)
    assert found(gone, BOOK) == found(retired, BOOK) == named(STOP)
    assert found(gone, accepted(BOOK, STOP)) == []
    assert found(BOOK, retired) == named(STOP)
    assert found(BOOK, accepted(retired, STOP)) == []
    (fault,) = not_accepted(BOOK, gone)
    assert "status: retired" in fault.mend
    assert found(BOOK, without(NOTE, resting=False)) == []


def test_what_is_derived_counts_as_part_of_the_rules_that_use_it() -> None:
    fact = BOOK.derived["sedation_is_grave"]
    other = msgspec.structs.replace(fact, file=msgspec.structs.replace(fact.file, when={"patient": {"age_years": 40}}))
    after = msgspec.structs.replace(BOOK, derived={**BOOK.derived, "sedation_is_grave": other})
    assert named(DERIVING)[0] in found(BOOK, after)
    assert named(STOP)[0] not in found(BOOK, after)


def test_where_only_lists_changed_a_decision_counts_that_was_made_since() -> None:
    rows = dict(BOOK.catalogue.ingredients)
    rows["sertraline"] = msgspec.structs.replace(rows["sertraline"], classes=("benzodiazepine",))
    catalogue = copy.copy(BOOK.catalogue)
    catalogue.ingredients = rows
    after = msgspec.structs.replace(BOOK, catalogue=catalogue)
    assert named(HOLD)[0] in found(BOOK, after)
    assert named(STOP)[0] not in found(BOOK, after)
    before = accepted(BOOK, HOLD)
    carried = msgspec.structs.replace(after, decisions=before.decisions)
    assert named(HOLD)[0] in found(before, carried)
    assert named(HOLD)[0] not in found(before, accepted(carried, HOLD, on="2026-12-03"))


KEPT = ("younger-than-eighteen", "sleep-under-five-hours")


def examined(folder: Path, before: Path, *, reviewed: bool) -> tuple[str, Sequence[RuleFault]]:
    """The digest of the rulebook that a service goes on with, and what was wrong."""
    settings = Settings(rules=str(folder), reviewed_reloads=reviewed)
    taken, verdict = acceptance.examine(settings, content(read_folder(before), {}))
    assert taken is not None
    return verdict.digest, verdict.faults


@pytest.mark.long
def test_a_reload_goes_on_with_the_last_good_rulebook_until_the_change_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "rehearse", lambda _: [])  # its examples are no matter here, and take time
    now = lists_in(tmp_path / "now", (*KEPT, *(path.stem for path in (shipped() / "route").glob("*.yaml"))))
    digest_now = digest_of(read_folder(now))
    new = Path(shutil.copytree(now, tmp_path / "new"))
    path = new / "screening" / "younger-than-eighteen.yaml"
    text = path.read_text().replace("less_than: 18}", "at_most: 17.9}").replace("version: 3", "version: 4")
    path.write_text(text)
    digest, faults = examined(new, now, reviewed=True)
    assert digest == digest_now
    assert [(fault.file, fault.code) for fault in faults] == [("screening/younger-than-eighteen.yaml", "not-accepted")]
    assert "younger-than-eighteen" in faults[0].problem
    assert "careplan rules review younger-than-eighteen" in faults[0].mend
    assert examined(new, now, reviewed=False) == (digest_of(read_folder(new)), [])
    said = ["--by", "Ada Quill, PharmD", "--as", "pharmacist", "--decision", "accept", "--on", "2026-12-02"]
    done = CliRunner().invoke(main, ["rules", "review", "younger-than-eighteen", "--rules", str(new), *said])
    assert done.exit_code == 0, done.output
    assert examined(new, now, reviewed=True) == (digest_of(read_folder(new)), [])
    # A start has nothing to compare with, and takes what it finds, unless it is told the digest of what was accepted.
    acceptance.check_digest(Settings(rules=str(now)), BOOK)
    acceptance.check_digest(Settings(rules=str(now), rulebook_digest=BOOK.digest), BOOK)
    with pytest.raises(InvalidSettings, match=f"has the digest {BOOK.digest}, and CAREPLAN_RULEBOOK_DIGEST accepts"):
        acceptance.check_digest(Settings(rules=str(now), rulebook_digest=digest_now), BOOK)
    taken, verdict = acceptance.examine(Settings(rules=str(now), reviewed_reloads=True))
    assert (taken is not None, verdict.faults) == (True, [])


@pytest.mark.long
def test_that_a_rule_is_retired_can_be_decided_on(tmp_path: Path) -> None:
    folder = few_rules_in(tmp_path / "rules")
    path = folder / "aftercare" / "sleep-under-five-hours.yaml"
    text = path.read_text()
    path.write_text(text.replace("status: trial", "status: retired"))
    said = ["--by", "Ada Quill, PharmD", "--as", "pharmacist", "--decision", "accept", "--on", "2026-12-02"]
    done = CliRunner().invoke(main, ["rules", "review", path.stem, "--rules", str(folder), *said])
    assert done.exit_code == 0, done.output
    assert [one.rule for one in load(folder).decisions] == [path.stem]
