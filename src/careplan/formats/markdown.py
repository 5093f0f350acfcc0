"""A plan as Markdown (CommonMark with tables). What a caller wrote can never become markup."""

from __future__ import annotations

import re
from datetime import tzinfo

from careplan.formats.templating import MARKDOWN
from careplan.formats.view_model import sheet
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.request.patient import Patient


def markdown(
    plan: CarePlan,
    patient: Patient,
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
) -> bytes:
    """The text in UTF-8, its hours in `zone`, with as much of the plan as this detail has, for this reader."""
    found = sheet(plan, patient, zone, detail=detail, reader=reader)
    text = MARKDOWN.get_template("plan.md").render(plan=found)
    return re.sub(r"\n{3,}", "\n\n", text).strip().encode() + b"\n"
