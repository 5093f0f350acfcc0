"""A plan as text for a terminal: what to act on first, the clinician's lines, then what the patient takes home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.text import Text

from careplan.formats.view_model import moment_words
from careplan.plan.entry_labels import medicine_words, question_words
from careplan.plan.model import CarePlan, Explanation, Item, Question, RuleReport
from careplan.plan.timeline import timeline
from careplan.plan.visit import grouped
from careplan.request.patient import Patient
from careplan.zones import zone_words

_STYLES = {"stop": "bold red", "hold": "bold yellow", "caution": "cyan", "note": "green"}


def write(plan: CarePlan, patient: Patient, console: Console, zone: tzinfo | None = None) -> None:
    """Print the plan of a patient, its hours in `zone`."""
    for part in _parts(plan, patient, zone):
        console.print(part)


def _parts(plan: CarePlan, patient: Patient, zone: tzinfo | None) -> Iterator[RenderableType]:
    book, words = plan.rulebook, plan.level_words
    status = "BLOCKED until a clinician acts on the alerts" if plan.status == "blocked" else "DRAFT for a clinician to sign"
    yield Text(f"Care plan: {status}", style="bold red" if plan.status == "blocked" else "bold")
    yield Text(f"Rulebook {book.id} {book.version}, {book.digest[:12]}", style="dim")
    for alert in plan.alerts:
        yield Panel(
            _item(alert), title=Text(f"{words[alert.level].upper()}: {alert.title}", style="bold red"), border_style="red"
        )
    if plan.medications:
        yield Rule("Medicines as understood", align="left")
        for medicine in plan.medications:
            yield Text(
                f"  {medicine.index + 1}. {medicine_words(medicine, patient)}",
                style="bold yellow" if medicine.recognition == "unread" else "",
            )
    for section in plan.sections:
        if section.items:
            yield Rule(section.title, align="left")
            for item in section.items:
                yield Text(f"[{words[item.level]}] {item.title}", style=_STYLES[item.level])
                yield Padding(_item(item), (0, 0, 1, 2))
    if moments := timeline(plan, patient, zone):
        yield Rule("Time line", align="left")
        yield Text(zone_words(zone), style="dim")
        for row in (moment_words(moment, zone) for moment in moments):
            signed = f" (entered by {row['signed_by']})" if row["signed_by"] else ""
            yield Text(f"  {' to '.join(filter(None, (row['from'], row['to'])))}: {row['label']}{signed}")
    if plan.information_needed:
        yield Rule("Questions that could change this plan", align="left")
        for title, questions in grouped(plan.information_needed):
            yield Text(title, style="bold")
            yield from (_question(one, plan, patient) for one in questions)
    if plan.not_considered:
        yield Rule("Sent, but not considered", align="left")
        for entry in plan.not_considered:
            yield Text(f"  {entry.what} ({entry.pointer}): {entry.why}")
    if plan.explanation:
        yield from _explanation(plan.explanation, words)
    for_patient = (
        "For the patient" if plan.status == "draft" else "For the patient, not before a clinician clears the alerts"
    )
    yield Rule(for_patient, align="left")
    for section in plan.sections:
        if section.items:
            yield Text(section.patient_title, style="bold")
            for item in section.items:
                yield Padding(Text(item.patient_text), (0, 0, 1, 2))
    yield Text(plan.crisis, style="bold")
    yield Text(plan.disclaimer, style="dim")


def _explanation(explanation: Explanation, words: Mapping[str, str]) -> Iterator[RenderableType]:
    yield Rule("Near misses: rules that one condition keeps from firing", align="left")
    yield Text(f"{explanation.fired} fired, {explanation.not_fired} did not, {explanation.undecided} could not be decided.")
    others = {"not_fired": 0, "undecided": 0}
    for report in explanation.rules:
        if report.near:
            yield from _report(report, words[report.level])
        elif report.outcome != "fired":
            others[report.outcome] += 1
    yield Text(
        f"Not shown: {others['not_fired']} more that did not fire and {others['undecided']} more that hang on questions. "
        "With --format json each of them has its conditions.",
        style="dim",
    )


def _report(report: RuleReport, level: str) -> Iterator[RenderableType]:
    undecided = " (undecided)" if report.outcome == "undecided" else ""
    yield Text(f"[{level}] {report.title} ({report.rule.id}){undecided}", style=_STYLES[report.level])
    for condition in report.because_not:
        holds = "not true" if condition.holds == "false" else "not known"
        yield Padding(Text(f"{holds}: {condition.words} — {'; '.join(condition.given)}"), (0, 0, 0, 2))
    if report.questions:
        yield Padding(Text(f"hangs on {', '.join(report.questions)}", style="dim"), (0, 0, 0, 2))


def _question(question: Question, plan: CarePlan, patient: Patient) -> RenderableType:
    changes = ", ".join(f"{change.section} ({plan.level_words[change.level]})" for change in question.could_change)
    why = Text(f"{question.why_it_matters} Could change: {changes}. Field {question.pointer}", style="dim")
    return Group(Text(f"? {question_words(question, plan, patient)}"), Padding(why, (0, 0, 0, 2)))


def _item(item: Item) -> Group:
    lines = [Text(item.clinician_text)]
    if item.hold:
        hold = item.hold
        lines.append(
            Text(
                f"Signed hold, {hold.drug_class}: {hold.before_hours:g} h before, {hold.after_hours:g} h after"
                f" ({hold.approved_by})"
            )
        )
    lines += [Text(f"→ {ask.who}, {ask.by_words}: {ask.what}") for ask in item.asks]
    lines += [Text(f"{one.words[0].upper()}{one.words[1:]}.") for one in item.assumes]
    if item.contested:
        lines.append(Text(f"Contested: {item.contested}", style="italic"))
    sources = "; ".join(f"{entry.source} ({entry.place}, {entry.strength})" for entry in item.evidence)
    lines.append(Text(f"Because: {'; '.join(item.because)}", style="dim"))
    lines.append(Text(f"Rule {item.rule.id} v{item.rule.version} ({item.rule.status}). Sources: {sources}", style="dim"))
    if item.level == "stop":
        lines.append(Text(f"For the patient: {item.patient_text}"))
    return Group(*lines)
