"""The code systems that are known, by every address under which clients send them."""

from __future__ import annotations

import re

RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10_CM, ICD9_CM = "http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-9-cm"
ICD10 = (ICD10_CM, "http://hl7.org/fhir/sid/icd-10", "http://fhir.de/CodeSystem/bfarm/icd-10-gm")
_WHO, _GM = ICD10[1], ICD10[2]

_OTHER_ADDRESSES = {
    "hl7.org/fhir/sid/icd-10-us": ICD10_CM,
    "www.cms.gov/medicare/coding/icd10": ICD10_CM,
    "urn:oid:2.16.840.1.113883.6.90": ICD10_CM,
    "icd10cm": ICD10_CM,
    "icd-10-cm": ICD10_CM,
    "urn:oid:2.16.840.1.113883.6.3": _WHO,
    "icd10": _WHO,
    "icd-10": _WHO,
    "fhir.de/codesystem/dimdi/icd-10-gm": _GM,
    "urn:oid:1.2.276.0.76.5.409": _GM,
    "icd-10-gm": _GM,
    "urn:oid:2.16.840.1.113883.6.103": ICD9_CM,
    "terminology.hl7.org/codesystem/icd9cm": ICD9_CM,
    "hl7.org/fhir/sid/icd-9-cm/diagnosis": ICD9_CM,
    "icd9cm": ICD9_CM,
    "icd-9-cm": ICD9_CM,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "sct": SNOMED,
    "snomed": SNOMED,
    "snomed-ct": SNOMED,
    "snomed ct": SNOMED,
    "snomedct": SNOMED,
    "snomedct_us": SNOMED,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "loinc": LOINC,
    "lnc": LOINC,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "rxnorm": RXNORM,
}
"""Further addresses, in small letters and without scheme, version and slash at the end."""
_AS_IT_IS = frozenset({*ICD10, ICD9_CM, SNOMED, LOINC, RXNORM})
_ADDRESSES = _OTHER_ADDRESSES | {one.removeprefix("http://").casefold(): one for one in _AS_IT_IS}
_EDITION = re.compile(r"(snomed\.info/sct)/\d{6,18}(?:/version/\d{8})?")
"""An edition of SNOMED CT, with its date or without: its codes are those of all editions."""
_NATIONAL = re.compile(r"hl7\.org/fhir/sid/icd-10-[a-z]{2}")
"""ICD-10 as one country writes it: the codes of the WHO, and some below them."""
_OID = re.compile(r"\d+(?:\.\d+){4,}")


def system_of(address: str) -> str:
    """The address of a code system as it is known here; another one as it was sent."""
    return address if address in _AS_IT_IS else _written_otherwise(address)


def _written_otherwise(address: str) -> str:
    bare = address.partition("|")[0].strip().casefold().rstrip("/").removeprefix("https://").removeprefix("http://")
    if edition := _EDITION.fullmatch(bare):
        bare = edition[1]
    elif _OID.fullmatch(bare):
        bare = f"urn:oid:{bare}"
    found = _ADDRESSES.get(bare)
    if found is None and _NATIONAL.fullmatch(bare):
        return _WHO
    return found or address
