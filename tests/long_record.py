"""A patient's whole record as systems export it: years of visits, of which little is read."""

from __future__ import annotations

import json
import random
from typing import Any
from uuid import UUID

Json = dict[str, Any]

HL7 = "http://terminology.hl7.org/CodeSystem/"
LABS = (
    ("2339-0", "Glucose", "mg/dL"),
    ("6299-2", "Urea Nitrogen", "mg/dL"),
    ("38483-4", "Creatinine", "mg/dL"),
    ("49765-1", "Calcium", "mg/dL"),
    ("2947-0", "Sodium", "mmol/L"),
    ("6298-4", "Potassium", "mmol/L"),
    ("718-7", "Hemoglobin", "g/dL"),
    ("777-3", "Platelets", "10*3/uL"),
)
VITALS = (("8867-4", "Heart rate", "/min", 72), ("29463-7", "Body weight", "kg", 68), ("8302-2", "Body height", "cm", 168))
MEDICINES = (("308047", "alprazolam 0.25 MG Oral Tablet"), ("314076", "lisinopril 10 MG Oral Tablet"))
_DOCUMENT = {"contentType": "text/plain", "data": "QUJD" * 300}


def long_record(size: int) -> bytes:
    """A record of at least so many bytes."""
    record = _Record()
    visits = 0
    while record.size < size:
        record.visit(visits)
        visits += 1
    return b'{"resourceType":"Bundle","type":"collection","entry":[%s]}' % b",".join(record.entries)


class _Record:
    def __init__(self) -> None:
        self._random = random.Random(7)  # noqa: S311 - the same record each time
        self.entries: list[bytes] = []
        self.size = 0
        self._own = {"reference": self._add("Patient", birthDate="1975-04-02", gender="female", name=[{"family": "Doe"}])}

    def _add(self, kind: str, **members: Any) -> str:
        name = str(UUID(int=self._random.getrandbits(128)))
        resource = {"resourceType": kind, "id": name} | members
        entry = json.dumps({"fullUrl": f"urn:uuid:{name}", "resource": resource}).encode()
        self.entries.append(entry)
        self.size += len(entry) + 1
        return f"urn:uuid:{name}"

    def visit(self, number: int) -> None:
        """Add what one visit leaves behind."""
        chosen = self._random
        day = f"{2005 + number % 20}-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02}T09:{chosen.randint(0, 59):02}:00Z"
        period, own = {"start": day, "end": day}, self._own
        doctor = {"reference": "Practitioner/1", "display": "Dr. Smith"}
        type_ = _concept("http://snomed.info/sct", "162673000", "General examination of patient (procedure)")
        visit = {
            "reference": self._add(
                "Encounter",
                status="finished",
                type=[type_],
                subject=own,
                period=period,
                participant=[{"period": period, "individual": doctor}],
                **{"class": {"system": f"{HL7}v3-ActCode", "code": "AMB"}},
            )
        }
        about: Json = {"subject": own, "encounter": visit}
        for code, name, unit in chosen.sample(LABS, 7):
            self._measured(
                code, name, "laboratory", day, about, valueQuantity=_quantity(chosen.randint(1, 9_999) / 10, unit)
            )
        for code, name, unit, value in VITALS:
            self._measured(code, name, "vital-signs", day, about, valueQuantity=_quantity(value, unit))
        pressures = [
            {"code": _concept("http://loinc.org", code, name), "valueQuantity": _quantity(value, "mm[Hg]")}
            for code, name, value in (("8480-6", "Systolic", 124), ("8462-4", "Diastolic", 80))
        ]
        self._measured("85354-9", "Blood pressure panel", "vital-signs", day, about, component=pressures)
        self._add(
            "Condition",
            clinicalStatus=_concept(f"{HL7}condition-clinical", "resolved", "Resolved"),
            code=_concept("http://snomed.info/sct", "444814009", "Viral sinusitis (disorder)"),
            onsetDateTime=day,
            abatementDateTime=day,
            **about,
        )
        code, name = MEDICINES[number % 2]
        self._add(
            "MedicationRequest",
            status="stopped" if number % 9 else "active",
            intent="order",
            medicationCodeableConcept=_concept("http://www.nlm.nih.gov/research/umls/rxnorm", code, name),
            authoredOn=day,
            dosageInstruction=[{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}],
            **about,
        )
        self._unread(day, type_, own, visit)

    def _measured(self, code: str, name: str, category: str, day: str, about: Json, **value: Any) -> None:
        concepts: Json = {
            "category": [_concept(f"{HL7}observation-category", category, category)],
            "code": _concept("http://loinc.org", code, name),
        }
        self._add("Observation", status="final", effectiveDateTime=day, issued=day, **concepts, **about, **value)

    def _unread(self, day: str, type_: Json, own: Json, visit: Json) -> None:
        period, patient = {"start": day, "end": day}, {"patient": own}
        about: Json = {"subject": own, "encounter": visit}
        self._add("Immunization", status="completed", vaccineCode=type_, occurrenceDateTime=day, **patient)
        self._add("DiagnosticReport", status="final", code=type_, issued=day, presentedForm=[_DOCUMENT], **about)
        self._add("DocumentReference", status="current", type=type_, subject=own, content=[{"attachment": _DOCUMENT}])
        self._add("Procedure", status="completed", code=type_, performedPeriod=period, **about)
        items = [{"sequence": number, "productOrService": type_, "encounter": [visit]} for number in range(3)]
        for _ in range(2):
            self._add("Claim", status="active", use="claim", billablePeriod=period, created=day, item=items, **patient)
        amount = {"amount": {"value": 103.3, "currency": "USD"}}
        adjudicated = [{"category": _concept(f"{HL7}adjudication", f"a{one}", "Line amount")} | amount for one in range(6)]
        contained = [
            {"resourceType": "ServiceRequest", "id": "referral", "status": "completed", "intent": "order", "subject": own},
            {"resourceType": "Coverage", "id": "coverage", "status": "active", "beneficiary": own},
        ]
        lines = [item | {"servicedPeriod": period, "adjudication": adjudicated} for item in items]
        self._add("ExplanationOfBenefit", status="active", created=day, contained=contained, item=lines, **patient)


def _concept(system: str, code: str, display: str) -> Json:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _quantity(value: float, unit: str) -> Json:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
