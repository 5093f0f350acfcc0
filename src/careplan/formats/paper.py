"""A plan as PDF, set by Typst: for A4 or Letter, tagged for screen readers, the same bytes for the same plan."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

import msgspec
import typst

from careplan.formats.drawing import drawing
from careplan.formats.sheet import sheet
from careplan.patient import Patient
from careplan.plan import CarePlan
from careplan.timeline import timeline

Paper = Literal["a4", "us-letter"]


def paper(plan: CarePlan, patient: Patient, size: Paper = "a4") -> bytes:
    """The PDF (PDF/UA-1)."""
    inputs = {
        "data": msgspec.json.encode(sheet(plan, patient)).decode(),
        "drawing": str(drawing(timeline(plan, patient))),
        "paper": size,
    }
    template = files("careplan.formats").joinpath("templates", "plan.typ").read_bytes()
    made = typst.compile(template, format="pdf", sys_inputs=inputs, pdf_standards=["ua-1"])
    assert isinstance(made, bytes)
    return made
