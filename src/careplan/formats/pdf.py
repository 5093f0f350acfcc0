"""A plan as PDF, set by Typst: for A4 or Letter, tagged for screen readers, the same bytes for the same plan everywhere.

It is set in the fonts of this package alone. What they have no sign for shows as a box, and the foot of each sheet says so.
"""

from __future__ import annotations

from datetime import tzinfo
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec
import typst

from careplan.formats.signs import BOX, cuttable, everywhere, printable
from careplan.formats.timeline_svg import drawings
from careplan.formats.view_model import sheet
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.plan.timeline import timeline
from careplan.request.clinic import Paper
from careplan.request.patient import Patient

_HERE = Path(str(files("careplan.formats")))


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_HERE / "fonts"])


def pdf(  # noqa: PLR0913, PLR0917 - one argument for each thing that a page is told
    plan: CarePlan,
    patient: Patient,
    paper: Paper = "a4",
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
) -> bytes:
    """The PDF (PDF/UA-1), its hours in `zone`, with as much of the plan as this detail has, for this reader."""
    found = sheet(plan, patient, zone, detail=detail, reader=reader)
    drawn = drawings(timeline(plan, patient, zone), zone) if found["details"] else []
    data = msgspec.json.encode(everywhere(found, cuttable)).decode()
    inputs = {
        "data": data,
        "drawings": msgspec.json.encode([printable(str(one)) for one in drawn]).decode(),
        "paper": paper,
        "boxes": "yes" if BOX in data else "",
    }
    template = (_HERE / "templates" / "plan.typ").read_bytes()
    made = typst.compile(template, format="pdf", font_paths=_fonts(), sys_inputs=inputs, pdf_standards=["ua-1"])
    assert isinstance(made, bytes)
    return made
