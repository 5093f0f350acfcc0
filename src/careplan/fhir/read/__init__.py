"""Patients read from FHIR R4."""
