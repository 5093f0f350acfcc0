"""Forms count by the linkIds of their items, whatever they call their questionnaire; what is not finished still warns."""

from __future__ import annotations

from typing import Any

import pytest

from careplan.fhir.read.bundle import FhirReader
from careplan.fhir.read.questionnaire_responses import INTAKE
from tests.contract.records import OWN, entry, incomplete, medicines, patient, problem, read, reported, statement

Json = dict[str, Any]
RED = "red_flags.suicidal_thoughts"


def form(*items: Json, **rest: Any) -> Json:
    return entry("QuestionnaireResponse", **({"status": "completed", "subject": OWN, "item": list(items)} | rest))


def answered(link: str, *answers: Json) -> Json:
    return {"linkId": link, "answer": list(answers)}


def words(link: str, *texts: str) -> Json:
    return answered(link, *({"valueString": text} for text in texts))


def coded(link: str, code: str) -> Json:
    return answered(link, {"valueCoding": {"code": code}})


def medicine(name: str, **rest: str) -> Json:
    more = [coded(f"medications.{field}", code) for field, code in rest.items()]
    return {"linkId": "medications", "item": [words("medications.name", name), *more]}


NAMED = [
    None,
    INTAKE,
    f"{INTAKE}|0.1.0",
    "Questionnaire/intake",
    "Questionnaire/intake|3",
    "Questionnaire/1a2b",
    "https://ehr.example/fhir/Questionnaire/intake",
    "https://ehr.example/fhir/Questionnaire/77|2",
]


@pytest.mark.parametrize("name", NAMED)
def test_a_form_counts_however_it_names_its_questionnaire(reader: FhirReader, name: str | None) -> None:
    items = [coded(RED, "plan_or_intent"), medicine("lorazepam"), coded("conditions", "hypertension")]
    found = read(reader, patient(), form(*items, **({"questionnaire": name} if name else {})))
    assert found.patient.red_flags.suicidal_thoughts == "plan_or_intent"
    assert (medicines(found), found.patient.conditions) == (["lorazepam"], ["hypertension"])
    assert (incomplete(found), found.unmapped) == ([], [])


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("status", ["in-progress", "amended", "completed", "stopped"])
def test_a_red_flag_counts_in_any_form_of_any_status_but_a_mistake(
    reader: FhirReader, name: str | None, status: str
) -> None:
    flags = [coded(RED, "active_no_plan"), answered("red_flags.chest_pain_now", {"valueBoolean": True})]
    other = words("other.question", "x")
    for items in (flags, [{"linkId": "red_flags", "item": flags}], [other | {"item": flags}]):
        answers = form(*items, status=status, **({"questionnaire": name} if name else {}))
        found = read(reader, patient(), answers)
        flagged = found.patient.red_flags
        assert (flagged.suicidal_thoughts, flagged.chest_pain_now) == ("active_no_plan", True)
        mistake = form(*items, status="entered-in-error")
        assert read(reader, patient(), mistake).patient.red_flags.suicidal_thoughts is None


def test_a_form_without_any_question_of_ours_is_reported(reader: FhirReader) -> None:
    found = read(reader, patient(), form(words("44255-8", "Several days"), questionnaire="http://loinc.org/q/44249-1"))
    assert reported(found) == ["QuestionnaireResponse"]
    assert incomplete(found) == []


@pytest.mark.parametrize("status", ["in-progress", "stopped", "something-else"])
def test_what_an_unfinished_form_names_counts_and_its_lists_are_incomplete(reader: FhirReader, status: str) -> None:
    items = [
        medicine("phenelzine", schedule="daily"),
        words("other_conditions", "mania", "fits"),
        words("expectations.goals", "walk"),
        answered("age_years", {"valueInteger": 44}),
        answered("red_flags.mania_now", {"valueBoolean": False}),
    ]
    found = read(reader, patient(), form(*items, status=status))
    sent = found.patient
    assert [(one.name, one.schedule) for one in sent.medications or []] == [("phenelzine", "daily")]
    assert (sent.conditions, sent.other_conditions, sent.expectations.goals) == (["mania"], ["fits"], ["walk"])
    assert incomplete(found) == ["medications", "conditions", "goals"]
    assert (sent.age_years, sent.red_flags.mania_now) == (None, None)
    assert reported(found) == ["QuestionnaireResponse"]


@pytest.mark.parametrize(
    ("link", "kind", "grave", "harmless"),
    [
        ("pregnancy", "pregnancy", "pregnant", "not_pregnant"),
        ("lifestyle.home_environment", "home_environment", "abusive", "supportive"),
        (RED, "suicidal_thoughts", "active_no_plan", "none"),
    ],
)
def test_every_answer_that_warns_counts_in_an_unfinished_form_and_none_that_calms(
    reader: FhirReader, link: str, kind: str, grave: str, harmless: str
) -> None:
    def answer_of(*forms: Json) -> object:
        sent = read(reader, patient(), *forms).patient
        return getattr(sent, kind, None) or getattr(sent.lifestyle, kind, None) or getattr(sent.red_flags, kind, None)

    begun = {"status": "in-progress", "authored": "2026-11-01"}
    assert answer_of(form(coded(link, grave), **begun)) == grave
    assert answer_of(form(coded(link, harmless), **begun)) is None
    before = form(coded(link, grave), authored="2026-10-01")
    assert answer_of(form(coded(link, harmless), **begun), before) == grave


