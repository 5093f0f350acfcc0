"""The bodies of CDS Hooks 2.0 as JSON Schema, as far as this service reads and writes them."""

from __future__ import annotations

from typing import Any

from careplan.fhir.cds_hooks.services import HOOKS
from careplan.request.patient import TIME

Json = dict[str, Any]

_TEXT: Json = {"type": "string", "minLength": 1}
_PATIENT_ID: Json = {
    "type": "string",
    "pattern": r"^([^\s?#]{1,400}/)?[A-Za-z0-9.\-]{1,64}$",
    "description": "the id of a patient; a reference such as Patient/123 is read as well",
}
_UUID: Json = {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}


def _object(title: str, required: dict[str, Json], optional: dict[str, Json] | None = None, about: str = "") -> Json:
    return {
        "title": title,
        "description": about or title,
        "type": "object",
        "properties": required | (optional or {}),
        "required": sorted(required),
    }


def _list(of: Json) -> Json:
    return {"type": "array", "items": of}


def _needs(*names: str) -> Json:
    """What a call must have in its context. Types and names are repeated, as strict validators ask for in each part."""
    context = {"type": "object", "properties": {name: {} for name in names}, "required": list(names)}
    return {"type": "object", "properties": {"context": context}, "required": ["context"]}


def _is(name: str, value: str) -> Json:
    return {"type": "object", "properties": {name: {"const": value}}, "required": [name]}


def _for_hook(hook: str, then: Json) -> Json:
    return {"if": _is("hook", hook), "then": then}


_BUNDLE: Json = {"$ref": "#/components/schemas/FhirBundle"}
_PREFETCH: Json = {
    "type": "object",
    "description": "The answers to the prefetch templates. null: asked, and there is nothing on record.",
    "properties": {
        name: {"anyOf": [{"$ref": "#/components/schemas/FhirBundle"}, {"type": "null"}]}
        for name in ("statements", "requests", "conditions", "allergies", "observations", "answers")
    }
    | {"patient": {"anyOf": [{"$ref": "#/components/schemas/FhirResource"}, {"type": "null"}]}},
}
_SUGGESTION = _object(
    "CdsSuggestion",
    {
        "label": _TEXT,
        "uuid": _UUID,
        "actions": _list(
            _object(
                "CdsAction",
                {
                    "type": {"enum": ["create"]},
                    "description": _TEXT,
                    "resource": {"$ref": "#/components/schemas/FhirResource"},
                },
            )
        ),
    },
)
_CARD = _object(
    "CdsCard",
    {
        "uuid": _UUID,
        "summary": _TEXT | {"maxLength": 139},
        "detail": _TEXT,
        "indicator": {"enum": ["info", "warning", "critical"]},
        "source": _object(
            "CdsSource",
            {"label": _TEXT},
            {"url": _TEXT, "topic": _object("CdsTopic", {"system": _TEXT, "code": _TEXT}, {"display": _TEXT})},
        ),
    },
    {
        "suggestions": _list(_SUGGESTION),
        "selectionBehavior": {"enum": ["any", "at-most-one"]},
        "overrideReasons": _list(_object("CdsOverrideReason", {"system": _TEXT, "code": _TEXT, "display": _TEXT})),
        "links": _list(_object("CdsLink", {"label": _TEXT, "url": _TEXT, "type": {"enum": ["absolute", "smart"]}})),
    },
)
_OUTCOME = _object(
    "CdsOutcome",
    {
        "card": _UUID,
        "outcome": {"enum": ["accepted", "overridden"]},
        "outcomeTimestamp": {"type": "string", "pattern": TIME},
    },
    {
        "acceptedSuggestions": _list(_object("CdsAccepted", {"id": _UUID})) | {"minItems": 1},
        "overrideReason": {
            "type": "object",
            "properties": {
                "reason": {"type": "object", "properties": {"code": _TEXT}, "required": ["code"]},
                "userComment": {"type": "string"},
            },
        },
    },
) | {
    "if": _is("outcome", "accepted"),
    "then": {"type": "object", "properties": {"acceptedSuggestions": {}}, "required": ["acceptedSuggestions"]},
}


CDS_SCHEMAS: dict[str, Json] = {
    "CdsServices": _object(
        "CdsServices",
        {
            "services": _list(
                _object(
                    "CdsService",
                    {"hook": _TEXT, "id": _TEXT, "title": _TEXT, "description": _TEXT},
                    {"usageRequirements": _TEXT, "prefetch": {"type": "object", "additionalProperties": _TEXT}},
                )
            )
        },
        about="The services of CDS Hooks.",
    ),
    "CdsCall": _object(
        "CdsCall",
        {
            "hook": {"enum": list(HOOKS)},
            "hookInstance": _UUID,
            "context": _object(
                "CdsContext",
                {"patientId": _PATIENT_ID},
                {"userId": {"type": "string"}, "draftOrders": _BUNDLE, "selections": _list({"type": "string"})},
            ),
        },
        {
            "prefetch": _PREFETCH,
            "fhirServer": _TEXT,
            "fhirAuthorization": {"type": "object"},
            "extension": {"type": "object"},
        },
        about="A call of a hook.",
    )
    | {
        "dependentRequired": {"fhirAuthorization": ["fhirServer"]},
        "allOf": [
            _for_hook("order-sign", _needs("draftOrders")),
            _for_hook("order-select", _needs("draftOrders", "selections")),
        ],
    },
    "CdsCards": _object("CdsCards", {"cards": _list(_CARD)}, about="Cards for a clinician."),
    "CdsFeedback": _object("CdsFeedback", {"feedback": _list(_OUTCOME) | {"minItems": 1}}, about="What became of cards."),
}
