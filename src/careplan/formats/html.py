"""A plan as one self-contained page: no script, nothing from elsewhere, made to be read, printed and signed."""

from __future__ import annotations

from datetime import tzinfo

from markupsafe import Markup

from careplan.clinic_logo import Logo
from careplan.formats.score_svg import charts
from careplan.formats.signs import visible
from careplan.formats.templating import PAGES
from careplan.formats.timeline_svg import drawings
from careplan.formats.view_model import sheet
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.plan.timeline import timeline
from careplan.request.patient import Patient


def page(  # noqa: PLR0913, PLR0917 - one argument for each thing that a page is told
    plan: CarePlan,
    patient: Patient,
    zone: tzinfo | None = None,
    detail: Detail = "standard",
    reader: Reader = "all",
    logo: Logo | None = None,
) -> bytes:
    """The page in UTF-8, its hours in `zone`, with as much of the plan as this detail has, for this reader."""
    style = Markup(PAGES.get_template("plan.css").render())  # noqa: S704 - our own style sheet
    found = sheet(plan, patient, zone, detail=detail, reader=reader)
    drawn = [Markup(visible(one)) for one in drawings(timeline(plan, patient, zone), zone)] if found["details"] else []  # noqa: S704 - escaped where it is made
    scores = plan.course.scores if plan.course and found["details"] else []
    charted = [Markup(visible(one)) for one in charts(scores)]  # noqa: S704 - as above
    shown = PAGES.get_template("plan.html").render(plan=found, drawings=drawn, charts=charted, style=style, logo=logo)
    return shown.encode()
