"""Requests to every address in every form, spoilt at random: extremes of each primitive type in any place of a good body."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
PATIENTS = [json.loads(path.read_bytes()) for path in sorted((ROOT / "tests" / "golden" / "patients").glob("*.json"))]

TIMES = [
    *("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+14:00", "9999-12-31", "0001", "0001-01", "0000-01-01T00:00:00Z"),
    *("2026-02-30", "2026-13-01", "9999-12-31T23:59:59.999999999Z", "1970-01-01T00:00:00Z", "2199-12-31T23:59:59-12:00"),
    *("2026-06-30T23:59:60Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00+99:99", "20260101", "2026-1-1", "2026-W01-1"),
    *("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00", "23:59:60", "P1D"),
    *("2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-02-29", "10000-01-01", "-0001-01-01", "2026-03"),
]
NUMBERS = [
    *(0, -0.0, 1, -1, 1e308, -1e308, 5e-324, 10**400, -(10**400), 2**31, 2**63, -(2**63), 2**64, 1.5, 10**18),
    *(0.1 + 0.2, 7.0, 59.999999, 100, 1e21, 123456789012345678),
]
TEXTS = [
    *(
        "",
        " ",
        "\x00",
        "\x07",
        "\n\n",
        "\t",
        "\u2028",
        "\u202eabc",
        "\ufeff",
        "a" * 3_000,
        "A\u0301" * 50,
        "👩‍👩‍👧",
        "한국어",
        "ไทย",
        "𝕏",
    ),
    *(
        "<script>alert(1)</script>",
        "{{7*7}}",
        "#let x = 1",
        "\\u0000",
        "%s%n%d",
        "../../etc",
        "' OR 1=1",
        "\ud800",
        "\udfff x",
    ),
    *(
        "$[*]",
        "mg/kg",
        "120/80",
        "1-2-3",
        "Xanax 1 mg daily; lithium",
        "&#73; want to die",
        "null",
        "true",
        "NaN",
        "1e999",
        "urn:x",
    ),
    *(
        "http://loinc.org",
        "Patient/a",
        "#a",
        "Patient/" + "a" * 200,
        "?a=b",
        "en-US",
        "http://x/y|1|2",
        "kg.m-2",
        "[",
        "(" * 40,
    ),
]
OTHERS: list[Any] = [None, True, False, [], {}, [[]], [None], {"a": 1}, {"": ""}, [{}], [[[[1]]]]]
ANYTHING = [*TIMES, *NUMBERS, *TEXTS, *OTHERS]
NAMES = [
    "",
    "extension",
    "modifierExtension",
    "id",
    "meta",
    "contained",
    "resourceType",
    "_status",
    "zzz",
    "\x00",
    "a" * 500,
    "$ref",
]


def record() -> Json:
    """A Bundle with every kind of resource that is read, and every primitive type of FHIR somewhere in it."""
    about = {"subject": {"reference": "Patient/a"}}
    loinc = {"system": "http://loinc.org"}
    entries: list[Json] = [
        {"resourceType": "Patient", "id": "a", "birthDate": "1980-02-29", "gender": "female", "deceasedBoolean": False},
        {
            "resourceType": "MedicationStatement",
            "id": "m1",
            "status": "active",
            **about,
            "meta": {"lastUpdated": "2026-01-01T00:00:00Z", "versionId": "3"},
            "effectivePeriod": {"start": "2025-01-01", "end": "9999-12-31T23:59:59-05:00"},
            "medicationCodeableConcept": {"text": "Xanax", "coding": [{"code": "596", "display": "alprazolam"}]},
            "dosage": [
                {
                    "text": "1 mg twice a day",
                    "asNeededBoolean": False,
                    "timing": {
                        "repeat": {
                            "frequency": 2,
                            "period": 1.0,
                            "periodUnit": "d",
                            "count": 30,
                            "dayOfWeek": ["mon"],
                            "boundsPeriod": {"start": "2025-01-01", "end": "2027-01-01"},
                        }
                    },
                    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "mg", "code": "mg"}}],
                    "maxDosePerPeriod": {"numerator": {"value": 4, "unit": "mg"}, "denominator": {"value": 1, "unit": "d"}},
                }
            ],
        },
        {
            "resourceType": "MedicationRequest",
            "status": "active",
            "intent": "order",
            "authoredOn": "2026-02-01",
            **about,
            "medicationReference": {"reference": "Medication/x"},
            "dispenseRequest": {"validityPeriod": {"start": "2026-01-01", "end": "2026-12-31"}},
        },
        {"resourceType": "Medication", "id": "x", "code": {"text": "lithium"}, "ingredient": [{"strength": {}}]},
        {
            "resourceType": "Condition",
            "clinicalStatus": {"coding": [{"code": "active"}]},
            **about,
            "code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}], "text": "Hypertension"},
            "onsetDateTime": "2010-01-01",
            "recordedDate": "2026-01-01",
            "abatementString": "no",
        },
        {"resourceType": "AllergyIntolerance", "code": {"text": "ketamine"}, "patient": {"reference": "Patient/a"}},
        *(
            {
                "resourceType": "Observation",
                "status": "final",
                "effectiveDateTime": "2026-05-01T10:00:00Z",
                **about,
                "code": {"coding": [{**loinc, "code": code}]},
                **value,
            }
            for code, value in (
                ("8480-6", {"valueQuantity": {"value": 120, "unit": "mmHg", "code": "mm[Hg]"}}),
                ("44249-1", {"valueInteger": 12}),
                ("29463-7", {"valueQuantity": {"value": 154.3, "unit": "[lb_av]", "code": "[lb_av]"}}),
                ("2106-3", {"valueCodeableConcept": {"text": "negative"}}),
                ("8634-8", {"valueQuantity": {"value": 430, "code": "ms"}, "issued": "2026-05-01T10:00:00.123Z"}),
            )
        ),
        {
            "resourceType": "QuestionnaireResponse",
            "status": "completed",
            "authored": "2026-05-01",
            **about,
            "questionnaire": "urn:careplan:Questionnaire/intake",
            "item": [
                {"linkId": "age_years", "answer": [{"valueInteger": 40}]},
                {"linkId": "medications", "item": [{"linkId": "medications.name", "answer": [{"valueString": "Xanax"}]}]},
                {"linkId": "goals", "answer": [{"valueString": "walk every day"}]},
                {"linkId": "red_flags.suicidal_thoughts", "answer": [{"valueCoding": {"code": "none"}}]},
                {"linkId": "treatment.session_times", "answer": [{"valueDateTime": "2026-12-08T09:30:00-05:00"}]},
            ],
        },
    ]
    numbered = [{"fullUrl": f"urn:uuid:{at}", "resource": one} for at, one in enumerate(entries)]
    return {"resourceType": "Bundle", "type": "collection", "timestamp": "2026-06-01T00:00:00Z", "entry": numbered}


def call() -> Json:
    """A call of a hook."""
    entry = record()["entry"]
    return {
        "hook": "order-select",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "fhirServer": "https://ehr.example.org/fhir",
        "context": {
            "userId": "Practitioner/x",
            "patientId": "a",
            "encounterId": "e",
            "selections": ["MedicationRequest/o"],
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": entry[2]["resource"] | {"id": "o"}}]},
        },
        "extension": {"careplan.at": "2026-06-01T00:00:00Z"},
        "prefetch": {
            "patient": entry[0]["resource"],
            "statements": {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": entry[1:2]},
            "conditions": {"resourceType": "Bundle", "type": "searchset", "entry": entry[4:5]},
            "requests": None,
        },
    }


class Request(NamedTuple):
    """One request."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