def test_an_unfinished_form_makes_nothing_less_grave(reader: FhirReader) -> None:
    before = form(coded(RED, "plan_or_intent"), authored="2026-10-01")
    begun = form(coded(RED, "passive"), status="in-progress", authored="2026-11-01")
    assert read(reader, patient(), before, begun).patient.red_flags.suicidal_thoughts == "plan_or_intent"
    finished = form(coded(RED, "passive"), authored="2026-11-01")
    assert read(reader, patient(), before, finished).patient.red_flags.suicidal_thoughts == "passive"


def test_an_unfinished_form_never_says_that_there_is_nothing(reader: FhirReader) -> None:
    nothing = [answered(f"{kind}.none", {"valueBoolean": True}) for kind in ("medications", "conditions")]
    found = read(reader, patient(), form(*nothing, status="in-progress"))
    assert (medicines(found), found.patient.conditions, incomplete(found)) == (None, None, [])
    assert medicines(read(reader, patient(), form(*nothing))) == []


def test_an_unfinished_form_adds_to_a_finished_one_and_replaces_nothing(reader: FhirReader) -> None:
    finished = form(medicine("lorazepam", schedule="daily"), words("expectations.goals", "walk"), authored="2026-01-01")
    begun = form(
        medicine("Lorazepam"),
        medicine("phenelzine"),
        words("expectations.goals", "rest"),
        status="in-progress",
        authored="2026-11-01",
    )
    found = read(reader, patient(), begun, finished)
    assert [(one.name, one.schedule) for one in found.patient.medications or []] == [
        ("lorazepam", "daily"),
        ("phenelzine", None),
    ]
    assert found.patient.expectations.goals == ["walk", "rest"]
    assert incomplete(found) == ["medications", "goals"]
    assert "lorazepam" in reported(found)


@pytest.mark.parametrize(
    "item",
    [
        answered("medications", {"valueString": "phenelzine"}),
        words("medications.name", "phenelzine"),
        answered("medications", {"valueCoding": {"display": "phenelzine"}}),
        {"linkId": "medications", "answer": [{"item": [words("medications.name", "phenelzine")]}]},
    ],
)
def test_a_medicine_is_found_where_the_form_was_not_kept_to(reader: FhirReader, item: Json) -> None:
    found = read(reader, patient(), form(item))
    assert medicines(found) == ["phenelzine"]


@pytest.mark.parametrize(
    ("item", "lists"),
    [
        (answered("medications", {"valueDate": "2026-01-01"}), ["medications"]),
        ({"linkId": "medications", "item": [coded("medications.schedule", "daily")]}, ["medications"]),
        ({"linkId": "medications", "item": [words("medications.name", "Xanax", "Nardil")]}, ["medications"]),
        (medicine("phenelzine") | {"modifierExtension": [{"url": "urn:x"}]}, ["medications"]),
        ({"linkId": "g", "item": [medicine("Xanax")], "modifierExtension": [{"url": "urn:x"}]}, ["medications"]),
        (words("medications.none", "maybe"), ["medications"]),
        (answered("conditions", {"valueReference": {"reference": "Condition/gone"}}), ["conditions"]),
        (answered("conditions.none", {"valueInteger": 1}), ["conditions"]),
        (words("expectations.goals", *map(str, range(21))), ["goals"]),
        (words("expectations.goals.none", "perhaps"), ["goals"]),
        (answered("age_years", {"valueString": "old"}), []),
    ],
)
def test_an_answer_that_could_not_be_read_makes_its_list_incomplete(
    reader: FhirReader, item: Json, lists: list[str]
) -> None:
    found = read(reader, patient(), form(item))
    assert incomplete(found) == lists
    assert found.unmapped


def test_a_form_about_nobody_who_can_be_told_makes_the_lists_that_it_names_incomplete(reader: FhirReader) -> None:
    unknown = {"reference": "urn:uuid:0"}
    found = read(reader, patient(), form(medicine("phenelzine"), subject=unknown), statement("s", "sertraline"))
    assert (medicines(found), incomplete(found)) == (["sertraline"], ["medications"])
    found = read(reader, patient(), form(coded(RED, "passive"), subject=unknown), problem("h", "Hypertension"))
    assert (incomplete(found), reported(found)) == ([], ["QuestionnaireResponse"])


def test_that_there_are_no_goals_is_an_answer_unless_one_is_named(reader: FhirReader) -> None:
    none = answered("expectations.goals.none", {"valueBoolean": True})
    found = read(reader, patient(), form(none))
    assert (found.patient.expectations.goals, found.unmapped, incomplete(found)) == ([], [], [])
    denied = read(reader, patient(), form(answered("expectations.goals.none", {"valueBoolean": False})))
    assert (denied.patient.expectations.goals, denied.unmapped) == (None, [])
    both = read(reader, patient(), form(none, words("expectations.goals", "walk every day")))
    assert both.patient.expectations.goals == ["walk every day"]
    assert reported(both) == ["goals"]


def test_allergies_of_the_form_come_back_as_they_were_said(reader: FhirReader) -> None:
    found = read(reader, patient(), form(words("allergies", "Ketalar - hives", "penicillin", "Penicillin")))
    assert found.patient.allergies == ["Ketalar - hives", "penicillin"]
    assert (found.unmapped, incomplete(found)) == ([], [])
    none = form(answered("allergies.none", {"valueBoolean": True}))
    assert read(reader, patient(), none).patient.allergies == []
    assert read(reader, patient(), form(words("allergies", "latex"), status="in-progress")).patient.allergies == ["latex"]
    assert read(reader, patient(), form(answered("allergies", {"valueBoolean": True}))).unmapped
    assert read(reader, patient(), form(coded("conditions", "hypertension"))).patient.allergies is None
