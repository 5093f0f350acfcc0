"""From findings to a plan: fill the texts, merge what is about the same thing, put it in order. No clock, no chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from careplan.engine import Finding
from careplan.facts import Case, Fact
from careplan.fields import KINDS
from careplan.plan import (
    About,
    Ask,
    CarePlan,
    Decision,
    Evidence,
    Item,
    MedicineRead,
    PlanSection,
    RulebookRef,
    RuleRef,
    evidence,
)
from careplan.questions import Questions
from careplan.rulebook.model import LEVELS, SECTIONS, Rule, Rulebook
from careplan.words import HoldSentences, Topics, Words, topics


class _Prepared(msgspec.Struct, frozen=True):
    """What of a rule is the same for every patient."""

    rule: Rule
    rank: tuple[int, int, str]
    evidence: list[Evidence]
    ref: RuleRef
    names: frozenset[str]
    topics: tuple[Topics, ...]


class Assembly:
    """Puts plans together from the findings of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._prepared = {rule.id: self._prepare(rule) for rule in book.rules.values()}
        self._questions = Questions(book)
        self._hold_sentences = HoldSentences.of(book)
        self._ref = RulebookRef(id=book.about.id, version=book.about.version, digest=book.digest)
        self._disclaimer = " ".join(book.about.disclaimer.split())
        self._crisis = " ".join(book.about.crisis.split())

    def plan(self, case: Case, findings: Iterable[Finding]) -> CarePlan:
        """The plan of one case."""
        words = Words(self._book, case)
        merged = _merge(case, findings)
        items = [self._item(rule, found, words) for (rule, _), found in merged.items()]
        items.sort(key=lambda item: (self._prepared[item.rule.id].rank, [about.index for about in item.about], item.id))
        alerts = [item for item in items if item.level == "stop"]
        return CarePlan(
            status="blocked" if alerts else "draft",
            requires_clinician_review=True,
            rulebook=self._ref,
            alerts=alerts,
            sections=[
                PlanSection(
                    section=section,
                    title=self._book.vocabulary.sections[section].title,
                    patient_title=self._book.vocabulary.sections[section].patient_title,
                    items=[item for item in items if item.section == section and item.level != "stop"],
                )
                for section in SECTIONS
            ],
            decisions=self._decisions(items),
            medications=[_read(words, case, at) for at in range(len(case.medicines))],
            information_needed=self._questions.unanswered(case),
            not_considered=self._questions.not_considered(case, items, words),
            disclaimer=self._disclaimer,
            crisis=self._crisis,
        )

    def _prepare(self, rule: Rule) -> _Prepared:
        file = rule.file
        texts = (rule.title, rule.patient, rule.clinician, *(text for _, text in rule.asks))
        return _Prepared(
            rule=rule,
            rank=(LEVELS.index(file.level), file.order, rule.id),
            evidence=evidence(self._book, rule),
            ref=RuleRef(id=rule.id, version=file.version, status=file.status),
            names=frozenset[str]().union(*(text.names for text in texts)),
            topics=tuple(map(topics, rule.when)),
        )

    def _item(self, rule_id: str, found: Sequence[tuple[Finding, list[Fact]]], words: Words) -> Item:
        prepared = self._prepared[rule_id]
        rule, file = prepared.rule, prepared.rule.file
        _, facts = found[0]
        filled = words.fill(facts, prepared.names) if prepared.names else {}
        because = [phrase for finding, matched in found for phrase in words.because(matched, prepared.topics[finding.group])]
        subject = next((fact for fact in facts if KINDS[fact.kind].many), None)
        patient_words, clinician_words = filled | words.in_plain_words(facts, prepared.names), filled
        if subject is not None and "hold" in prepared.names:
            for_patient, for_clinician = words.hold_sentences(subject, self._hold_sentences)
            patient_words, clinician_words = patient_words | {"hold": for_patient}, filled | {"hold": for_clinician}
        about: dict[str, About] = {}
        for finding, matched in found:
            for fact, (_, tokens) in zip(matched, prepared.topics[finding.group], strict=True):
                about |= {entry.pointer: entry for entry in words.about(fact, tokens)}
        return Item(
            id=rule_id if subject is None else f"{rule_id}/{identity_of(subject)}",
            level=file.level,
            section=rule.section,
            title=rule.title.fill(filled),
            patient_text=rule.patient.fill(patient_words),
            clinician_text=rule.clinician.fill(clinician_words),
            evidence=prepared.evidence,
            rule=prepared.ref,
            because=list(dict.fromkeys(because)) or ([file.for_everyone] if file.for_everyone else []),
            about=sorted(about.values(), key=lambda entry: (entry.index, entry.pointer)),
            asks=[
                Ask(who=ask.who, what=text.fill(filled), by=by, by_words=self._book.vocabulary.by[by])
                for (ask, text), by in zip(rule.asks, words.due(rule.asks), strict=True)
            ],
            contested=file.contested and " ".join(file.contested.split()),
            hold=words.signed_hold(subject) if subject is not None and "hold" in prepared.names else None,
        )

    def _decisions(self, items: Sequence[Item]) -> list[Decision]:
        """One choice a subject: items come in the order of seriousness, so the first one wins."""
        chosen: dict[str, Decision] = {}
        for item in items:
            decides = self._prepared[item.rule.id].rule.file.then.decides
            if decides and decides.subject not in chosen:
                chosen[decides.subject] = Decision(subject=decides.subject, choice=decides.choice, item=item.id)
        return list(chosen.values())


Merged = Mapping[tuple[str, str], Sequence[tuple[Finding, list[Fact]]]]


def _merge(case: Case, findings: Iterable[Finding]) -> Merged:
    """Findings of one rule about the same thing together: a medicine sent twice, or two alternatives that both hold."""
    facts = {fact.id: fact for fact in case.facts}
    merged: dict[tuple[str, str], list[tuple[Finding, list[Fact]]]] = {}
    for finding in findings:
        matched = [facts[name] for name in finding.facts]
        subject = next((identity_of(fact) for fact in matched if KINDS[fact.kind].many), "")
        merged.setdefault((finding.rule, subject), []).append((finding, matched))
    for found in merged.values():
        found.sort(key=lambda pair: [fact.indexes for fact in pair[1]])
    return merged


def identity_of(fact: Fact) -> str:
    """What two facts of a kind share when they are about the same thing."""
    match fact.kind:
        case "medicine":
            return str(fact.properties["ingredient"])
        case "condition":
            return str(fact.properties["name"])
        case "shared_class":
            return str(fact.properties["class"])
        case _:
            return f"{'goals' if fact.kind == 'goal' else 'medications'}/{fact.indexes[0]}"


def _read(words: Words, case: Case, at: int) -> MedicineRead:
    resolved = case.medicines[at]
    rows = resolved.match.ingredients if resolved.match else ()
    return MedicineRead(
        index=at,
        recognized_as=words.recognized(at) if rows else None,
        classes=sorted({name for row in rows for name in row.classes}),
        problem=resolved.problem,
        suggestions=list(resolved.suggestions),
    )
