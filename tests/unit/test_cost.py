"""What answers cost against each other, in calls of functions, which are the same on every machine and at every hour."""

from __future__ import annotations

import msgspec
import pytest
from bench.measure import golden_bodies

from careplan.planner import Planner
from tests.everyday import one_in
from tests.work import calls

encode = msgspec.json.Encoder().encode


@pytest.mark.parametrize("body", one_in(8, golden_bodies(), lambda body: f"of {len(body)} bytes"))
def test_a_full_explanation_costs_less_than_twelve_plain_plans(planner: Planner, body: bytes) -> None:
    patient = planner.intake.decode(body)
    plain = calls(lambda: encode(planner.plan(patient)))
    full = calls(lambda: encode(planner.explained(patient)))
    assert full < 12 * plain


@pytest.mark.long
def test_the_explanations_of_all_written_out_patients_cost_less_than_ten_times_their_plans(planner: Planner) -> None:
    patients = [planner.intake.decode(body) for body in golden_bodies()]
    plain = calls(lambda: [encode(planner.plan(patient)) for patient in patients])
    full = calls(lambda: [encode(planner.explained(patient)) for patient in patients])
    assert full < 10 * plain
