"""The standing protocol as a document of its own: what plans cite is what it says, in every form."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from careplan.authoring.realistic_patients import realistic
from careplan.cli.main import main
from careplan.plan.protocol_model import StandingProtocol
from careplan.planner import Planner
from careplan.representations import PROTOCOL_FORMATS, Wanted
from careplan.request.clinic import Clinic
from careplan.request.patient import ClinicDefaults, Hold, Patient, Protocol, Treatment

SIGNED = Protocol(solid_food_hours=7, driving_hours=30, observation_minutes=150, approved_by="Dr. A. Example, MD")
HOLD = Hold(drug_class="benzodiazepine", before_hours=11, after_hours=3, approved_by="Dr. B. Example, MD")
NAME = "Clinic <b>*x*</b> & [y](z)"
DEFAULTS = ClinicDefaults(msgspec.structs.replace(SIGNED, holds=[HOLD]), Clinic(name=NAME))

figures = st.none() | st.integers(1, 12)
treatments = st.builds(
    Treatment,
    product=st.sampled_from([None, "racemic", "esketamine"]),
    sessions_completed=st.none() | st.integers(0, 40),
    sessions_planned=st.none() | st.integers(1, 40),
)
protocols = st.none() | st.builds(
    Protocol,
    solid_food_hours=figures,
    clear_fluid_hours=figures,
    observation_minutes=st.none() | st.integers(1, 600),
    driving_hours=st.none() | st.integers(1, 90),
    holds=st.sampled_from([[], [HOLD]]),
    approved_by=st.just("Dr. A. Example, MD"),
)


def words(text: str) -> str:
    return re.sub(r"\s+", "", text)


def written(made: StandingProtocol, form: str) -> str:
    content = PROTOCOL_FORMATS[form].written(made, Wanted(patient=Patient()))
    if form == "application/pdf":
        return "".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages)
    return content.decode()


@settings(max_examples=60)
@given(data=st.data(), treatment=treatments, protocol=protocols)
def test_every_plan_of_a_product_and_stage_cites_the_digest_of_their_protocol(
    planner: Planner, data: st.DataObject, treatment: Treatment, protocol: Protocol | None
) -> None:
    made = planner.protocol(treatment, ClinicDefaults(protocol, None))
    body = data.draw(st.sampled_from(PEOPLE(planner)))
    patient = msgspec.structs.replace(planner.intake.convert(body), protocol=protocol)
    also = {name: getattr(treatment, name) for name in ("product", "sessions_completed", "sessions_planned")}
    patient = msgspec.structs.replace(patient, treatment=msgspec.structs.replace(patient.treatment, **also))
    plan = planner.plan(patient)
    assert plan.standing.digest == made.digest
    assert plan.standing.version == made.version
    assert plan.standing.items == {item.id: item.title for section in made.sections for item in section.items}


_people: list[Any] = []


def PEOPLE(planner: Planner) -> list[Any]:  # noqa: N802 - made once, as the rulebook is
    if not _people:
        _people.extend(realistic(planner.book, 120, 5))
    return _people


@pytest.mark.parametrize(
    "other",
    [
        {"product": "esketamine"},
        {"sessions_completed": 5},
        {"protocol": msgspec.structs.replace(SIGNED, driving_hours=31)},
        {"protocol": msgspec.structs.replace(SIGNED, approved_by="Dr. B. Example, MD")},
    ],
)
def test_another_product_stage_or_figure_is_another_protocol(planner: Planner, other: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"product": "racemic", "sessions_completed": 0, "protocol": SIGNED}

    def digest(chosen: dict[str, Any]) -> str:
        treatment = Treatment(product=chosen["product"], sessions_completed=chosen["sessions_completed"])
        return planner.protocol(treatment, ClinicDefaults(chosen["protocol"], None)).digest

    assert digest(usual) == digest(dict(usual))
    assert digest(usual) != digest(usual | other)


def test_the_protocol_has_the_figures_of_the_clinic_with_who_signed_them(planner: Planner) -> None:
    made = planner.protocol(Treatment(product="racemic", sessions_completed=2), DEFAULTS)
    assert {figure.name: figure.value for figure in made.figures} == {
        "solid_food_hours": 7,
        "observation_minutes": 150,
        "driving_hours": 30,
    }
    assert {figure.approved_by for figure in made.figures} == {"Dr. A. Example, MD"}
    assert [(hold.drug_class, hold.approved_by) for hold in made.holds] == [("benzodiazepine", "Dr. B. Example, MD")]
    assert made.stage.words == "after 2 sessions"


def test_a_figure_that_cannot_be_meant_is_marked_and_stands_in_no_text_for_patients(planner: Planner) -> None:
    slip = msgspec.structs.replace(SIGNED, solid_food_hours=67)
    made = planner.protocol(Treatment(product="racemic"), ClinicDefaults(slip, None))
    assert [figure.name for figure in made.figures if figure.doubtful] == ["solid_food_hours"]
    assert not any("67" in item.patient_text for section in made.sections for item in section.items)
    assert "67 (to be checked: no patient reads it)" in written(made, "text/html")


def test_each_source_of_an_item_is_among_the_sources(planner: Planner) -> None:
    made = planner.protocol(Treatment(product="esketamine", sessions_completed=0))
    named = {(entry.source, entry.place) for section in made.sections for item in section.items for entry in item.evidence}
    assert named == {(source.id, place) for source in made.sources for place in source.places}


@pytest.mark.parametrize("form", [form for form in PROTOCOL_FORMATS if form != "application/json"])
def test_every_form_says_all_that_the_json_says(planner: Planner, form: str) -> None:
    made = planner.protocol(Treatment(product="esketamine", sessions_completed=1, sessions_planned=8), DEFAULTS)
    shown = written(made, form)
    unescaped = re.sub(r"\\(.)", r"\1", shown) if form == "text/markdown" else shown
    for mark, char in (("&#39;", "'"), ("&#34;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        unescaped = unescaped.replace(mark, char)
    # Where a line of print breaks a word, there is a hyphen more.
    said = words(unescaped).replace("-", "")
    texts = [NAME, made.digest, made.version, made.stage.words]
    for section in made.sections:
        texts.append(section.title)
        for item in section.items:
            texts += [item.title, item.line, item.patient_text, item.clinician_text, item.contested or ""]
            texts += [text for ask in item.asks for text in (ask.who.replace("_", " "), ask.by_words, ask.what)]
    texts += [figure.approved_by for figure in made.figures] + ["11 hours before to 3 hours after a session"]
    texts += [text for source in made.sources for text in (source.title, *source.places)]
    assert [text for text in texts if words(text).replace("-", "") not in said] == []


def test_nothing_that_a_clinic_writes_becomes_markup(planner: Planner) -> None:
    made = planner.protocol(Treatment(product="racemic"), DEFAULTS)
    assert "<b>" not in written(made, "text/html")
    assert "<b>" not in re.sub(r"\\.", "", written(made, "text/markdown"))
    assert "](z)" not in written(made, "text/markdown").replace("\\]", "")


@pytest.mark.parametrize("form", PROTOCOL_FORMATS)
def test_the_same_protocol_is_the_same_bytes(planner: Planner, form: str) -> None:
    made = [planner.protocol(Treatment(product="racemic"), DEFAULTS) for _ in range(2)]
    first, second = (PROTOCOL_FORMATS[form].written(one, Wanted(patient=Patient())) for one in made)
    assert first == second


def test_what_patients_read_comes_in_their_language_under_the_same_digest(planner: Planner) -> None:
    treatment = Treatment(product="esketamine", sessions_completed=1)
    english, spanish = planner.protocol(treatment), planner.protocol(treatment, language="es")
    assert spanish.digest == english.digest
    translated = [item for section in spanish.sections for item in section.items if item.patient_language == "es"]
    assert all(item.translation for item in translated)


def test_the_command_writes_the_same_document(planner: Planner) -> None:
    arguments = ["protocol", "--product", "esketamine", "--sessions-completed", "1", "--format", "json"]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    made = planner.protocol(Treatment(product="esketamine", sessions_completed=1))
    assert done.stdout_bytes == written(made, "application/json").encode()
