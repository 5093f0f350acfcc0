"""What is on its way out is marked in the contract and told in the headers of each answer that used it, and of no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from careplan.rulebook.model import Rulebook
from careplan.settings import Settings
from careplan.web.app import build
from careplan.web.deprecations import DEPRECATED, Deprecated, mark_deprecated
from careplan.web.openapi.contract import contract_of
from tests.in_process import Answer, Service, in_process

SINCE, LATER, UNTIL = date(2027, 1, 1), date(2027, 3, 1), date(2028, 1, 31)
INJECTED = (
    Deprecated("listRules", SINCE, "use /v1/rulebook", UNTIL),
    Deprecated("createCarePlan", LATER, "use detail", parameter="explain"),
    Deprecated("createCarePlan", SINCE, "use measures", UNTIL, field="lifestyle.cannabis", schema="Lifestyle"),
    Deprecated("createCarePlan", LATER, "use text", field="medications[].name", schema="Medication"),
)


@pytest.fixture(scope="module")
def service(book: Rulebook) -> Iterator[Service]:
    with in_process(book, deprecated=INJECTED) as found:
        yield found


def told(answer: Answer) -> tuple[str, str]:
    return answer.header("deprecation"), answer.header("sunset")


def stamp(day: date) -> str:
    return f"@{int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())}"


def test_an_operation_on_its_way_out_says_since_when_and_until_when(service: Service) -> None:
    answer = service.ask("GET", "/v1/rules")
    assert answer.status == 200
    assert told(answer) == (stamp(SINCE), "Mon, 31 Jan 2028 23:59:59 GMT")
    assert parsedate_to_datetime(answer.header("sunset")).date() == UNTIL
    assert {value for name, value in answer.headers if name == "link"} == {
        '</docs>; rel="sunset"',
        '</docs>; rel="deprecation"',
    }
    assert told(service.ask("GET", "/v1/rules?section=kitchen")) == told(answer), "a refusal tells it as well"


@pytest.mark.parametrize(
    "body", [b"{}", b'{"lifestyle": {"sleep_hours_per_night": 7}}', b'{"medications": [{"text": "x"}]}']
)
def test_what_used_nothing_of_it_is_told_nothing(service: Service, body: bytes) -> None:
    for answer in (service.ask("POST", "/v1/care-plans?detail=front", body), service.ask("GET", "/v1/rulebook")):
        assert answer.status == 200
        assert told(answer) == ("", "")


def test_a_parameter_counts_only_where_it_is_sent(service: Service) -> None:
    assert told(service.ask("POST", "/v1/care-plans?explain=full", b"{}")) == (stamp(LATER), "")


def test_a_field_of_a_body_counts_where_it_is_sent_in_one_entry_of_a_list_too(service: Service) -> None:
    name = b'{"medications": [{"text": "x"}, {"name": "lithium"}]}'
    assert told(service.ask("POST", "/v1/care-plans", name)) == (stamp(LATER), "")
    both = b'{"lifestyle": {"cannabis": "none"}, "medications": [{"name": "lithium"}]}'
    assert told(service.ask("POST", "/v1/care-plans", both)) == (stamp(SINCE), "Mon, 31 Jan 2028 23:59:59 GMT")
    assert told(service.ask("POST", "/v1/care-plans", b'{"lifestyle": {"cannabis": null}}'))[0] == ""


@pytest.mark.parametrize("body", [b"{", b"[" * 5_000, b"\xff", b'{"lifestyle": 1}', b""])
def test_a_body_that_cannot_be_read_uses_nothing(service: Service, body: bytes) -> None:
    answer = service.ask("POST", "/v1/care-plans", body, {"content-type": "application/json"})
    assert answer.status in (400, 422)
    assert told(answer) == ("", "")


def test_the_contract_marks_what_is_on_its_way_out(book: Rulebook) -> None:
    contract = contract_of(build(book, Settings(), {}), book, INJECTED)
    rules = contract["paths"]["/v1/rules"]["get"]
    assert rules["deprecated"] and rules["description"].endswith(
        "Deprecated since 2027-01-01, gone after 2028-01-31: use /v1/rulebook"
    )
    explain = next(one for one in contract["paths"]["/v1/care-plans"]["post"]["parameters"] if one["name"] == "explain")
    assert explain["deprecated"] is True
    schemas: dict[str, Any] = contract["components"]["schemas"]
    assert schemas["Lifestyle"]["properties"]["cannabis"]["deprecated"] is True
    assert schemas["Medication"]["properties"]["name"]["deprecated"] is True


def test_what_the_contract_does_not_have_cannot_be_marked(book: Rulebook) -> None:
    contract = contract_of(build(book, Settings(), {}), book, bare=True)
    with pytest.raises(KeyError):
        mark_deprecated(contract, [Deprecated("createCarePlan", SINCE, "", field="no_such_field", schema="Patient")])


def test_each_entry_gives_clients_a_year_at_the_least() -> None:
    for one in DEPRECATED:
        assert one.until is None or (one.until - one.since).days >= 365
        assert one.instead