FORMS = ["application/json", "application/fhir+json", "text/html", "text/markdown", "text/calendar"]
FHIR = {"content-type": "application/fhir+json"}
PARAMETERS = {
    "explain": ["none", "full", "record"],
    "at": ["2026-06-01T00:00:00Z"],
    "visit": ["intake", "session_day"],
    "zone": ["America/New_York", "Etc/UTC", "Pacific/Kiritimati"],
    "key": ["course-7"],
    "version": ["3"],
    "details": ["all"],
    "detail": ["front", "standard", "full"],
    "for": ["patient", "clinician"],
    "length": ["card", "full"],
    "paper": ["a4"],
}
READ = [
    *(
        "/v1/rules",
        "/v1/rules/sleep-under-five-hours",
        "/v1/medications?q=xanax",
        "/v1/conditions",
        "/v1/protocol",
        "/fhir/metadata",
    ),
    *(
        "/fhir/Questionnaire/intake",
        "/fhir/PlanDefinition/ketamine-care",
        "/cds-services",
        "/v1/signing-keys",
        "/v1/feedback",
    ),
    *("/livez", "/readyz", "/v1/rulebook", "/rulebook/", "/", "/docs-assets/x", "/metrics"),
]
READ_PARAMETERS = [
    "q",
    "limit",
    "section",
    "level",
    "source",
    "product",
    "sessions_completed",
    "_summary",
    "_elements",
    "_format",
]


