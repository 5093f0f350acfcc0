"""The long run in short: the script that soaks the service works, and memory stays flat over some thousand plans."""

from __future__ import annotations

from bench.soak import soak


def test_a_short_soak_loses_no_request_and_keeps_its_memory() -> None:
    found = soak(plans=600, clients=2, workers=1)
    assert len(found["steps"]) == 10
    assert found["steps"][-1]["plans"] == 600
    assert found["steps"][-1]["megabytes"] - found["warm"]["rss"] < 4
