"""The JSON Schema of a rule file, from the types and the language of `when`, for editors that complete and check."""

from __future__ import annotations

from typing import Any

import msgspec

from careplan.rulebook.conditions import COMPARISONS, MOST_KINDS
from careplan.rulebook.factors import Field
from careplan.rulebook.model import Rulebook, RuleFile

Json = dict[str, Any]

FILE = "schema/rule.schema.json"
MODELINE = f"# yaml-language-server: $schema=../{FILE}"
"""The first line of a rule file, by which an editor finds the schema."""


def rule_schema(book: Rulebook) -> Json:
    """The schema of rule files that name the tokens of this rulebook."""
    schema: Json = msgspec.json.schema(RuleFile)
    definitions = schema["$defs"]
    definitions["RuleFile"]["properties"]["when"] = {"$ref": "#/$defs/When"}
    definitions["SourceRef"]["properties"]["source"] = {"enum": sorted(book.sources)}
    tokens = {
        "classes": sorted(book.classes),
        "ingredients": sorted(book.catalogue.ingredients),
        "classes_or_ingredients": [*sorted(book.classes), *sorted(book.catalogue.ingredients)],
        "conditions": sorted(book.conditions),
    }
    for name, values in tokens.items():
        definitions[name] = {"enum": values}
    for kind, described in book.kinds.items():
        if kind != "everyone" and described.fields:
            fields = {
                name: {"description": book.vocabulary.fields[f"{kind}.{name}"].label} | _field(field)
                for name, field in described.fields.items()
            }
            choice = {"type": "array", "minItems": 2, "items": {"$ref": f"#/$defs/{kind}"}}
            definitions[kind] = {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": False,
                "properties": fields | {"any_of": choice},
            }
    definitions["Group"] = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": MOST_KINDS,
        "additionalProperties": False,
        "properties": {kind: {"$ref": f"#/$defs/{kind}"} for kind in book.kinds if kind in definitions},
    }
    alternatives = {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Group"}}
    definitions["When"] = {
        "anyOf": [
            {"const": "everyone"},
            {
                "type": "object",
                "required": ["any_of"],
                "additionalProperties": False,
                "properties": {"any_of": alternatives},
            },
            {"$ref": "#/$defs/Group"},
        ]
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A rule of a care plan rulebook"} | schema


def _field(field: Field) -> Json:
    if field.type == "boolean":
        value: Json = {"type": "boolean"}
        more: list[Json] = []
    elif field.type == "number":
        value = {"type": "number", "minimum": 0, "multipleOf": 0.01}
        bounds = dict.fromkeys(COMPARISONS, value)
        more = [{"type": "object", "minProperties": 1, "additionalProperties": False, "properties": bounds}]
        if field.between:
            return {"anyOf": [{"enum": ["known", "unknown"]}, *more]}
    elif field.type == "tokens":
        value = {"$ref": f"#/$defs/{field.vocabulary}"} if field.vocabulary else {"enum": list(field.tokens)}
        parts = {name: _one_or_more(value) for name in ("all", "not")}
        more = [{"type": "object", "minProperties": 1, "additionalProperties": False, "properties": parts}]
    else:
        value = {"$ref": f"#/$defs/{field.vocabulary}"} if field.vocabulary else {"enum": list(field.tokens)}
        more = []
    if field.type == "tokens":
        return {"anyOf": [*_one_or_more(value)["anyOf"], *more]}
    unknown = {"const": "unknown"}
    negated = {
        "type": "object",
        "required": ["not"],
        "additionalProperties": False,
        "properties": {"not": _one_or_more(value)},
    }
    listed = {"type": "array", "minItems": 1, "items": {"anyOf": [value, unknown]}}
    return {"anyOf": [value, {"enum": ["known", "unknown"]}, listed, negated, *more]}


def _one_or_more(value: Json) -> Json:
    return {"anyOf": [value, {"type": "array", "minItems": 1, "items": value}]}
