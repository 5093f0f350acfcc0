"""Bodies that are not patients: every fault named by JSON Pointer, and nothing of the caller's repeated."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.errors import MOST_FAULTS, InvalidPatient
from careplan.planner import Planner
from careplan.request.decode import Intake, patient_schema
from careplan.request.field_places import places_of_fields
from careplan.request.other_names import FIELDS as OTHER_NAMES
from careplan.request.other_names import TOKENS, plain_name
from careplan.request.patient import Patient
from tests.shipped import BOOK

INTAKE = Intake(["hypertension", "stroke_or_tia"], ["benzodiazepine", "opioid"])


WHOLE = Intake(BOOK.conditions, BOOK.classes, BOOK.forms)


def faults(body: Any, intake: Intake = INTAKE) -> dict[str, str]:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(InvalidPatient) as raised:
        intake.decode(content)
    return {fault.pointer: fault.detail for fault in raised.value.faults}


def test_an_empty_object_is_a_patient_of_whom_nothing_is_known() -> None:
    assert INTAKE.decode(b"{}") == Patient()


def test_a_list_that_is_empty_is_not_a_list_that_was_not_sent() -> None:
    assert INTAKE.decode(b'{"medications": []}').medications == []
    assert INTAKE.decode(b"{}").medications is None
    assert INTAKE.decode(b'{"medications": null}').medications is None


def test_every_fault_is_named_at_once() -> None:
    found = faults(
        {
            "age_years": "7",
            "pregnancy": "perhaps",
            "lifestyle": {"sleep_hours_per_night": 25, "nutrition": 3},
            "medications": [{"name": "Xanax"}, {"dose_mg": -1}, {"name": " "}],
            "conditions": ["hypertension", "hypertensoin"],
            "support": {"theraphist": True},
        }
    )
    assert set(found) == {
        "/age_years",
        "/pregnancy",
        "/lifestyle/sleep_hours_per_night",
        "/lifestyle/nutrition",
        "/medications/1",
        "/medications/1/dose_mg",
        "/medications/2/name",
        "/conditions/1",
        "/support/theraphist",
    }
    assert "did you mean hypertension?" in found["/conditions/1"]
    assert "did you mean therapist?" in found["/support/theraphist"]


@pytest.mark.parametrize(
    ("body", "pointer", "belongs"),
    [
        (
            {"expectations": {"preferred_route": "iv"}},
            "/expectations/preferred_route",
            "it belongs at /treatment/preferred_route",
        ),
        ({"lifestyle": {"age_years": 40}}, "/lifestyle/age_years", "it belongs at /age_years"),
        ({"treatment": {"phq9_total": 3}}, "/treatment/phq9_total", "it belongs at /measures/phq9_total"),
        ({"measures": {"sex": "male"}}, "/measures/sex", "it belongs at /sex"),
        ({"dose_mg": 5}, "/dose_mg", "it belongs in an entry of /medications"),
        ({"indication": "ptsd"}, "/indication", "it belongs at /treatment/indication or in an entry of /medications"),
        (
            {"medications": [{"name": "x", "before_hours": 5}]},
            "/medications/0/before_hours",
            "it belongs in an entry of /protocol/holds",
        ),
        ({"protocol": {"holds": [{"zone": "UTC"}]}}, "/protocol/holds/0/zone", "it belongs at /clinic/zone"),
        (
            {"prefered_route": "iv"},
            "/prefered_route",
            "did you mean preferred_route, which belongs at /treatment/preferred_route?",
        ),
        ({"age": 40}, "/age", "did you mean age_years?"),
        ({"expectations": {"age": 40}}, "/expectations/age", "did you mean age_years, which belongs at /age_years?"),
        (
            {"expectations": {"frequency": "daily"}},
            "/expectations/frequency",
            "did you mean schedule, which belongs in an entry of /medications?",
        ),
    ],
)
def test_a_field_in_the_wrong_object_is_told_where_it_belongs(body: dict[str, Any], pointer: str, belongs: str) -> None:
    assert faults(body, WHOLE)[pointer] == f"is not a field of this object; {belongs}"


@pytest.mark.parametrize(
    ("body", "offered"),
    [
        ({"dob": "1980-01-01"}, {"/dob": "; did you mean age_years?"}),
        ({"weight_kg": 80}, {"/weight_kg": "; did you mean weight, which belongs at /measures/weight?"}),
        ({"measures": {"bp": "140/90"}}, {"/measures/bp": "; did you mean diastolic or systolic?"}),
        (
            {"red_flags": {"pregnant": True}},
            {"/red_flags/pregnant": "; did you mean pregnancy, which belongs at /pregnancy?"},
        ),
        ({"medications": [{"drug": "lithium"}]}, {"/medications/0/drug": "; did you mean name?"}),
        ({"patient": {"age_years": 40}}, {"/patient": "; the fields in it stand one level higher"}),
        ({"treatment": {"zzz": 1}}, {"/treatment/zzz": ""}),
    ],
)
def test_a_field_by_the_name_that_others_give_it_is_answered_with_ours(body: Any, offered: dict[str, str]) -> None:
    found = faults(body, WHOLE)
    for pointer, offer in offered.items():
        assert found[pointer] == f"is not a field of this object{offer}"


@pytest.mark.parametrize(
    ("body", "field"),
    [({"measures": {"PHQ-9": 14}}, "phq9_total"), ({"ageYears": 40}, "age_years"), ({"Date of birth": "x"}, "age_years")],
)
def test_a_field_in_another_spelling_is_offered_and_not_quoted(body: Any, field: str) -> None:
    (detail,) = faults(body, WHOLE).values()
    assert detail.endswith(f"that is not part of this object; did you mean {field}?")


@pytest.mark.parametrize(
    ("body", "offered"),
    [
        ({"sex": "F"}, "female"),
        ({"sex": "Female"}, "female"),
        ({"sex": "M"}, "male"),
        ({"treatment": {"preferred_route": "IV"}}, "iv"),
        ({"treatment": {"preferred_route": "by mouth"}}, "oral"),
        ({"treatment": {"product": "Spravato"}}, "esketamine"),
        ({"medications": [{"name": "x", "schedule": "BID"}]}, "daily"),
        ({"medications": [{"name": "x", "schedule": "p.r.n."}]}, "as_needed"),
        ({"medications": [{"name": "x", "status": "discontinued"}]}, "stopped"),
        ({"clinic": {"region": "GB"}}, "uk"),
        ({"clinic": {"zone": "PST"}}, "America/Los_Angeles"),
    ],
)
def test_a_value_that_others_write_is_answered_with_our_token(body: Any, offered: str) -> None:
    (detail,) = faults(body, WHOLE).values()
    assert detail.endswith(f"; did you mean {offered}?")


@pytest.mark.parametrize("value", ["", "x", "q", "qd qd", "me", 7, "zzzzzz"])
def test_no_token_is_offered_for_what_is_like_none(value: Any) -> None:
    (detail,) = faults({"sex": value}, WHOLE).values()
    assert "did you mean" not in detail


def test_every_name_that_others_use_leads_to_a_field_or_token_of_the_contract() -> None:
    schema, components = patient_schema(BOOK.conditions, BOOK.classes, BOOK.forms)
    contract = msgspec.json.encode([schema, components]).decode()
    for table in (OTHER_NAMES, TOKENS):
        for other, names in table.items():
            assert plain_name(other) == other
            for name in names:
                assert f'"{name}"' in contract


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"age_years": "45"}, "must be a whole number; leave out the quotation marks"),
        ({"age_years": "old"}, "must be a whole number"),
        ({"measures": {"phq9_total": "14"}}, "must be a list, a number or an object"),
        ({"measures": {"cssrs_plan": "positive"}}, "must be a list, an object, false or true"),
        ({"medications": ["lithium 300 mg bid"]}, "must be an object; a line as it is written goes into its field text"),
        (
            {"treatment": {"session_times": ["2026-12-01 09:00"]}},
            "must be a time with date and offset, as RFC 3339 writes it, such as 2026-01-31T14:05:00Z",
        ),
    ],
)
def test_a_value_of_another_type_is_one_fault_that_says_how_to_mend_it(body: Any, told: str) -> None:
    assert list(faults(body, WHOLE).values()) == [told]


def test_every_field_of_the_contract_has_its_place_wherever_else_it_is_sent() -> None:
    places = places_of_fields(*patient_schema(BOOK.conditions, BOOK.classes, BOOK.forms))
    assert len(places) > 80
    for name, pointers in places.items():
        for holder in ("support", "preparation"):
            if not any(pointer.startswith(f"/{holder}/") for pointer in pointers):
                told = faults({holder: {name: None}}, WHOLE)[f"/{holder}/{name}"]
                for pointer in pointers:
                    assert pointer.partition("/*/")[0] in told


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("asthma", "respiratory_disease"),
        ("glaucoma", "raised_intraocular_pressure"),
        ("epilepsy", "seizure_disorder"),
        ("mini-stroke", "stroke_or_tia"),
        ("high blood pressure", "hypertension"),
        ("anxiety", "anxiety_disorder"),
        ("Sleep_Apnoea", "sleep_apnea"),
    ],
)
def test_a_plain_name_among_the_conditions_is_answered_with_the_token_and_the_place_of_all(
    planner: Planner, written: str, offered: str
) -> None:
    with pytest.raises(InvalidPatient) as refused:
        planner.intake.convert({"conditions": [written]})
    (fault,) = refused.value.faults
    assert fault.pointer == "/conditions/0"
    assert "GET /v1/conditions (words and codes as they are written go into other_conditions); did you mean" in fault.detail
    assert offered in fault.detail


def test_nothing_is_offered_for_what_is_like_no_token(planner: Planner) -> None:
    with pytest.raises(InvalidPatient) as refused:
        planner.intake.convert({"conditions": ["zzqb"]})
    assert refused.value.faults[0].detail.endswith(
        "GET /v1/conditions (words and codes as they are written go into other_conditions)"
    )


def test_an_unknown_field_that_could_be_a_name_is_pointed_at_but_not_repeated() -> None:
    found = faults({"support": {"John Smith": True}})
    assert "number 1" in found["/support"]
    assert "Smith" not in str(found)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"age_years": NaN}',
        b'{"a": "\\ud800"}',
        b'{"age_years": ' + b"9" * 9000 + b"}",
    ],
)
def test_what_is_not_json_is_one_fault_of_the_body(body: bytes) -> None:
    assert list(faults(body)) == [""]


def test_a_key_that_stands_twice_is_refused_because_one_value_would_be_lost() -> None:
    assert "same key twice" in faults(b'{"medications": [{"name": "a"}], "medications": []}')[""]


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_what_is_not_an_object_is_refused(body: Any) -> None:
    assert faults(body) == {"": "must be an object"}


def test_figures_of_a_protocol_need_a_name() -> None:
    assert "/protocol/approved_by" in faults({"protocol": {"driving_hours": 24}})
    assert "/protocol/holds/0/approved_by" in faults(
        {"protocol": {"holds": [{"drug_class": "opioid", "before_hours": 1, "after_hours": 1}]}}
    )
    assert faults(
        {"protocol": {"holds": [{"drug_class": "opiate", "before_hours": 1, "after_hours": 1, "approved_by": "x"}]}}
    )


def test_a_whole_number_may_be_written_with_a_decimal_point_but_not_with_a_fraction() -> None:
    assert INTAKE.decode(b'{"age_years": 44.0}').age_years == 44
    assert set(faults({"age_years": 44.5})) == {"/age_years"}


@pytest.mark.parametrize("huge", [b"1e999", b"1e308", b"9" * 400, b"-1"])
def test_numbers_out_of_range_are_faults(huge: bytes) -> None:
    assert set(faults(b'{"medications": [{"name": "x", "dose_mg": ' + huge + b"}]}")) == {"/medications/0/dose_mg"}
    assert set(faults(b'{"age_years": ' + huge + b"}")) == {"/age_years"}


def test_a_time_needs_an_offset() -> None:
    assert set(faults({"treatment": {"session_times": ["2026-12-01T10:00:00", "soon", 5]}})) == {
        "/treatment/session_times/0",
        "/treatment/session_times/1",
        "/treatment/session_times/2",
    }
    assert INTAKE.decode(b'{"treatment": {"session_times": ["2026-12-01T10:00:00-08:00"]}}').treatment.session_times


@pytest.mark.parametrize(
    "when", ["1969-12-31T23:00:00Z", "0001-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "9999-12-31T23:00:00Z"]
)
def test_a_session_is_in_years_that_have_days_around_them(when: str) -> None:
    body = {"treatment": {"session_times": ["2026-12-01T10:00:00-08:00", when]}}
    assert faults(body) == {"/treatment/session_times/1": "must be in the years 1970 to 2199"}
    for edge in ("1970-01-01T00:00:00+14:00", "2199-12-31T23:59:59-12:00"):
        assert INTAKE.convert({"treatment": {"session_times": [edge]}}).treatment.session_times


def test_a_body_with_very_many_faults_names_the_first_ones_and_says_that_there_are_more() -> None:
    with pytest.raises(InvalidPatient) as raised:
        INTAKE.convert({"medications": [{"name": 1, "schedule": 2, "indication": 3} for _ in range(100)]})
    assert len(raised.value.faults) <= MOST_FAULTS
    assert raised.value.more


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=20,
    )
)
def test_any_json_is_a_patient_or_is_refused_with_faults(body: Any) -> None:
    try:
        assert isinstance(INTAKE.convert(body), Patient)
    except InvalidPatient as error:
        assert error.faults


@given(st.binary(max_size=200))
def test_any_bytes_are_a_patient_or_are_refused_with_faults(body: bytes) -> None:
    try:
        assert isinstance(INTAKE.decode(body), Patient)
    except InvalidPatient as error:
        assert error.faults


FIELDS = st.sampled_from(sorted(Patient.__struct_fields__))


@given(
    st.dictionaries(
        FIELDS,
        st.sampled_from(
            [
                None,
                1,
                1.5,
                10**30,
                -1,
                "x",
                True,
                [],
                {},
                [None],
                [{}],
                [[1]],
                {"goals": 1},
                {"holds": [1]},
                {"session_times": [1]},
            ]
        ),
    )
)
def test_wrong_types_in_known_places_are_refused_with_pointers(body: dict[str, Any]) -> None:
    try:
        INTAKE.convert(body)
    except InvalidPatient as error:
        assert all(fault.detail for fault in error.faults)


@pytest.mark.parametrize(
    "signature", ["none", "TBD", "unknown", "Dr.", "N/A", "Dr. A. Skip your Xanax the day before. Dr. B"]
)
def test_a_signature_that_is_no_name_is_refused(signature: str) -> None:
    assert "/protocol/approved_by" in faults({"protocol": {"driving_hours": 24, "approved_by": signature}})
    hold = {"drug_class": "benzodiazepine", "before_hours": 1, "after_hours": 1, "approved_by": signature}
    found = faults({"protocol": {"holds": [hold]}, "age_years": -1})
    assert found.keys() == {"/protocol/holds/0/approved_by", "/age_years"}


@pytest.mark.parametrize("signature", ["Dr. A. Example, MD", "N. Perez, PharmD", "Ünal", "Zoë O'Neil-Smith"])
def test_a_signature_that_is_a_name_is_taken(signature: str) -> None:
    body = {"protocol": {"driving_hours": 24, "approved_by": signature}}
    assert INTAKE.decode(msgspec.json.encode(body)).protocol is not None


@pytest.mark.parametrize(
    ("pointer", "body"),
    [
        ("/protocol/holds", {"protocol": {"holds": [{}] * 50_000}}),
        ("/medications", {"medications": [{}] * 50_000}),
        ("/conditions", {"conditions": [1] * 50_000}),
        ("/expectations/goals", {"expectations": {"goals": [""] * 50_000}}),
    ],
)
def test_a_list_beyond_its_limit_is_named_and_not_looked_into(pointer: str, body: Any) -> None:
    assert faults(body).keys() == {pointer}
