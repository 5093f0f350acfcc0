"""The OpenAPI document, completed where the framework's own leaves out what the structs say.

Litestar drops `additionalProperties: false`, struct docstrings and defaults, so the named schemas are replaced by those
that msgspec makes; problem documents, examples and links are added in the same place.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from careplan.decision_record import DecisionRecord
from careplan.errors import Fault, Problem
from careplan.explain.counterfactual import WhatWouldChange
from careplan.explain.rule_view import RuleDetail
from careplan.media_types import FHIR_JSON, PROBLEM_JSON
from careplan.plan.layers import PlanInBrief
from careplan.plan.model import CarePlan
from careplan.plan.protocol_model import StandingProtocol
from careplan.plan.session_sheet_model import SessionSheet
from careplan.representations import FORMATS, PROTOCOL_FORMATS
from careplan.request.decode import PARTS_OF_PREVIOUS, patient_schema
from careplan.request.measurements import MeasureForm
from careplan.request.what_if_request import WhatIf, WhichChange
from careplan.rulebook.certificate import Certificate
from careplan.rulebook.model import Condition, DrugClass
from careplan.signing.model import SignedPlan, SigningKeys, ToSign
from careplan.web.openapi.cds_schemas import CDS_SCHEMAS
from careplan.web.problem_responses import PROBLEMS
from careplan.web.routes import cds_hooks, health, reference, what_if
from careplan.whole_patterns import publish
from careplan.zones import ZONES

Json = dict[str, Any]


def document(
    app: Litestar,
    conditions: Mapping[str, Condition],
    classes: Mapping[str, DrugClass],
    measures: Mapping[str, MeasureForm],
    examples: Mapping[str, Json],
) -> Json:
    """The OpenAPI 3.1 document of a built app: with the tokens and measures of requests, and these examples."""
    found: Json = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    _, patient = patient_schema(conditions, classes, measures)
    _units_as_patterns(patient)
    structs = (
        CarePlan,
        PlanInBrief,
        Problem,
        Fault,
        reference.Medicines,
        reference.Conditions,
        reference.RulebookSummary,
        Certificate,
        reference.Rules,
        RuleDetail,
        health.Alive,
        health.Ready,
        cds_hooks.Heard,
        what_if.Compared,
        WhatWouldChange,
        DecisionRecord,
        ToSign,
        SignedPlan,
        SigningKeys,
        StandingProtocol,
        SessionSheet,
    )
    _, answers = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    for name in ("Reading", *PARTS_OF_PREVIOUS):  # Of the patient in a decision record, which is described for itself.
        answers.pop(name, None)
    schemas = (
        {name: _answer(schema) for name, schema in answers.items()} | _referring(patient) | _inquiries(_referring(patient))
    )
    # A record goes back as it came. A client that makes an object of its own of it would write it otherwise.
    record = schemas["ToSign"]["properties"]["record"]
    schemas["ToSign"]["properties"]["record"] = {"type": "object", "description": record["description"]}
    for schema in schemas.values():
        if "description" in schema:  # docstrings keep their indentation before Python 3.13
            schema["description"] = inspect.cleandoc(schema["description"])
    schemas |= {"FhirResource": _RESOURCE, "FhirBundle": _BUNDLE} | CDS_SCHEMAS
    found["components"]["schemas"] = dict(sorted(schemas.items()))
    _tidy(found)
    for path in found["paths"].values():
        if "requestBody" in path.get("post", {}):
            path["post"]["requestBody"]["required"] = True
    body = found["paths"]["/v1/care-plans"]["post"]["requestBody"]
    body["description"] = "The factors of one patient. An empty object is a patient of whom nothing is known yet."
    body["content"]["application/fhir+json"] = {"schema": {"$ref": "#/components/schemas/FhirBundle"}}
    body["content"]["application/json"]["examples"] = {
        name: {"summary": name.replace("-", " "), "value": value} for name, value in sorted(examples.items())
    }
    _secure(found, app)
    _link(found)
    _views(found)
    for parameter in found["paths"]["/v1/care-plans"]["post"]["parameters"]:
        if parameter["name"] == "zone":
            parameter["schema"]["enum"] = list(ZONES)
    publish(found)
    return found


_SPECIAL = re.compile(r"[\\^$.*+?()\[\]{}|]")
"""What has a meaning in a pattern. No more is escaped: ECMAScript knows no other escapes in patterns of Unicode."""


def _units_as_patterns(patient: Json) -> None:
    """Write units as a pattern: generators make one name of `mm[Hg]` and `mmHg`, and refuse a list that has both."""
    for schema in patient.values():
        unit = schema.get("properties", {}).get("unit", {})
        for alternative in unit.get("anyOf", ()) if schema.get("title", "").endswith("Reading") else ():
            if units := alternative.pop("enum", None):
                escaped = "|".join(_SPECIAL.sub(r"\\\g<0>", unit) for unit in units)
                alternative["pattern"] = f"^({escaped})$"
                alternative["description"] = f"one of {', '.join(units)}"


def _secure(found: Json, app: Litestar) -> None:
    """What each operation needs, as the guard sees it, and the answers of those who refuse."""
    found["components"]["securitySchemes"] = {
        "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token of the configured issuer (OAuth 2 client credentials), or an API key.",
        },
    }
    scopes = {
        handler.operation_id: handler.opt.get("scope")
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
    }
    for path in found["paths"].values():
        for operation in path.values():
            refusals = [408, 413] if "requestBody" in operation else []
            scope = scopes.get(operation["operationId"])
            if scope:
                # The empty one: without configured authentication, on loopback, nothing is needed.
                operation["security"] = [{}, {"apiKey": []}, {"bearer": []}]
                operation["description"] += f" Needs the scope `{scope}` where callers must show who they are."
                refusals += [401, 403, 429]
            elif operation["operationId"] not in _ALWAYS_ANSWERED:
                refusals += [429, 403] if "401" in operation["responses"] else []
            for status in refusals:
                operation["responses"].setdefault(str(status), _problem(status))
            operation["responses"] = dict(sorted(operation["responses"].items()))


_ALWAYS_ANSWERED = frozenset({"getLiveness", "getReadiness"})


def _problem(status: int) -> Json:
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {"description": PROBLEMS[status], "content": {PROBLEM_JSON: problem}}


def _views(found: Json) -> None:
    """The other forms of a plan, and the resources of FHIR, of which only the outline is described here."""
    resource = {"schema": {"$ref": "#/components/schemas/FhirResource"}}
    text, binary = {"schema": {"type": "string"}}, {"schema": {"type": "string", "format": "binary"}}
    answers = found["paths"]["/v1/care-plans"]["post"]["responses"]["200"]["content"]
    bodies = {"fhir": resource, "text": text, "binary": binary}
    answers |= {one.media_type: bodies[one.body] for one in FORMATS if one.body != "json"}
    for status, answer in found["paths"]["/v1/care-plans"]["post"]["responses"].items():
        if int(status) >= 400:
            answer["content"][FHIR_JSON] = resource
    for path, operations in found["paths"].items():
        if path.startswith(("/fhir/", "/cds-services")):
            for operation in operations.values():
                _as_fhir(operation, resource)
    protocol = found["paths"]["/v1/protocol"]["get"]["responses"]["200"]
    protocol["content"] |= {form: bodies[one.body] for form, one in PROTOCOL_FORMATS.items() if one.body != "json"}
    lines = found["paths"]["/v1/care-plans/batch"]["post"]
    forms = ("application/x-ndjson", "application/fhir+ndjson")
    # As a file, since generated clients would send a text as one JSON value, in quotation marks.
    lines["requestBody"] = {"description": "One patient a line.", "content": dict.fromkeys(forms, binary), "required": True}
    lines["responses"]["200"]["content"] = dict.fromkeys(forms, text)
    services = found["paths"]["/cds-services"]["get"]["responses"]["200"]
    services["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/CdsServices"}}}
    for path, body, answer in (
        ("/cds-services/{service}", "CdsCall", "CdsCards"),
        ("/cds-services/{service}/feedback", "CdsFeedback", None),
    ):
        operation = found["paths"][path]["post"]
        operation["requestBody"]["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body}"}}}
        form = {"$ref": f"#/components/schemas/{answer}"} if answer else {"type": "object"}
        operation["responses"]["200"]["content"] = {"application/json": {"schema": form}}


def _as_fhir(operation: Json, resource: Json) -> None:
    """FHIR in and out, errors as OperationOutcome."""
    for status, answer in operation["responses"].items():
        answer["content"] = {FHIR_JSON: resource}
        if status == "503":  # which also comes from what is before the application and knows no FHIR
            answer["content"] |= _problem(503)["content"]
    if "requestBody" in operation:
        bundle = {"schema": {"$ref": "#/components/schemas/FhirBundle"}}
        operation["requestBody"]["content"] = {FHIR_JSON: bundle, "application/json": bundle}


_RESOURCE: Json = {
    "title": "FhirResource",
    "description": "A resource of FHIR R4.",
    "type": "object",
    "properties": {"resourceType": {"type": "string", "minLength": 1, "pattern": "^[A-Z][A-Za-z]*$"}},
    "required": ["resourceType"],
}
_ELEMENTS: Json = {"type": "array", "items": {"type": "object"}}
_BUNDLE: Json = {
    "title": "FhirBundle",
    "description": "A Bundle of FHIR R4 with what is known of one patient.",
    "type": "object",
    "properties": {
        "resourceType": {"const": "Bundle"},
        "id": {},
        "meta": {"type": "object", "properties": {"tag": _ELEMENTS, "security": _ELEMENTS}},
        "implicitRules": {},
        "language": {},
        "identifier": {},
        "type": {"type": "string"},
        "total": {"description": "with more than there are entries, lists are incomplete", "type": "number"},
        "link": _ELEMENTS,
        "signature": {},
        "issues": {},
        "timestamp": {"description": "the day of which the age is counted", "type": "string", "format": "date-time"},
        "entry": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"resource": {"$ref": "#/components/schemas/FhirResource"}},
                "required": ["resource"],
            },
        },
    },
    "required": ["resourceType"],
    "additionalProperties": False,
}


def _inquiries(patient: Mapping[str, Json]) -> dict[str, Json]:
    """The bodies of questions about a plan. A change has the form of a patient in which everything may also be null."""
    _, components = msgspec.json.schema_components((WhatIf, WhichChange), ref_template="#/components/schemas/{name}")
    components["WhatIf"]["properties"]["changes"]["items"] = {"$ref": "#/components/schemas/PatientChange"}
    parts = [field["$ref"].rpartition("/")[2] for field in patient["Patient"]["properties"].values() if "$ref" in field]
    parts += ["Patient", "Protocol"]
    changes = {f"{name}Change": _change(patient[name], parts) for name in parts}
    # A signature covers the figures that were signed: others need their own.
    changes["ProtocolChange"]["properties"]["approved_by"] = patient["Protocol"]["properties"]["approved_by"]["anyOf"][0]
    return changes | {name: components[name] for name in ("WhatIf", "WhichChange")}


def _change(schema: Json, parts: Sequence[str]) -> Json:
    """The merge patch (RFC 7396) of an object: null takes a factor away; a list is replaced as a whole."""
    properties = {}
    for name, field in schema["properties"].items():
        (form, *_) = field.get("anyOf", [{key: value for key, value in field.items() if key != "default"}])
        part = form.get("$ref", "").rpartition("/")[2]
        form = {"$ref": f"#/components/schemas/{part}Change"} if part in parts else form
        properties[name] = {"anyOf": [form, {"type": "null"}]}
    title = f"{schema['title']}Change"
    return schema | {"title": title, "description": _change.__doc__, "properties": properties, "required": []}


def _referring(components: Mapping[str, Json]) -> dict[str, Json]:
    text = msgspec.json.encode(components).replace(b"#/$defs/", b"#/components/schemas/")
    return msgspec.json.decode(text, type=dict[str, Json])


def _answer(schema: Json) -> Json:
    """Answers may grow, so they are not closed; what is always there is required."""
    if "properties" in schema:
        schema["required"] = sorted(
            {name for name, field in schema["properties"].items() if "default" not in field}
            | set(schema.get("required", ()))
        )
    return schema


def _tidy(found: Json) -> None:
    """Take out what the framework invents: unnamed schemas of problem documents, and empty lists."""
    for path in found["paths"].values():
        for operation in path.values():
            for status, answer in operation["responses"].items():
                for media in answer.get("content", {}).values():
                    if int(status) >= 400:
                        media["schema"] = {"$ref": "#/components/schemas/Problem"}
                if not answer.get("headers"):
                    answer.pop("headers", None)
            operation.pop("deprecated", None)
            for parameter in operation.get("parameters", ()):
                parameter.pop("deprecated", None)
                parameter.pop("allowEmptyValue", None)
                parameter.pop("allowReserved", None)
                # What may be left out of a query is not the word null in it.
                choices = [choice for choice in parameter["schema"].pop("oneOf", ()) if choice != {"type": "null"}]
                parameter["schema"] |= choices[0] if choices else {}


def _link(found: Json) -> None:
    """Where an answer leads on: from a rule in the list, or behind an item of a plan, to the rule itself."""
    rule = {"operationId": "getRule", "description": "The rule in full."}
    for path, method, pointer in (
        ("/v1/rules", "get", "/rules/0/id"),
        ("/v1/care-plans", "post", "/decisions/0/item"),
    ):
        found["paths"][path][method]["responses"]["200"]["links"] = {
            "rule": rule | {"parameters": {"rule_id": f"$response.body#{pointer}"}}
        }
