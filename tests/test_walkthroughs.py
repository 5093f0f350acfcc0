"""What CONTRIBUTING.md shows works as it stands there: tried on a copy, with a format, a factor, a group and their rules."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```(?:python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STRUCTS = "src/careplan/request/patient.py"
WORDS = "rules/vocabulary.yaml"
INSERTIONS: Sequence[tuple[str, str]] = (
    ("src/careplan/formats/outline.py", ""),
    ("src/careplan/representations.py", ')\n"""Every form of a plan.'),
    (STRUCTS, "\n\nclass Support(Body"),
    (WORDS, "measures:\n"),
    (STRUCTS, "class Hold(Body"),
    (STRUCTS, "    clinic: Clinic | None = None\n    clearances"),
    (WORDS, "measures:\n"),
    ("rules/aftercare/caffeine-six-or-more.yaml", ""),
    ("rules/preparation/long-way-home.yaml", ""),
)
"""Where each block of the page goes: the file, and before what in it; nothing for a new file."""

START = "from careplan.cli.start import main; main()"
TRIED = """
import json, sys

from careplan.authoring.synthetic_patients import synthetic
from careplan.fhir.write.definitions import questionnaire
from careplan.media_types import JSON
from careplan.planner import Planner
from careplan.representations import BY_MEDIA_TYPE, Wanted
from careplan.rulebook.load import load, shipped
from careplan.settings import Settings
from careplan.web import app, problems
from careplan.web.negotiation import chosen
from careplan.web.openapi.contract import contract_of

book = load(shipped())
planner = Planner(book)
body = {"lifestyle": {"caffeine_drinks_per_day": 7}, "travel": {"minutes_home": 150}}
patient = planner.intake.decode(json.dumps(body).encode())
plan = planner.plan(patient)
form = BY_MEDIA_TYPE[chosen("text/plain", JSON, BY_MEDIA_TYPE)]
print(json.dumps({
    "planned by": sys.modules["careplan.planner"].__file__,
    "items": [[item.rule.id, item.patient_text] for section in plan.sections for item in section.items],
    "outline": form.written(plan, Wanted(patient=patient)).decode(),
    "not acceptable": problems._DETAILS[406],
    "asked": [one.pointer for one in planner.plan(planner.intake.decode(b"{}")).information_needed],
    "asked as FHIR": json.dumps(questionnaire(book.about.version, book.vocabulary.fields, book.conditions)),
    "made up": [body for body in synthetic([book], 20)],
    "contract": contract_of(app.build(book, Settings()), book),
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with all blocks of the page in their places."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("src", "rules", "examples"):
        copytree(ROOT / name, folder / name, ignore=ignore_patterns("__pycache__"))
    blocks = _BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text())
    for (name, before), block in zip(INSERTIONS, blocks, strict=True):
        path = folder / name
        if before:
            text = path.read_text()
            assert text.count(before) == 1, f"{before!r} should stand once in {name}"
            path.write_text(text.replace(before, block + before))
        else:
            assert not path.exists()
            path.write_text(block)
    return folder


def ran(copy: Path, *arguments: str) -> str:
    tree = os.environ | {"PYTHONPATH": str(copy / "src")}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, env=tree, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_format_a_factor_and_a_group_need_nothing_but_what_the_page_shows(copy: Path) -> None:
    found = json.loads(ran(copy, "-c", TRIED))
    assert found["planned by"].startswith(str(copy))
    items = dict(found["items"])
    assert "about 7 drinks with caffeine" in items["caffeine-six-or-more"]
    assert "about 150 minutes" in items["long-way-home"]
    assert ": Caffeine and sleep\n" in found["outline"]
    assert ": A long way home\n" in found["outline"]
    assert "text/plain" in found["not acceptable"]
    for factor in ("lifestyle.caffeine_drinks_per_day", "travel.minutes_home"):
        kind, _, field = factor.partition(".")
        assert f"/{kind}/{field}" in found["asked"]
        assert f'"linkId": "{factor}"' in found["asked as FHIR"]
        assert any(field in body[kind] for body in found["made up"])
        assert field in found["contract"]["components"]["schemas"][kind.title()]["properties"]
        assert field in found["contract"]["components"]["schemas"][f"{kind.title()}Change"]["properties"]
    plans = found["contract"]["paths"]["/v1/care-plans"]["post"]
    assert "text/plain" in plans["responses"]["200"]["content"]
    assert "PDF, a calendar or an outline" in plans["description"]


@pytest.mark.long
def test_the_rules_of_the_page_pass_their_examples_and_the_rulebook_its_checks(copy: Path) -> None:
    assert "caffeine-six-or-more" in ran(copy, "-c", START, "rules", "show", "caffeine-six-or-more")
    ran(copy, "-c", START, "rules", "check")
    ran(copy, "-c", START, "rules", "test", "caffeine-six-or-more")
    ran(copy, "-c", START, "rules", "test", "long-way-home")


@pytest.mark.long
def test_the_command_line_writes_the_new_format(copy: Path) -> None:
    written = ran(copy, "-c", START, "plan", str(ROOT / "examples" / "daily-benzodiazepine.json"), "--format", "outline")
    assert written.count("\n") > 10
