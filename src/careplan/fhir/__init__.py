"""FHIR R4: patients read from resources, plans and rulebook written as resources."""
