"""The types of bodies that have no name of their own in the framework."""

from __future__ import annotations

PROBLEM_JSON = "application/problem+json"


FHIR_JSON = "application/fhir+json"
