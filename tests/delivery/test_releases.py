"""One version stands in all places that name it, and the page about versions says what the contract says."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from datetime import date
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
RELEASES = (ROOT / "CONTRIBUTING.md").read_text().partition("\n## Releases\n")[2]
POLICY = (ROOT / "docs" / "versions.md").read_text()


def entries(part: str) -> list[tuple[str, str]]:
    """Each version of a part of the changelog with the day of its release, or the word unreleased, the newest first."""
    found = re.findall(r"^### (\S+), (\S+)$", CHANGELOG.partition(f"\n## {part}\n")[2].partition("\n## ")[0], re.MULTILINE)
    return [(version, day) for version, day in found]


def test_one_version_stands_in_every_place_that_names_it() -> None:
    contract = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    assert contract["info"]["version"] == VERSION
    assert yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["careplan"]["image"] == f"careplan:{VERSION}"
    for folder in ("base", "clinic"):
        (image,) = yaml.safe_load((ROOT / "deploy" / folder / "kustomization.yaml").read_text())["images"]
        assert image["newTag"] == VERSION
    assert f"ARG SERVICE=careplan:{VERSION}\n" in (ROOT / "deploy" / "own-rules" / "Dockerfile").read_text()
    assert entries("Code")[0][0] == VERSION


def test_the_rulebook_has_the_version_of_its_newest_entry() -> None:
    about = yaml.safe_load((ROOT / "rules" / "rulebook.yaml").read_text())
    assert entries("Rules")[0][0] == about["version"]


@pytest.mark.parametrize("part", ["Code", "Rules"])
def test_only_the_newest_entry_may_have_no_day_yet_and_days_do_not_go_back(part: str) -> None:
    (_, newest), *others = entries(part)
    days = [date.fromisoformat(day) for _, day in others]
    if newest != "unreleased":
        days.insert(0, date.fromisoformat(newest))
    assert days == sorted(days, reverse=True)


def test_what_is_tagged_has_a_day_in_the_changelog() -> None:
    listed = subprocess.run(["git", "tag", "--list"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    dated = {f"v{version}" for version, day in entries("Code") if day != "unreleased"}
    dated |= {f"rules-{version}" for version, day in entries("Rules") if day != "unreleased"}
    assert {tag for tag in listed if re.match(r"(v|rules-)\d", tag)} <= dated


def test_the_recipe_finds_the_words_of_a_release_in_the_changelog() -> None:
    (command,) = re.findall(r'git tag --sign (\S+) --message "\$\((.*)\)"', RELEASES)
    tag, words = command
    version = tag.removeprefix("v")
    assert re.search(rf"^### {re.escape(version)}, ", CHANGELOG, re.MULTILINE)
    said = subprocess.run(["bash", "-c", words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.strip().startswith("- ")
    assert "## Rules" not in said


def test_what_the_recipe_runs_are_targets_and_programs_that_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make ([a-z]+)`", RELEASES)) <= targets
    assert all((ROOT / name).exists() for name in re.findall(r"`(scripts/\w+)`", RELEASES))


def test_what_the_policy_calls_closed_is_closed_in_the_contract() -> None:
    schemas = json.loads((ROOT / "openapi" / "openapi.json").read_text())["components"]["schemas"]
    closed = {
        name
        for schema in schemas.values()
        for name, field in schema.get("properties", {}).items()
        if "enum" in field or "enum" in schemas.get(field.get("$ref", "").rpartition("/")[2], {})
    }
    (line,) = re.findall(r"contract does not close: (.*?) and the other fields", POLICY, re.DOTALL)
    named = re.findall(r"`(\w+)`", line)
    assert named
    assert set(named) <= closed


def test_the_policy_says_of_deprecated_things_what_the_contract_says() -> None:
    contract = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    deprecated = json.dumps(contract).count('"deprecated": true')
    assert ("Nothing is deprecated now." in POLICY) == (deprecated == 0)
