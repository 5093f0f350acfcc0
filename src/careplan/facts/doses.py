"""Doses a day as properties of facts: of one medicine, and of the whole list, each from its least to its most."""

from __future__ import annotations

from collections.abc import Iterable

from careplan.facts.case import Properties, bounded
from careplan.recognition.dose_equivalents import COUNTED_IN, Doses, total
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.strengths import Dose
from careplan.rulebook.factors import least_of, most_of

_MOST = 1_000_000.0
"""No rule tests as much, and the engine's reader of JSON takes no exponents."""


def doses_of_medicine(doses: Doses, fields: Iterable[str]) -> Properties:
    """Those of `fields` that are known of one medicine."""
    known = {"dose_mg_a_day": doses.mg, "diazepam_mg_a_day": doses.diazepam, "morphine_mg_a_day": doses.morphine}
    properties: Properties = {}
    for field in fields:
        if (dose := known[field]) is not None:
            properties |= _ends(field, dose)
    return properties


def doses_of_list(medicines: Iterable[Resolved], fields: Iterable[str]) -> Properties:
    """What all entries are worth together; of an entry that could not be read it is presumed that it adds nothing."""
    taken = [
        (row, resolved.doses[at] if at < len(resolved.doses) else Doses())
        for resolved in medicines
        if resolved.match is not None and resolved.taken
        for at, row in enumerate(resolved.match.ingredients)
    ]
    properties: Properties = {}
    for field in fields:
        properties |= _ends(field, total(COUNTED_IN[field], taken))
    return properties


def _ends(field: str, dose: Dose) -> Properties:
    ends: Properties = {least_of(field): bounded(min(dose.least, _MOST))}
    if dose.most is not None and dose.most < _MOST:
        ends[most_of(field)] = bounded(dose.most)
    return ends
