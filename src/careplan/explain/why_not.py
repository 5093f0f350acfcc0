"""Why and why not: what became of every rule for one patient, with the conditions that decided it in words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from operator import itemgetter
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from careplan.explain.answers_in_words import Reasons
from careplan.explain.nearest_miss import Standing, Unmet, nearest
from careplan.facts.case import Case
from careplan.facts.hold_question import HoldQuestions
from careplan.inference.case_logic import CaseLogic
from careplan.inference.verdicts import Verdicts
from careplan.plan.model import ConditionReport, Explanation, Item, RuleRef, RuleReport
from careplan.plan.phrases import FactPhrases
from careplan.plan.sources import Bibliography
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.model import LEVELS, Rule, Rulebook

Outcome: TypeAlias = Literal["fired", "not_fired", "undecided"]
_Rank = tuple[bool, bool, int, int, int, int]
_Ranked = tuple[_Rank, RuleReport]
_rank = itemgetter(0)


class _Judged(NamedTuple):
    """What became of a rule, by what it nearly held, and which answers would decide it."""

    outcome: Outcome
    standing: Standing
    questions: list[str]


class Explainer:
    """Explains plans of one rulebook. Words for conditions are made when first needed and kept."""

    def __init__(self, book: Rulebook, phrases: FactPhrases) -> None:
        self._book = book
        self._phrases = phrases
        self._prose = Prose(book)
        self._holds = HoldQuestions(book)
        self._bibliography = Bibliography(book)
        self._named = {
            rule.id: (RuleRef(id=rule.id, version=rule.file.version, status=rule.file.status), rule.title.bare())
            for rule in book.rules.values()
        }
        self._words: dict[tuple[int, tuple[int, ...]], str] = {}
        self._order = {rule.id: at for at, rule in enumerate(book.in_order())}

    def explain(self, case: Case, verdicts: Verdicts, items: Iterable[Item]) -> Explanation:
        """What became of every rule that runs, by the verdicts that the plan was made of."""
        reports = [self._ranked(report) for report in self.reports(self._book.rules, case, verdicts, items)]
        reports.sort(key=_rank)
        outcomes = [report.outcome for _, report in reports]
        return Explanation(
            fired=outcomes.count("fired"),
            not_fired=outcomes.count("not_fired"),
            undecided=outcomes.count("undecided"),
            rules=[report for _, report in reports],
        )

    def reports(
        self, wanted: Collection[str], case: Case, verdicts: Verdicts, items: Iterable[Item]
    ) -> Iterator[RuleReport]:
        """What became of the rules with these ids, in the order of the rulebook."""
        logic = CaseLogic(case)
        reasons = Reasons(self._book, self._holds, case, logic, self._phrases)
        items_by_rule: dict[str, list[str]] = {finding.rule: [] for finding in verdicts.findings}
        for item in items:
            items_by_rule[item.rule.id].append(item.id)
        for at, rule in enumerate(self._book.rules.values()):
            if rule.id not in wanted:
                continue
            if rule.id in verdicts.out_of_force:
                yield self._out_of_force(rule, case)
                continue
            judged = self._judge(rule, rule.id in items_by_rule, _questions(verdicts, at), logic)
            report = self._report(rule, judged, reasons)
            yield self._fired(report, items_by_rule[rule.id]) if judged.outcome == "fired" else report

    def _fired(self, report: RuleReport, items: list[str]) -> RuleReport:
        rests_on = self._bibliography.passages(self._book.rules[report.rule.id])
        return msgspec.structs.replace(report, items=items, rests_on=rests_on)

    def _ranked(self, report: RuleReport) -> _Ranked:
        return self._nearness(report), report

    def _judge(self, rule: Rule, fired: bool, questions: list[str], logic: CaseLogic) -> _Judged:  # noqa: FBT001
        outcome: Outcome = "fired" if fired else "undecided" if questions else "not_fired"
        undecided = logic.alternatives(rule.when) if outcome == "undecided" else ()
        open_ = [one for one in undecided if one.verdict[0] is None]
        return _Judged(outcome, nearest(rule.when, logic, open_)[1], questions)

    def _report(self, rule: Rule, judged: _Judged, reasons: Reasons) -> RuleReport:
        outcome, best, questions = judged
        ref, title = self._named[rule.id]
        return RuleReport(
            rule=ref,
            level=rule.file.level,
            section=rule.section,
            title=title,
            outcome=outcome,
            near=outcome != "fired" and best.near,
            met=best.met,
            missing=best.missing,
            because_not=[self._condition(unmet, reasons) for unmet in best.unmet],
            questions=questions,
        )

    def _out_of_force(self, rule: Rule, case: Case) -> RuleReport:
        """That the day of the plan keeps a rule from firing, whatever else holds."""
        ref, title = self._named[rule.id]
        words = f"it is in force {rule.term.in_words()}"
        given = [f"the day of the plan is {case.patient.as_of}"]
        return RuleReport(
            rule=ref,
            level=rule.file.level,
            section=rule.section,
            title=title,
            outcome="not_fired",
            met=0,
            missing=1,
            because_not=[ConditionReport(words=words, holds="false", given=given, pointers=["/as_of"])],
        )

    def _condition(self, unmet: Unmet, reasons: Reasons) -> ConditionReport:
        given, pointers = reasons.given(unmet)
        holds: Literal["false", "unknown"] = "unknown" if unmet.stands is None else "false"
        return ConditionReport(words=self._in_words(unmet), holds=holds, given=given, pointers=pointers)

    def _in_words(self, unmet: Unmet) -> str:
        key = (id(unmet.pattern), unmet.places)
        if key not in self._words:
            part = unmet.part
            self._words[key] = (
                self._prose.pattern(unmet.pattern) if part is None else self._prose.condition(unmet.pattern.kind, part)
            )
        return self._words[key]

    def _nearness(self, report: RuleReport) -> _Rank:
        """Near misses first, then by how many conditions are missing; among equals the most serious first."""
        fired = report.outcome == "fired"
        level, order = LEVELS.index(report.level), self._order[report.rule.id]
        return (
            (True, False, 0, 0, 0, order) if fired else (False, not report.near, report.missing, level, -report.met, order)
        )


def _questions(verdicts: Verdicts, at: int) -> list[str]:
    """The answers on which the rule with this number hangs, in order."""
    return sorted(pointer for pointer, bits in verdicts.hanging.items() if bits >> at & 1)
