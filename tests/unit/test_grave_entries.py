"""An illness in words that nobody could read never hides a danger, nor a reason for a stop, among other unread entries."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.plan.item_templates import shortened
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.plans import rules_of
from tests.shipped import BOOK

STOPPED_FOR = (
    "aneurysmal_vascular_disease",
    "arteriovenous_malformation",
    "intracerebral_hemorrhage",
    "recent_cardiovascular_event",
)
NAMES = st.sampled_from([name for token in STOPPED_FOR for name in BOOK.conditions[token].names if " " in name])


LISTS = Path(__file__).parent / "illnesses"
DANGEROUS = (LISTS / "dangerous.txt").read_text().splitlines()
HARMLESS = (LISTS / "harmless.txt").read_text().splitlines()


def plan_of(planner: Planner, *written: str) -> CarePlan:
    return planner.plan(planner.intake.convert({"conditions": [], "other_conditions": list(written)}))


@pytest.mark.parametrize(
    "written",
    [
        "tried to kill myself last month",
        "wants to die zzq",
        "self harm cutting last week",
        "? suicidal ideation",
        "SI comes and goes zzq",
        "depression; suicidal thoughts when drinking zzq",
        "I think about killing my neighbour zzq",
        # What people say of themselves without a word for it.
        "dont want to live",
        "no reason to live",
        "stockpiling pills",
        "I think about jumping",
        # Self-harm that goes on is no history.
        "cutting again since last week",
        "self-inj (cutting) last 2 wks ago",
        "cut myself yesterday",
        "overdosed on Tylenol last month",
        # What a stop names, and it may be happening now.
        "crushing chest pain since this morning",
        "slurred speech since this morning",
        "people are following me",
        # A reading that a stop looks at, and that is not plain enough to be taken as the measure.
        "Blood pressure was up to 190 over 110",
        "BP keeps going to 190/120",
        "BP 190/120 zzq this morning",
        "SpO2 dropped to 85%",
    ],
)
def test_words_of_danger_in_an_unread_entry_are_an_alert_that_names_it(planner: Planner, written: str) -> None:
    plan = plan_of(planner, "GERD", written)
    assert plan.status == "blocked"
    alert = next(item for item in plan.alerts if item.rule.id == "unread-entry-may-be-a-danger")
    assert [about.pointer for about in alert.about] == ["/other_conditions/1"]


@pytest.mark.parametrize(
    "written",
    [
        "father died by suicide",
        "mother died by suicide last month",
        "brother killed himself 2019",
        "death of spouse",
        "killed people in combat",
        "can't go on",
        "BP 190/120 in 2019",
        "BP was 200/130 last year",
        "bp 210/110 two months ago",
        "cuts thighs, last time Friday",
        "burns self with lighter",
        "aortic root 4.6 cm followed yearly",
        "ascending aorta 44 mm",
    ],
)
def test_a_loss_the_harm_of_others_or_an_earlier_reading_is_a_decision_and_no_alert(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.status == "draft"
    assert "unread-entry-may-be-grave" in rules_of(plan)


@pytest.mark.parametrize("written", DANGEROUS)
def test_danger_among_the_illnesses_blocks_in_whatever_person_it_is_written(planner: Planner, written: str) -> None:
    assert plan_of(planner, written).status == "blocked"


@pytest.mark.parametrize("written", HARMLESS)
def test_figures_of_speech_mishaps_losses_and_denials_block_nothing(planner: Planner, written: str) -> None:
    assert plan_of(planner, written).status == "draft"


@pytest.mark.parametrize(
    "written", ["panic attacks with my husband", "depression with kids", "anxiety with newborn at home"]
)
def test_an_illness_is_not_taken_for_that_of_whom_it_has_to_do_with(planner: Planner, written: str) -> None:
    assert plan_of(planner, written).conditions[0].tokens


@pytest.mark.parametrize(
    "written",
    [
        "heard whispers",
        "sees people at night",
        "shaky in the mornings",
        "eye opener daily",
        "legal guardian",
        "mother is legal guardian",
        "MI in the past year",
        "concussion in the last 6 months",
        "31F G2P1 12wks",
        "second trimester",
        "alcohol use disorder, sober 2 weeks",
        "autonomic dysreflexia",
        "intoxicated",
        "BAC 0.14",
        "HR 38, BP 84/40, diaphoretic",
        "+ UPT this morning",
        "preganant 3 months",
        "subdural after fall last yr",
        "12 pack daily",
        "whippets on weekends",
        "takes street xanax",
        "takes more oxy than prescribed",
        "detoxing off xanax",
        "on ketamine troches from Joyous",
        "laryngospasm w/ ketamine",
        "attempted suicide in 2010 by OD",
        "stopped keppra on own last wk",
        "missed 5 days of lamictal",
        "waiting for valve replacement",
        "post-concussive syndrome last month",
        "ibogaine last week",
        "ICD fired last week",
        "bleed in my head when I was born",
        "on methadone 80mg from clinic",
        "not cleared by cardiology",
        # An old illness that is named beside a new one, and drinking that is more than little.
        "MI 2009 chest pain zzq",
        "chest pain hx MI 2009",
        "1-2 drinks/day, fifth on weekends",
        "social drinker, blackouts",
        "10-12 beers every weekend",
        # A reading beyond what a hold asks for, beside words that nobody could read.
        "QTc 530 on citalopram",
        # Boxes of which none is ticked answer nothing.
        "Stroke [ ] Heart attack [ ]",
    ],
)
def test_first_signs_of_danger_and_who_decides_for_a_patient_are_a_decision(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.status == "draft"
    assert "unread-entry-may-be-grave" in {item for row in plan.front.decisions for item in row.items}


@settings(max_examples=30)
@given(name=NAMES)
def test_a_name_that_a_stop_names_beside_words_that_nobody_knows_is_a_decision(planner: Planner, name: str) -> None:
    plan = plan_of(planner, f"{name} zzq")
    decided = {item for row in plan.front.decisions for item in row.items}
    assert "unread-entry-may-be-grave" in decided
    assert plan.status == "draft"


@pytest.mark.parametrize(
    "written",
    [
        "a rare disease",
        "GERD",
        "denies suicidal ideation",
        "no history of suicide attempts",
        "possible asthma",
        "trauma",
        "none",
        "nerves",
        # Little is drunk, and what others take.
        "1-2 drinks/week",
        "EtOH: social",
        "Alcohol: 3/wk",
        "no access to firearms",
        "roommate uses heroin, I don't",
        # An injury, fit or stay in a hospital of long ago, among words that nobody could read.
        "TBI with loss of consciousness 2003",
        "TBI w LOC in Iraq 2006",
        "siezures as child",
        "hives to penicillin as child",
        "QTc 530 on citalopram in 2019",
    ],
)
def test_other_entries_bring_neither(planner: Planner, written: str) -> None:
    assert not rules_of(plan_of(planner, written)) & {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}


@pytest.mark.parametrize("written", ["vision 20/200", "seen on 02/12/2019", "zzq 180/120 mg"])
def test_other_numbers_are_left_among_what_was_not_read(planner: Planner, written: str) -> None:
    rules = rules_of(plan_of(planner, written))
    assert not rules & {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}
    assert "entries-not-read" in rules


@pytest.mark.parametrize(
    "written",
    [
        "last drink yesterday",
        "worst headache of my life",
        "weakness on one side",
        "brain tumor",
        "brain mets",
        "drinks a bottle of vodka a day",
        "bad reaction to ketamine",
        "dependent on benzos",
    ],
)
def test_what_patients_say_of_what_a_stop_is_for_is_a_decision(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert "unread-entry-may-be-grave" in {item for row in plan.front.decisions for item in row.items}


@pytest.mark.parametrize(
    "written", ["cutting as a teenager", "history of self harm, currently in therapy", "self harm 2009"]
)
def test_self_harm_of_long_ago_is_no_alert(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.status == "draft"
    assert "self-harm-in-the-past" in rules_of(plan)


@pytest.mark.parametrize(
    "written",
    [
        "my husband hits me",
        "My wife beats me up when drunk",
        "partner is violent",
        "violent boyfriend",
        "I am afraid to go home",
        "scared of my stepfather",
        "he threatens to kill me",
        "boyfriend choked me last week",
        "being stalked by my ex",
        "depression, husband hits me",
        "victim of domestic abuse",
        # Told the other way round, and as clinicians write it.
        "emotional abuse by spouse",
        "choked by her boyfriend in January",
        "financial abuse by my son",
        "elder abuse by caregiver",
        "IPV victim",
        "coercive control",
    ],
)
def test_who_tells_of_being_harmed_is_spoken_with_alone_and_it_stands_on_no_paper(planner: Planner, written: str) -> None:
    plan = plan_of(planner, written)
    assert plan.status == "blocked"
    alert = next(item for item in plan.alerts if item.rule.id == "private-talk-about-home")
    assert alert.because
    assert "entries-not-read" not in rules_of(plan)
    for item in items_of(plan):
        assert written not in item.patient_text


@pytest.mark.parametrize(
    "written",
    [
        "my back hurts me",
        "anxiety hits me hard",
        "afraid of my mother dying",
        "afraid of people",
        "husband never hit me",
        "my dad hit me as a child",
        "nightmares that my ex hits me",
        "husband abused me in 2009",
        "no physical abuse by husband",
        "denies emotional abuse by partner",
        "alcohol abuse by spouse",
        "abused by stepfather as a child",
        "hit by husband's car",
        "medications controlled by son",
    ],
)
def test_harm_of_long_ago_or_by_no_person_is_no_alert(planner: Planner, written: str) -> None:
    assert "private-talk-about-home" not in rules_of(plan_of(planner, written))


def test_harm_by_others_and_thoughts_of_death_are_both_an_alert(planner: Planner) -> None:
    found = rules_of(plan_of(planner, "he beats me and I want to die"))
    assert found >= {"private-talk-about-home", "unread-entry-may-be-a-danger"}


def test_what_was_read_has_its_own_item_and_not_this_one(planner: Planner) -> None:
    found = rules_of(plan_of(planner, "suicidal ideation", "aortic aneurysm"))
    assert not found & {"unread-entry-may-be-a-danger", "unread-entry-may-be-grave"}


@pytest.mark.parametrize("written", ["bleed on the brain 1999 after MVA", "IPV - current partner", "heart attack 11/20"])
def test_what_a_stop_names_is_a_decision_over_small_words_beside_who_does_it_and_with_a_date_of_two_meanings(
    planner: Planner, written: str
) -> None:
    decided = {item for row in plan_of(planner, written).front.decisions for item in row.items}
    assert "unread-entry-may-be-grave" in decided


def test_a_use_disorder_named_beside_its_treatment_is_no_active_one(planner: Planner) -> None:
    for written in ("opioid use disorder on methadone maintenance", "OUD; methadone maintenance"):
        assert plan_of(planner, written).conditions[0].tokens == ["use_disorder_state_not_known"]
    both = plan_of(planner, "cocaine use disorder, methadone maintenance").conditions[0].tokens
    assert set(both) == {"use_disorder_state_not_known", "substance_use_disorder_active"}


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("“last drink 9 days ago” (near an active alcohol use disorder)", "“last drink 9 days ago”"),
        ("“one two three four five six seven eight nine”", "“one two three four five six…”"),
        ("one two (three four) five six seven eight nine", "one two (three four) five six…"),
        ("short (as it is)", "short (as it is)"),
    ],
)
def test_few_words_never_end_within_brackets(text: str, short: str) -> None:
    assert shortened(text, 6) == short