def requests(seed: int, signed: Json) -> Iterator[Request]:
    """Requests without end, the same for the same seed. `signed` is a good body of a request to sign."""
    random = Random(seed)  # noqa: S311 - nothing is kept secret by it
    while True:
        yield _one(random, signed)


WORDS = [text for text in TEXTS if text.strip() and text[0].isprintable() and text.isprintable()]
PRINTED = {name: PARAMETERS[name] for name in ("detail", "for", "length", "paper", "zone")}


def prints(seed: int) -> Iterator[Request]:
    """Requests for PDFs without end: most with strange words where words are free, some spoilt anywhere."""
    random = Random(seed)  # noqa: S311 - nothing is kept secret by it
    while True:
        spoilt = random.random() < 0.3
        kind = random.choice(["plan", "plan", "bundle"])
        body = json.loads(json.dumps(random.choice(PATIENTS) if kind == "plan" else record()))
        if kind == "plan":
            named = {"name": random.choice(WORDS)[:150], "schedule": "daily"}
            body["medications"] = [*body.get("medications", []), named][:40]
            body["other_conditions"] = [word[:150] for word in random.sample(WORDS, 2)]
            body.setdefault("expectations", {})["goals"] = [word[:400] for word in random.sample(WORDS, 3)]
        else:
            body["entry"][4]["resource"]["code"] = {"text": random.choice(WORDS)}
            body["entry"][1]["resource"]["medicationCodeableConcept"] = {"text": random.choice(WORDS)}
        written = _bytes(random, body) if spoilt else json.dumps(body).encode()
        chosen = random.sample(list(PRINTED), random.choice([0, 1, 1, 2]))
        target = "/v1/care-plans?" + "&".join(f"{name}={random.choice(PRINTED[name])}" for name in chosen)
        yield Request("POST", target, {"accept": "application/pdf"} | (FHIR if kind == "bundle" else {}), written)


