"""A request as the record of a clinic: the same patient once more, as a FHIR Bundle, and read again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from careplan.planner import Planner
from tests.shipped import reader_of
from tests.tables import rows_in

Json = dict[str, Any]

RULES = Path(__file__).parents[2] / "rules"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
AT = "2026-11-28T12:00:00Z"
OWN = {"reference": "Patient/p"}
_CONDITIONS: dict[str, Json] = yaml.load((RULES / "conditions.yaml").read_text(), yaml.CSafeLoader)
_ALL = [(name, code) for name, entry in _CONDITIONS.items() for code in entry.get("icd10", ())]
CODES = {
    name: [
        code
        for code in entry.get("icd10", ())
        if not any(name != other and (code.startswith(one) or one.startswith(code)) for other, one in _ALL)
    ]
    for name, entry in _CONDITIONS.items()
}
"""The codes of each illness that stand for no other one as well."""
REASONS = {
    "anxiety": "F41.1",
    "insomnia": "G47.00",
    "epilepsy": "G40.909",
    "bipolar": "F31.9",
    "catatonia": "F06.1",
    "alcohol_withdrawal": "F10.230",
    "pain": "G89.29",
    "depression": "F33.1",
    "ptsd_nightmares": "F51.5",
    "blood_pressure": "I10",
    "heart": "I25.10",
    "migraine": "G43.909",
    "adhd": "F90.9",
    "opioid_use_disorder": "F11.20",
}
TIMINGS: dict[str, Json] = {
    "daily": {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}},
    "weekly": {"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}},
    "as_needed": {"asNeededBoolean": True},
}
PREGNANCY = {"pregnant": "77386006", "not_pregnant": "60001007", "possible": "102874004"}
ASKED = ("treatment", "lifestyle", "support", "preparation", "expectations", "red_flags")


def ingredients() -> list[dict[str, str]]:
    """The rows of the medicines: `name`, and `names`, `brands` and `rxcui` with a semicolon between two."""
    return rows_in(RULES / "medications.csv")


def split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def request_of(planner: Planner, bundle: Json) -> Any:
    """The patient that is read from a Bundle."""
    reader = reader_of(planner)
    return reader.read(bundle).patient


def entry(kind: str, name: str, **rest: object) -> Json:
    return {"resource": {"resourceType": kind, "id": name} | rest}


def bundle(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "collection", "timestamp": AT, "entry": list(entries)}


def condition(name: str, code: str, text: str) -> Json:
    """A confirmed illness of today."""
    return entry(
        "Condition",
        name,
        subject=OWN,
        **_confirmed("condition-clinical", "condition-ver-status"),
        code={"coding": [{"system": ICD10, "code": code}], "text": text} if code else {"text": text},
    )


def _allergy(name: str, text: str) -> Json:
    statuses = _confirmed("allergyintolerance-clinical", "allergyintolerance-verification")
    return entry("AllergyIntolerance", name, patient=OWN, code={"text": text}, **statuses)


def sayable(body: Json) -> Json:
    """What of a request a Bundle can say as well.

    It has no clinic, no signed protocol and no clearance, no readings here, no schedule or reason without a code, no
    illness twice, and no day but its own. A code of pre-eclampsia says that there is a pregnancy.
    """
    unsaid = ("as_of", "clinic", "protocol", "clearances", "incomplete", "measures")
    said = {name: value for name, value in body.items() if name not in unsaid}
    if body.get("medications"):
        said["medications"] = [_sayable_medicine(one) for one in body["medications"]]
    if "conditions" in body:
        said["conditions"] = sorted(set(body["conditions"]))
        if not said["conditions"] and body.get("other_conditions"):  # A problem list is no answer on those not on it.
            del said["conditions"]
    if "preeclampsia" in said.get("conditions", ()):
        said["pregnancy"] = "pregnant"
    if body.get("other_conditions"):
        said["other_conditions"] = list(dict.fromkeys(body["other_conditions"]))
    if body.get("expectations", {}).get("goals") == []:  # A form has no word for having named none.
        said["expectations"] = {name: value for name, value in body["expectations"].items() if name != "goals"}
    return said


def record_of(body: Json) -> Json:
    """The Bundle of a request that is sayable: resources where there are such, a form for the other answers."""
    items: list[Json] = []
    entries: list[Json] = []
    age = body.get("age_years")
    told = {"birthDate": f"{2026 - age}-01-15"} if age is not None else {}
    entries.append(entry("Patient", "p", **told, **({"gender": body["sex"]} if "sex" in body else {})))
    pregnancy = body.get("pregnancy")
    if pregnancy in PREGNANCY:
        entries.append(_pregnancy(PREGNANCY[pregnancy]))
    elif pregnancy:
        items.append(_answer("pregnancy", value=pregnancy))
    medicines = body.get("medications")
    entries += [_statement(at, one) for at, one in enumerate(medicines or ())]
    if medicines == []:
        items.append(_answer("medications.none", value=True))
    named, others = body.get("conditions"), body.get("other_conditions", [])
    for at, name in enumerate(named or ()):
        if CODES[name]:
            entries.append(condition(f"c{at}", CODES[name][0], str(_CONDITIONS[name]["label"])))
        else:
            items.append({"linkId": "conditions", "answer": [{"valueCoding": {"code": name}}]})
    entries += [condition(f"o{at}", "", text) for at, text in enumerate(others)]
    entries += [_allergy(f"a{at}", text) for at, text in enumerate(body.get("allergies", ()))]
    if named == [] and not others:
        items.append(_answer("conditions.none", value=True))
    for group in ASKED:
        items += [_answer(f"{group}.{name}", value=value) for name, value in body.get(group, {}).items()]
    if items:
        entries.append(entry("QuestionnaireResponse", "q", status="completed", subject=OWN, item=items))
    return bundle(*entries)


def _sayable_medicine(one: Json) -> Json:
    kept: Json = {name: one[name] for name in ("name", "rxcui") if name in one}
    if one.get("schedule") in TIMINGS:
        kept["schedule"] = one["schedule"]
    if one.get("indication") in REASONS:
        kept["indication"] = one["indication"]
    return kept


def _statement(at: int, one: Json) -> Json:
    coding = {"coding": [{"system": RXNORM, "code": one["rxcui"]}]} if "rxcui" in one else {}
    text = {"text": one["name"]} if "name" in one else {}
    more: Json = {}
    if "schedule" in one:
        more["dosage"] = [TIMINGS[one["schedule"]]]
    if "indication" in one:
        more["reasonCode"] = [{"coding": [{"system": ICD10, "code": REASONS[one["indication"]]}]}]
    concept = coding | text
    return entry("MedicationStatement", f"m{at}", status="active", subject=OWN, medicationCodeableConcept=concept, **more)


def _pregnancy(code: str) -> Json:
    return entry(
        "Observation",
        "pregnancy",
        status="final",
        subject=OWN,
        effectiveDateTime=AT,
        code={"coding": [{"system": LOINC, "code": "82810-3"}]},
        valueCodeableConcept={"coding": [{"system": SNOMED, "code": code}]},
    )


def _confirmed(clinical: str, verification: str) -> Json:
    """The statuses of what is there now and was confirmed, by the names of their code systems."""
    return {"clinicalStatus": _status(clinical, "active"), "verificationStatus": _status(verification, "confirmed")}


def _status(system: str, code: str) -> Json:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _answer(link: str, *, value: Any) -> Json:
    return {"linkId": link, "answer": [_value(link, one) for one in (value if isinstance(value, list) else [value])]}


def _value(link: str, value: Any) -> Json:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int):
        return {"valueInteger": value}
    if isinstance(value, float):
        return {"valueDecimal": value}
    if link.endswith(("session_times", "last_session_at")):
        return {"valueDateTime": value}
    return {"valueString": value} if link == "expectations.goals" else {"valueCoding": {"code": value}}
