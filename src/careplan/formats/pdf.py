"""A plan as PDF, set by Typst: for A4 or Letter, tagged for screen readers, the same bytes for the same plan everywhere.

It is set in the fonts of this package alone. What they have no sign for shows as a box, and the foot of each sheet says so.
"""

from __future__ import annotations

from datetime import tzinfo

import msgspec

from careplan.clinic_logo import Logo
from careplan.formats.score_svg import charts
from careplan.formats.signs import BOX, cuttable, everywhere, printable
from careplan.formats.timeline_svg import drawings
from careplan.formats.typesetting import Document, of_logo, typeset
from careplan.formats.view_model import sheet
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.plan.timeline import timeline
from careplan.request.clinic import Paper
from careplan.request.patient import Patient


def document(  # noqa: PLR0913, PLR0917 - one argument for each thing that a page is told
    plan: CarePlan,
    patient: Patient,
    paper: Paper = "a4",
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
    logo: Logo | None = None,
) -> Document:
    """What there is to set: hours in `zone`, with as much of the plan as this detail has, for this reader."""
    found = sheet(plan, patient, zone, detail=detail, reader=reader)
    # One drawing shows what the hours around a session are like; the table has those of all sessions.
    drawn = drawings(timeline(plan, patient, zone), zone)[:1] if found["details"] else []
    scores = plan.course.scores if plan.course and found["details"] else []
    data = msgspec.json.encode(everywhere(found, cuttable)).decode()
    inputs = {
        "data": data,
        "drawings": msgspec.json.encode([printable(str(one)) for one in drawn]).decode(),
        "charts": msgspec.json.encode([printable(str(one)) for one in charts(scores)]).decode(),
        "paper": paper,
        "boxes": "yes" if BOX in data else "",
    }
    return Document("plan.typ", inputs | of_logo(logo))


def pdf(  # noqa: PLR0913, PLR0917 - as above
    plan: CarePlan,
    patient: Patient,
    paper: Paper = "a4",
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
    logo: Logo | None = None,
) -> bytes:
    """The PDF (PDF/UA-1) of `document`, of the same arguments, set in this process."""
    return typeset(document(plan, patient, paper, zone, detail, reader, logo))
