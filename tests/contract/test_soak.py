"""The long run in short: the script that soaks the service works, and memory stays flat over some thousand plans."""

from __future__ import annotations

import pytest
from bench.every_form import every_form
from bench.soak import Met, soak


@pytest.mark.long
def test_a_short_soak_loses_no_request_and_keeps_its_memory() -> None:
    found = soak(plans=600, clients=2, workers=1)
    assert len(found["steps"]) == 10
    assert found["steps"][-1]["plans"] == 600
    assert found["different_patients"] >= 600 + 60  # each step of ten, and one before that is not counted
    assert found["steps"][-1]["megabytes"] - found["warm"]["rss"] < 4


@pytest.mark.long
def test_some_seconds_of_every_form_lose_no_request_and_no_worker() -> None:
    found = every_form(4, clients=2, workers=1, records=True)
    assert found["faults"] == []
    assert found["answers"]["200"] > 0
    assert found["documents"]["printed"] > 0
    assert found["megabytes"]["worker_rss"] < 200


class Repeating:
    """Patients who come again and again."""

    def some(self, count: int) -> list[bytes]:
        return [b'{"age_years":%d}' % (at % 50) for at in range(count)]


def test_a_soak_in_which_a_patient_comes_twice_ends_with_an_error() -> None:
    met = Met(Repeating())  # type: ignore[arg-type]
    assert len(met.some(50)) == len(met) == 50
    with pytest.raises(SystemExit, match="twice"):
        met.some(1)
