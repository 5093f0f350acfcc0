"""The OpenAPI document, completed where the framework's own leaves out what the structs say.

Litestar drops `additionalProperties: false`, struct docstrings and defaults, so the named schemas are replaced by those
that msgspec makes; problem documents, examples and links are added in the same place.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Litestar
from litestar.openapi.datastructures import ResponseSpec

from careplan.errors import Fault
from careplan.intake import patient_schema
from careplan.plan import CarePlan
from careplan.reading import RuleDetail
from careplan.rulebook.model import Rulebook
from careplan.web.problems import PROBLEM_JSON, Problem

Json = dict[str, Any]

PROBLEMS: Mapping[int, str] = {
    400: "The request cannot be read.",
    404: "There is no such thing.",
    413: "The body is larger than this service takes.",
    415: "The body is not declared as application/json.",
    422: "The body is JSON, but not a patient; every fault is named by JSON Pointer.",
    500: "The service failed; nothing of the request is repeated.",
    503: "The service is not ready.",
}


def documented(problems: Mapping[int, str], *statuses: int) -> dict[int, ResponseSpec]:
    """The error answers of an endpoint, as problem documents."""
    return {
        status: ResponseSpec(Problem, description=problems[status], media_type=PROBLEM_JSON, generate_examples=False)
        for status in statuses
    }


def document(app: Litestar, book: Rulebook, examples: Mapping[str, Json]) -> Json:
    """The OpenAPI 3.1 document of a built app, with these request bodies as examples."""
    found: Json = msgspec.json.decode(msgspec.json.encode(app.openapi_schema.to_schema()))
    from careplan.web import health, reference

    _, patient = patient_schema(book.conditions, book.classes)
    structs = (
        CarePlan,
        Problem,
        Fault,
        reference.Medicines,
        reference.Conditions,
        reference.RulebookSummary,
        reference.Rules,
        RuleDetail,
        health.Alive,
        health.Ready,
    )
    _, answers = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    schemas = _referring(patient) | {name: _answer(schema) for name, schema in answers.items()}
    for schema in schemas.values():
        if "description" in schema:  # docstrings keep their indentation before Python 3.13
            schema["description"] = inspect.cleandoc(schema["description"])
    found["components"]["schemas"] = dict(sorted(schemas.items()))
    _tidy(found)
    body = found["paths"]["/v1/care-plans"]["post"]["requestBody"]
    body["required"] = True
    body["description"] = "The factors of one patient. An empty object is a patient of whom nothing is known yet."
    body["content"]["application/json"]["examples"] = {
        name: {"summary": name.replace("-", " "), "value": value} for name, value in sorted(examples.items())
    }
    _link(found)
    return found


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
