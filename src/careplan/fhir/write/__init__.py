"""Plans and the rulebook as FHIR R4."""
