"""The names of the types of bodies that several packages know."""

from __future__ import annotations

JSON = "application/json"
FHIR_JSON = "application/fhir+json"
PROBLEM_JSON = "application/problem+json"

FHIR_VERSIONS = frozenset({"4.0", "4.0.1"})
"""The versions of FHIR that are written, as Accept names them."""
READ_VERSIONS = FHIR_VERSIONS | {"4.3", "4.3.0"}
"""Those that are read: R4B has changed nothing of what is read here. Others name medicines and reasons differently."""
