"""The codes by which facts arrive from other systems."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from careplan.rulebook.entries import Entry, Line


class CodeList(Entry, frozen=True, kw_only=True):
    """Codes and names that mean the same. A code of ICD-10 stands for all codes below it."""

    icd10: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()


class ObservationCode(Entry, frozen=True, kw_only=True):
    """How an observation becomes a factor: a number in one of the `units` of its code, times `times`; or one of `values`.

    The numbers of several codes are multiplied. One older than `within_days` says nothing of today, but a value that
    warns does so `warns_for_days`. Values that say only `at_least` how grave something is never make a graver word less.
    """

    factor: str
    loinc: Annotated[tuple[str, ...], Meta(min_length=1)]
    units: dict[str, tuple[str, ...]] = {}
    times: Annotated[float, Meta(gt=0)] = 1
    values: dict[str, CodeList] = {}
    within_days: Annotated[int, Meta(ge=1)] | None = None
    warns_for_days: Annotated[int, Meta(ge=1)] | None = None
    at_least: bool = False


class DiagnosisCode(Entry, frozen=True, kw_only=True):
    """A factor that diagnoses answer, with the diagnoses that give each answer."""

    factor: str
    values: Annotated[dict[str, CodeList], Meta(min_length=1)]


class Codes(Entry, frozen=True, kw_only=True):
    """`codes.yaml`: the codes by which facts arrive from other systems."""

    indications: dict[str, CodeList]
    diagnoses: tuple[DiagnosisCode, ...]
    observations: tuple[ObservationCode, ...]
    allergies: dict[str, CodeList]
    treatments: dict[str, str]
    routes: dict[str, CodeList]
    override_reasons: dict[str, Line]
