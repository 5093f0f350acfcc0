"""HTTP as clients speak it: methods, headers on several lines, a mark before a body, parts of resources, faults in words."""

from __future__ import annotations

import functools
import gc
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo, available_timezones

import pytest
from structlog.testing import capture_logs

from careplan.errors import InvalidSettings
from careplan.rulebook.model import Rulebook
from careplan.settings import from_environment
from careplan.web.limits.framework_caches import forget
from tests.in_process import Service, in_process

MARK = b"\xef\xbb\xbf"
READABLE = [
    "/",
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/v1/rules",
    "/v1/protocol",
    "/fhir/metadata",
    "/cds-services",
]


@pytest.fixture(scope="module")
def service(book: Rulebook) -> Iterator[Service]:
    with in_process(book) as found:
        yield found


@pytest.fixture(scope="module")
def under_any_name(book: Rulebook) -> Iterator[Service]:
    with in_process(book, allowed_hosts="*") as found:
        yield found


@pytest.mark.parametrize("path", [*READABLE, "/v1/care-plans", "/nowhere", "/v1/rules?section=kitchen"])
def test_head_is_answered_as_get_is_without_the_body(service: Service, path: str) -> None:
    got, headed = service.ask("GET", path), service.ask("HEAD", path)
    assert headed.body == b""
    assert headed.status == got.status
    assert headed.header("content-type") == got.header("content-type")
    assert path == "/metrics" or headed.header("content-length") == got.header("content-length") == str(len(got.body))


@pytest.mark.parametrize("path", [*READABLE, "/v1/care-plans"])
def test_options_and_a_wrong_method_name_every_method_there_is(service: Service, path: str) -> None:
    there = {"POST", "OPTIONS"} if path == "/v1/care-plans" else {"GET", "HEAD", "OPTIONS"}
    for method, status in (("OPTIONS", 204), ("DELETE", 405)):
        answer = service.ask(method, path)
        assert answer.status == status
        assert set(answer.header("allow").replace(" ", "").split(",")) == there


@pytest.mark.parametrize(
    "path",
    [*READABLE, "/docs", "/docs-assets/swagger-ui.css", "/docs-assets/swagger-ui-bundle.js", "/try", "/rulebook/index.html"],
)
def test_each_parameter_of_a_content_type_stands_once(service: Service, path: str) -> None:
    """Collectors of metrics refuse a type with a parameter that stands twice."""
    answer = service.ask("GET", path)
    _, *parameters = answer.header("content-type").split(";")
    names = [one.partition("=")[0].strip() for one in parameters]
    assert answer.status == 200
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    "path",
    [
        "/v1/care-plans",
        "/v1/care-plans/sign",
        "/v1/care-plans/compare",
        "/v1/care-plans/what-would-change",
        "/fhir/PlanDefinition/$apply",
        "/cds-services/ketamine-care-plan-patient-view",
    ],
)
def test_a_request_without_a_body_hears_that_it_has_none(service: Service, path: str) -> None:
    answer = service.ask("POST", path)
    assert answer.status == 400
    assert b"The request has no body" in answer.body


def test_a_record_that_is_sent_as_plain_json_is_met_with_its_type(service: Service) -> None:
    answer = service.ask("POST", "/v1/care-plans", b'{"resourceType": "Bundle", "type": "collection", "entry": []}')
    (told,) = [fault["detail"] for fault in answer.json()["errors"] if fault["pointer"] == "/resourceType"]
    assert answer.status == 422
    assert "application/fhir+json" in told


@pytest.mark.parametrize("path", ["/v1/care-plans", "/fhir/PlanDefinition/$apply"])
def test_a_record_in_another_version_of_fhir_is_met_with_those_that_are_read(service: Service, path: str) -> None:
    body = b'{"resourceType": "Bundle", "type": "collection"}'
    answer = service.ask("POST", path, body, {"content-type": "application/fhir+json; fhirVersion=5.0"})
    assert answer.status == 415
    assert "fhirVersion=4.0 or 4.3" in answer.body.decode()


