"""How long signed holds would leave a patient without a medicine that has a limit of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from careplan.facts.hold_question import hold_for
from careplan.facts.hold_windows import Window, longest
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.medicine_rows import Ingredient
from careplan.request.patient import Patient


def gaps_of(patient: Patient, medicines: Sequence[Resolved]) -> tuple[dict[str, Window], frozenset[str]]:
    """By ingredient the longest time without it that signed holds make of the sessions; and those of which it is too long.

    Only medicines with a limit of their own are looked at.
    """
    return gaps_without(patient, [row for one in medicines if one.match for row in one.match.ingredients])


def gaps_without(patient: Patient, rows: Iterable[Ingredient]) -> tuple[dict[str, Window], frozenset[str]]:
    """The same for ingredients, whether the patient takes them or not."""
    gaps: dict[str, Window] = {}
    too_long: set[str] = set()
    holds = patient.protocol.holds if patient.protocol else ()
    sessions = patient.treatment.session_times or ()
    if not holds or not sessions:
        return gaps, frozenset()
    for row in rows:
        hold = hold_for(row, holds) if row.longest_gap else None
        gap = longest(hold, sessions) if hold else None
        if gap is not None and row.longest_gap is not None:
            gaps[row.ingredient] = gap
            if gap.hours > row.longest_gap:
                too_long.add(row.ingredient)
    return gaps, frozenset(too_long)
