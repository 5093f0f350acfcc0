"""From a plan to the checklist of a session: what is checked is the rulebook's, what bears on the day the plan's."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.plan.model import CarePlan, Item, items_of
from careplan.plan.protocol_model import Figure
from careplan.plan.session_sheet_model import (
    SessionSheet,
    SheetBlank,
    SheetCheck,
    SheetLine,
    SheetMoment,
    SheetSource,
    SheetTask,
)
from careplan.request.patient import PROTOCOL_FIGURES, Patient, Product, Protocol
from careplan.rulebook.model import Rulebook, Who
from careplan.rulebook.session_day import SessionCheck, SessionDay
from careplan.rulebook.text_template import one_line, spaced

_HOME: frozenset[Who] = frozenset({"patient", "supporter"})


class SessionSheets:
    """Writes the checklists of one rulebook."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book

    def of(self, plan: CarePlan, patient: Patient) -> SessionSheet | None:
        """The checklist of a patient with this plan; None where the rulebook has no checklist."""
        day = self._book.session_day
        if day is None:
            return None
        treatment = patient.treatment
        items = items_of(plan)
        own = [item for item in items if item.level == "caution" and _bears_on_the_day(item, day)]
        return SessionSheet(
            title=one_line(day.title),
            notice=one_line(day.notice),
            status=plan.status,
            product=treatment.product,
            product_words=day.products[treatment.product] if treatment.product else one_line(day.unknown_product),
            sessions_completed=treatment.sessions_completed,
            sessions_planned=treatment.sessions_planned,
            session_times=sorted(set(treatment.session_times or ())),
            clinic=plan.clinic,
            first_title=one_line(day.first),
            first=_lines(item for item in items if item.level in ("stop", "hold")),
            own_title=one_line(day.own),
            own=_lines(own),
            nothing_own="" if own else one_line(day.nothing_own),
            tasks_title=one_line(day.tasks),
            tasks=_tasks(items, day),
            figures_title=one_line(day.figures),
            figures=self._figures(plan, patient),
            moments=[
                SheetMoment(moment=name, title=title, checks=checks)
                for name, title in day.moments.items()
                if (
                    checks := [
                        self._check(check, treatment.product, day)
                        for check in day.checks
                        if _is_of(check, name, treatment.product)
                    ]
                )
            ],
            rulebook=plan.rulebook,
        )

    def _figures(self, plan: CarePlan, patient: Patient) -> list[Figure]:
        """The clinic's signed figures; one that cannot be meant is marked, as it is left aside by the plan."""
        protocol = patient.protocol or Protocol()
        left_out = {entry.pointer for entry in plan.not_considered}
        return [
            Figure(
                name=name,
                label=self._book.vocabulary.fields[f"protocol.{name}"].label,
                value=value,
                approved_by=protocol.approved_by or "",
                doubtful=f"/protocol/{name}" in left_out,
            )
            for name in PROTOCOL_FIGURES
            if (value := getattr(protocol, name)) is not None
        ]

    def _check(self, check: SessionCheck, product: Product | None, day: SessionDay) -> SheetCheck:
        names = [day.products[one] for one in check.products] if product is None else []
        return SheetCheck(
            id=check.id,
            line=one_line(check.line),
            product=" or ".join(names) or None,
            fields=[SheetBlank(label=one.label, unit=one.unit, choices=list(one.choices)) for one in check.fields],
            sources=[
                SheetSource(
                    source=source.source,
                    title=self._book.sources[source.source].title,
                    place=one_line(source.place),
                    strength=spaced(source.strength),
                )
                for source in check.sources
            ],
        )


def _bears_on_the_day(item: Item, day: SessionDay) -> bool:
    return item.scope == "personal" and (item.section == "day_of_treatment" or item.topic in day.own_topics)


def _tasks(items: Iterable[Item], day: SessionDay) -> list[SheetTask]:
    """What people of the clinic do on the day for this patient, each once."""
    found: dict[tuple[str, str, str], SheetTask] = {}
    for item in items:
        for ask in item.asks if item.scope == "personal" else ():
            if ask.by in day.own_by and ask.who not in _HOME:
                task = SheetTask(item=item.id, who=ask.who, by=ask.by, by_words=ask.by_words, what=ask.what)
                found.setdefault((ask.who, ask.by, ask.what), task)
    return list(found.values())


def _is_of(check: SessionCheck, moment: str, product: Product | None) -> bool:
    return check.moment == moment and (product is None or not check.products or product in check.products)


def _lines(items: Iterable[Item]) -> list[SheetLine]:
    return [SheetLine(item=item.id, level=item.level, line=item.line) for item in items]
