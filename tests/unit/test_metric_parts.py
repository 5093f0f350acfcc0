"""Shared counts stand in for a part of the metrics library that is no public interface: so one version of it.

Look through what a metric does with `values.ValueClass` in a new version; then raise the pin and `LOOKED_THROUGH`.
"""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from threading import Thread

from prometheus_client import metrics, values

from careplan.web.telemetry.metrics import Metrics
from careplan.web.telemetry.shared_counts import SharedValue

LOOKED_THROUGH = "0.26.0"
PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_the_metrics_library_is_the_version_that_was_looked_through() -> None:
    assert version("prometheus-client") == LOOKED_THROUGH
    assert f"prometheus-client=={LOOKED_THROUGH}" in tomllib.loads(PROJECT.read_text())["project"]["dependencies"]


def test_metrics_look_up_the_class_of_their_numbers_each_time_they_make_one() -> None:
    source = inspect.getsource(metrics)
    assert re.search(r"= values\.ValueClass\(", source)
    assert "import ValueClass" not in source


def test_a_shared_number_can_do_what_a_number_of_one_process_can() -> None:
    theirs = {name for name, part in vars(values.MutexValue).items() if inspect.isfunction(part)}
    assert {name for name in theirs if hasattr(SharedValue, name)} == theirs


def test_plans_are_counted_in_several_threads_while_the_counts_are_handed_over() -> None:
    counts = Metrics()
    plans, threads = 300, 3
    switching = sys.getswitchinterval()

    def plan(thread: int) -> None:
        for at in range(plans):
            counts.planned(0.0, {"every", *(f"rule-{thread}-{at}-{number}" for number in range(5))}, "draft")

    planning = [Thread(target=plan, args=(thread,)) for thread in range(threads)]
    sys.setswitchinterval(1e-6)
    try:
        for one in planning:
            one.start()
        while any(one.is_alive() for one in planning):
            counts.flush()
    finally:
        sys.setswitchinterval(switching)
        for one in planning:
            one.join()
    counts.flush()
    found = counts.registry.get_sample_value
    assert found("careplan_findings_total", {"rule": "every"}) == plans * threads
    assert found("careplan_plans_total", {"status": "draft"}) == plans * threads
