"""Records in which the elements of one resource meet: every pair of them, with values as exports of records have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from random import Random
from typing import Any

from tests.contract.records import AT, OWN, bundle, problem, statement
from tests.crossed_fields import DAYS, GOALS, ILLNESSES, LINES, NAMES, Crossing, Fields, drawn

Json = dict[str, Any]

RXNORM, SNOMED, LOINC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct", "http://loinc.org"
_US = "http://hl7.org/fhir/us/core/StructureDefinition/"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
ODD = [{"url": "http://example.org/odd", "valueBoolean": True}]
MASKED = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "masked"}
DATES = [*DAYS, "2026-11-20", "2026-11-27", "2027-01-01", "2010", None]
PERIODS: list[Any] = [
    {"start": "2025-01-01", "end": "9999-12-31T23:59:59-05:00"},
    *({"start": start} for start in ("2026", "2026-11-28", "2027-03")),
    *({"end": end} for end in ("2026-11-27", "2026-11", "1900", "2026-11-28T23:59:59+14:00")),
    {"start": "2026-12-01", "end": "2025-01-01"},
    {},
]
NOTES = [[{"text": text}] for text in ("stopped 3 days ago", "denies SI", "says she wants to die", "takes twice as much")]
NOTES += [[{"text": "ran out", "time": "2020-01-01"}, {"authorString": "x", "text": "missed doses"}]]


def coded(system: str, code: str, display: str | None = None, text: str | None = None) -> Json:
    coding = {"system": system, "code": code} | ({"display": display} if display else {})
    return {"coding": [coding]} | ({"text": text} if text else {})


def in_words(texts: list[str]) -> list[Json]:
    return [{"text": text} for text in texts]


DRUGS = [
    *in_words(NAMES),
    coded(RXNORM, "596", "alprazolam"),
    coded(RXNORM, "596", "alprazolam", "lithium 300 mg"),
    coded(RXNORM, "352741"),
    coded(RXNORM, "351266", "buprenorphine 8 MG / naloxone 2 MG Oral Strip [Suboxone]"),
    coded(SNOMED, "387052003", "Alprazolam (substance)"),
    coded("urn:oid:2.16.840.1.113883.6.69", "0009-0029-01", "XANAX 0.25 mg tablet"),
    {"coding": [MASKED]},
    {"coding": [{"display": " "}], "text": ""},
    coded(SNOMED, "716186003", "No known allergy", "No known medications"),
]
_XANAX = [{"itemCodeableConcept": DRUGS[1]}]
MEDICATIONS: list[Any] = [
    {"resourceType": "Medication", "id": "x", "code": {"text": "lithium"}},
    {"resourceType": "Medication", "id": "x", "ingredient": [{"itemCodeableConcept": one} for one in DRUGS[1:3]]},
    {"resourceType": "Medication", "id": "x", "code": {"text": "Percocet"}, "status": "entered-in-error"},
    {
        "resourceType": "Medication",
        "id": "x",
        "code": {"text": "zzqblorptan"},
        "ingredient": [{"itemCodeableConcept": DRUGS[0]}],
    },
    {"resourceType": "Medication", "id": "x", "ingredient": [{"itemReference": {"reference": "#x"}}]},
]
REPEATS: list[Any] = [
    {"frequency": 2, "period": 1, "periodUnit": "d"},
    {"frequency": 1, "frequencyMax": 3, "period": 4, "periodMax": 6, "periodUnit": "h"},
    {"frequency": 1, "period": 72, "periodUnit": "h"},
    {"period": 0, "periodUnit": "d"},
    {"frequency": 0, "period": 1, "periodUnit": "d"},
    {"dayOfWeek": ["mon"], "timeOfDay": ["08:00:00"]},
    {"when": ["HS"], "offset": 30},
    {"count": 1},
    {"boundsPeriod": {"start": "2026-12-01"}, "frequency": 1, "period": 1, "periodUnit": "wk"},
    {"boundsDuration": {"value": 7, "code": "d"}, "frequency": 1, "period": 1, "periodUnit": "mo"},
    {},
]
QUANTITIES: list[Any] = [
    {"value": 8, "unit": "mg", "code": "mg"},
    {"value": 1, "unit": "tablet"},
    {"value": 25, "unit": "mcg/h", "code": "ug/h"},
    {"value": 0.5, "unit": "mL"},
    {"value": 2, "comparator": "<", "code": "mg"},
    {"value": 10, "unit": "mg/mL"},
    {"unit": "mg"},
]
RATES: list[Any] = [[{"doseQuantity": one}] for one in QUANTITIES]
RATES += [
    [{"doseRange": {"low": {"value": 1, "unit": "mg"}, "high": {"value": 2, "unit": "mg"}}}],
    [{"rateRatio": {"numerator": QUANTITIES[0], "denominator": {"value": 1, "unit": "h"}}}],
    [{"doseQuantity": QUANTITIES[0]}, {"doseQuantity": QUANTITIES[1]}],
]
DOSAGE: Fields = {
    "text": LINES,
    "patientInstruction": LINES[:12],
    "timing": [{"repeat": one} for one in REPEATS]
    + [{"code": {"text": text}} for text in ("BID", "q6h prn", "every other day", "DIRECTED")]
    + [{"event": ["2026-11-28"]}, {"repeat": REPEATS[0], "code": {"coding": [{"code": "QOD"}]}}],
    "asNeededBoolean": [True, False],
    "asNeededCodeableConcept": in_words(["anxiety", "seizure", "pain or sleep", ""]),
    "route": in_words(["oral", "sublingual", "ophthalmic", "transdermal", "IV", "PO/SL"]),
    "doseAndRate": RATES,
    "maxDosePerPeriod": [{"numerator": QUANTITIES[0], "denominator": {"value": 1, "unit": "d"}}],
    "additionalInstruction": [in_words(["with food"]), in_words(["for 7 days", "then stop"])],
    "modifierExtension": [ODD],
    "sequence": [1, 2],
}
"""What one dosage can say."""
_TAKEN: Fields = {
    "medicationCodeableConcept": DRUGS,
    "medicationReference": [{"reference": "#x"}, {"reference": "Medication/gone"}, {"display": "Xanax 1 mg"}],
    "contained": [[one] for one in MEDICATIONS],
    "status": ["active", "completed", "stopped", "on-hold", "intended", "entered-in-error", "unknown", "draft", "not-taken"],
    "reasonCode": [[one] for one in in_words(["anxiety", "epilepsy", "pain and sleep"])]
    + [[coded(ICD10, "G40.909")], [coded(ICD10, "F41.1", text="seizures")]],
    "note": NOTES,
    "modifierExtension": [ODD],
}
ANSWERS: list[Any] = [
    *({"valueString": text} for text in (*ILLNESSES[:6], *NAMES[8:20], *GOALS, "3", "none")),
    *({"valueBoolean": flag} for flag in (True, False)),
    *({"valueInteger": 3}, {"valueDecimal": 7.5}, {"valueDate": "2026-11"}, {"valueDateTime": "2026-12-08T09:30:00-05:00"}),
    *({"valueCoding": {"code": code}} for code in ("none", "plan_or_intent", "LA6570-1", "daily", "iv")),
    *({"valueQuantity": {"value": 5, "unit": unit}} for unit in ("h", "mg", "drinks")),
    {"valueReference": {"reference": "Patient/p"}},
]
LINKS = [
    *("age_years", "medications", "medications.name", "conditions", "other_conditions", "allergies", "expectations.goals"),
    *("red_flags.suicidal_thoughts", "red_flags.psychosis_now", "pregnancy", "treatment.session_times", "/44249-1/44260-8"),
    *(
        "lifestyle.sleep_hours_per_night",
        "medications.none",
        "conditions.none",
        "zzz",
        "support.therapist",
        "treatment.preferred_route",
    ),
]
VALUES: list[Json] = [
    *(
        {"valueQuantity": {"value": value, "unit": unit, "code": unit}}
        for value in (3, 95.5, 400)
        for unit in ("mm[Hg]", "/min", "kg")
    ),
    *({"valueInteger": value} for value in (0, 3, 27, -1)),
    *({"valueString": text} for text in ("120/80", "3", "positive", "SI with plan", "not done")),
    *({"valueCodeableConcept": one} for one in (coded(LOINC, "LA6570-1"), {"text": "nearly every day"})),
    *(
        {"valueBoolean": True},
        {"valueRange": {"low": {"value": 1}}},
        {"valuePeriod": {"start": "2026"}},
        {"dataAbsentReason": {"text": "unknown"}},
    ),
]
CODES = [
    "8480-6",
    "8462-4",
    "44249-1",
    "44260-8",
    "29463-7",
    "2106-3",
    "68516-4",
    "93246-7",
    "85354-9",
    "2339-0",
    "72166-2",
    "9999-9",
]
MEASURED = [coded(LOINC, code) for code in CODES]


def measured(random: Random) -> Json:
    """A component of an observation."""
    return {"code": random.choice(MEASURED)} | random.choice(VALUES)


def answered(random: Random) -> Json:
    """An item of a form, perhaps with items in it or in its answers."""
    item: Json = {"linkId": random.choice(LINKS), "answer": random.sample(ANSWERS, random.choice([1, 1, 2]))}
    if random.random() < 0.3:
        item["item"] = [{"linkId": random.choice(LINKS), "answer": [random.choice(ANSWERS)]}]
    if random.random() < 0.2:
        item["answer"][0] = item["answer"][0] | {
            "item": [{"linkId": random.choice(LINKS), "answer": [random.choice(ANSWERS)]}]
        }
    return item


def dosage(random: Random) -> Json:
    """A dosage in which some elements meet."""
    return drawn(random, DOSAGE, tuple(random.sample(list(DOSAGE), 2)))


STATUSES = ("active", "recurrence", "relapse", "inactive", "remission", "resolved")
CLINICAL = [{"coding": [{"code": code}]} for code in STATUSES] + [{"text": "Resolved"}, {}]
VERIFIED = [{"coding": [{"code": code}]} for code in ("confirmed", "provisional", "refuted", "entered-in-error")]
RESOURCES: dict[str, Fields] = {
    "MedicationStatement": {**_TAKEN, "effectivePeriod": PERIODS, "effectiveDateTime": DATES, "dateAsserted": DATES},
    "MedicationRequest": {
        **_TAKEN,
        "intent": ["order", "plan", "proposal", "option"],
        "authoredOn": DATES,
        "doNotPerform": [True, False],
        "dispenseRequest": [{"validityPeriod": one} for one in PERIODS[:4]],
        "priorPrescription": [{"reference": "MedicationRequest/gone"}],
        "reportedBoolean": [True],
    },
    "Condition": {
        "code": [
            *in_words(ILLNESSES),
            coded(ICD10, "F32.9", text="Hypertension"),
            coded(ICD10, "F10.21", "Alcohol dependence, in remission"),
            coded(SNOMED, "38341003", text="denies hypertension"),
            coded(SNOMED, "160245001", "No current problems or disability"),
            coded(ICD10, "T14.91", "Suicide attempt"),
            coded(SNOMED, "84757009", text="family history of epilepsy"),
            {"coding": [MASKED]},
        ],
        "clinicalStatus": CLINICAL,
        "verificationStatus": VERIFIED,
        "category": [[coded("x", "encounter-diagnosis")], [coded("x", "problem-list-item")], [{"text": "family history"}]],
        "severity": in_words(["severe", "mild", "24484000"]),
        "stage": [[{"summary": {"text": text}}] for text in ("Stage 4", "end stage", "moderate")],
        "bodySite": [in_words(["left eye"]), in_words(["brain"])],
        "onsetDateTime": DATES,
        "onsetString": ["childhood", "2 weeks ago"],
        "onsetAge": [{"value": 12, "unit": "a"}],
        "recordedDate": DATES,
        "abatementDateTime": DATES,
        "abatementString": ["resolved", "no"],
        "abatementBoolean": [True, False],
        "note": NOTES,
        "evidence": [[{"code": in_words(["BP 190/120"])}]],
        "modifierExtension": [ODD],
    },
    "AllergyIntolerance": {
        "code": [
            *in_words(["ketamine", "Ketalar - anaphylaxis", "NKDA", "penicillin", "", "No known drug allergies"]),
            coded(RXNORM, "6130"),
        ],
        "substance": in_words(["ketamine", "latex"]),
        "reaction": [[{"substance": {"text": "ketamine"}, "manifestation": in_words(["rash"])}], [{"description": "hives"}]],
        "clinicalStatus": CLINICAL,
        "verificationStatus": VERIFIED,
        "type": ["allergy", "intolerance"],
        "criticality": ["high", "low"],
        "note": NOTES,
        "modifierExtension": [ODD],
    },
    "Observation": {
        "code": MEASURED,
        "value": VALUES,
        "component": [measured],
        "status": ["final", "preliminary", "amended", "entered-in-error", "cancelled", "registered"],
        "effectiveDateTime": DATES,
        "effectivePeriod": PERIODS,
        "effectiveInstant": ["2026-11-28T09:00:00Z"],
        "issued": ["2026-11-28T09:59:59.999Z"],
        "hasMember": [[{"reference": "Observation/gone"}], [{"reference": "#o"}]],
        "interpretation": [[coded("x", "HH")], [coded("x", "N")], [{"text": "positive"}]],
        "note": NOTES,
        "referenceRange": [[{"low": {"value": 1}}]],
        "modifierExtension": [ODD],
    },
    "QuestionnaireResponse": {
        "item": [answered],
        "status": ["completed", "in-progress", "amended", "stopped", "entered-in-error"],
        "authored": DATES,
        "questionnaire": ["urn:careplan:Questionnaire/intake", "http://loinc.org/q/44249-1", "http://example.org/q"],
        "source": [OWN, {"reference": "RelatedPerson/r"}],
        "modifierExtension": [ODD],
    },
    "FamilyMemberHistory": {
        "condition": [[{"code": one} for one in in_words(ILLNESSES)[at : at + 2]] for at in range(0, 12, 2)],
        "relationship": [
            coded("http://terminology.hl7.org/CodeSystem/v3-RoleCode", "MTH"),
            {"text": "Brother"},
            {"text": "cousin"},
        ],
        "status": ["completed", "partial", "health-unknown", "entered-in-error"],
        "name": ["Brother"],
        "sex": [{"text": "male"}],
        "deceasedBoolean": [True],
        "note": NOTES,
    },
    "Encounter": {
        "reasonCode": [in_words(["suicidal ideation"]), in_words(["follow-up", "wants to die"]), [coded(ICD10, "T14.91")]],
        "diagnosis": [[{"condition": {"reference": "Condition/c"}}], [{"condition": {"display": "suicide attempt"}}]],
        "period": PERIODS,
        "status": ["finished", "in-progress", "planned", "cancelled"],
        "class": [{"code": "EMER"}],
        "contained": [[{"resourceType": "Condition", "code": {"text": "epilepsy"}}]],
        "hospitalization": [{"dischargeDisposition": {"text": "left against advice"}}],
    },
    "Flag": {
        "code": in_words(["suicide risk", "fall risk", "zzz"]),
        "status": ["active", "inactive", "entered-in-error"],
        "period": PERIODS,
        "category": [in_words(["safety"])],
    },
    "Procedure": {
        "code": [
            coded("http://www.ama-assn.org/go/cpt", "96365"),
            {"text": "IV ketamine infusion"},
            {"text": "appendectomy"},
        ],
        "status": ["completed", "not-done"],
        "performedDateTime": DATES,
        "performedPeriod": PERIODS,
        "reasonCode": [in_words(["suicidal ideation"])],
        "note": NOTES,
    },
    "Goal": {
        "description": in_words(GOALS),
        "lifecycleStatus": ["active", "completed", "cancelled"],
        "target": [[{"measure": {"text": "steps"}, "dueDate": "2026-13-01"}]],
        "note": NOTES,
    },
    "Patient": {
        "birthDate": DATES,
        "gender": ["female", "male", "other", "unknown"],
        "deceasedBoolean": [False],
        "_deceasedDateTime": [None],
        "extension": [
            [{"url": "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex", "valueCode": code}]
            for code in ("F", "UNK")
        ],
        "maritalStatus": [{"text": "divorced"}],
    },
}
"""What may stand in a resource of each kind, without what all of them have."""
_ALWAYS = {"Observation": "code", "QuestionnaireResponse": "item", "FamilyMemberHistory": "condition"}
_DOSAGES = {"MedicationStatement": "dosage", "MedicationRequest": "dosageInstruction"}


def resource(random: Random, kind: str, pair: tuple[str, ...], dose: tuple[str, ...] | None = None) -> Json:
    """A resource in which these elements meet; of a medicine with these in its dosage, or with any."""
    fields, always = RESOURCES[kind], _ALWAYS.get(kind)
    made = drawn(random, fields, pair, (always,) if always and always not in pair else ())
    made = {name: _made(random, value) for name, value in made.items()}
    made |= made.pop("value", {})
    if kind in _DOSAGES:
        if not made.keys() & {"medicationCodeableConcept", "medicationReference"}:
            made["medicationCodeableConcept"] = random.choice(DRUGS)
        if dose or random.random() < 0.5:
            made[_DOSAGES[kind]] = [drawn(random, DOSAGE, dose) if dose else dosage(random)]
            made[_DOSAGES[kind]] += [dosage(random)] * (random.random() < 0.2)
    about = (
        {} if kind == "Patient" else {"patient" if kind in ("AllergyIntolerance", "FamilyMemberHistory") else "subject": OWN}
    )
    return {"resourceType": kind, "id": "p" if kind == "Patient" else "r", **about, **made}


def _made(random: Random, value: Any) -> Any:
    """A value, or several that are drawn."""
    draw: Callable[[Random], Json] | None = value if callable(value) else None
    return [draw(random) for _ in range(random.choice([1, 2, 3]))] if draw else value


def crossed_resources(seed: int, rounds: int = 1) -> Iterator[Crossing]:
    """Bundles in which every two elements of every kind of resource meet: the same for the same seed."""
    random = Random(seed)  # noqa: S311 - nothing is kept secret by it
    for _ in range(rounds):
        for kind, fields in RESOURCES.items():
            for pair in combinations(fields, 2):
                yield Crossing(kind, pair, _record(random, [resource(random, kind, pair)]))
        for kind in _DOSAGES:
            for dose in combinations(DOSAGE, 2):
                two = tuple(random.sample(list(RESOURCES[kind]), 2))
                yield Crossing(kind, dose, _record(random, [resource(random, kind, two, dose)]))
        for kinds in combinations(RESOURCES, 2):
            made = [resource(random, kind, tuple(random.sample(list(RESOURCES[kind]), 2))) for kind in kinds]
            yield Crossing("Bundle", kinds, _record(random, made))


def _record(random: Random, resources: list[Json]) -> Json:
    """A record of one patient with these resources, in which both lists are there."""
    whole: list[Json] = [
        {"resourceType": "Patient", "id": "p", "birthDate": "1980-02-29", "gender": "female"},
        statement("v", "vitamin D")["resource"],
        problem("c", "GERD")["resource"],
    ]
    persons = [one for one in resources if one["resourceType"] == "Patient"]
    found = [*(persons[:1] or whole[:1]), *whole[1:], *(one for one in resources if one["resourceType"] != "Patient")]
    entries: list[Json] = [{"resource": one} for one in found]
    if random.random() < 0.1:
        entries = [
            {"fullUrl": f"https://ehr.example.org/fhir/{one['resourceType']}/{one['id']}", "resource": one} for one in found
        ]
    return bundle(*entries) | ({} if random.random() < 0.8 else {"timestamp": AT[:10] + "T23:59:59+14:00"})