def test_accept_may_stand_on_several_lines_as_on_one(service: Service) -> None:
    lines = [("accept", "application/xml"), ("accept", "text/html;q=0.8"), ("accept", "text/markdown;q=0.9")]
    assert service.ask("POST", "/v1/care-plans", b"{}", lines).header("content-type").startswith("text/markdown")
    assert service.ask("POST", "/v1/care-plans", b"{}", lines[:1]).status == 406
    problem = service.ask(
        "POST", "/v1/care-plans", b"{", [("accept", "application/fhir+json"), ("accept", "text/html;q=0.5")]
    )
    assert problem.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("headers", "status", "says"),
    [
        ([("authorization", "Bearer a"), ("authorization", "Bearer b")], 400, "authorization stands more than once"),
        ([("x-api-key", "a"), ("x-api-key", "a")], 400, "x-api-key stands more than once"),
        ([("content-type", "application/json"), ("content-type", "application/fhir+json")], 400, "content-type stands"),
        ([("transfer-encoding", "gzip, chunked")], 400, "Transfer-Encoding"),
        ([("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], 400, "Transfer-Encoding"),
        ([("content-encoding", "gzip"), ("content-encoding", "identity")], 415, "without Content-Encoding"),
        ([("content-encoding", "identity"), ("content-encoding", "")], 200, ""),
    ],
)
def test_headers_that_others_on_the_way_may_read_otherwise_are_refused(
    service: Service, headers: list[tuple[str, str]], status: int, says: str
) -> None:
    answer = service.ask("POST", "/v1/care-plans", b"{}", headers)
    assert answer.status == status
    assert says in answer.json().get("detail", "")


BAD_HOSTS = [
    "localhost:abc",
    "localhost:99999",
    "localhost:-1",
    "[::1",
    "[::1]:x",
    "[1:2]",
    "[zz]",
    "a b",
    "a/b",
    "u@a",
    "caf\xe9",
    "a:1:2",
]


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_a_host_that_is_no_address_is_refused_before_anything_takes_it_apart(under_any_name: Service, host: str) -> None:
    service = under_any_name
    for target in ("/v1/rules?section=kitchen", "/v1/rules", "/rulebook", "/docs", "/fhir/metadata?mode=full"):
        answer = service.ask("GET", target, b"", {"host": host})
        assert answer.status == 400
        assert "The Host header" in answer.json()["detail"]
    assert service.ask("GET", "/livez?verbose=1", b"", {"host": host}).status < 500
    twice = service.ask("GET", "/v1/rules", b"", [("host", "a"), ("host", "a")])
    assert (twice.status, "host stands more than once" in twice.json()["detail"]) == (400, True)


@pytest.mark.parametrize("host", ["localhost:abc", "localhost:99999", "[::1]:x"])
def test_a_port_that_is_none_is_a_fault_of_the_request_also_behind_a_name_that_is_served(
    service: Service, host: str
) -> None:
    assert service.ask("GET", "/v1/rules?section=kitchen", b"", {"host": host}).status == 400


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:", "localhost:65535", "[::1]:80", "[::ffff:127.0.0.1]", "a_b.example", ""]
)
def test_a_host_that_is_an_address_is_answered(under_any_name: Service, host: str) -> None:
    answer = under_any_name.ask("GET", "/v1/rules?section=kitchen", b"", {"host": host})
    assert "section must be one of" in answer.json()["detail"]


def test_a_status_is_logged_as_its_number_whoever_answered(service: Service) -> None:
    with capture_logs() as said:
        for method, path in (("DELETE", "/v1/rules"), ("GET", "/nowhere"), ("GET", "/livez")):
            service.ask(method, path)
    assert [repr(entry["status"]) for entry in said if entry["event"] == "request"] == ["405", "404", "200"]


LONG = "/v1/rules/" + "a" * 8_182


def test_an_address_longer_than_servers_take_is_refused(service: Service) -> None:
    assert service.ask("GET", LONG).status == 404
    for target in (f"{LONG}a", f"/v1/medications?q={LONG}", f"{LONG[:4_000]}?{LONG[:4_300]}"):
        answer = service.ask("GET", target)
        assert answer.status == 414
        assert "longer than this service takes" in answer.json()["detail"]
    assert service.ask("GET", f"/livez?{LONG}").status == 200


ASKED = [
    "/v1/rules/{}",
    "/v1/medications?q={}",
    "/v1/rules?section={}",
    "/v1/protocol?{}",
    "/fhir/PlanDefinition/{}?mode={}",
]


def test_the_framework_keeps_nothing_of_a_request_beyond_the_next_beat(book: Rulebook) -> None:
    with in_process(book) as service:
        for target in ASKED:
            service.ask("GET", target.format("Zyxwvut", "Zyxwvut"), b"", [("cookie", "Zyxwvut=1"), ("host", "localhost")])
        service.ask("POST", "/v1/care-plans?key=Zyxwvut&at=Zyxwvut", b"{}")
        caches = [one for one in gc.get_objects() if isinstance(one, functools._lru_cache_wrapper)]
        held = [one for one in caches if (getattr(one, "__module__", "") or "").startswith("litestar")]
        assert sum(one.cache_info().currsize for one in held) > 4
        forget(service.app)
        kept = [
            entry
            for cache in held
            for entry in gc.get_referents(cache)
            if isinstance(entry, dict) and "Zyxwvut" in repr(entry)
        ]
        assert not kept


def test_several_slashes_are_one_to_all_that_tells_addresses_apart(service: Service) -> None:
    assert service.ask("POST", "//v1//care-plans?explian=full", b"{}").status == 400
    assert service.ask("GET", "//livez").status == 200
    longer = (b'{"request_key":"' + b"k" * 40 + b'"}\n') * 5
    answer = service.ask("POST", "//v1/care-plans//batch", longer, {"content-type": "application/x-ndjson"})
    assert len(answer.body.splitlines()) == 5


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (["application/fhir+json; fhirVersion=3.0"], 406),
        (["application/fhir+json; fhirVersion=3.0", "application/fhir+json; fhirVersion=5.0;q=0.5"], 406),
        (["application/fhir+json; fhirVersion=5.0", "application/fhir+json; fhirVersion=4.0;q=0.5"], 200),
        (["application/fhir+json; fhirVersion=4.0.1"], 200),
        (["text/html"], 200),
        ([], 200),
    ],
)
def test_a_resource_is_not_answered_in_another_version_of_fhir_than_is_wanted(
    service: Service, accept: list[str], status: int
) -> None:
    answer = service.ask("GET", "/fhir/metadata", b"", [("accept", one) for one in accept])
    assert answer.status == status
    assert status == 200 or "fhirVersion=4.0" in json.dumps(answer.json())


