"""A plan as PDF, set by Typst: for A4 or Letter, tagged for screen readers, the same bytes for the same plan."""

from __future__ import annotations

from datetime import tzinfo
from importlib.resources import files

import msgspec
import typst

from careplan.formats.timeline_svg import drawings
from careplan.formats.view_model import sheet
from careplan.plan.model import CarePlan
from careplan.plan.timeline import timeline
from careplan.request.clinic import Paper
from careplan.request.patient import Patient


def pdf(plan: CarePlan, patient: Patient, paper: Paper = "a4", zone: tzinfo | None = None) -> bytes:
    """The PDF (PDF/UA-1), its hours in `zone`."""
    inputs = {
        "data": msgspec.json.encode(sheet(plan, patient, zone)).decode(),
        "drawings": msgspec.json.encode([str(one) for one in drawings(timeline(plan, patient, zone), zone)]).decode(),
        "paper": paper,
    }
    template = files("careplan.formats").joinpath("templates", "plan.typ").read_bytes()
    made = typst.compile(template, format="pdf", sys_inputs=inputs, pdf_standards=["ua-1"])
    assert isinstance(made, bytes)
    return made
