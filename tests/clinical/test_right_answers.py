"""What clinicians, a pharmacist and patients must read for patients of each kind, and what they must not.

Each kind of request that was once answered wrongly, in several variants: by the words of the plan and its levels.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from careplan.plan.model import items_of
from careplan.planner import Planner
from tests.clinical.reading import bundle, condition, entry, request_of
from tests.plans import plan_of

Json = dict[str, Any]

SIGNED = "Dr. Hanna Bell, MD"
IV: Json = {"indication": "depression", "preferred_route": "iv", "product": "racemic", "sessions_planned": 6}
CALM: Json = {"alcohol_drinks_per_week": 0}
FLAGS: Json = {"suicidal_thoughts": "none", "intoxicated_now": False, "new_neurological_symptom": False}
HOURS = re.compile(r"\b\d+(?:\.\d+)? ?(?:hours?|h)\b")
BLOCKING = ("hold", "stop")


def about(plan: Any, pointer: str) -> list[Any]:
    """The items about one entry, without the two lines that only list entries."""
    return [item for item in items_of(plan) if len(item.about) < 3 and any(one.pointer == pointer for one in item.about)]


def said(item: Any) -> str:
    """All that an item says to anybody."""
    return " ".join([item.title, item.patient_text, item.clinician_text, *(ask.what for ask in item.asks)])


def to_patient(items: list[Any]) -> str:
    return " ".join(f"{item.title} {item.patient_text}" for item in items)


def held(clinic_class: str, before: float, after: float) -> Json:
    return {"holds": [{"drug_class": clinic_class, "before_hours": before, "after_hours": after, "approved_by": SIGNED}]}


# Lamotrigine: windows of a hold that join over the sessions.


def on(*days: int, offset: str = "-08:00") -> list[str]:
    return [f"2027-03-{day:02}T09:00:00{offset}" for day in days]


def with_lamotrigine(times: list[str], before: float, after: float, **more: Any) -> Json:
    taken = {"name": "lamotrigine", "schedule": "daily", "indication": "bipolar"}
    return {
        "treatment": IV | {"sessions_completed": 0, "session_times": times},
        "medications": [taken],
        "conditions": ["bipolar_disorder"],
        "lifestyle": CALM,
        "red_flags": FLAGS,
        "protocol": held("lamotrigine", before, after),
    } | more


JOINED = [
    (on(1, 3, 5), 24, 24, 144),
    (on(1, 3, 5, 8, 10, 12), 24, 24, 144),
    (on(5, 1, 3), 24, 24, 144),
    (on(1, 2, 3), 12, 12, 72),
    (on(1), 30, 29, 59),
    (on(1, 4), 36, 36, 144),
    ([on(1)[0], on(3, offset="-06:00")[0], on(5)[0]], 24, 26, 146),
]


@pytest.mark.parametrize(("times", "before", "after", "hours"), JOINED)
def test_time_without_lamotrigine_beyond_its_limit_is_one_decision_about_the_whole_series(
    planner: Planner, times: list[str], before: float, after: float, hours: int
) -> None:
    items = about(plan_of(planner, with_lamotrigine(times, before, after)), "/medications/0")
    (decision,) = [item for item in items if item.gap is not None]
    assert decision.level == "hold"
    assert (decision.gap.hours, decision.gap.limit_hours) == (hours, 58)
    assert f"{hours} hours" in decision.clinician_text
    assert "58 hours" in decision.clinician_text
    assert SIGNED in decision.clinician_text
    assert "rash" in decision.patient_text
    assert "call your prescriber before you take it again" in decision.patient_text
    assert "prescriber and the clinic" in decision.patient_text
    assert not any(item.hold for item in items)
    assert not HOURS.search(to_patient(items))
    assert {ask.who for ask in decision.asks} >= {"clinician", "prescriber"}


@pytest.mark.parametrize(
    ("times", "before", "after"), [(on(1, 8, 15), 24, 24), (on(1), 29, 29), (on(1, 2, 3, 4, 5), 8, 4), ([], 36, 36)]
)
def test_windows_that_stay_within_the_limit_of_lamotrigine_are_no_decision_of_their_own(
    planner: Planner, times: list[str], before: float, after: float
) -> None:
    items = about(plan_of(planner, with_lamotrigine(times, before, after)), "/medications/0")
    assert not any(item.gap for item in items)
    assert any(item.hold and item.hold_gate.state == "open" for item in items)


def test_a_gap_over_the_series_is_told_beside_whatever_else_closes_the_question(planner: Planner) -> None:
    body = with_lamotrigine(on(1, 3, 5), 24, 24, other_conditions=["an illness nobody knows"])
    items = about(plan_of(planner, body), "/medications/0")
    (decision,) = [item for item in items if item.gap is not None]
    assert "144 hours" in decision.clinician_text
    assert "an illness nobody knows" in decision.clinician_text


# What cannot be read takes nothing away.


READ: Json = {
    "treatment": IV | {"sessions_completed": 0},
    "medications": [{"name": "sertraline", "schedule": "daily", "indication": "depression"}],
    "conditions": ["hypertension"],
    "lifestyle": {"alcohol_drinks_per_week": 2, "sleep_hours_per_night": 6, "nutrition": "mixed"},
    "expectations": {"goals": ["Walk 10 minutes every day"]},
}
UNREAD: dict[str, tuple[Json, str]] = {
    "an illness": ({"other_conditions": ["Quervain-Fogo syndrome"]}, "Quervain-Fogo syndrome"),
    "an illness in another language": ({"other_conditions": ["Heuschnupfen"]}, "Heuschnupfen"),
    "a medicine": ({"medications": [*READ["medications"], {"name": "zzqblorptan"}]}, "zzqblorptan"),
    "a goal": (
        {"expectations": {"goals": [*READ["expectations"]["goals"], "grok the flumph"]}},
        "grok the flumph",
    ),
    "one of each": (
        {
            "other_conditions": ["Quervain-Fogo syndrome"],
            "medications": [*READ["medications"], {"name": "zzqblorptan"}],
            "expectations": {"goals": [*READ["expectations"]["goals"], "grok the flumph"]},
        },
        "zzqblorptan",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNREAD)
def test_an_entry_that_nobody_can_read_adds_one_line_and_takes_no_other_away(planner: Planner, kind: str) -> None:
    more, named = UNREAD[kind]
    before, after = items_of(plan_of(planner, READ)), items_of(plan_of(planner, READ | more))
    texts = {(item.level, item.title, item.patient_text) for item in after}
    # What counts the goals says another number.
    lost = [item for item in before if (item.level, item.title, item.patient_text) not in texts]
    assert [item for item in lost if not item.rule.id.startswith("no-specific-goal")] == []
    lines = [item for item in after if "We could not read this" in item.patient_text]
    assert len(lines) == 1
    assert lines[0].level == "caution"
    assert named in lines[0].patient_text
    assert named in lines[0].clinician_text


@pytest.mark.parametrize("kind", ["an illness", "an illness in another language", "one of each"])
def test_blood_pressure_and_alcohol_are_spoken_of_beside_an_illness_that_nobody_can_read(
    planner: Planner, kind: str
) -> None:
    more, _ = UNREAD[kind]
    items = items_of(plan_of(planner, READ | more))
    (pressure,) = [item for item in items if item.patient_text.startswith("You have high blood pressure")]
    assert pressure.level == "caution"
    (illness,) = more["other_conditions"]
    assert any(illness in one.words for one in pressure.assumes)
    (alcohol,) = [item for item in items if "drink none on the day of a session" in item.patient_text]
    assert any(illness in one.words for one in alcohol.assumes)


@pytest.mark.parametrize(
    "illness",
    [
        "seasonal allergies", "GERD", "acid reflux", "hypothyroidism", "migraine", "low back pain", "type 2 DM",
        "low thyroid - stable", "E78.5", "Gastro-oesophageal reflux disease",
    ],
)  # fmt: skip
def test_an_ordinary_illness_is_known_and_presumes_nothing(planner: Planner, illness: str) -> None:
    before, after = plan_of(planner, READ), plan_of(planner, READ | {"other_conditions": [illness]})
    assert not any(item.assumes for item in items_of(after))
    assert not any("could not read" in item.patient_text for item in items_of(after))
    assert {item.patient_text for item in items_of(before)} <= {item.patient_text for item in items_of(after)}
    assert any(illness in item.clinician_text for item in items_of(after))


@pytest.mark.parametrize(
    ("illness", "condition"),
    [
        ("major depressive disorder", "major_depression"),
        ("Major depressive disorder, recurrent, severe", "major_depression"),
        ("PTSD", "ptsd"),
        ("Generalized anxiety disorder", "anxiety_disorder"),
        ("F33.2", "major_depression"),
        ("F43.10", "ptsd"),
    ],
)
def test_what_ketamine_is_given_for_is_the_same_in_words_as_by_its_token(
    planner: Planner, illness: str, condition: str
) -> None:
    in_words = items_of(plan_of(planner, READ | {"other_conditions": [illness]}))
    by_token = items_of(plan_of(planner, READ | {"conditions": [*READ["conditions"], condition]}))
    assert [(item.id, item.patient_text) for item in in_words] == [(item.id, item.patient_text) for item in by_token]


@pytest.mark.parametrize("drinks", [0.5, 1, 2, 7])
@pytest.mark.parametrize("illness", ["glabellar wobble", "a rare disease", "webbed toes"])
def test_one_drink_a_week_keeps_its_advice_beside_an_illness_that_nobody_can_read(
    planner: Planner, drinks: float, illness: str
) -> None:
    body = {"lifestyle": {"alcohol_drinks_per_week": drinks}, "conditions": [], "other_conditions": [illness]}
    items = items_of(plan_of(planner, body))
    advice = [
        item for item in items if "on the day of a session" in item.patient_text and "24 hours after" in item.patient_text
    ]
    assert advice
    assert all(any(illness in one.words for one in item.assumes) for item in advice)


@pytest.mark.parametrize(
    "name",
    ["buspirone", "vitamin D", "prednisone", "Vitamin D3 2000 IU", "melatonin 3 mg", "oral contraceptive", "fish oil"],
)
def test_an_ordinary_medicine_closes_no_question_and_leaves_the_antidepressant_its_advice(
    planner: Planner, name: str
) -> None:
    lorazepam = {"name": "lorazepam", "schedule": "as_needed", "indication": "anxiety"}
    body = {
        "medications": [READ["medications"][0], lorazepam, {"name": name}],
        "conditions": [],
        "lifestyle": CALM,
        "red_flags": FLAGS,
        "protocol": held("benzodiazepine", 12, 8),
    }
    plan = plan_of(planner, body)
    assert "go well together with ketamine" in to_patient(about(plan, "/medications/0"))
    (decision,) = [item for item in about(plan, "/medications/1") if item.hold_gate is not None]
    assert decision.hold_gate.state == "open"
    assert SIGNED in decision.patient_text
    assert "12 hours before" in decision.patient_text


# The treated illness from a record.


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("F33.2", "Major depressive disorder, recurrent, severe"),
        ("F33.2", "Major depressive disorder, recurrent severe without psychotic features"),
        ("F32.1", "Major depressive disorder, single episode, moderate"),
        ("F32.A", "Depression, unspecified"),
        ("F33.9", "F33.9"),
        ("F34.1", "Dysthymic disorder"),
        ("F40.10", "Social phobia, unspecified"),
        ("F41.1", "Generalized anxiety disorder"),
        ("F42.9", "Obsessive-compulsive disorder, unspecified"),
        ("F43.12", "Post-traumatic stress disorder, chronic"),
        ("F43.21", "Adjustment disorder with depressed mood"),
    ],
)
def test_the_treated_illness_in_a_record_is_known_and_closes_nothing(planner: Planner, code: str, text: str) -> None:
    record = bundle(entry("Patient", "p", birthDate="1980-01-01"), condition("c", code, text))
    items = items_of(planner.plan(request_of(planner, record)))
    assert not any("could not read" in item.patient_text or item.assumes for item in items)
    assert not any("could not" in said(item) and "place" in said(item) for item in items)


@pytest.mark.parametrize("code", ["F33.3", "F32.3"])
def test_a_depression_with_psychotic_symptoms_is_no_ordinary_one(planner: Planner, code: str) -> None:
    record = bundle(
        entry("Patient", "p", birthDate="1980-01-01"), condition("c", code, "Major depressive disorder with psychosis")
    )
    items = items_of(planner.plan(request_of(planner, record)))
    assert any(item.level in BLOCKING and "psychosis" in said(item) for item in items)


# Pregnancy, and the severity of goals.


@pytest.mark.parametrize("product", ["racemic", "esketamine", None])
@pytest.mark.parametrize("done", [0, 3, None])
def test_a_known_pregnancy_blocks_until_a_clinician_has_decided(
    planner: Planner, product: str | None, done: int | None
) -> None:
    treatment: Json = {"indication": "depression", "preferred_route": "iv" if product != "esketamine" else "nasal"}
    treatment |= {"product": product} if product else {}
    treatment |= {"sessions_planned": 6, "sessions_completed": done} if done is not None else {}
    plan = plan_of(planner, {"pregnancy": "pregnant", "treatment": treatment, "medications": [], "conditions": []})
    assert plan.status == "blocked"
    (alert,) = [item for item in plan.alerts if "pregnan" in item.title.lower()]
    assert "clinician" in {ask.who for ask in alert.asks}
    assert "Do not stop or change any medicine on your own" in alert.patient_text
    assert [decision.choice for decision in plan.decisions] == ["discuss"]
    assert not any("goes along with" in item.patient_text for item in items_of(plan))
    assert not any("short walk is enough" in item.patient_text for item in items_of(plan))


@pytest.mark.parametrize("answer", ["not_pregnant", "breastfeeding"])
def test_no_pregnancy_blocks_nobody(planner: Planner, answer: str) -> None:
    plan = plan_of(planner, {"pregnancy": answer, "treatment": IV, "medications": [], "conditions": []})
    assert plan.status == "draft"
    assert not plan.alerts


CHANGES = {
    "take less Xanax": "withdrawal",
    "taper my Klonopin this month": "withdrawal",
    "get off lamotrigine": "rash",
    "come off my antidepressant": "on your own",
    "quit Percocet": "on your own",
    "stop drinking": "call 911",
    "cut down on wine": "call 911",
    "drink less beer": "call 911",
}


@pytest.mark.parametrize("goal", CHANGES)
def test_a_goal_about_a_medicine_or_a_drink_is_a_decision_and_blocks_nothing(planner: Planner, goal: str) -> None:
    plan = plan_of(planner, {"medications": [], "conditions": [], "expectations": {"goals": [goal]}})
    assert plan.status == "draft"
    assert not plan.alerts
    (item,) = about(plan, "/expectations/goals/0")
    assert item.level in ("hold", "caution")
    assert f"“{goal}”" in item.patient_text
    assert CHANGES[goal] in item.patient_text
    assert "suicid" not in said(item)
    assert ("seizure" in item.patient_text) == (CHANGES[goal] in ("withdrawal", "call 911"))


KEPT = [
    "Go to my NA meeting every Monday and call my sponsor each evening",
    "go to my AA meeting every Tuesday and call my sponsor",
    "see my therapist every Wednesday",
    "physical therapy every Monday and Thursday",
    "dialysis on Tuesday and Thursday",
    "go to every prenatal visit",
    "follow my safety plan",
    "call 988 when I feel unsafe",
    "take my insulin every day",
    "attend AA and SMART Recovery",
]


@pytest.mark.parametrize("goal", KEPT)
@pytest.mark.parametrize("others", [[], ["read more", "Walk 10 minutes every day"]])
def test_a_goal_of_treatment_recovery_or_safety_is_kept_whole(planner: Planner, goal: str, others: list[str]) -> None:
    body = {"conditions": ["substance_use_disorder_history"], "expectations": {"goals": [goal, *others]}}
    plan = plan_of(planner, body)
    (item,) = about(plan, "/expectations/goals/0")
    assert item.level == "note"
    assert "Keep all of it" in item.patient_text
    words = to_patient([item])
    assert not re.search(r"can wait|one part|smaller|pick the|leave out|make it small|Here is an example", words)


HARMLESS = [
    "get my life back",
    "coach my son's Little League",
    "put my phone away at 10 pm",
    "be a better dad",
    "laugh more",
    "finish the quilt",
    "go dancing again",
    "shoot hoops with my son",
    "plant tomatoes",
    "end the day with a cup of tea",
    "stop biting my nails",
    "kill time less on my phone",
    "be present at my daughter's recital",
    "drive over the bridge without a panic attack",
]


@pytest.mark.parametrize("goal", HARMLESS)
def test_a_harmless_goal_is_no_danger_and_comes_back_in_the_words_of_the_patient(planner: Planner, goal: str) -> None:
    plan = plan_of(planner, {"medications": [], "conditions": [], "expectations": {"goals": [goal]}})
    assert plan.status == "draft"
    items = [item for item in items_of(plan) if any(one.pointer == "/expectations/goals/0" for one in item.about)]
    assert items
    assert not [item for item in items if item.level in BLOCKING]
    assert not any(re.search(r"suicid|self-harm|danger|violence", said(item)) for item in items)
    assert any(goal in item.patient_text for item in items)


@pytest.mark.parametrize("goal", ["end it all", "not wake up anymore", "be dead by Christmas", "hurt my stepfather"])
def test_a_goal_in_which_danger_was_read_comes_first(planner: Planner, goal: str) -> None:
    plan = plan_of(planner, {"medications": [], "conditions": [], "expectations": {"goals": ["read more", goal]}})
    assert plan.status == "blocked"
    assert any(one.pointer == "/expectations/goals/1" for item in plan.alerts for one in item.about)
    assert not any("raises no safety question" in words for item in plan.alerts for words in item.because)


@pytest.mark.parametrize(
    "goal",
    [
        "Lift weights Mon Wed Fri for 30 min",
        "Lift weights Mon, Wed, Fri for 30 min",
        "Lift weights Monday, Wednesday and Friday for 30 min",
        "Walk Tue/Thu for 15 min",
        "Swim Tues and Thurs for 30 minutes",
        "Walk 20 minutes Saturday and Sunday",
    ],
)
def test_days_named_one_after_the_other_say_when(planner: Planner, goal: str) -> None:
    plan = plan_of(planner, {"medications": [], "conditions": [], "expectations": {"goals": [goal]}})
    (item,) = about(plan, "/expectations/goals/0")
    assert item.level == "note"
    assert "Well chosen" in item.patient_text
    assert "calorie" not in said(item)


def test_a_sunny_place_is_no_day_of_the_week(planner: Planner) -> None:
    plan = plan_of(
        planner, {"medications": [], "conditions": [], "expectations": {"goals": ["Sit in the sun for 10 minutes"]}}
    )
    assert not any("Well chosen" in item.patient_text for item in items_of(plan))


# No line that belongs to another patient.


def one_medicine(name: str, **more: str) -> Json:
    return {"medications": [{"name": name} | more], "conditions": []}


@pytest.mark.parametrize("name", ["Spravato", "esketamine", "Spravato 84 mg"])
@pytest.mark.parametrize("done", [1, 8, 20])
def test_the_spray_of_this_treatment_on_the_list_is_no_other_ketamine(planner: Planner, name: str, done: int) -> None:
    treatment = IV | {
        "preferred_route": "nasal",
        "product": "esketamine",
        "sessions_planned": 24,
        "sessions_completed": done,
    }
    items = about(plan_of(planner, one_medicine(name) | {"treatment": treatment}), "/medications/0")
    assert items
    assert {item.level for item in items} == {"note"}
    assert "this treatment" in to_patient(items)
    assert not re.search(r"already|judge|twice", to_patient(items))


@pytest.mark.parametrize("treatment", [{"product": "racemic", "sessions_completed": 3}, {}])
def test_the_spray_beside_another_treatment_is_asked_about_first(planner: Planner, treatment: Json) -> None:
    items = about(plan_of(planner, one_medicine("Spravato") | {"treatment": treatment}), "/medications/0")
    assert any(item.level == "hold" for item in items)
    assert "judge" not in to_patient(items)


@pytest.mark.parametrize("reason", ["ptsd_nightmares", "insomnia", "anxiety", "other"])
@pytest.mark.parametrize("name", ["prazosin", "Minipress", "clonidine", "propranolol"])
def test_what_is_taken_at_night_is_no_heart_medicine_of_the_morning(planner: Planner, name: str, reason: str) -> None:
    items = about(plan_of(planner, one_medicine(name, schedule="daily", indication=reason)), "/medications/0")
    assert items
    words = to_patient(items)
    assert not re.search(r"your heart|heart medicine|blood pressure medicine|for blood pressure|morning", words)
    assert re.search(r"as (?:it was )?prescribed", words)


@pytest.mark.parametrize("reason", ["anxiety", "migraine", "heart", "blood_pressure"])
@pytest.mark.parametrize("name", ["propranolol", "clonidine", "Inderal LA"])
def test_what_is_taken_now_and_then_is_not_taken_as_usual(planner: Planner, name: str, reason: str) -> None:
    items = about(plan_of(planner, one_medicine(name, schedule="as_needed", indication=reason)), "/medications/0")
    assert items
    assert "now and then" in to_patient(items)
    assert not re.search(r"as usual|every day|run out", to_patient(items))


@pytest.mark.parametrize("name", ["methadone", "Dolophine", "buprenorphine"])
def test_methadone_for_pain_is_no_treatment_of_opioid_use(planner: Planner, name: str) -> None:
    body = one_medicine(name, schedule="daily", indication="pain") | {"treatment": IV | {"indication": "chronic_pain"}}
    items = about(plan_of(planner, body), "/medications/0")
    assert items
    assert not any(re.search(r"relapse|opioid use disorder|treatment program|craving", said(item)) for item in items)
    words = to_patient(items)
    assert "slow your breathing" in words
    assert "as prescribed" in words
    assert "Do not stop or change it on your own" in words


@pytest.mark.parametrize("name", ["methadone", "Suboxone"])
def test_methadone_against_opioid_use_keeps_its_own_warning(planner: Planner, name: str) -> None:
    body = one_medicine(name, schedule="daily", indication="opioid_use_disorder")
    words = to_patient(about(plan_of(planner, body), "/medications/0"))
    assert "relapse" in words
    assert "as prescribed" in words


@pytest.mark.parametrize("name", ["clonazepam", "lorazepam", "alprazolam", "diazepam", "temazepam"])
@pytest.mark.parametrize("schedule", ["daily", "as_needed", None])
@pytest.mark.parametrize("protocol", [None, held("benzodiazepine", 6, 6), held("benzodiazepine", 24, 24)])
def test_nobody_without_lamotrigine_reads_of_its_rash(
    planner: Planner, name: str, schedule: str | None, protocol: Json | None
) -> None:
    body = one_medicine(name, indication="anxiety", **({"schedule": schedule} if schedule else {}))
    body |= {"treatment": IV, "lifestyle": CALM, "red_flags": FLAGS}
    body |= {"protocol": protocol} if protocol else {}
    items = items_of(plan_of(planner, body))
    assert not [item.id for item in items if re.search(r"rash|lamotrigine|titration|build-up", said(item))]
    words = to_patient(about(plan_of(planner, body), "/medications/0"))
    assert "withdrawal" in words
    assert "seizures" in words


MUSCLES = {"baclofen": "seizures", "tizanidine": "blood pressure can jump", "carisoprodol": "make you ill"}


@pytest.mark.parametrize("name", [*MUSCLES, "cyclobenzaprine", "methocarbamol"])
def test_each_muscle_relaxant_has_its_own_warning_and_no_other(planner: Planner, name: str) -> None:
    items = about(plan_of(planner, one_medicine(name, schedule="daily", indication="pain")), "/medications/0")
    words = to_patient(items)
    assert "Do not stop or change it on your own" in words or "So do not stop or change it on your own" in words
    for other, warning in MUSCLES.items():
        assert (warning in words) == (name == other)
    assert any("pump" in said(item) for item in items) == (name == "baclofen")


def test_bupropion_with_past_seizures_is_a_decision_and_nothing_says_that_it_goes_well(planner: Planner) -> None:
    body = one_medicine("bupropion", schedule="daily", indication="depression")
    fine = about(plan_of(planner, body), "/medications/0")
    assert "go well together with ketamine" in to_patient(fine)
    items = about(plan_of(planner, body | {"conditions": ["seizure_disorder"]}), "/medications/0")
    assert any(item.level == "hold" for item in items)
    assert "go well together" not in to_patient(items)


# Answers that do not fit each other.


@pytest.mark.parametrize("response", ["none", "partial", "good"])
def test_a_response_before_any_session_is_asked_about_and_holds_nothing(planner: Planner, response: str) -> None:
    body: Json = {"treatment": IV | {"sessions_completed": 0}, "medications": [], "conditions": []}
    before = plan_of(planner, body)
    after = plan_of(planner, body | {"treatment": body["treatment"] | {"response_so_far": response}})
    assert after.status == "draft"
    assert {item.id for item in items_of(after) if item.level in BLOCKING} == {
        item.id for item in items_of(before) if item.level in BLOCKING
    }
    assert not any("wait for the sessions" in item.patient_text for item in items_of(after))


# An alert that was assessed.


def cleared(at: str, what: str = "suicidal_thoughts") -> Json:
    return {
        "treatment": IV | {"sessions_completed": 1, "session_times": on(3), "last_session_at": "2027-02-25T09:00:00-08:00"},
        "medications": [],
        "conditions": [],
        "red_flags": {"suicidal_thoughts": "passive"},
        "clearances": [{"what": what, "by": SIGNED, "at": at, "arranged": "safety plan renewed"}],
    }


def test_an_alert_that_a_clinician_has_assessed_is_a_decision_with_the_record_beside_it(planner: Planner) -> None:
    plan = plan_of(planner, cleared("2027-03-02T16:00:00-08:00"))
    assert plan.status == "draft"
    (item,) = [item for item in items_of(plan) if item.cleared is not None]
    assert item.level == "hold"
    assert SIGNED in item.clinician_text
    assert "safety plan renewed" in item.clinician_text
    assert "988" in item.patient_text
    assert "today" not in item.title


@pytest.mark.parametrize(
    ("at", "what"),
    [
        ("2027-02-24T16:00:00-08:00", "suicidal_thoughts"),
        ("2027-02-01T16:00:00-08:00", "suicidal_thoughts"),
        ("2027-03-02T16:00:00-08:00", "psychosis_now"),
    ],
)
def test_an_old_assessment_or_one_of_another_thing_clears_nothing(planner: Planner, at: str, what: str) -> None:
    plan = plan_of(planner, cleared(at, what))
    assert plan.status == "blocked"
    assert not any(item.cleared for item in items_of(plan))


# Grammar that no reader should stumble over.


def test_no_plan_writes_a_plural_in_brackets(planner: Planner) -> None:
    for completed in (0, 1, 2):
        treatment = IV | {"sessions_completed": completed, "response_so_far": "partial"}
        protocol = {"solid_food_hours": 1, "clear_fluid_hours": 1, "approved_by": SIGNED}
        plan = plan_of(planner, {"treatment": treatment, "protocol": protocol, "preparation": {"intentions_set": True}})
        assert not [item.id for item in items_of(plan) if "(s)" in said(item)]


@pytest.mark.parametrize("name", ["lisinopril", "amlodipine", "losartan"])
def test_a_blood_pressure_medicine_is_taken_as_usual_in_a_whole_sentence(planner: Planner, name: str) -> None:
    body = one_medicine(name, schedule="daily", indication="blood_pressure")
    words = to_patient(about(plan_of(planner, body), "/medications/0"))
    assert f"You take {name}. Please take it as usual" in words


@pytest.mark.parametrize(
    "painkiller", ["Mobic 15 mg", "diclofenac 75 mg tablet", "Celebrex", "ketorolac 10 mg", "Advil PM", "Arcoxia"]
)
def test_any_anti_inflammatory_painkiller_counts_beside_lithium_and_a_blood_thinner(
    planner: Planner, painkiller: str
) -> None:
    body = {"medications": [{"text": "lithium carbonate 300 mg twice a day"}, {"name": "warfarin"}, {"text": painkiller}]}
    rules = {item.rule.id for item in items_of(plan_of(planner, body))}
    assert {"lithium-with-painkiller", "bleeding-adds-up"} <= rules


@pytest.mark.parametrize(
    "harmless", ["Voltaren gel 1%", "acetaminophen 500 mg", "5-ASA 800 mg", "ketorolac ophthalmic 0.5%"]
)
def test_what_is_no_such_painkiller_or_acts_in_one_place_does_not(planner: Planner, harmless: str) -> None:
    body = {"medications": [{"name": "lithium"}, {"name": "warfarin"}, {"text": harmless}]}
    rules = {item.rule.id for item in items_of(plan_of(planner, body))}
    assert not {"lithium-with-painkiller", "bleeding-adds-up"} & rules


@pytest.mark.parametrize("medicine", ["lisinopril", "losartan", "HCTZ 25 mg", "chlorthalidone"])
def test_lithium_beside_a_blood_pressure_medicine_that_raises_it_is_said(planner: Planner, medicine: str) -> None:
    rules = {item.rule.id for item in items_of(plan_of(planner, {"medications": [{"name": "lithium"}, {"text": medicine}]}))}
    assert "lithium-with-blood-pressure-medicine" in rules
    quiet = {
        item.rule.id for item in items_of(plan_of(planner, {"medications": [{"name": "lithium"}, {"name": "amlodipine"}]}))
    }
    assert "lithium-with-blood-pressure-medicine" not in quiet