@pytest.mark.parametrize(
    ("path", "body", "media_type"),
    [
        ("/v1/care-plans", b"{}", "application/json"),
        ("/v1/care-plans", b'{"resourceType":"Bundle","type":"collection"}', "application/fhir+json"),
        ("/fhir/PlanDefinition/$apply", b'{"resourceType":"Bundle","type":"collection"}', "application/fhir+json"),
        ("/v1/care-plans/compare", b'{"patient":{},"changes":[{}]}', "application/json"),
    ],
)
def test_a_mark_before_the_body_says_nothing(service: Service, path: str, body: bytes, media_type: str) -> None:
    plain, marked = (service.ask("POST", path, sent, {"content-type": media_type}) for sent in (body, MARK + body))
    assert marked.status == 200
    assert marked.body == plain.body


NAMES_OF_UTC = sorted(
    name
    for name in available_timezones()
    if ("/" not in name or name.startswith("Etc/"))
    and name not in ("Factory", "localtime")
    and not name[-1].isdigit()
    and ZoneInfo(name).utcoffset(None) == timedelta(0)
)


def test_the_names_of_utc_are_those_of_the_data() -> None:
    assert len(NAMES_OF_UTC) == 12


@pytest.mark.parametrize("zone", NAMES_OF_UTC)
def test_utc_is_known_by_each_of_its_names_and_written_by_one(service: Service, zone: str) -> None:
    body = b'{"treatment":{"session_times":["2026-12-08T09:30:00-05:00"]}}'
    answer = service.ask("POST", f"/v1/care-plans?zone={quote(zone)}", body, {"accept": "text/calendar"})
    assert b"DTSTART:20261208T143000Z" in answer.body
    assert b"VTIMEZONE" not in answer.body


