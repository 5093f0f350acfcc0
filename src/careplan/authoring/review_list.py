"""A list of work for a pharmacist and a physician: rules that two people have yet to decide on, each made to be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import msgspec

from careplan.authoring.realistic_patients import realistic
from careplan.authoring.rule_examples import examples_of
from careplan.errors import InvalidPatient
from careplan.explain.rule_view import Reading, RuleDetail, TextOfSomeDays
from careplan.plan.model import Evidence, RuleReport, items_of
from careplan.planner import Planner
from careplan.request.decode import Intake
from careplan.rulebook.model import Level, Rule, Rulebook
from careplan.rulebook.review_decisions import ROLES, ReviewDecision
from careplan.rulebook.reviews import BY_BOTH, content_of, standing_of
from careplan.rulebook.text_template import counted, one_line
from careplan.rulebook.validity import Term

Advance: TypeAlias = Callable[[str, int, int], None]


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What would be missing from the plans of made-up patients if a rule were off.

    `has_it` counts the patients with an item of it, `freed` those whose plan would no longer be blocked, and
    `without_decision` those who would have nothing left to decide.
    """

    patients: int
    has_it: int
    freed: int
    without_decision: int


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One rule to be judged. `content` is the SHA-256 that a decision names, `missing` whose decision there is not yet."""

    rule: str
    version: int
    status: str
    level: Level
    section: str
    title: str
    content: str
    prose: str
    rationale: str
    patient_reads: str
    clinician_reads: str
    on_some_days: list[TextOfSomeDays]
    asks: list[str]
    contested: str
    gaps: str
    passages: list[Evidence]
    not_read: list[str]
    examples: list[str]
    off: Reach
    decided: list[ReviewDecision]
    missing: list[str]


class ReviewList:
    """Makes the tasks of one rulebook, with made-up patients to tell what each rule does. Close it after use."""

    def __init__(
        self, book: Rulebook, patients: int = 200, seed: int = 0, advance: Advance = lambda _kind, _done, _of: None
    ) -> None:
        """`advance` is told of each step: what kind it is of, how many of them are done, and of how many."""
        self._book = book
        self._reading = Reading(book)
        self._planner = Planner(book)
        self._intake = Intake(book.conditions, book.classes, book.forms)
        self._count = patients
        self._advance = advance
        self._has, self._freed, self._alone = self._reaches(seed)

    def close(self) -> None:
        """Free the engine's memory."""
        self._planner.close()

    def tasks(self, rules: Iterable[Rule]) -> Iterator[Task]:
        """The tasks of those among the rules on which two people have not yet decided, in their order."""
        rules = list(rules)
        for done, rule in enumerate(rules, start=1):
            standing = standing_of(rule, self._book)
            if not standing.is_whole:
                yield self._task(rule, self._reading.detail(rule), list(standing.decisions.values()))
            self._advance("rules", done, len(rules))

    def _task(self, rule: Rule, detail: RuleDetail, decided: list[ReviewDecision]) -> Task:
        roles = {one.role for one in decided}
        sources = self._book.sources
        return Task(
            rule=rule.id,
            version=detail.version,
            status=detail.status,
            level=rule.file.level,
            section=rule.section,
            title=detail.title,
            content=content_of(rule, self._book),
            prose=self._prose(rule),
            rationale=detail.rationale,
            patient_reads=detail.patient_text,
            clinician_reads=detail.clinician_text,
            on_some_days=detail.by_day,
            asks=[f"{self._book.vocabulary.who[ask.who]}, {ask.by_words}: {ask.what}" for ask in detail.asks],
            contested=detail.contested,
            gaps=detail.gaps,
            passages=detail.evidence,
            not_read=[
                f"{sources[ref.source].title}, {ref.place}"
                for ref in rule.file.sources
                if sources[ref.source].read_at(ref.place) == "memory"
            ],
            examples=[self._example(rule, expected, why, patient) for expected, why, patient in _examples(rule)],
            off=Reach(
                patients=self._count,
                has_it=self._has[rule.id],
                freed=self._freed[rule.id],
                without_decision=self._alone[rule.id],
            ),
            decided=decided,
            missing=[role for role in ROLES if role not in roles],
        )

    def _prose(self, rule: Rule) -> str:
        words = self._book.vocabulary
        level, section = words.levels[rule.file.level].label, words.sections[rule.section].title
        term = f" It is in force {rule.term.in_words()}." if rule.term else ""
        return f"{self._reading.prose.when(rule.when)}, this stands in the plan under “{section}”, as “{level}”.{term}"

    def _example(self, rule: Rule, expected: str, why: str, patient: object) -> str:
        """An example as a sentence, in the words in which a plan tells why."""
        speaks = "Speaks up" if expected == "fires" else "Stays silent"
        try:
            plan, report = self._planner.explained_rule(self._intake.decode(msgspec.json.encode(patient)), rule.id)
        except InvalidPatient:
            return f"{speaks}: {why}."
        if report.outcome == "fired":
            because = list(
                dict.fromkeys(word for item in items_of(plan) if item.rule.id == rule.id for word in item.because)
            )
            facts = f" The patient: {'; '.join(because)}." if because else ""
        else:
            facts = f" What is missing: {'; '.join(_missing(report))}."
        return f"{speaks}: {why}.{facts}"

    def _reaches(self, seed: int) -> tuple[Counter[str], Counter[str], Counter[str]]:
        has, freed, alone = Counter[str](), Counter[str](), Counter[str]()
        for done, body in enumerate(realistic(self._book, self._count, seed), start=1):
            plan = self._planner.plan(self._intake.convert(body))
            items = items_of(plan)
            has.update({item.rule.id for item in items})
            stops = {item.rule.id for item in plan.alerts}
            grave = {item.rule.id for item in items if item.level in ("stop", "hold")}
            freed.update(stops if len(stops) == 1 else ())
            alone.update(grave if len(grave) == 1 else ())
            self._advance("made-up patients", done, self._count)
        return has, freed, alone


