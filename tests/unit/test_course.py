"""What a plan says of an earlier one that came with the request, and what is done with one that cannot be used."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from careplan.canonical import digest_of
from careplan.decision_record import read_record, record, replay
from careplan.errors import InvalidPatient
from careplan.formats import html, markdown
from careplan.formats.json import document
from careplan.plan.course_model import Course
from careplan.plan.layers import Detail
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.previous import Previous
from careplan.request.what_if_request import read_what_if, variants
from careplan.rulebook.model import Rulebook
from careplan.signing.keys import KnownKeys, SigningKey, new_pair
from tests.everyday import one_in
from tests.signed import again, of, recorded, signed

Json = dict[str, Any]

BODY: Json = {
    "age_years": 52,
    "sex": "female",
    "as_of": "2026-05-01",
    "treatment": {
        "indication": "depression",
        "preferred_route": "iv",
        "product": "racemic",
        "sessions_planned": 6,
        "sessions_completed": 0,
    },
    "medications": [{"name": "Ativan", "schedule": "as_needed", "indication": "anxiety"}],
    "conditions": ["hypertension"],
    "measures": {"phq9_total": [{"value": 21, "at": "2026-04-02"}, {"value": 19, "at": "2026-04-29"}]},
    "support": {"escort_available": True, "adult_at_home_24h": True},
}


def later(sessions: int = 1, **others: Any) -> Json:
    """The same patient two weeks later."""
    body = copy.deepcopy(BODY) | {"as_of": "2026-05-15", "measures": {}} | others
    body["treatment"]["sessions_completed"] = sessions
    return body


def course_of(plan: CarePlan) -> Course:
    assert plan.course is not None
    return plan.course


def test_a_plan_without_an_earlier_one_says_nothing_of_a_course(planner: Planner) -> None:
    plan = planner.plan(planner.intake.convert(BODY))
    assert plan.course is None
    assert plan.front.course == []


def test_a_new_illness_is_new_and_what_was_decided_is_one_line(planner: Planner) -> None:
    plan = again(planner, later(conditions=["hypertension", "sleep_apnea"]), signed(planner, BODY))
    course = course_of(plan)
    assert "breathing-needs-a-closer-watch" in {one.id for one in course.new}
    assert [one.option for one in course.decided] == ["Agreed"]
    (row,) = plan.front.decisions
    assert row.as_before
    assert "lorazepam" in row.line
    assert "2026-05-01" in row.line
    assert plan.front.headline == "Not ready: 1 earlier decision first."
    assert course.line == plan.front.course[0]
    assert course.line.startswith("Since 2026-05-01, signed by Dr. Ada Quill: ")


def answered(planner: Planner, body: Json, detail: Detail) -> Json:
    """The plan of a body as the service answers it: nobody signed it."""
    found: Json = msgspec.json.decode(document(planner.plan(planner.intake.convert(body)), detail))
    return found


def test_a_plan_of_the_usual_detail_is_compared_by_what_it_says(planner: Planner) -> None:
    body = later(conditions=["hypertension", "sleep_apnea"], other_conditions=["zzqitis"])
    long, short = (course_of(again(planner, body, answered(planner, BODY, detail))) for detail in ("full", "standard"))
    assert short.changed
    assert (short.new, short.no_longer, short.decided, short.open) == (long.new, long.no_longer, [], long.open)
    changed, changed_in_full = ({one.id for one in course.changed} for course in (short, long))
    assert changed <= changed_in_full
    same = course_of(again(planner, BODY, answered(planner, BODY, "standard")))
    assert same.repeated
    assert (same.new, same.changed, same.no_longer, same.decided, same.as_before) == ([], [], [], [], {})


def test_nothing_is_decided_by_a_mark_that_has_not_all_words(planner: Planner) -> None:
    kept = msgspec.to_builtins(of(planner, later(), signed(planner, BODY)).previous)
    assert course_of(again(planner, later(), kept)).decided
    short = msgspec.to_builtins(of(planner, later(), answered(planner, BODY, "standard")).previous)
    forged = kept | {"items": short["items"]}
    found = course_of(again(planner, later(), forged))
    assert (found.decided, found.as_before) == ([], {})
    assert found.open


def test_a_decision_on_other_facts_is_asked_anew(planner: Planner) -> None:
    daily = [{"name": "Ativan", "schedule": "daily", "indication": "anxiety"}]
    plan = again(planner, later(medications=daily), signed(planner, BODY))
    assert course_of(plan).decided == []
    assert not any(row.as_before for row in plan.front.decisions)
    assert [row.level for row in plan.front.decisions] == ["hold"]


def test_a_decision_that_was_postponed_is_still_open(planner: Planner) -> None:
    course = course_of(again(planner, later(), signed(planner, BODY, hold="postponed")))
    assert course.decided == []
    assert [one.level for one in course.open] == ["hold"]
    assert any("Was due" in line for line in again(planner, later(), signed(planner, BODY, hold="postponed")).front.course)


def test_what_is_gone_is_named(planner: Planner) -> None:
    plan = again(planner, later(conditions=[]), signed(planner, BODY))
    assert "hypertension-known" in {one.id for one in course_of(plan).no_longer}
    assert any(line.startswith("No longer: ") for line in plan.front.course)


def test_a_cleared_alert_is_looked_at_again_at_each_visit(planner: Planner) -> None:
    cleared = {
        "red_flags": {"suicidal_thoughts": "passive"},
        "clearances": [
            {
                "what": "suicidal_thoughts",
                "by": "Dr. Ada Quill",
                "at": "2026-05-01T08:00:00Z",
                "arranged": "safety plan in place",
            }
        ],
    }
    body = BODY | cleared
    plan = again(planner, body, signed(planner, body))
    alert = next(item for section in plan.sections for item in section.items if item.cleared)
    assert alert.id not in course_of(plan).settled
    assert alert.id in plan.front.decisions[0].items


@pytest.mark.parametrize(
    ("sessions", "before", "states"),
    [
        (1, 0, ["to_come", "to_come"]),
        (3, 1, ["due", "to_come"]),
        (4, 1, ["overdue", "to_come"]),
        (5, 3, ["done", "to_come"]),
        (6, 3, ["done", "due"]),
        (7, 3, ["done", "overdue"]),
        (6, 6, ["done", "done"]),
    ],
)
def test_reviews_are_due_by_the_clinics_own_number_of_sessions(
    planner: Planner, sessions: int, before: int, states: list[str]
) -> None:
    earlier = copy.deepcopy(BODY)
    earlier["treatment"]["sessions_completed"] = before
    reviews = course_of(again(planner, later(sessions), signed(planner, earlier))).reviews
    assert [one.state for one in reviews] == states
    assert [one.session for one in reviews] == [3, 6]


def test_a_review_has_its_date_where_every_session_has_one(planner: Planner) -> None:
    body = later()
    body["treatment"]["session_times"] = [f"2026-05-{day:02}T10:00:00Z" for day in (4, 7, 11, 14, 18, 21)]
    middle, end = course_of(again(planner, body, signed(planner, BODY))).reviews
    assert (middle.day, end.day) == ("2026-05-11", "2026-05-21")
    assert "It falls on 2026-05-11." in middle.line


def test_scores_are_told_over_all_visits_with_their_days(planner: Planner) -> None:
    second = later(measures={"phq9_total": {"value": 12, "at": "2026-05-14"}})
    third = later(2, measures={"phq9_total": 9}) | {"as_of": "2026-05-28"}
    brought = signed(planner, second | {"previous": signed(planner, BODY)}, at="2026-05-15T10:00:00Z")
    plan = again(planner, third, brought)
    (score,) = course_of(plan).scores
    assert [(one.value, one.day) for one in score.points] == [
        (21, "2026-04-02"),
        (19, "2026-04-29"),
        (12, "2026-05-14"),
        (9, "2026-05-28"),
    ]
    assert not score.repeat
    assert "PHQ-9 total: 21 on 2026-04-02, 19 on 2026-04-29, 12 on 2026-05-14, 9 on 2026-05-28." in plan.front.course
    patient = of(planner, third, brought)
    page = html.page(plan, patient).decode()
    assert 'aria-label="PHQ-9 total over time: 21 on 2026-04-02' in page
    assert "<td>12</td>" in page
    assert "| 2026-05-14 | 12 |" in markdown.markdown(plan, patient).decode()
    assert "The course since" not in html.page(plan, patient, reader="patient").decode()


def test_an_old_score_is_to_be_measured_again(planner: Planner) -> None:
    plan = again(planner, later() | {"as_of": "2026-07-15"}, signed(planner, BODY))
    (score,) = course_of(plan).scores
    assert score.repeat
    assert score.line.endswith("Measure it again.")


def test_a_record_does_not_grow_with_every_visit(planner: Planner) -> None:
    previous, sizes = signed(planner, BODY), []
    for visit in range(1, 5):
        previous = signed(planner, later(visit) | {"previous": previous}, at=f"2026-05-{visit + 10}T10:00:00Z")
        sizes.append(len(msgspec.json.encode(previous["record"]["input"])))
    assert max(sizes) < 2 * min(sizes)
    assert max(sizes) < 30_000


def test_the_record_of_a_later_visit_is_made_again_as_it_was(planner: Planner) -> None:
    keyed = Planner(planner.book, check=KnownKeys([]))
    try:
        patient = of(keyed, later(), signed(planner, BODY))
        content = msgspec.json.encode(record(keyed, patient, "2026-05-15T10:00:00Z"))
        recorded_then, intact = read_record(content)
        assert (intact, replay(planner, recorded_then).reproduced) == (True, True)
    finally:
        keyed.close()


def test_what_was_cut_down_may_be_sent_again_instead_of_the_whole(planner: Planner) -> None:
    whole = again(planner, later(), signed(planner, BODY))
    cut = of(planner, later(), signed(planner, BODY)).previous
    assert cut is not None
    assert len(msgspec.json.encode(cut)) < 16_000
    assert again(planner, later(), msgspec.to_builtins(cut)) == whole


OTHERS: dict[str, tuple[Json, Json]] = {
    "another reference": ({"reference": "p-1"}, {"reference": "p-2"}),
    "another sex": ({"sex": "male"}, {"sex": "female"}),
    "younger than before": ({"age_years": 52}, {"age_years": 40}),
    "older by more years than have passed": ({"age_years": 30}, {"age_years": 52}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_plan_of_another_patient_counts_for_nothing_and_is_named(planner: Planner, name: str) -> None:
    then, now = OTHERS[name]
    plan = again(planner, later() | now, signed(planner, BODY | then))
    assert not course_of(plan).used
    assert plan.front.course == [
        "The earlier plan was not used: it seems to be that of another patient. Check whose record was sent."
    ]
    assert plan.front.decisions == planner.plan(planner.intake.convert(later() | now)).front.decisions


def test_a_birthday_between_two_visits_makes_nobody_another_patient(planner: Planner) -> None:
    assert course_of(again(planner, later(age_years=53), signed(planner, BODY))).used


def tampered(document: Json, way: str) -> Json:
    changed = copy.deepcopy(document)
    match way:
        case "the choice":
            changed["signed"]["choices"][0]["option"] = "changed"
        case "the record":
            changed["record"]["input"]["age_years"] = 53
        case "the record, with a new digest over all":
            changed["record"]["input"]["age_years"] = 53
            changed.pop("signature", None)
            changed["digest"] = digest_of(changed)
    return changed


@pytest.mark.parametrize("way", ["the choice", "the record", "the record, with a new digest over all"])
def test_a_signed_plan_that_was_changed_counts_for_nothing_and_is_named(planner: Planner, way: str) -> None:
    plan = again(planner, later(), tampered(signed(planner, BODY), way))
    assert not course_of(plan).used
    assert "not as it was made or signed" in plan.front.course[0]


UNREADABLE: list[Any] = [
    {},
    {"format": "careplan-record/2"},
    {"format": "careplan-signed/1"},
    {"format": "careplan-course/1", "state": "signed", "items": [{"id": 7}]},
    {"rulebook": {}, "alerts": [], "sections": []},
    {"format": ["careplan-record/3"]},
    {"alerts": [[]] * 3},
    {"format": "careplan-course/1", "state": "signed", "at": "2026-02-31T10:00:00Z"},
]


@pytest.mark.parametrize("previous", UNREADABLE)
def test_what_is_no_plan_is_said_to_be_none(planner: Planner, previous: Any) -> None:
    plan = again(planner, later(), previous)
    assert not course_of(plan).used
    assert "no plan, record or signed plan of this service" in plan.front.course[0]


@pytest.mark.parametrize("previous", ["a text", 7, [], [{}], True])
def test_what_is_no_object_is_refused_by_its_place(planner: Planner, previous: Any) -> None:
    with pytest.raises(InvalidPatient) as refused:
        again(planner, later(), previous)
    assert [fault.pointer for fault in refused.value.faults] == ["/previous"]


STRANGE: tuple[Any, ...] = (None, 7, "x", [], {}, [[]], [7])


@pytest.mark.parametrize("value", one_in(len(STRANGE), STRANGE))
def test_a_plan_with_parts_missing_or_of_another_type_never_fails(planner: Planner, value: Any) -> None:
    """Each part of a signed plan taken out or put as something else, one at a time."""
    whole = signed(planner, BODY)
    for path in (("record",), ("record", "plan"), ("record", "input"), ("record", "plan", "sections"), ("signed",)):
        for name in walked(whole, path):
            changed = copy.deepcopy(whole)
            walked(changed, path)[name] = value
            assert course_of(again(planner, {}, changed)).line, (path, name)


def walked(document: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        document = document[name]
    return document[0] if isinstance(document, list) else document


def test_a_signature_is_checked_where_the_service_has_a_key(planner: Planner) -> None:
    key, other = (SigningKey(new_pair().private) for _ in range(2))
    knows = Planner(planner.book, check=KnownKeys([key.public]))
    try:
        genuine = signed(planner, BODY, key=key)
        assert course_of(again(knows, later(), genuine)).decided
        for previous, words in (
            (signed(planner, BODY), "has no signature of this service"),
            (signed(planner, BODY, key=other), "a key that this service does not know"),
        ):
            plan = again(knows, later(), previous)
            assert course_of(plan).used
            assert not course_of(plan).settled
            assert any(words in line for line in plan.front.course)
        forged = copy.deepcopy(genuine)
        forged["signed"]["by"] = "Dr. Nobody Else"
        forged["digest"] = digest_of({name: value for name, value in forged.items() if name != "signature"})
        assert not course_of(again(knows, later(), forged)).used
        cut = of(knows, later(), genuine).previous
        assert cut is not None and cut.signature == "genuine"
        assert not course_of(again(knows, later(), msgspec.to_builtins(cut))).settled
    finally:
        knows.close()


def test_a_change_that_is_tried_leaves_the_earlier_plan_as_it_was_checked(planner: Planner) -> None:
    key = SigningKey(new_pair().private)
    knows = Planner(planner.book, check=KnownKeys([key.public]))
    try:
        patient = later() | {"previous": signed(planner, BODY, key=key)}
        changes: list[Json] = [{"support": {"therapist": True}}, {"previous": None}]
        asked = read_what_if(knows.intake, msgspec.json.encode({"patient": patient, "changes": changes}))
        same, without = variants(knows.intake, asked)
        assert same.previous == asked.patient.previous
        assert same.previous is not None and same.previous.signature == "genuine"
        assert without.previous is None
        with pytest.raises(InvalidPatient) as refused:
            read_what_if(knows.intake, msgspec.json.encode({"patient": {}, "changes": [{"previous": [None]}]}))
        assert [fault.pointer for fault in refused.value.faults] == ["/changes/0/previous"]
    finally:
        knows.close()


def test_other_rules_are_named_with_both_versions(planner: Planner, book: Rulebook) -> None:
    about = msgspec.structs.replace(book.about, version="2027.1.0")
    newer = Planner(msgspec.structs.replace(book, about=about, digest="0" * 64))
    try:
        plan = again(newer, later(), signed(planner, BODY))
        assert f"It was made by rules {book.about.version}, and this plan by 2027.1.0" in " ".join(course_of(plan).notes)
        # An item whose rule has the same version, facts and words is the same under whichever edition.
        assert course_of(plan).decided
    finally:
        newer.close()


def test_what_was_decided_long_ago_is_decided_anew(planner: Planner) -> None:
    plan = again(planner, later() | {"as_of": "2026-09-15"}, signed(planner, BODY))
    assert not course_of(plan).settled
    assert any("more than 90 days old" in line for line in plan.front.course)


def test_a_plan_dated_after_this_one_decides_nothing(planner: Planner) -> None:
    plan = again(planner, BODY, signed(planner, BODY, at="2026-05-20T10:00:00Z"))
    assert not course_of(plan).settled
    assert any("dated after this one" in line for line in plan.front.course)


def test_questions_that_were_open_then_are_no_second_wall(planner: Planner) -> None:
    first = planner.plan(planner.intake.convert(BODY))
    plan = again(planner, BODY, signed(planner, BODY))
    assert len(first.front.ask) > 2
    assert len(plan.front.ask) == 2
    assert len(plan.information_needed) == len(first.information_needed)
    answered = again(planner, BODY | {"pregnancy": "not_pregnant"}, signed(planner, BODY))
    assert course_of(answered).answered == ["/pregnancy"]


def test_an_earlier_plan_is_kept_as_little_as_it_is_needed(planner: Planner) -> None:
    kept = of(planner, later(), recorded(planner, BODY)).previous
    assert isinstance(kept, Previous)
    text = msgspec.json.encode(kept).decode()
    assert "patient_text" not in text
    assert "because" not in text