@pytest.mark.parametrize(
    ("query", "there", "gone"),
    [
        ("_summary=true", {"rest", "software"}, {"text"}),
        ("_summary=text", {"text", "fhirVersion"}, {"rest"}),
        ("_summary=data", {"rest"}, {"text"}),
        ("_elements=rest", {"rest", "status", "fhirVersion"}, {"text", "software"}),
        ("mode=full&_format=application/fhir%2Bjson", {"rest", "text"}, {"meta"}),
        ("_summary=false&_format=json&_pretty=true", {"rest", "text"}, {"meta"}),
    ],
)
def test_a_part_of_a_resource_is_answered_and_marked_as_one(
    service: Service, query: str, there: set[str], gone: set[str]
) -> None:
    found = service.ask("GET", f"/fhir/metadata?{query}").json()
    assert there <= found.keys()
    assert not gone & found.keys()
    marked = [tag["code"] for tag in found.get("meta", {}).get("tag", ())]
    assert marked == ([] if "meta" in gone else ["SUBSETTED"])


def test_parts_of_long_resources_leave_out_what_makes_them_long(service: Service) -> None:
    whole, short = (service.ask("GET", f"/fhir/PlanDefinition/ketamine-care{query}") for query in ("", "?_summary=true"))
    assert len(short.body) < len(whole.body) / 50
    assert "item" not in service.ask("GET", "/fhir/Questionnaire/intake?_summary=true").json()
    assert service.ask("GET", "/fhir/metadata?_format=xml").status == 406


@pytest.mark.parametrize(
    ("method", "target", "says"),
    [
        ("GET", "/v1/rules?level=sto", "level must be one of stop, hold, caution, note; did you mean stop?"),
        ("GET", "/v1/medications", "q must be a text of 1 to 200 characters"),
        ("GET", "/v1/medications?q=x&limit=0", "limit must be a whole number from 1 to 100"),
        ("GET", "/v1/protocol?sessions_completed=201", "sessions_completed must be a whole number from 0 to 200"),
        ("GET", "/fhir/metadata?_summary=tru", "_summary must be one of true, false, text, data; did you mean true?"),
        ("POST", "/v1/care-plans?zone=europe/london", "did you mean Europe/London or "),
        ("POST", "/v1/care-plans?paper=letter", "paper must be one of a4, us-letter"),
        (
            "POST",
            "/v1/care-plans?at=2026-02-30T00:00:00Z&explain=record",
            "at must be a time such as 2026-01-31T14:00:00Z",
        ),
        ("POST", "/v1/care-plans?key=ab%0A", "key must be 1 to 80 letters, digits, dots, dashes and underscores"),
        ("POST", "/v1/care-plans?at=2026-12-01T00:00:00Z%0A", "at must be a time such as"),
        ("POST", "/v1/care-plans?key=%C3%A4", "key must be 1 to 80 letters, digits, dots, dashes and underscores"),
    ],
)
def test_a_fault_of_the_query_says_what_is_wanted(service: Service, method: str, target: str, says: str) -> None:
    answer = service.ask(method, target, b"{}" if method == "POST" else b"")
    problem: Any = answer.json()
    assert answer.status == 400
    assert says in (problem.get("detail") or problem["issue"][0]["details"]["text"])


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("PORT", "x", "CAREPLAN_PORT must be a whole number, at least 0 and at most 65,535"),
        ("LOG", "consol", "CAREPLAN_LOG must be one of json, console; did you mean console?"),
        ("WORKER", "2", "CAREPLAN_WORKER is not a setting; did you mean CAREPLAN_WORKERS?"),
        ("TIME_ZONE", "America/NewYork", "CAREPLAN_TIME_ZONE takes the IANA name of a time zone, such as America/New_York;"),
        ("TLS_KEY", "key.pem", "CAREPLAN_TLS_CERTIFICATE and CAREPLAN_TLS_KEY go together"),
        ("BODY_SECONDS", "0", "CAREPLAN_BODY_SECONDS must be a number, more than 0 and at most 600"),
        ("WATCH", "perhaps", "CAREPLAN_WATCH must be true or false"),
    ],
)
def test_a_fault_of_a_setting_names_its_variable_and_what_it_takes(name: str, value: str, says: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        from_environment({f"CAREPLAN_{name}": value})
    assert says in str(raised.value)
