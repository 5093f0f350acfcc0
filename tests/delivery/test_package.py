"""What the package says of itself is true: its licence, what comes from others, and what editors and commits are held to."""

from __future__ import annotations

import fnmatch
import hashlib
import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
import yaml
from trove_classifiers import classifiers

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NOTICE = (ROOT / "NOTICE").read_text()
HOOKS: list[dict[str, Any]] = [
    hook for repo in yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"] for hook in repo["hooks"]
]


def tracked() -> list[str]:
    """The files of the repository, or of a copy without one."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    return listed.stdout.splitlines() or [str(path.relative_to(ROOT)) for path in (ROOT / "src").rglob("*.py")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    made = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(made, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (file,) = folder.glob("*.whl")
    return zipfile.ZipFile(file)


def test_the_licence_is_the_text_that_apache_publishes() -> None:
    published = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == published
    assert PROJECT["license"] == "Apache-2.0"


def test_a_wheel_carries_every_licence_and_says_which(wheel: zipfile.ZipFile) -> None:
    (metadata,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    said = Parser().parsestr(wheel.read(metadata).decode())
    assert said["License-Expression"] == "Apache-2.0"
    assert said.get_all("License-File") == PROJECT["license-files"]
    folder = metadata.rpartition("/")[0]
    for file in PROJECT["license-files"]:
        assert wheel.read(f"{folder}/licenses/{file}") == (ROOT / file).read_bytes()


def test_classifiers_exist_and_name_no_licence_beside_the_expression() -> None:
    assert set(PROJECT["classifiers"]) <= set(classifiers)
    assert not [entry for entry in PROJECT["classifiers"] if entry.startswith("License ::")]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    assert f"Programming Language :: Python :: {oldest}" in PROJECT["classifiers"]


def test_the_notice_names_every_font() -> None:
    for font in (ROOT / "src" / "careplan" / "formats" / "fonts").glob("*.ttf"):
        assert font.name in NOTICE
    assert "SIL Open Font License 1.1" in NOTICE


def test_the_notice_names_every_source_of_the_wide_vocabulary_with_its_version() -> None:
    table = (
        (ROOT / "rules" / "vocabulary" / "README.md")
        .read_text()
        .partition("## Where they come from")[2]
        .partition("\n## ")[0]
    )
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")][1:]
    packages = [found for row in rows for found in re.findall(r"\[([\w-]+)\]\([^)]*\) ([\d.]+)", row)]
    assert len(packages) >= 4
    assert all(f"{name} {version}" in NOTICE for name, version in packages)
    others = {
        name
        for row in rows
        for name in ("RxNorm", "cqframework", "OHDSI PhenotypeLibrary", "OpenSAFELY", "Synthea")
        if name in row
    }
    assert len(others) == 5
    assert all(name in NOTICE for name in others)


@pytest.mark.parametrize("system", ["snomed", "loinc", "icd10", "rxnorm"])
def test_the_notice_names_each_system_of_codes_that_the_rules_are_written_in(system: str) -> None:
    said = re.sub(r"[ -]", "", NOTICE).lower()
    assert system in said


def test_commits_are_checked_by_what_is_here_and_nothing_is_fetched() -> None:
    repos = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in repos] == ["local"]
    assert [hook["id"] for hook in HOOKS] == ["ruff", "ruff-format", "mypy", "rules"]
    for hook in HOOKS:
        assert hook["language"] == "system"
        program = hook["entry"].split()[0]
        assert program.startswith(".venv/bin/")
        assert (Path(sys.executable).parent / Path(program).name).exists()


def test_a_changed_rule_is_checked_and_changed_code_is_not_taken_for_one() -> None:
    (hook,) = [hook for hook in HOOKS if hook["id"] == "rules"]
    assert hook["entry"].endswith("careplan rules check --strict")
    assert re.search(hook["files"], "rules/route/open-product-and-route-do-not-fit.yaml")
    assert re.search(hook["files"], "rules/vocabulary/more_names.txt")
    assert not re.search(hook["files"], "tests/rules/test_examples.py")


def test_every_text_file_keeps_to_what_editors_are_told() -> None:
    apart = ("rules/list_words.yaml", "rules/vocabulary/*", "tests/golden/*", "*.ttf", "*.png", "*.zst")
    seen = 0
    for name in tracked():
        if any(fnmatch.fnmatch(name, pattern) for pattern in apart) or not (ROOT / name).is_file():
            continue
        text = (ROOT / name).read_bytes().decode()
        seen += 1
        assert "\r" not in text, name
        assert text.endswith("\n") or not text, name
        assert not re.search(r"[ \t]+$", text, re.MULTILINE), name
    assert seen > 100


def test_editors_are_told_the_width_that_the_linter_takes() -> None:
    width = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["line-length"]
    assert f"max_line_length = {width}\n" in (ROOT / ".editorconfig").read_text()
