"""Parts of a resource, as `_summary` and `_elements` of FHIR ask for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Json = dict[str, Any]
Summary = Literal["true", "false", "text", "data"]

_KEPT = frozenset({"resourceType", "id", "meta", "implicitRules", "language"})
_NEEDED: Mapping[str, frozenset[str]] = {
    "CapabilityStatement": frozenset({"status", "date", "kind", "fhirVersion", "format"}),
    "PlanDefinition": frozenset({"status"}),
    "Questionnaire": frozenset({"status"}),
}
"""What a resource of a type is not valid without."""
_NOT_IN_SUMMARY: Mapping[str, frozenset[str]] = {
    "CapabilityStatement": frozenset({"text"}),
    "PlanDefinition": frozenset({"text", "action", "relatedArtifact", "goal", "library"}),
    "Questionnaire": frozenset({"text", "item"}),
}
_TAG = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


def part_of(resource: Json, summary: Summary | None, elements: str | None) -> Json:
    """The resource, or as much of it as is asked for, then marked as a part. `elements` are names parted by commas."""
    kind = resource["resourceType"]
    names = {name.strip() for name in (elements or "").split(",") if name.strip()}
    if names:
        wanted = names | _NEEDED[kind] | _KEPT
    elif summary == "text":
        wanted = {"text"} | _NEEDED[kind] | _KEPT
    elif summary in ("true", "data"):
        wanted = resource.keys() - (_NOT_IN_SUMMARY[kind] if summary == "true" else {"text"})
    else:
        return resource
    part = {name: value for name, value in resource.items() if name in wanted}
    meta = part.pop("meta", {})
    tags = [*meta.get("tag", ()), _TAG]
    return {"resourceType": kind, "meta": meta | {"tag": tags}, **part}
