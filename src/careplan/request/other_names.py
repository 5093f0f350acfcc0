"""What other systems call the fields and tokens of a request, so that a fault can name ours.

Nothing is accepted under these names: a guess must not become a fact of a patient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_STEP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_LETTER = re.compile(r"[\W_]+")


def _by_other_name(table: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """From our names, each with what others call it, to our names by each of theirs."""
    found: dict[str, tuple[str, ...]] = {}
    for ours, others in table.items():
        for other in others.split():
            found[other] = (*found.get(other, ()), ours)
    return found


FIELDS = _by_other_name(
    {
        "age_years": "age dob birthdate dateofbirth birthday",
        "sex": "gender",
        "pregnancy": "pregnant pregnancystatus",
        "as_of": "today date visitdate asof",
        "reference": "id patientid",
        "medications": "meds drugs medicines medicationlist medicationstatements",
        "other_conditions": "diagnoses diagnosis problems problemlist medicalhistory pmh illnesses comorbidities icd10",
        "allergies": "allergy",
        "measures": "vitals labs observations scores",
        "treatment": "therapy",
        "red_flags": "alerts flags",
        "name": "drug drugname medicine medication genericname brandname brand",
        "text": "sig line instructions directions dosage display",
        "rxcui": "code rxnorm rxnormcode",
        "dose_mg": "dose strength",
        "schedule": "frequency",
        "indication": "reason",
        "preferred_route": "route routeofadministration",
        "session_times": "sessions sessiondates appointments",
        "last_session_at": "lastsession",
        "weight": "weightkg bodyweight",
        "height": "heightcm bodyheight",
        "systolic": "bp bloodpressure sbp systolicbp",
        "diastolic": "bp bloodpressure dbp diastolicbp",
        "pulse": "hr heartrate",
        "oxygen_saturation": "spo2 o2sat sao2",
        "phq9_total": "phq9 phq9score",
        "gad7_total": "gad7 gad7score",
        "pcl5_total": "pcl5 pcl5score",
        "qtc": "qt qtcinterval",
        "suicidal_thoughts": "si suicidality suicidalideation suicidal",
        "alcohol_drinks_per_week": "alcohol drinks",
        "sleep_hours_per_night": "sleep",
        "exercise_minutes_per_week": "exercise",
        "escort_available": "escort driver ride",
        "goals": "goal",
        "zone": "timezone tz",
        "region": "country",
        "phone_after_hours": "emergencyphone afterhours",
        "drug_class": "class",
    }
)
"""Fields of a request by what others call them, spelled as `plain_name` does."""

TOKENS = _by_other_name(
    {
        "female": "f woman w",
        "male": "m man",
        "not_pregnant": "no none negative",
        "pregnant": "yes positive",
        "iv": "intravenous infusion drip",
        "im": "intramuscular injection",
        "subcutaneous": "sc sq subq subcut",
        "nasal": "in intranasal nose spray",
        "oral": "po mouth bymouth tablet capsule",
        "sublingual": "sl troche lozenge",
        "esketamine": "spravato sketamine",
        "racemic": "ketamine ketalar racemate",
        "daily": "qd od qday bid tid qid qhs qam nightly everyday oncedaily twicedaily",
        "as_needed": "prn asneeded",
        "weekly": "qweek onceaweek everyweek",
        "long_acting_injection": "lai depot",
        "taking": "active current",
        "stopped": "inactive discontinued completed ended dc",
        "on_hold": "held paused suspended",
        "not_taken": "never nottaking",
        "depression": "mdd trd",
        "anxiety": "gad",
        "insomnia": "sleep",
        "none": "no never",
        "us": "usa",
        "uk": "gb",
        "au": "australia",
        "ca": "canada",
        "America/New_York": "est edt et eastern",
        "America/Chicago": "cst cdt ct central",
        "America/Denver": "mst mdt mt mountain",
        "America/Los_Angeles": "pst pdt pt pacific",
        "Europe/London": "gmt bst london",
        "Europe/Berlin": "cet cest",
    }
)
"""Tokens of a request by what others write for them, spelled as `plain_name` does."""


def snake_case(name: str) -> str:
    """A name in the manner of our fields: "preferredRoute" and "Preferred-Route" become "preferred_route"."""
    return _NO_LETTER.sub("_", _STEP.sub("_", name)).strip("_").lower()


def plain_name(name: str) -> str:
    """A name without capitals, underscores and other signs, by which spellings of it are the same."""
    return snake_case(name).replace("_", "")


def ours(written: str, table: Mapping[str, tuple[str, ...]], among: Iterable[str]) -> list[str]:
    """What of `among` may be meant: what differs in capitals and signs alone, else what others call so in a `table`."""
    plain, known = plain_name(written), list(among)
    same = [one for one in known if plain_name(one) == plain]
    return same or [one for one in known if one in table.get(plain, ())]
