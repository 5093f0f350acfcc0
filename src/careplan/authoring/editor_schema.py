"""The JSON Schema of a rule file, from the types and the language of `when`, for editors that complete and check."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from careplan.rulebook.conditions import COMPARISONS, MOST_KINDS
from careplan.rulebook.derived import COUNTED, DATES, RESTS_ON, DerivedFile
from careplan.rulebook.factors import OF_MEASURES, SINGLE, Field
from careplan.rulebook.model import Rulebook, RuleFile

Json = dict[str, Any]

FILE = "schema/rule.schema.json"
MODELINE = f"# yaml-language-server: $schema=../{FILE}"
"""The first line of a rule file, by which an editor finds the schema."""
DERIVED_FILE = "schema/derived.schema.json"
DERIVED_MODELINE = f"# yaml-language-server: $schema=../{DERIVED_FILE}"
"""The same of a file of what is derived."""


def rule_schema(book: Rulebook) -> Json:
    """The schema of rule files that name the tokens of this rulebook."""
    schema: Json = msgspec.json.schema(RuleFile)
    definitions = schema["$defs"]
    definitions["RuleFile"]["properties"]["when"] = {"$ref": "#/$defs/When"}
    definitions["SourceRef"]["properties"]["source"] = {"enum": sorted(book.sources)}
    definitions |= _conditions(book, frozenset(book.kinds))
    return {"$schema": _DIALECT, "title": "A rule of a care plan rulebook"} | schema


def derived_schema(book: Rulebook) -> Json:
    """The schema of files of what is derived, with the tokens of this rulebook."""
    schema: Json = msgspec.json.schema(DerivedFile)
    definitions = schema["$defs"]
    definitions |= _conditions(book, RESTS_ON | COUNTED)
    group = {"$ref": "#/$defs/Group"}
    numbers = sorted(
        f"{kind}.{name}"
        for kind in (*SINGLE, *OF_MEASURES)
        for name, field in book.kinds[kind].fields.items()
        if field.type == "number"
    )
    own = definitions["DerivedFile"]["properties"]
    own["when"] = {"$ref": "#/$defs/When"}
    own["count"] = {"anyOf": [group, {"type": "array", "minItems": 1, "items": group}]}
    own["days_since"] = {"enum": sorted(DATES)}
    compare = definitions["CompareEntry"]
    compare["properties"] |= {name: {"enum": numbers} for name in ("field", *COMPARISONS)}
    compare["oneOf"] = [{"required": [name]} for name in COMPARISONS]
    definitions["DerivedFile"]["oneOf"] = [{"required": [name]} for name in ("when", "compare", "count", "days_since")]
    return {"$schema": _DIALECT, "title": "A derived fact of a care plan rulebook"} | schema


_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _conditions(book: Rulebook, kinds: Collection[str]) -> Json:
    """The definitions of conditions over some kinds of fact."""
    definitions: Json = {}
    tokens = {
        "classes": sorted(book.classes),
        "ingredients": sorted(book.catalogue.ingredients),
        "classes_or_ingredients": [*sorted(book.classes), *sorted(book.catalogue.ingredients)],
        "conditions": sorted(book.conditions),
    }
    for name, values in tokens.items():
        definitions[name] = {"enum": values}
    for kind, described in book.kinds.items():
        if kind != "everyone" and described.fields and kind in kinds:
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
    return definitions


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
