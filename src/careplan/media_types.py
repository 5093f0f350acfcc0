"""The names of the types of bodies that several packages know."""

from __future__ import annotations

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
PROBLEM_JSON = "application/problem+json"
