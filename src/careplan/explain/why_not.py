"""Why and why not: what became of every rule for one patient, with the conditions that decided it in words."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from operator import itemgetter
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from careplan.explain.answers_in_words import Reasons
from careplan.explain.nearest_miss import Standing, Unmet, nearest
from careplan.facts.build import Case
from careplan.facts.hold_question import HoldQuestions
from careplan.inference.durable_rules import Finding
from careplan.inference.three_valued import Certainty, taken_together
from careplan.memo import Memo
from careplan.plan.model import ConditionReport, Explanation, Item, RuleRef, RuleReport
from careplan.recognition.medicine_catalogue import called
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.model import LEVELS, Rule, Rulebook

MOST_REMEMBERED = 1_024

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

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._prose = Prose(book)
        self._holds = HoldQuestions(book)
        self._words: dict[tuple[int, tuple[int, ...]], str] = {}
        self._order = {rule.id: at for at, rule in enumerate(book.in_order())}
        clusters: dict[tuple[str, ...], list[Rule]] = {}
        for rule in book.rules.values():
            kinds = {pattern.kind for group in rule.when for pattern in group}
            clusters.setdefault(tuple(sorted(kinds)), []).append(rule)
        self._clusters = tuple((at, kinds, tuple(rules)) for at, (kinds, rules) in enumerate(clusters.items()))
        self._explained: Memo[Hashable, tuple[_Ranked, ...]] = Memo(MOST_REMEMBERED)
        self._judged: Memo[Hashable, list[_Judged]] = Memo(MOST_REMEMBERED)

    def explain(self, case: Case, findings: Iterable[Finding], items: Iterable[Item]) -> Explanation:
        """What became of every rule that runs."""
        certainty = Certainty(case)
        reasons = Reasons(self._book, self._holds, case, certainty)
        made: dict[str, list[str]] = {finding.rule: [] for finding in findings}
        for item in items:
            made[item.rule.id].append(item.id)
        likeness = _Likeness(case, certainty, reasons)
        reports: list[_Ranked] = []
        for at, kinds, rules in self._clusters:
            key = likeness.of(at, kinds)
            # What has the caller's own words in it is put into words anew, and not remembered.
            memorable = key is not None and likeness.own.isdisjoint(kinds)
            found = self._explained.get(key) if memorable else None
            if found is None:
                judged = self._judged.get(key) if key is not None else None
                if judged is None:
                    judged = [self._judge(rule, rule.id in made, certainty) for rule in rules]
                    if key is not None and not memorable:
                        self._judged.keep(key, judged)
                found = tuple(
                    self._ranked(self._report(rule, one, reasons)) for rule, one in zip(rules, judged, strict=True)
                )
                if memorable:
                    self._explained.keep(key, found)
            reports += found
        reports.sort(key=_rank)
        outcomes = [report.outcome for _, report in reports]
        return Explanation(
            fired=outcomes.count("fired"),
            not_fired=outcomes.count("not_fired"),
            undecided=outcomes.count("undecided"),
            rules=[
                msgspec.structs.replace(report, items=made[report.rule.id]) if report.outcome == "fired" else report
                for _, report in reports
            ],
        )

    def _ranked(self, report: RuleReport) -> _Ranked:
        return self._nearness(report), report

    def _judge(self, rule: Rule, fired: bool, certainty: Certainty) -> _Judged:  # noqa: FBT001
        alternatives = list(certainty.alternatives(rule.when))
        holds, pointers = taken_together(alternatives)
        outcome: Outcome = "fired" if fired else "not_fired" if holds is False else "undecided"
        open_ = [one for one in alternatives if one.verdict[0] is None] if outcome == "undecided" else []
        return _Judged(outcome, nearest(rule.when, certainty, open_)[1], sorted(pointers))

    def _report(self, rule: Rule, judged: _Judged, reasons: Reasons) -> RuleReport:
        outcome, best, questions = judged
        return RuleReport(
            rule=RuleRef(id=rule.id, version=rule.file.version, status=rule.file.status),
            level=rule.file.level,
            section=rule.section,
            title=rule.title.bare(),
            outcome=outcome,
            near=outcome != "fired" and best.near,
            met=best.met,
            missing=best.missing,
            because_not=[self._condition(unmet, reasons) for unmet in best.unmet],
            questions=questions,
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


class _Likeness:
    """What reports follow from, for one case: equal keys mean equal reports."""

    def __init__(self, case: Case, certainty: Certainty, reasons: Reasons) -> None:
        self._case = case
        self._certainty = certainty
        self._reasons = reasons
        self._parts: dict[str, tuple[Hashable, ...] | None] = {}
        self.own: set[str] = set()
        """The kinds of facts, of those looked at, about which reports hold the caller's own words."""

    def of(self, cluster: int, kinds: tuple[str, ...]) -> Hashable:
        """The key of the rules over these kinds of facts; None where reports follow from more than facts."""
        key: list[Hashable] = [cluster]
        for kind in kinds:
            if kind not in self._parts:
                self._parts[kind] = self._of_kind(kind)
            parts = self._parts[kind]
            if parts is None:
                return None
            key.append(parts)
        return tuple(key)

    def _of_kind(self, kind: str) -> tuple[Hashable, ...] | None:
        case = self._case
        facts = self._certainty.known_facts(kind)
        if facts and (kind in ("goal", "medicine_check") or (kind == "protocol" and case.patient.protocol)):
            self.own.add(kind)
            if case.doubts:
                return None
        parts: list[Hashable] = [fact.mark for fact in facts]
        parts += [case.holds[fact.ingredient.ingredient] for fact in facts if fact.ingredient]
        if self._certainty.list_is_missing(kind):
            parts.append((kind, *case.of_any_medicine.items()))
        if kind in ("medicine", "regimen", "shared_class"):
            if any(resolved.problem == "partly_recognized" for resolved in case.medicines):
                return None
            parts += [called(resolved.match) for resolved in case.medicines]
            if kind == "medicine":
                parts.append(self._reasons.likeness)
        elif kind in ("history", "condition"):
            parts += case.patient.conditions or ()
        return tuple(parts)