def as_markdown(tasks: Iterable[Task], about: str) -> str:
    """The list to be printed and written on."""
    tasks = list(tasks)
    lines = [f"# {counted(len(tasks), 'rule')} to decide on", "", about, "", *_overview(tasks), ""]
    for task in tasks:
        lines += [*_lines(task), ""]
    return "\n".join(lines)


def _overview(tasks: list[Task]) -> Iterator[str]:
    """How much there is to judge of each weight, who decides on it, and how a decision is written down."""
    yield "| level | rules | rest in part on something not read | decided by |"
    yield "| --- | ---: | ---: | --- |"
    for level in dict.fromkeys(task.level for task in tasks):
        of_it = [task for task in tasks if task.level == level]
        yield f"| {level} | {len(of_it)} | {sum(bool(task.not_read) for task in of_it)} | {_deciders(level)} |"
    yield ""
    yield (
        "`--level stop` lists the stops alone, a name the one rule. "
        '`careplan rules review RULE --by "Ada Example, PharmD" --as pharmacist --decision accept` writes a decision down.'
    )


def _deciders(level: Level) -> str:
    return "a pharmacist and a physician" if level in BY_BOTH else "a pharmacist or a physician"


def _lines(task: Task) -> Iterator[str]:
    yield f"## {task.title}"
    yield ""
    yield f"`{task.rule}`, version {task.version}, {task.level}, {task.status}. {task.prose}"
    for heading, text in (
        ("Why", task.rationale),
        ("The patient reads", task.patient_reads),
        ("The clinician reads", task.clinician_reads),
        ("Contested", task.contested),
        ("Known gaps", task.gaps),
    ):
        if text:
            yield f"\n**{heading}.** {text}"
    for dated in task.on_some_days:
        days = Term.of(dated.valid_from, dated.valid_until).in_words()
        yield f"\n**{days[:1].upper()}{days[1:]} instead.** {dated.patient_text} / {dated.clinician_text}"
    if task.asks:
        yield "\n**It asks**\n"
        yield from (f"- {ask}" for ask in task.asks)
    yield "\n**It rests on**\n"
    for entry in task.passages:
        yield f"- {entry.source}, {entry.place} ({entry.strength.replace('_', ' ')})" + (
            f": {entry.passage}" if entry.passage else ""
        )
    if task.not_read:
        yield f"\nNot read for this rulebook: {'; '.join(task.not_read)}."
    yield "\n**Examples**\n"
    yield from (f"- {example}" for example in task.examples)
    if task.off.patients:
        yield f"\n**If it were off.** {_off(task.off)}"
    for decision in task.decided:
        yield f"\nThe {decision.role} {decision.by} decided on {decision.on}: {decision.decision}." + (
            f" {decision.note}" if decision.note else ""
        )
    yield ""
    yield f"To be decided by {_deciders(task.level)}:"
    yield ""
    yield from (f"- [ ] accept  [ ] reject, as {role}: ____________________ on ____________" for role in task.missing)


def _off(off: Reach) -> str:
    """The reach of a rule in words."""
    words = f"Of {counted(off.patients, 'made-up patient')} {off.has_it} would lose an item."
    words += f" {counted(off.freed, 'plan')} would no longer be blocked." if off.freed else ""
    return words + (
        f" In {counted(off.without_decision, 'plan')} nothing would be left to decide." if off.without_decision else ""
    )


def _examples(rule: Rule) -> Iterator[tuple[str, str, object]]:
    for expected, _, example in examples_of(rule):
        yield expected, one_line(example.why).rstrip("."), example.patient


def _missing(report: RuleReport) -> list[str]:
    return [f"{one.words} ({', '.join(one.given)})" if one.given else one.words for one in report.because_not]
