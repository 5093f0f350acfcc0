"""A plan as Markdown (CommonMark with tables). What a caller wrote can never become markup."""

from __future__ import annotations

import re
from datetime import tzinfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from careplan.formats.view_model import sheet
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.request.patient import Patient

_MARKS = re.compile(r"([\\`*_\[\]<>|~&]|^[#+-])|^(\d+)([.)])")


def escaped(text: str) -> str:
    """A text in which nothing is markup."""
    plain = " ".join(text.split())
    return _MARKS.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", plain)


_environment = Environment(
    loader=PackageLoader("careplan.formats"),
    autoescape=False,  # noqa: S701 - not HTML; every value goes through `md`
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters["md"] = escaped


def markdown(
    plan: CarePlan,
    patient: Patient,
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
) -> bytes:
    """The text in UTF-8, its hours in `zone`, with as much of the plan as this detail has, for this reader."""
    found = sheet(plan, patient, zone, detail=detail, reader=reader)
    text = _environment.get_template("plan.md").render(plan=found)
    return re.sub(r"\n{3,}", "\n\n", text).strip().encode() + b"\n"
