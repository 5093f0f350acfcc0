"""The narrative of what is written in FHIR: well-formed, escaped, and nothing in it that the resource does not say."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.errors import Fault, Problem
from careplan.fhir.read.bundle import with_unmapped
from careplan.fhir.write.definitions import capability_statement, plan_definition, questionnaire
from careplan.fhir.write.narrative import with_narrative
from careplan.fhir.write.operation_outcome import outcome
from careplan.fhir.write.plan_bundle import FhirWriter
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook
from tests.contract.records import bundle, entry, patient, statement
from tests.patients import patients
from tests.shipped import reader_of

Json = dict[str, Any]
XHTML = "{http://www.w3.org/1999/xhtml}"
ALLOWED = {f"{XHTML}{name}" for name in ("div", "p", "b", "ul", "li")}


def read(resource: Json) -> list[str]:
    """The texts of a narrative. Whatever is no XHTML of FHIR fails."""
    narrative = resource["text"]
    assert narrative["status"] == "generated"
    root = ElementTree.fromstring(narrative["div"])  # noqa: S314 - our own
    assert root.tag == f"{XHTML}div"
    assert {element.tag for element in root.iter()} <= ALLOWED
    assert all(set(element.attrib) <= {"lang"} for element in root.iter())
    return [text for element in root.iter() if (text := element.text)]


def texts_in(value: Any) -> str:
    """All texts of a resource but its narrative, one after the other."""
    if isinstance(value, dict):
        return "\n".join(texts_in(part) for name, part in value.items() if name != "text" or not isinstance(part, dict))
    return "\n".join(map(texts_in, value)) if isinstance(value, list) else str(value)


@given(st.data())
@settings(max_examples=25)
def test_every_resource_of_a_plan_says_to_a_reader_what_it_says_as_data(
    planner: Planner, book: Rulebook, data: st.DataObject
) -> None:
    sent = planner.intake.convert(data.draw(patients(book, medicines=3)))
    plan = planner.plan(sent)
    for one in FhirWriter().bundle(plan, sent)["entry"]:
        resource = one["resource"]
        assert list(resource)[:3] in (["resourceType", "id", "text"], ["resourceType", "id", "language"])
        said = read(resource)
        if resource["resourceType"] == "CarePlan":
            assert said[0] == plan.front.headline
            assert said[-1] == resource["description"]
            assert all(any(line.startswith(row.line) for line in said) for row in plan.front.decisions)
            continue
        if resource["resourceType"] == "RequestGroup":
            assert len(said) == 1 + len(resource.get("action", ()))
        if resource["resourceType"] not in ("RequestGroup", "GuidanceResponse", "MedicationRequest", "OperationOutcome"):
            bare = [re.sub("^(Proposed( task| goal)?|For): ", "", line) for line in said]
            assert all(line in texts_in(resource) for line in bare)


MARKUP = '<script>alert("1")</script> & co \u0007\x0b\ufffe'


def test_words_that_were_sent_are_never_markup(planner: Planner) -> None:
    reader = reader_of(planner)
    found = reader.read(bundle(patient(), statement("m", MARKUP), entry("Observation", "o", code={"text": MARKUP})))
    written = FhirWriter().bundle(with_unmapped(planner.plan(found.patient), found), found.patient, found)
    resources = [one["resource"] for one in written["entry"]]
    said = [line for resource in resources for line in read(resource)]
    assert any('<script>alert("1")</script> & co' in line for line in said)
    assert not any("<script" in resource["text"]["div"] for resource in resources)


def test_what_describes_the_service_and_what_refuses_has_a_narrative_too(book: Rulebook) -> None:
    form = questionnaire(book.about.version, book.vocabulary.fields, book.conditions)
    assert read(capability_statement("1"))[0] == "Draft care plans for ketamine clinics"
    assert read(plan_definition(book))[-1] == f"{len(book.rules)} rules"
    assert read(form)[0] == form["title"]
    refused = Problem(title="x", status=422, errors=[Fault(pointer="/entry/0", detail="must be <an object>")])
    assert read(outcome(refused)) == ["What was found:", "must be <an object> (/entry/0)"]


@given(st.text(min_size=1, max_size=60))
def test_any_text_makes_a_narrative_that_can_be_read(words: str) -> None:
    resource = with_narrative({"resourceType": "ServiceRequest", "code": {"text": words}})
    (said,) = read(resource)
    assert said.startswith("Proposed: ")
