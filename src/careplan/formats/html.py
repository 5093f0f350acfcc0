"""A plan as one self-contained page: no script, nothing from elsewhere, made to be read, printed and signed."""

from __future__ import annotations

from datetime import tzinfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from careplan.formats.timeline_svg import drawings
from careplan.formats.view_model import sheet
from careplan.plan.model import CarePlan
from careplan.plan.timeline import timeline
from careplan.request.patient import Patient

_environment = Environment(
    loader=PackageLoader("careplan.formats"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(plan: CarePlan, patient: Patient, zone: tzinfo | None = None) -> bytes:
    """The page in UTF-8, its hours in `zone`."""
    style = Markup(_environment.get_template("plan.css").render())  # noqa: S704 - our own style sheet
    shown = _environment.get_template("plan.html").render(
        plan=sheet(plan, patient, zone), drawings=drawings(timeline(plan, patient, zone), zone), style=style
    )
    return shown.encode()
