"""One rulebook ready to plan with: patient in, plan out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from careplan.explain.counterfactual import Counterfactuals, WhatWouldChange
from careplan.explain.plan_diff import items_of
from careplan.explain.rule_view import Reading
from careplan.explain.side_effects import weighed
from careplan.explain.why_not import Explainer
from careplan.facts.build import Case, FactMaker
from careplan.inference.durable_rules import Engine, Finding, Found
from careplan.memo import Memo, memos_in
from careplan.plan.assemble import Assembly, Encoded
from careplan.plan.item_templates import identity_of
from careplan.plan.model import CarePlan
from careplan.request.decode import Intake
from careplan.request.patient import Patient, Treatment
from careplan.rulebook.factors import KINDS
from careplan.rulebook.model import Rulebook

A_PATIENT = Patient(age_years=40, treatment=Treatment(preferred_route="iv", product="racemic"))
"""Somebody for whom every rulebook has a plan with a decision in it."""


class Planner:
    """Everything that is prepared once per rulebook. Belongs to the thread that made it, as its engine does."""

    def __init__(self, book: Rulebook, watch: Callable[[float, Iterable[str], str], None] | None = None) -> None:
        """`watch` is told of each plan: the seconds in the engine, the rules that hold and the plan's status."""
        self.book = book
        self._watch = watch or (lambda _seconds, _rules, _status: None)
        self.intake = Intake(book.conditions, book.classes)
        self._facts = FactMaker(book)
        self._engine = Engine({rule.id: rule.when for rule in book.rules.values()})
        self._assembly = Assembly(book)
        self._explainer = Explainer(book)
        self._counterfactuals = Counterfactuals(book)
        self.reading = Reading(book)

    def plan(self, patient: Patient) -> CarePlan:
        """The draft plan of one patient. Equal patients get equal plans, byte for byte."""
        return self.traced(patient)[2]

    def traced(self, patient: Patient) -> tuple[Case, list[Finding], CarePlan]:
        """The same plan with the facts and findings behind it."""
        case, found, took = self._found(patient)
        plan = self._assembly.plan(case, found)
        findings = self._engine.findings(case.facts, found)
        self._watch(took, (finding.rule for finding in findings), plan.status)
        return case, findings, plan

    def rehearsed(self, patient: Patient) -> CarePlan:
        """The same plan where nobody asked for it by itself, so that nobody is told of it."""
        case, found, _ = self._found(patient)
        return self._assembly.plan(case, found)

    def encoded(self, patient: Patient) -> bytes:
        """The JSON of the same plan, byte for byte, in less time."""
        return self.summed_up(patient).body

    def summed_up(self, patient: Patient) -> Encoded:
        """The same with the status of the plan and the rules of its items."""
        case, found, took = self._found(patient)
        encoded = self._assembly.encoded(case, found)
        self._watch(took, encoded.rules, encoded.status)
        return encoded

    def _found(self, patient: Patient) -> tuple[Case, Found, float]:
        case = self._facts.case(patient)
        began = time.perf_counter()
        found = self._engine.found(case.facts)
        return case, found, time.perf_counter() - began

    def explained(self, patient: Patient) -> CarePlan:
        """The same plan with what became of every rule, and why."""
        case, findings, plan = self.traced(patient)
        explanation = self._explainer.explain(case, findings, items_of(plan))
        return msgspec.structs.replace(plan, explanation=explanation)

    def what_would_change(self, patient: Patient, item: str) -> WhatWouldChange:
        """What would make an item go away, or come up; `item` is the id of an item of this plan or of a rule.

        Raises `KeyError` if it is neither.
        """
        case = self._facts.case(patient)
        findings = self._engine.evaluate(case.facts)
        rule_id, slash, identity = item.partition("/")
        rule = self.book.rules[rule_id]
        subject = None
        if slash:
            kinds = {pattern.kind for group in rule.when for pattern in group if KINDS[pattern.kind].many}
            subject = [fact for fact in case.facts if fact.kind in kinds and identity_of(fact) == identity]
            if not subject:
                raise KeyError(item)
        there = any(
            finding.rule == rule_id and (subject is None or any(fact.id in finding.facts for fact in subject))
            for finding in findings
        )
        found = self._counterfactuals.what_would_change(case, rule, there=there, subject=subject)
        return weighed(found, item, patient, self.rehearsed)

    def remembered(self) -> Iterator[Memo[Any, Any]]:
        """All that is remembered from earlier patients."""
        return memos_in(self)

    def forget(self) -> None:
        """Forget it."""
        for memo in self.remembered():
            memo.clear()

    def check(self) -> None:
        """Run the engine once. Raises `EngineError` if it does not answer."""
        self._engine.check()

    def close(self) -> None:
        """Free the engine's memory."""
        self._engine.close()
