"""Alarms, dashboard and the manual speak of counts that the service has, by labels that these have."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from careplan.web.app import known
from careplan.web.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
MONITORING = ROOT / "deploy" / "monitoring"
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
ALARMS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((MONITORING / "alarms.yaml").read_text())["spec"]["groups"] for rule in group["rules"]
]
MANUAL = (ROOT / "docs" / "operations.md").read_text().partition("\n## What is counted")[2].partition("\n## ")[0]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count"), "gauge": ("",)}
FROM_THE_CLUSTER = {"namespace", "pod"}
"""Labels that Prometheus adds to whatever it asks of a pod."""


def exported() -> dict[str, set[str]]:
    """The names of all series that the service has, each with its labels."""
    found: dict[str, set[str]] = {}
    for entry in vars(Metrics()).values():
        if isinstance(entry, MetricWrapperBase):
            (family,) = entry.describe()
            for suffix in SUFFIXES[family.type]:
                labels = {*entry._labelnames, *({"le"} if suffix == "_bucket" else ())}
                found[f"{family.name}{suffix}"] = labels | FROM_THE_CLUSTER
    for family in known(1):
        for sample in family.samples:
            found[sample.name] = {*sample.labels} | FROM_THE_CLUSTER
    return found


SERIES = exported()


def questions() -> Iterator[tuple[str, str]]:
    """Every question to Prometheus, with the name of the alarm or panel that asks it."""
    for rule in ALARMS:
        yield rule["alert"], rule["expr"]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]


ASKED = dict(questions())


def series_in(text: str) -> set[str]:
    return set(re.findall(r"\bcareplan_[a-z_]+\b", text))


def test_the_service_counts_something() -> None:
    assert len(SERIES) > 15
    assert "careplan_requests_total" in SERIES


@pytest.mark.parametrize("name", ASKED)
def test_each_question_is_about_counts_and_labels_that_there_are(name: str) -> None:
    asked = ASKED[name]
    used = series_in(asked)
    assert used
    assert used <= SERIES.keys()
    for series, matched in re.findall(r"(careplan_[a-z_]+)\{([^}]*)\}", asked):
        assert set(re.findall(r"(\w+)(?:=|!)", matched)) <= SERIES[series]
    grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", asked) for label in group.split(",")}
    assert all(grouped <= SERIES[series] for series in used)
    if "histogram_quantile" in asked:
        assert "le" in grouped


@pytest.mark.parametrize("name", ASKED)
def test_each_question_is_well_formed(name: str) -> None:
    asked = re.sub(r'"[^"]*"', '""', ASKED[name])
    for left, right in ("()", "{}", "[]"):
        assert asked.count(left) == asked.count(right)
    for series in series_in(asked):
        if series.endswith(("_total", "_bucket")):
            inside = re.findall(rf"(\w+)\({series}(?:\{{[^}}]*\}})?\[\d+[smhd]\]", asked)
            assert inside and set(inside) <= {"rate", "increase"}, "what only grows is asked for its growth"


def test_what_a_legend_or_a_message_fills_in_is_a_label_that_the_question_keeps() -> None:
    told = [(panel["targets"], [target["legendFormat"] for target in panel["targets"]]) for panel in DASHBOARD["panels"]]
    for targets, legends in told:
        for target, legend in zip(targets, legends, strict=True):
            for label in re.findall(r"\{\{(\w+)\}\}", legend):
                assert re.search(rf"by \([^)]*\b{label}\b", target["expr"])
    for rule in ALARMS:
        for label in re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())):
            assert re.search(rf"by \([^)]*\b{label}\b", rule["expr"])


def test_the_manual_names_every_count_and_no_other() -> None:
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in SERIES}
    rows = {name for line in MANUAL.splitlines() if line.startswith("| `") for name in series_in(line.split("|")[1])}
    assert rows == families


def test_panels_have_ids_of_their_own_and_do_not_lie_on_each_other() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    places: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        covered = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not covered & places
        places |= covered


def test_every_alarm_says_what_to_do() -> None:
    for rule in ALARMS:
        assert rule["annotations"]["description"].endswith(".")
        assert rule["annotations"]["summary"] != rule["annotations"]["description"]
