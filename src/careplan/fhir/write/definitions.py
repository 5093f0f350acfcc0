"""What a FHIR system can ask about the service itself: its abilities, the intake form, the rulebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from careplan.fhir.read.intake_form import LONGEST_GOAL
from careplan.fhir.read.patient_builder import LONGEST_WORDS
from careplan.fhir.read.questionnaire_responses import INTAKE
from careplan.fhir.read.terminology import OWN
from careplan.fhir.write.narrative import with_narrative
from careplan.fhir.write.plan_bundle import PRIORITIES
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.factors import GROUPS, KINDS, LIMITS
from careplan.rulebook.model import Condition, FieldWords, Rulebook

Json = dict[str, Any]

RELEASED = "2026-11-23"
"""The day of this form of the resources below; a resource that names no day is not valid."""


def capability_statement(version: str) -> Json:
    """What the FHIR end point can do."""
    operation = "http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply"
    resource = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "careplan", "version": version},
        "implementation": {"description": "Draft care plans for ketamine clinics"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Nothing is stored: a Bundle of facts in, a Bundle with a draft plan out.",
                "resource": [
                    {
                        "type": "PlanDefinition",
                        "interaction": [{"code": "read"}],
                        "operation": [{"name": "apply", "definition": operation}],
                    },
                    {"type": "Questionnaire", "interaction": [{"code": "read"}]},
                ],
            }
        ],
    }
    return with_narrative(resource)


def plan_definition(book: Rulebook) -> Json:
    """The rulebook: each rule an action, its conditions in words."""
    prose = Prose(book)
    resource = {
        "resourceType": "PlanDefinition",
        "id": book.about.id,
        "url": f"{OWN}rulebook:{book.about.id}",
        "version": book.about.version,
        "name": "KetamineCarePlanRules",
        "title": book.about.title,
        "status": "active" if all(rule.file.status == "active" for rule in book.rules.values()) else "draft",
        "description": book.about.disclaimer,
        "action": [
            {
                "title": rule.title.bare(),
                "description": rule.file.rationale,
                "priority": PRIORITIES[rule.file.level],
                "code": [{"coding": [{"system": f"{OWN}rules", "version": str(rule.file.version), "code": rule.id}]}],
                "documentation": [
                    {"type": "citation", "label": ref.source, "display": f"{book.sources[ref.source].title}; {ref.place}"}
                    for ref in rule.file.sources
                ],
                "condition": [
                    {"kind": "applicability", "expression": {"language": "text/plain", "expression": prose.whole(rule.when)}}
                ],
            }
            for rule in book.in_order()
        ],
    }
    return with_narrative(resource)


def questionnaire(version: str, words: Mapping[str, FieldWords], conditions: Mapping[str, Condition]) -> Json:
    """The intake form: every factor of the request, by its place; a QuestionnaireResponse to it is read back.

    Args:
        version: of the rulebook, whose words these are.
        words: of each factor, by "kind.field".
        conditions: those that can be ticked, by token.

    """
    resource = {
        "resourceType": "Questionnaire",
        "id": "intake",
        "url": INTAKE,
        "version": version,
        "name": "Intake",
        "title": "Intake for a care plan",
        "status": "draft",
        "subjectType": ["Patient"],
        "item": [
            *_groups(words),
            *_conditions(words["conditions"], conditions),
            *_allergies(words),
            *_medications(words),
            *_goals(words["goals"]),
        ],
    }
    return with_narrative(resource)


def _groups(words: Mapping[str, FieldWords]) -> Iterator[Json]:
    for kind in ("patient", *GROUPS):
        items = [
            _item(name if kind == "patient" else f"{kind}.{name}", words[f"{kind}.{name}"], kind, name)
            for name, field in KINDS[kind].fields.items()
            if field.sent
        ]
        if kind == "treatment":
            text = "When are the sessions?"
            items.append({"linkId": "treatment.session_times", "text": text, "type": "dateTime", "repeats": True})
        yield {"linkId": kind, "text": kind.replace("_", " ").capitalize(), "type": "group", "item": items}


def _item(link: str, words: FieldWords, kind: str, name: str) -> Json:
    described = KINDS[kind].fields[name]
    item: Json = {"linkId": link, "text": words.question}
    if described.type == "number":
        limits = LIMITS[f"{kind}.{name}"]
        form = "Integer" if limits.whole else "Decimal"
        value = int if limits.whole else float
        return item | {
            "type": form.lower(),
            "extension": [
                {"url": f"http://hl7.org/fhir/StructureDefinition/{edge}Value", f"value{form}": value(limit)}
                for edge, limit in (("min", limits.least), ("max", limits.most))
            ],
        }
    if described.type == "boolean":
        return item | {"type": "boolean"}
    options = [_option(f"{kind}.{name}", token, words.values.get(token, token)) for token in described.tokens]
    return item | {"type": "choice", "answerOption": options}


def _option(system: str, code: str, display: str) -> Json:
    return {"valueCoding": {"system": f"{OWN}{system}", "code": code, "display": display}}


def _conditions(words: FieldWords, conditions: Mapping[str, Condition]) -> list[Json]:
    options = [_option("conditions", name, entry.patient_label) for name, entry in conditions.items()]
    listed: Json = {"linkId": "conditions", "text": words.question, "type": "choice", "repeats": True}
    return [
        listed | {"answerOption": options},
        {
            "linkId": "other_conditions",
            "text": "Other illnesses or problems, each by itself",
            "type": "string",
            "repeats": True,
        },
        {"linkId": "conditions.none", "text": "None of these, and no others", "type": "boolean"},
    ]


def _allergies(words: Mapping[str, FieldWords]) -> list[Json]:
    """The question for allergies; a rulebook that has no words for it does not ask."""
    if (asked := words.get("allergies")) is None:
        return []
    listed = {"linkId": "allergies", "text": asked.question, "type": "string", "repeats": True, "maxLength": LONGEST_WORDS}
    return [listed, {"linkId": "allergies.none", "text": "No allergies", "type": "boolean"}]


def _medications(words: Mapping[str, FieldWords]) -> list[Json]:
    extension = {"url": "http://hl7.org/fhir/StructureDefinition/minValue", "valueDecimal": 0}
    return [
        {
            "linkId": "medications",
            "text": words["medications"].question,
            "type": "group",
            "repeats": True,
            "item": [
                {"linkId": "medications.name", "text": "Name of the medicine", "type": "string", "maxLength": LONGEST_WORDS},
                {"linkId": "medications.rxcui", "text": "Its RxNorm code, if it is known", "type": "string", "maxLength": 8},
                {
                    "linkId": "medications.dose_mg",
                    "text": "How many milligrams at a time",
                    "type": "decimal",
                    "extension": [extension],
                },
                _item("medications.schedule", words["medicine.schedule"], "medicine", "schedule"),
                _item("medications.indication", words["medicine.indication"], "medicine", "indication"),
            ],
        },
        {"linkId": "medications.none", "text": "No medicines at all", "type": "boolean"},
    ]


def _goals(words: FieldWords) -> list[Json]:
    asked = {"linkId": "expectations.goals", "text": words.question, "type": "string", "repeats": True}
    return [
        asked | {"maxLength": LONGEST_GOAL},
        {"linkId": "expectations.goals.none", "text": "No goals to name", "type": "boolean"},
    ]
