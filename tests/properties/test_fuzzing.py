"""Whatever bytes come in, a patient comes out or the names of their faults, and the faults repeat nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from careplan.errors import InvalidPatient
from careplan.fhir.read.bundle import FhirReader
from careplan.planner import Planner
from careplan.request.patient import Patient
from tests.shipped import reader_of
from tests.work import counted

CASES = int(os.environ.get("CAREPLAN_TEST_BODIES", "100"))
SEEDS = [path.read_bytes() for path in sorted((Path(__file__).parents[1] / "golden" / "patients").glob("*.json"))]
SPLICES = [
    *(
        b"NaN",
        b"-Infinity",
        b"1e999999",
        b"-0",
        b"9" * 400,
        b'"\\ud800"',
        b"null",
        b"[[[[",
        b"]",
        b"{",
        b"}",
        b"\xff",
        b"\x00",
    ),
    *(b",", b'"', b"\\u0000", b"[]", b"{}", b"true", b'"iv"', b"\xef\xbb\xbf", b"/**/", b'"medications":', b'"age_years":'),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good body with pieces cut out, doubled, moved or put in."""
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 6))):
        start, end = sorted(draw(st.tuples(st.integers(0, len(body)), st.integers(0, len(body)))))
        piece = draw(st.one_of(st.just(b""), st.sampled_from(SPLICES), st.binary(max_size=8), st.just(body[start:end] * 2)))
        body = body[:start] + piece + body[end if draw(st.booleans()) else start :]
    return body


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=CASES)
@given(mutated() | st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b"[" * 200_000)
@example(b'{"a":' * 200_000)
def test_any_bytes_give_a_patient_or_faults(planner: Planner, body: bytes) -> None:
    try:
        patient = planner.intake.decode(body)
    except InvalidPatient as error:
        assert error.faults
        assert all(fault.detail for fault in error.faults)
    else:
        assert isinstance(patient, Patient)
        assert planner.plan(patient).requires_clinician_review


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"medications":['])
def test_a_body_that_goes_ever_deeper_keeps_no_worker_busy(planner: Planner, opening: bytes) -> None:
    with counted() as work, pytest.raises(InvalidPatient):
        planner.intake.decode(opening * 200_000)
    assert work.count < 1_000


@pytest.fixture(scope="module")
def reader(planner: Planner) -> FhirReader:
    return reader_of(planner)


@settings(max_examples=CASES)
@given(mutated() | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_give_a_bundle_or_faults(planner: Planner, reader: FhirReader, body: bytes) -> None:
    try:
        reader.read(planner.intake.parse(body))
    except InvalidPatient as error:
        assert error.faults