def _one(random: Random, signed: Json) -> Request:
    kind = random.choices(
        ["plan", "bundle", "apply", "hook", "compare", "change", "sign", "batch", "read", "feedback"], _OFTEN
    )[0]
    headers = {"accept": random.choice(FORMS)}
    if kind == "read":
        return _reading(random)
    if kind == "batch":
        lines = [_bytes(random, random.choice([*PATIENTS, record()])) for _ in range(3)]
        return Request("POST", "/v1/care-plans/batch", {"content-type": "application/x-ndjson"}, b"\n".join(lines))
    patient = random.choice(PATIENTS)
    targets: dict[str, tuple[str, Any, dict[str, str]]] = {
        "plan": ("/v1/care-plans", patient, headers),
        "bundle": ("/v1/care-plans", record(), headers | FHIR),
        "apply": (
            random.choice(["/fhir/PlanDefinition/$apply", "/fhir/PlanDefinition/ketamine-care/$apply"]),
            record(),
            FHIR,
        ),
        "hook": ("/cds-services/ketamine-care-plan", call(), {}),
        "compare": ("/v1/care-plans/compare", {"patient": patient, "changes": [random.choice(PATIENTS)]}, {}),
        "change": ("/v1/care-plans/what-would-change", {"patient": patient, "item": "sleep-under-five-hours"}, {}),
        "sign": ("/v1/care-plans/sign", signed, {}),
        "feedback": ("/cds-services/ketamine-care-plan/feedback", _FEEDBACK, {}),
    }
    target, body, more = targets[kind]
    if kind == "apply" and random.random() < 0.3:
        subject = {"name": "subject", "valueString": "Patient/a"}
        body = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": body}, subject]}
    if kind in ("plan", "bundle"):
        target += _query(random, list(PARAMETERS), PARAMETERS)
    return Request("POST", target, more, _bytes(random, body))


_OFTEN = [30, 20, 20, 10, 4, 1, 2, 4, 15, 4]
_FEEDBACK: Json = {
    "feedback": [
        {
            "card": "d1577c69-dfbe-84ad-8a6d-3e05e953b2ea",
            "outcome": "overridden",
            "overrideReason": {"reason": {"code": "x"}, "userComment": "no"},
            "outcomeTimestamp": "2026-01-01T00:00:00Z",
        }
    ]
}


def _reading(random: Random) -> Request:
    target = random.choice(READ)
    joined = "&" if "?" in target else "?"
    query = _query(random, READ_PARAMETERS, {}).replace("?", joined)
    method = random.choice(["GET", "GET", "GET", "HEAD", "OPTIONS", "DELETE"])
    return Request(method, target + query, {"accept": random.choice([*FORMS, "*/*", "x", "text/*;q=0"])}, b"")


def _query(random: Random, names: list[str], good: dict[str, list[str]]) -> str:
    chosen = random.sample(names, random.choice([0, 0, 1, 1, 2]))
    values = [
        (name, random.choice(good[name]) if name in good and random.random() < 0.6 else str(random.choice(ANYTHING))[:300])
        for name in chosen
    ]
    return "?" * bool(values) + "&".join(f"{name}={quote(value, safe='', errors='replace')}" for name, value in values)


def _bytes(random: Random, body: Json) -> bytes:
    spoilt = json.loads(json.dumps(body))
    for _ in range(random.choice([0, 1, 1, 1, 2, 3, 6])):
        _spoil(random, spoilt)
    written = json.dumps(spoilt, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    if random.random() < 0.05:
        at = random.randrange(len(written) + 1)
        piece = random.choice([b"", b"\x00", b"\xff", b"NaN", b"[", b"}", b",", b'"', b"1e999", b"\xef\xbb\xbf"])
        written = written[:at] + piece + written[at + random.randrange(3) :]
    return written.replace(b"\n", b" ")


def _spoil(random: Random, body: Any) -> None:
    """Change one place, drop it, double it, or put something of another kind beside it."""
    places = list(_places(body))
    if not places:
        return
    holder, key = random.choice(places)
    match random.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder[key:key] = [holder[key]] * random.choice([1, 2, 30])
        case 2 if isinstance(holder, dict):
            holder[random.choice(NAMES)] = deepcopy(random.choice(ANYTHING))
        case 3:
            holder[key] = [holder[key]]
        case _:
            old = holder[key]
            typed: dict[type, list[Any]] = {str: [*TIMES, *TEXTS], int: [*NUMBERS], float: [*NUMBERS]}
            alike = typed.get(type(old), ANYTHING)
            # A copy, so that what is spoilt next in it is not spoilt for all requests after this one.
            holder[key] = deepcopy(random.choice(alike if random.random() < 0.7 else ANYTHING))


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    for key, value in list(part.items() if isinstance(part, dict) else enumerate(part)):
        yield part, key
        if isinstance(value, dict | list):
            yield from _places(value)
