"""A pattern holds for a text to its very end: one line end more is refused by us as by every client of the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.inspect import Metadata, StrType, StructType, Type, multi_type_info

from careplan.request.patient import Patient
from careplan.signing.model import SignedPlan, ToSign
from careplan.web.security.access import KeyFile
from careplan.whole_patterns import in_python, publish, published
from tests.unit.test_decode import faults

ROOT = Path(__file__).parents[2]
SIGNED = {"solid_food_hours": 6, "approved_by": "Dr. Ada Quill\n"}


def patterns_of(described: Type, seen: set[type]) -> Iterator[str]:
    """Every pattern of a text in a struct and whatever it is made of."""
    match described:
        case StrType(pattern=str(pattern)):
            yield pattern
        case Metadata(type=inner):
            yield from patterns_of(inner, seen)
        case StructType(cls=cls, fields=fields) if cls not in seen:
            seen.add(cls)
            for field in fields:
                yield from patterns_of(field.type, seen)
        case _:
            for name in getattr(described, "__struct_fields__", ()):
                part = getattr(described, name)
                for one in part if isinstance(part, tuple) else (part,):
                    if isinstance(one, Type) and not isinstance(described, StructType):
                        yield from patterns_of(one, seen)


def test_no_pattern_of_what_is_sent_lets_a_line_end_pass() -> None:
    seen: set[type] = set()
    found = [
        one for described in multi_type_info([Patient, ToSign, SignedPlan, KeyFile]) for one in patterns_of(described, seen)
    ]
    assert len(found) > 25
    assert [one for one in found if one != in_python(one)] == []


@pytest.mark.parametrize(
    ("pointer", "body"),
    [
        ("/medications/0/rxcui", {"medications": [{"name": "aspirin", "rxcui": "596\n"}]}),
        ("/protocol/approved_by", {"protocol": SIGNED}),
        ("/clinic/phone", {"clinic": {"phone": "+1 555 0100\n"}}),
        ("/clinic/name", {"clinic": {"name": "Clinic\n"}}),
        ("/as_of", {"as_of": "2026-12-01\n"}),
        ("/reference", {"reference": "a\n"}),
    ],
)
def test_a_text_with_a_line_end_behind_it_is_a_fault_by_itself_and_beside_others(pointer: str, body: dict[str, Any]) -> None:
    assert faults(body).keys() == {pointer}
    assert faults(body | {"age_years": -1}).keys() == {pointer, "/age_years"}


def test_a_fault_of_form_shows_an_example_where_there_is_one() -> None:
    found = faults({"medications": [{"name": "aspirin", "rxcui": "Rx 596"}], "clinic": {"phone": "call us"}})
    assert found["/medications/0/rxcui"] == "must be of the form of 596: RxNorm concept id (RxCUI)"
    assert found["/clinic/phone"].startswith("must be of the form of (555) 010-0100: a telephone number")


def test_no_fault_shows_a_pattern_to_whoever_sent_the_value() -> None:
    found = faults({"clinic": {"name": "a\tb"}, "conditions": ["A b"], "allergies": [" "]})
    assert found["/clinic/name"] == "must be one line of text that does not end in a blank"
    assert not any("[" in words or "^" in words for words in found.values()), found


def test_the_contract_has_patterns_that_every_dialect_reads() -> None:
    document = json.loads((ROOT / "openapi" / "openapi.json").read_text())
    before = json.dumps(document)
    publish(document)
    assert json.dumps(document) == before
    assert "(?" not in "".join(re.findall(r'"pattern": "(.*?)(?<!\\\\)"', before))


@pytest.mark.parametrize("pattern", ["^a$", "^[0-9]{1,8}$", "[^ ]", "^(19|20)-"])
def test_a_pattern_comes_back_as_it_was_published(pattern: str) -> None:
    assert published(in_python(pattern)) == pattern
    assert in_python(in_python(pattern)) == in_python(pattern)
