"""The standing protocol, taken out of the plan of a patient of whom nothing is known but product and stage."""

from __future__ import annotations

from collections.abc import Collection

from careplan.plan.model import CarePlan, Item
from careplan.plan.protocol_model import Figure, ProtocolItem, ProtocolSection, Stage, StandingHold, StandingProtocol
from careplan.plan.sources import Bibliography
from careplan.request.patient import PROTOCOL_FIGURES, Patient, Protocol
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import counted


def protocol_of(book: Rulebook, plan: CarePlan, patient: Patient, doubted: Collection[str] = ()) -> StandingProtocol:
    """What of a plan is standing, with the clinic's figures; `doubted` are the pointers of those that cannot be meant."""
    sections = [
        ProtocolSection(section=section.section, title=section.title, items=found)
        for section in plan.sections
        if (found := [_item(item) for item in section.items if item.scope == "standing"])
    ]
    signed = patient.protocol or Protocol()
    treatment = patient.treatment
    return StandingProtocol(
        id=plan.rulebook.id,
        version=plan.standing.version,
        digest=plan.standing.digest,
        rulebook=plan.rulebook,
        product=treatment.product,
        stage=Stage(
            words=_stage(treatment.sessions_completed, treatment.sessions_planned),
            sessions_completed=treatment.sessions_completed,
            sessions_planned=treatment.sessions_planned,
        ),
        clinic=patient.clinic,
        figures=[
            Figure(
                name=name,
                label=book.vocabulary.fields[f"protocol.{name}"].label,
                value=value,
                approved_by=signed.approved_by or "",
                doubtful=f"/protocol/{name}" in doubted,
            )
            for name in PROTOCOL_FIGURES
            if (value := getattr(signed, name)) is not None
        ],
        holds=[
            StandingHold(
                drug_class=hold.drug_class,
                label=book.classes[hold.drug_class].plural,
                before_hours=hold.before_hours,
                after_hours=hold.after_hours,
                approved_by=hold.approved_by,
                doubtful=f"/protocol/holds/{at}" in doubted,
            )
            for at, hold in enumerate(signed.holds)
        ],
        sections=sections,
        sources=Bibliography(book).naming(
            entry for section in sections for item in section.items for entry in item.evidence
        ),
    )


def _item(item: Item) -> ProtocolItem:
    return ProtocolItem(**{name: getattr(item, name) for name in ProtocolItem.__struct_fields__})


def _stage(completed: int | None, planned: int | None) -> str:
    if completed is None:
        words = "at any stage"
    elif completed == 0:
        words = "before the first session"
    else:
        words = f"after {counted(completed, 'session')}"
    return words if planned is None else f"{words}, {planned} planned"
