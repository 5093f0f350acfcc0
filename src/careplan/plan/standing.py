"""What a plan has in common with all others of its product and stage: the clinic's protocol, which it cites."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

import msgspec

from careplan.plan.model import CarePlan, Item, RulebookRef, Standing

_encode = msgspec.json.Encoder(order="deterministic").encode


def standing(book: RulebookRef, items: Iterable[Item]) -> Standing:
    """The standing part of a plan by title. The digest is that of the texts, the clinic's figures in them included."""
    found = [item for item in items if item.scope == "standing"]
    texts = [(item.id, item.rule.version, item.patient_text, item.clinician_text) for item in found]
    return Standing(
        version=book.version,
        digest=sha256(_encode(texts)).hexdigest(),
        items={item.id: item.title for item in found},
    )


def without_settled(plan: CarePlan) -> CarePlan:
    """A plan without the items that were dealt with when the earlier plan was signed; `course` names every one of them."""
    settled = plan.course.settled if plan.course else frozenset[str]()
    if not settled:
        return plan
    sections = [
        msgspec.structs.replace(section, items=[item for item in section.items if item.id not in settled])
        for section in plan.sections
    ]
    return msgspec.structs.replace(plan, sections=sections)
