"""What every written form of a plan shows, in the order in which it is read.

The front page comes first, on which a clinician decides and signs; then the detail behind it, the standing protocol where it
is asked for, and what the patient takes home, apart.
"""

from __future__ import annotations

from datetime import timedelta, tzinfo
from typing import Any

from careplan.formats.card_view import card, leaflet
from careplan.formats.course_view import course, since_then
from careplan.formats.detail_view import details, standing
from careplan.formats.front_view import front, headline
from careplan.formats.references import cited_alone
from careplan.formats.signs import everywhere, visible
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan
from careplan.plan.timeline import Moment, timeline
from careplan.request.clinic import Clinic
from careplan.request.patient import Patient
from careplan.rulebook.text_template import rulebook_words
from careplan.zones import hour, zone_words

Json = dict[str, Any]


def sheet(
    plan: CarePlan,
    patient: Patient,
    zone: tzinfo | None = None,
    *,
    detail: Detail = "standard",
    reader: Reader = "all",
) -> Json:
    """The plan as templates need it: what is left out of this detail or for this reader is None.

    Args:
        plan: with all its items.
        patient: whose plan it is.
        zone: of hours; without one each stands as it was sent.
        detail: the front page and the card alone; also what is behind them; also the standing protocol and the leaflet.
        reader: for whom it is.

    """
    for_clinician, for_patient = reader != "patient", reader != "clinician"
    clinic = plan.clinic or Clinic()
    found = {
        "blocked": plan.status == "blocked",
        "ready": plan.front.ready,
        "title": plan.card.title if reader == "patient" else f"Care plan: {headline(plan)}",
        "language": (plan.card.language or "en") if reader == "patient" else "en",
        "rulebook": rulebook_words(plan.rulebook.id, plan.rulebook.version, plan.rulebook.digest),
        "clinic": {name: getattr(clinic, name) or "" for name in ("name", "phone", "phone_after_hours")},
        "front": front(plan) if for_clinician else None,
        "details": None,
        "standing": standing(plan, texts=detail == "full") if for_clinician else None,
        "card": card(plan) if for_patient else None,
        "leaflet": leaflet(plan) if for_patient and detail == "full" else None,
    }
    if for_clinician and detail != "front":
        shown_plan, again = since_then(plan, patient, detail)
        rows = [moment_words(moment, zone) for moment in timeline(plan, patient, zone)]
        works = cited_alone(shown_plan) if detail == "standard" else shown_plan.sources
        found["details"] = details(shown_plan, patient, works) | {
            "zone": zone_words(zone),
            "timeline": rows,
            "course": course(plan),
            "asked_again": again,
        }
    shown: Json = everywhere(found, visible)
    return shown


def moment_words(moment: Moment, zone: tzinfo | None) -> Json:
    """One row of the time line: from when to when, or on which days, and what."""
    if moment.whole_days and moment.end is not None:
        first, last = moment.start.strftime("%Y-%m-%d"), (moment.end - timedelta(days=1)).strftime("%Y-%m-%d")
        begin, end = first, "" if first == last else last
    else:
        begin, end = hour(moment.start, zone), hour(moment.end, zone) if moment.end else ""
    return {
        "kind": moment.kind,
        "session": moment.session,
        "from": begin,
        "to": end,
        "label": moment.label,
        "signed_by": moment.signed_by or "",
    }
