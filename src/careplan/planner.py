"""One rulebook ready to plan with: patient in, plan out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import msgspec

from careplan.explain.counterfactual import Counterfactuals, WhatWouldChange
from careplan.explain.rule_view import Reading
from careplan.explain.side_effects import weighed
from careplan.explain.why_not import Explainer
from careplan.facts.case import Case
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Finding
from careplan.inference.verdicts import RuleTables, Verdicts
from careplan.plan.assemble import Assembly
from careplan.plan.item_templates import identity_of
from careplan.plan.model import CarePlan, Item, RuleReport, items_of
from careplan.plan.phrases import FactPhrases
from careplan.plan.protocol import protocol_of
from careplan.plan.protocol_model import StandingProtocol
from careplan.plan.session_sheet import SessionSheets
from careplan.plan.session_sheet_model import SessionSheet
from careplan.plan.translations import Languages
from careplan.recognition.units import learn
from careplan.request.decode import Intake
from careplan.request.patient import NO_DEFAULTS, ClinicDefaults, Patient, Treatment
from careplan.request.previous_reading import CheckSignature
from careplan.rulebook.asking import Visit
from careplan.rulebook.entries import ENGLISH
from careplan.rulebook.factors import KINDS
from careplan.rulebook.model import Rulebook

A_PATIENT = Patient(age_years=40, treatment=Treatment(preferred_route="iv", product="racemic"))
"""Somebody for whom every rulebook has a plan with a decision in it."""


class Planner:
    """Everything that is prepared once per rulebook. Several threads may plan with it at once."""

    def __init__(
        self,
        book: Rulebook,
        watch: Callable[[float, Iterable[str], str], None] | None = None,
        check: CheckSignature | None = None,
    ) -> None:
        """`watch` is told of each plan: the seconds in the engine, the rules that hold and the plan's status.

        `check` knows the keys by which a signed plan that is brought back is checked.
        """
        self.book = book
        self._watch = watch or (lambda _seconds, _rules, _status: None)
        words = {token: f"{entry.label} {entry.patient_label}" for token, entry in book.conditions.items()}
        self.intake = Intake(book.conditions, book.classes, book.forms, words, check)
        phrases = FactPhrases(book)
        self._facts = CaseMaker(book)
        self._rules = RuleTables({rule.id: rule.when for rule in book.rules.values()}, book.terms)
        self._assembly = Assembly(book, phrases)
        self._sheets = SessionSheets(book)
        self.languages = Languages(book)
        self._explainer = Explainer(book, phrases)
        self._counterfactuals = Counterfactuals(book, phrases)
        self.reading = Reading(book)

    def warm(self) -> None:
        """Learn what the first reading in another unit than its measure's would wait for."""
        measures = self.book.vocabulary.measures.values()
        learn((unit, measure.unit) for measure in measures for unit in measure.units.values())

    def plan(self, patient: Patient, language: str = ENGLISH, visit: Visit = "intake") -> CarePlan:
        """The draft plan of one patient, what the patient reads in `language` as far as it is translated.

        `visit` says which questions are asked first. Equal patients get equal plans, byte for byte.
        """
        return self._planned(patient, language, visit)[2]

    def items(self, patient: Patient) -> list[Item]:
        """The items of one patient's plan, alerts first."""
        return items_of(self.plan(patient))

    def traced(self, patient: Patient, language: str = ENGLISH) -> tuple[Case, list[Finding], CarePlan]:
        """The same plan with the facts and findings behind it."""
        case, verdicts, plan = self._planned(patient, language, "intake")
        return case, verdicts.findings, plan

    def _planned(self, patient: Patient, language: str, visit: Visit) -> tuple[Case, Verdicts, CarePlan]:
        case = self._facts.case(patient)
        began = time.perf_counter()
        verdicts = self._rules.verdicts(case)
        findings = verdicts.findings
        took = time.perf_counter() - began
        plan = self.languages.plan(self._assembly.plan(case, verdicts, language, visit), language, case.patient.as_of)
        self._watch(took, (finding.rule for finding in findings), plan.status)
        return case, verdicts, plan

    def rehearsed(self, patient: Patient) -> CarePlan:
        """The same plan where nobody asked for it by itself, so that nobody is told of it."""
        case = self._facts.case(patient)
        return self._assembly.plan(case, self._rules.verdicts(case), ENGLISH, "intake")

    def protocol(
        self, treatment: Treatment, defaults: ClinicDefaults = NO_DEFAULTS, language: str = ENGLISH
    ) -> StandingProtocol:
        """The clinic's standing protocol: what every patient of this product and stage has in common.

        Its digest is that of the standing part of their plans, as long as they are under the same figures.
        """
        patient = Patient(treatment=treatment).under(defaults)
        case = self._facts.case(patient)
        plan = self._assembly.plan(case, self._rules.verdicts(case), language, "intake")
        doubted = {doubt.pointer for doubt in case.doubts}
        return protocol_of(self.book, self.languages.plan(plan, language), patient, doubted)

    def session_sheet(self, plan: CarePlan, patient: Patient) -> SessionSheet | None:
        """The checklist of a session of a patient with this plan; None where the rulebook has none."""
        return self._sheets.of(plan, patient)

    def explained(self, patient: Patient, language: str = ENGLISH, visit: Visit = "intake") -> CarePlan:
        """The same plan with what became of every rule, and why."""
        case, verdicts, plan = self._planned(patient, language, visit)
        explanation = self._explainer.explain(case, verdicts, items_of(plan))
        return msgspec.structs.replace(plan, explanation=explanation)

    def explained_rule(self, patient: Patient, rule: str) -> tuple[CarePlan, RuleReport]:
        """The same plan with what became of one rule, and why: for whoever asks of one, a tenth of the work.

        Raises `KeyError` if no such rule runs.
        """
        case, verdicts, plan = self._planned(patient, ENGLISH, "intake")
        for report in self._explainer.reports((rule,), case, verdicts, items_of(plan)):
            return plan, report
        raise KeyError(rule)

    def what_would_change(self, patient: Patient, item: str) -> WhatWouldChange:
        """What would make an item go away, or come up; `item` is the id of an item of this plan or of a rule.

        Raises `KeyError` if it is neither.
        """
        case = self._facts.case(patient)
        findings = self._rules.verdicts(case).findings
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

    @property
    def cells(self) -> int:
        """How many cells of the verdict tables the engine has decided so far; the rulebook sets how many there can be."""
        return len(self._rules)

    def check(self) -> None:
        """Run the engine once. Raises `EngineError` if it does not answer."""
        self._rules.check()

    def close(self) -> None:
        """Free the engine's memory."""
        self._rules.close()
