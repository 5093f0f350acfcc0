"""Shared counts stand in for a part of the metrics library that is no public interface: so one version of it.

Look through what a metric does with `values.ValueClass` in a new version; then raise the pin and `LOOKED_THROUGH`.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

from prometheus_client import metrics, values

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
