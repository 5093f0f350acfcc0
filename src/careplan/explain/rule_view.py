"""Rules as people read them: in short, whole and in words, found by what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from careplan.plan.model import Ask, Evidence, Source
from careplan.plan.sources import Bibliography, evidence
from careplan.rulebook.conditions import tests_of
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.derived import behind
from careplan.rulebook.layers import CardText, Scope
from careplan.rulebook.model import Level, Rule, Rulebook, Section, Status


class RuleSummary(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule in short."""

    id: str
    version: int
    status: Status
    level: Level
    section: Section
    title: str


class TextOfSomeDays(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a rule says on some days in place of its own texts."""

    valid_from: str | None = None
    valid_until: str | None = None
    line: str
    patient_text: str
    clinician_text: str


class RuleDetail(RuleSummary, frozen=True, kw_only=True):
    """A rule whole: why it exists, when it holds (as written, and in words), what it says, and on what it rests."""

    rationale: str
    when: Any
    conditions: str
    scope: Scope
    topic: str
    line: str
    card: CardText | None = None
    patient_text: str
    clinician_text: str
    asks: list[Ask] = []
    evidence: list[Evidence] = []
    sources: list[Source] = []
    contested: str = ""
    gaps: str = ""
    for_everyone: str = ""
    related: list[str] = []
    valid_from: str | None = None
    valid_until: str | None = None
    by_day: list[TextOfSomeDays] = []


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Which rules to list; what is left out selects nothing. `fact` is a kind of fact or kind.field."""

    section: str | None = None
    level: str | None = None
    status: str | None = None
    source: str | None = None
    drug_class: str | None = None
    ingredient: str | None = None
    fact: str | None = None
    words: tuple[str, ...] = ()


class Reading:
    """One rulebook, to be read."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self.prose = Prose(book)
        self._bibliography = Bibliography(book)

    def detail(self, rule: Rule) -> RuleDetail:
        """A rule whole."""
        file = rule.file
        return RuleDetail(
            id=rule.id,
            version=file.version,
            status=file.status,
            level=file.level,
            section=rule.section,
            title=file.title,
            rationale=_line(file.rationale),
            when=file.when,
            conditions=f"{self.prose.whole(rule.when)}.{_in_force(rule)}",
            scope=file.scope,
            topic=file.topic,
            line=_line(rule.term.filled(file.line)),
            card=file.then.card,
            patient_text=_line(rule.term.filled(file.then.patient)),
            clinician_text=_line(rule.term.filled(file.then.clinician)),
            asks=[
                Ask(who=ask.who, what=_line(ask.what), by=ask.by, by_words=self._book.vocabulary.by[ask.by])
                for ask in file.then.asks
            ],
            evidence=self._bibliography.passages(rule),
            sources=self._bibliography.naming(evidence(rule)),
            contested=_line(file.contested),
            gaps=_line(file.gaps),
            for_everyone=_line(file.for_everyone),
            related=list(file.related),
            valid_from=file.valid_from,
            valid_until=file.valid_until,
            by_day=[
                TextOfSomeDays(
                    valid_from=text.valid_from,
                    valid_until=text.valid_until,
                    line=_line(of_these_days.term.filled(of_these_days.file.line)),
                    patient_text=_line(of_these_days.term.filled(text.patient)),
                    clinician_text=_line(of_these_days.term.filled(text.clinician)),
                )
                for text, of_these_days in zip(file.then.by_day, rule.by_day, strict=True)
            ],
        )

    def select(self, wanted: Selection) -> list[Rule]:
        """The rules of this description, running ones first, in the order of the plan."""
        resting = sorted(self._book.resting.values(), key=lambda rule: rule.id)
        return [rule for rule in (*self._book.in_order(), *resting) if self._fits(rule, wanted)]

    def facts(self) -> Mapping[str, list[Rule]]:
        """For each fact that a rule could test, as kind.field, the running rules that do, in the order of the plan."""
        found: dict[str, list[Rule]] = {name: [] for name in self._book.vocabulary.fields if "." in name}
        for rule in self._book.in_order():
            for name in facts_of(rule, self._book):
                found.setdefault(name, []).append(rule)
        return found

    def _fits(self, rule: Rule, wanted: Selection) -> bool:
        tested = facts_of(rule, self._book)
        texts = " ".join((rule.id, rule.file.title, rule.file.then.patient, rule.file.then.clinician, rule.file.rationale))
        return (
            wanted.section in (None, rule.section)
            and wanted.level in (None, rule.file.level)
            and wanted.status in (None, rule.file.status)
            and (wanted.source is None or any(ref.source == wanted.source for ref in rule.file.sources))
            and (wanted.fact is None or any(wanted.fact in (name, name.partition(".")[0]) for name in tested))
            and all(word is None or word in tokens_of(rule, self._book) for word in (wanted.drug_class, wanted.ingredient))
            and all(word.lower() in texts.lower() for word in wanted.words)
        )


def summary(rule: Rule) -> RuleSummary:
    """A rule in short."""
    file = rule.file
    return RuleSummary(
        id=rule.id, version=file.version, status=file.status, level=file.level, section=rule.section, title=file.title
    )


def facts_of(rule: Rule, book: Rulebook) -> list[str]:
    """The facts that a rule tests, as kind.field, sorted; with those on which the derived ones rest."""
    patterns = behind(book.derived, rule.when)
    return sorted({f"{pattern.kind}.{test.field}" for pattern in patterns for test in tests_of(pattern.tests)})


def tokens_of(rule: Rule, book: Rulebook) -> frozenset[str]:
    """The drug classes, ingredients, conditions and other tokens that a rule names, itself or by a derived fact."""
    patterns = behind(book.derived, rule.when)
    return frozenset(str(value) for pattern in patterns for test in tests_of(pattern.tests) for value in test.values)


def _in_force(rule: Rule) -> str:
    return f" It is in force {rule.term.in_words()}." if rule.term else ""


def _line(text: str | None) -> str:
    return " ".join((text or "").split())
