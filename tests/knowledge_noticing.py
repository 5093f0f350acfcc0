"""By what a change of knowledge is noticed: the cheapest first, and of what is on file only what the change feeds."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Hashable, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
import pytest

from careplan.authoring.interaction_check import InteractionCheck
from careplan.authoring.rule_examples import examples_of, holds
from careplan.errors import InvalidRulebook
from careplan.inference.derived import CaseMaker
from careplan.planner import Planner
from careplan.request.decode import Intake
from careplan.rulebook.folder import Files
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.kept_parts import KeptParts
from careplan.rulebook.load import INVARIANTS, load_files, shipped
from careplan.rulebook.model import Rulebook
from tests.golden.test_golden import PATIENTS, readable
from tests.in_short.edition import Edition
from tests.in_short.invariants import Refusing, invariant_of, invariants_in_short, read, selector_of
from tests.in_short.texts import of_rule, rules_shown
from tests.in_short.views import VIEWS
from tests.knowledge_mutants import Knowledge, Mutant
from tests.rules import test_tables_agree

T = TypeVar("T")
OF_RULES = (
    *("tests/rules/test_own_warnings.py", "tests/rules/test_hold_wording.py", "tests/rules/test_wording.py"),
    *("tests/clinical/test_right_answers.py", "tests/unit/test_interactions.py", "tests/unit/test_severity.py"),
    "tests/clinical/test_patients_of_a_clinic.py",
)
OF_LISTS = (
    *("tests/unit/test_medicine_catalogue.py", "tests/unit/test_lines_as_written.py", "tests/unit/test_medicine_lines.py"),
    *("tests/unit/test_doses.py", "tests/unit/test_vocabulary.py"),
)
OF_ILLNESSES = (
    *("tests/unit/illnesses", "tests/unit/test_codes.py", "tests/unit/test_illness_codes.py"),
    "tests/clinical/test_right_answers.py",
)
TESTS = {
    **dict.fromkeys(("text", "level", "ask", "deadline", "card", "interaction", "derived"), OF_RULES),
    **dict.fromkeys(("class", "name", "half-life"), (*OF_LISTS, *OF_RULES)),
    **dict.fromkeys(("code", "record code", "condition", "known illness", "illness word"), OF_ILLNESSES),
    "list word": OF_LISTS,
    "goal word": ("tests/unit/test_goals.py", "tests/unit/test_goals_and_danger.py"),
    "measure": ("tests/unit/test_measures.py", "tests/contract/test_fhir_measures.py"),
    "number to call": ("tests/unit/test_clinic_regions.py",),
    "invariant": ("tests/proof/test_prover.py",),
}
OF_TABLES = ("class", "interaction")
"""Kinds of which rules and the table of interactions speak both."""
OF_WORDS = ("text", "card")
"""Kinds by which nothing but the words of one rule comes out otherwise."""
SAID_ALONE = (*OF_WORDS, "level", "ask", "deadline", "number to call", "invariant")
"""Kinds by which no condition of a rule comes out otherwise."""


REACHES = {
    "goals.yaml": {"goals.yaml"},
    "list_words.yaml": {"list_words.yaml", "medicines"},
    "illness_words.yaml": {"illness_words.yaml", "illnesses"},
    "known_names.yaml": {"known_names.yaml", "illnesses"},
    "conditions.yaml": {"conditions.yaml", "illnesses"},
    "codes.yaml": {"codes.yaml", "illnesses"},
    "vocabulary.yaml": {"vocabulary.yaml"},
    "rulebook.yaml": {"rulebook.yaml"},
    INTERACTIONS: set[str](),
}
"""Which parts of a rulebook a change of a file reaches that adds and takes away no token; of other files all of them."""


class _Unreached(KeptParts):
    """Keeps every part of the rulebook that was loaded first, but those that a change reaches."""

    def __init__(self) -> None:
        super().__init__()
        self._first: dict[Hashable, Any] = {}
        self._mutant: PurePosixPath | None = None

    def loaded(self, files: Files, changed: PurePosixPath | None = None) -> Rulebook:
        """The rulebook that these files make, of which one has changed since the first time."""
        self._mutant = changed
        return load_files(files, self)

    def of(self, key: Hashable, make: Callable[[], T], sound: Callable[[T], bool]) -> T:
        """A part as it was made the first time, unless the change reaches it."""
        assert isinstance(key, tuple)
        part = key[0]
        if self._mutant is None:
            found: T = make()
            self._first[part] = found
            return found
        reached = REACHES.get(str(self._mutant)) if len(self._mutant.parts) == 1 else {self._mutant}
        if reached is None or part in reached or part not in self._first or self._mutant.parts[0] == "derived":
            return make()
        return cast("T", self._first[part])


class Noticed(NamedTuple):
    """By what a change is noticed. `by_what_is_read`: what was said before is read otherwise, not only said no longer."""

    by: str
    by_what_is_read: bool = True


class Noticing:
    """Says by what a mutant is noticed."""

    def __init__(self, copy: Path, before: Knowledge, *, with_tests: bool) -> None:
        self._copy, self._before, self._with_tests = copy, before, with_tests
        self._kept = _Unreached()
        self._edition = Edition(self._kept.loaded(before.files), before.files)
        self._texts = {view.file: view.text(self._edition) for view in VIEWS}
        planner = Planner(self._edition.book)
        self._shown = {path: rules_shown(planner, path.read_bytes()) for path in PATIENTS}
        planner.close()
        self._plan_before = cache(lambda path: _plan(self._edition.book, path))
        self._invariants = read(self._edition)
        self._refusing = Refusing(self._edition.book, self._invariants.values())
        self._refusals = cache(lambda name: self._refusing.of(*self._invariants[name]))

    def by(self, mutant: Mutant) -> Noticed | None:
        """What notices it first; None where nothing does."""
        files = {**self._before.files, mutant.path: mutant.content}
        if mutant.path.parts[0] == INVARIANTS:
            return self._of_an_invariant(Edition(self._edition.book, files), mutant)
        try:
            now = Edition(self._kept.loaded(files, mutant.path), files)
        except InvalidRulebook:
            return Noticed("the checks of a rulebook")
        if disagrees(now.book):
            return Noticed("what is written twice")
        for view in VIEWS:
            if view.is_fed_by(mutant.path) and view.text(now, self._edition) != self._texts[view.file]:
                return Noticed(f"in short: {view.file}")
        for view in VIEWS:
            if view.is_fed_by(mutant.path) and view.text(now) != self._texts[view.file]:
                return Noticed(f"in short: {view.file}", by_what_is_read=False)
        if mutant.kind in OF_WORDS or (
            mutant.path.name == INTERACTIONS and len(_changed(self._edition.book, now.book)) == 1
        ):
            return self._of_words(now.book, _changed(self._edition.book, now.book))
        return self._of_the_whole(now.book, mutant)

    def _of_the_whole(self, book: Rulebook, mutant: Mutant) -> Noticed | None:
        """What looks at everything, and takes long."""
        if mutant.kind in OF_TABLES and InteractionCheck(book).faults():
            return Noticed("the checks of a rulebook")
        if mutant.kind not in SAID_ALONE and example_fails(book):
            return Noticed("examples")
        if any(_plan(book, path) != self._plan_before(path) for path in PATIENTS):
            return Noticed("golden plans")
        if self._with_tests and self._tests_fail(TESTS[mutant.kind], mutant):
            return Noticed("tests of the kind")
        return None

    def _of_words(self, book: Rulebook, rules: Sequence[str]) -> Noticed | None:
        """Whether the plans of written-out patients with a rule say something else, or for want of one its example."""
        for name in rules:
            paths = [path for path, shown in self._shown.items() if name in shown]
            if any(_plan(book, path) != self._plan_before(path) for path in paths):
                return Noticed("golden plans")
            if not paths and _of_rule(book, name) != _of_rule(self._edition.book, name):
                return Noticed("in short: texts.md")
        return None

    def _of_an_invariant(self, now: Edition, mutant: Mutant) -> Noticed | None:
        name = mutant.path.stem
        data = now.data(str(mutant.path))
        one = invariant_of(data, now.book)
        if one is None:
            return Noticed("the checks of a rulebook")
        refused = self._refusing.of(one, selector_of(data))
        if refused != self._refusals(name):
            return Noticed("in short: invariants.md")
        only = Edition(now.book, {mutant.path: mutant.content})
        before = Edition(now.book, {mutant.path: self._before.files[mutant.path]})
        told = [list(invariants_in_short(edition, lambda _: refused)) for edition in (only, before)]
        return Noticed("in short: invariants.md", by_what_is_read=False) if told[0] != told[1] else None

    def _tests_fail(self, tests: Sequence[str], mutant: Mutant) -> bool:
        """Whether one of these tests fails, in a process of its own that finds the changed rules in place of the shipped."""
        there = self._copy / mutant.path
        there.write_bytes(mutant.content)
        child = os.fork()
        if not child:
            _in_silence()
            for module in [one for one in sys.modules.values() if getattr(one, "shipped", None) is shipped]:
                setattr(module, "shipped", lambda: self._copy)  # noqa: B010
            os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:schemathesis", *tests])) != 0)
        failed = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
        there.write_bytes(self._before.files[mutant.path])
        return failed


def _in_silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _changed(before: Rulebook, now: Rulebook) -> list[str]:
    """The rules that are written otherwise."""
    return [name for name, rule in now.rules.items() if name not in before.rules or rule.file != before.rules[name].file]


def _of_rule(book: Rulebook, name: str) -> list[str]:
    planner = Planner(book)
    try:
        return list(of_rule(planner, name))
    finally:
        planner.close()


def _plan(book: Rulebook, path: Path) -> str:
    """A golden plan as a rulebook makes it."""
    planner = Planner(book)
    try:
        patient = planner.intake.decode(path.read_bytes())
        return readable(planner.plan(patient), patient)
    finally:
        planner.close()


def disagrees(book: Rulebook) -> bool:
    """Whether what is written twice no longer says the same."""
    setattr(test_tables_agree, "BOOK", book)  # noqa: B010
    try:
        for group, wanted in test_tables_agree.CLASSES:
            test_tables_agree.test_a_medicine_is_of_the_class_that_its_atc_code_says(group, wanted)
        test_tables_agree.test_the_group_of_a_half_life_fits_the_hours_beside_it()
        test_tables_agree.test_each_number_to_call_stands_in_a_passage_of_what_was_read()
        test_tables_agree.test_a_number_that_is_said_where_nobody_knows_the_place_is_that_of_a_place()
        for rule in test_tables_agree.grave(book):
            test_tables_agree.test_somebody_acts_on_a_stop_today_and_on_a_hold_before_a_session(rule)
    except AssertionError:
        return True
    return False


def example_fails(book: Rulebook) -> bool:
    """Whether an example of a rule comes out otherwise than it should, whichever rule that is."""
    intake = Intake(book.conditions, book.classes, book.forms)
    rules = book.in_order()
    maker = CaseMaker(book, [rule.when for rule in rules])
    for rule in rules:
        for expected, _, example in examples_of(rule):
            case = maker.case(intake.decode(msgspec.json.encode(example.patient)))
            in_force = rule.term.holds_on(None) if case.patient.as_of is None else True
            if in_force and not rule.term and holds(rule.when, case.facts) != (expected == "fires"):
                return True
    return False
