"""How the entries of a list of medicines were understood, and which stretch of a text each part came from."""

from __future__ import annotations

from collections.abc import Iterator

from careplan.facts.case import Case
from careplan.plan.medicine_model import Between, Disagreeing, DoseADay, MedicinePart, MedicineRead, MedicineText
from careplan.plan.wording import Words
from careplan.recognition.line import Listed, Said
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.strengths import Dose
from careplan.request.patient import MedicineStatus


def medicine_read(words: Words, resolved: Resolved, case: Case) -> MedicineRead:
    """How an entry was understood. One that rules could look at, and that none of them does, is known."""
    rows = resolved.match.ingredients if resolved.match else ()
    at = resolved.index
    sent = (case.patient.medications or [])[at]
    said = resolved.said
    return MedicineRead(
        index=at,
        recognition="known" if at in case.known.medications else resolved.recognition,
        recognized_as=words.recognized(at) or None,
        classes=sorted({name for row in rows for name in row.classes}),
        problem=resolved.problem,
        suggestions=list(resolved.suggestions),
        schedule=resolved.entry.schedule if said and sent.schedule is None else None,
        indication=resolved.entry.indication if said and sent.indication is None else None,
        status=_status(said) if sent.status is None else None,
        texts=[MedicineText(pointer=f"/medications/{at}/{one.field}", parts=list(_parts(one))) for one in said],
        doses_a_day=list(_doses(resolved)),
        disagreements=[
            Disagreeing(
                field=disagreement.field,
                sent=disagreement.sent,
                read=disagreement.read or None,
                pointer=f"/medications/{at}/{disagreement.said_in}",
                start=disagreement.start,
                end=disagreement.end,
            )
            for disagreement in resolved.disagreements
        ],
    )


def _status(said: tuple[Said, ...]) -> MedicineStatus | None:
    """Whether the medicine of an entry is taken, where its texts say one thing."""
    found = {listed.status.value if listed.status else "" for one in said for listed in one.medicines}
    return found.pop() or None if len(found) == 1 else None  # type: ignore[return-value]


def _doses(resolved: Resolved) -> Iterator[DoseADay]:
    rows = resolved.match.ingredients if resolved.match else ()
    for row, doses in zip(rows, resolved.doses, strict=False):
        if doses.mg is not None:
            yield DoseADay(
                ingredient=row.name,
                mg=_between(doses.mg),
                diazepam_mg=_between(doses.diazepam) if doses.diazepam else None,
                morphine_mg=_between(doses.morphine) if doses.morphine else None,
            )


def _between(dose: Dose) -> Between:
    return Between(least=dose.least, most=dose.most)


def _parts(said: Said) -> list[MedicinePart]:
    several = len(said.medicines) > 1
    found = [part for at, listed in enumerate(said.medicines) for part in _of_one(listed, at if several else None)]
    found += [MedicinePart(what="unexplained", start=one.start, end=one.end, words=one.text) for one in said.unexplained]
    found.sort(key=lambda part: (part.start, -part.end))
    return found


def _of_one(listed: Listed, medicine: int | None) -> Iterator[MedicinePart]:
    for name in listed.names:
        yield MedicinePart(what="name", start=name.start, end=name.end, medicine=medicine)
    for strength in listed.strengths:
        known = strength.amount is not None and strength.unit
        yield MedicinePart(
            what="limit" if strength.limit else "strength",
            start=strength.start,
            end=strength.end,
            amount=strength.amount if known else None,
            unit=strength.unit if known else None,
            words=None if known else strength.text,
            medicine=medicine,
        )
    for amount in listed.amounts:
        yield MedicinePart(
            what="limit" if amount.limit else "amount",
            start=amount.start,
            end=amount.end,
            amount=amount.count,
            unit=amount.of or None,
            words=amount.text if amount.count is None else None,
            medicine=medicine,
        )
    for form in listed.forms:
        yield MedicinePart(what="form", start=form.start, end=form.end, value=form.value, medicine=medicine)
    for route in listed.routes:
        yield MedicinePart(what="route", start=route.start, end=route.end, value=route.value, medicine=medicine)
    for often in listed.frequencies:
        plain = often.times_a_day is not None or often.schedule is not None
        yield MedicinePart(
            what="frequency",
            start=often.start,
            end=often.end,
            value=often.schedule,
            amount=often.times_a_day,
            words=None if plain else often.text,
            medicine=medicine,
        )
    for reason in listed.reasons:
        yield MedicinePart(
            what="reason",
            start=reason.start,
            end=reason.end,
            value=reason.indication,
            words=None if reason.indication else reason.text,
            medicine=medicine,
        )
    if (needed := listed.as_needed) is not None:
        yield MedicinePart(what="as_needed", start=needed.start, end=needed.end, medicine=medicine)
    if (status := listed.status) is not None:
        yield MedicinePart(what="status", start=status.start, end=status.end, value=status.value, medicine=medicine)
    for what, stretch in (
        ("quantity", listed.quantity),
        ("refills", listed.refills),
        ("duration", listed.duration),
        ("since", listed.since),
    ):
        if stretch is not None:
            yield MedicinePart(
                what=what,  # type: ignore[arg-type]
                start=stretch.start,
                end=stretch.end,
                words=stretch.text,
                medicine=medicine,
            )
