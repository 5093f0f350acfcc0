"""CDS Hooks 2.0: what binds a service, each requirement by its number, on a really running server.

`REQUIREMENTS` also makes docs/cds-hooks.md: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/contract/test_cds_hooks.py`.
"""

from __future__ import annotations

import base64
import fcntl
import html
import json
import os
import re
import signal
import socket
import ssl
import time
import uuid
import warnings
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from markdown_it import MarkdownIt

from careplan.fhir.cds_hooks.call import read_call
from careplan.fhir.cds_hooks.cards import Cards, card_uuid, mark_of, rules_by_mark
from careplan.fhir.cds_hooks.front_card import shortened
from careplan.fhir.cds_hooks.prefetch import KINDS, templates
from careplan.fhir.cds_hooks.services import HOOKS, SERVICE, id_of
from careplan.fhir.read.bundle import FromFhir
from careplan.planner import Planner
from careplan.rulebook.model import Rule, Rulebook
from careplan.web.security.replay_guard import Table, UsedTokens
from tests.contract.serving import ROOT, Server, certified, running, until
from tests.contract.test_fhir import concept, condition, entry, medication
from tests.fhir_validators import faults_of
from tests.shipped import reader_of

Json = dict[str, Any]
Check = Callable[["Site"], None]


RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
DAILY = [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}]
PUBLIC = "http://127.0.0.1:8000"


def bundle(*entries: Json) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries)}


XANAX = medication(concept(RXNORM, "596", "alprazolam"), dosage=DAILY, reasonCode=[concept(ICD10, "F41.1")])
ORDER = entry(
    {
        "resourceType": "MedicationRequest",
        "id": "o1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": concept(RXNORM, "28439", "lamotrigine"),
    }
)
CALL: Json = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/7", "patientId": "p1"},
    "prefetch": {
        "patient": {"resourceType": "Patient", "id": "p1", "birthDate": "1980-02-03"},
        "statements": bundle(XANAX),
        "requests": None,
        "conditions": bundle(condition(concept(ICD10, "I21.4", "NSTEMI")), condition(concept(ICD10, "I10"))),
    },
    "extension": {"careplan.at": "2026-11-01T12:00:00Z"},
}
SIGN: Json = CALL | {"hook": "order-sign", "context": CALL["context"] | {"draftOrders": bundle(ORDER)}}


def called_as(hook: str) -> Json:
    """The call with what this hook has in its context."""
    context = CALL["context"] | ({"draftOrders": bundle(ORDER)} if hook.startswith("order") else {})
    context |= {"selections": ["MedicationRequest/o1"]} if hook == "order-select" else {}
    return CALL | {"hook": hook, "context": context | ({"appointments": bundle()} if hook == "appointment-book" else {})}


class Site:
    """A running service and what it answers."""

    def __init__(self, address: Server) -> None:
        self.address = address
        self.found = httpx.get(f"{address}/cds-services")
        self.services: list[Json] = self.found.json()["services"]
        self.answer = self.post(CALL)
        self.cards: list[Json] = self.answer.json()["cards"]

    def post(self, body: object, path: str = SERVICE, **headers: str) -> httpx.Response:
        return httpx.post(f"{self.address}/cds-services/{path}", json=body, headers=headers)

    @property
    def suggestions(self) -> list[Json]:
        return [suggestion for card in self.cards for suggestion in card.get("suggestions", ())]

    @property
    def actions(self) -> list[Json]:
        return [action for suggestion in self.suggestions for action in suggestion["actions"]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("server") / "log"
    with running(log, CAREPLAN_PUBLIC_URL=PUBLIC, CAREPLAN_CORS_ORIGINS="https://ehr.example.org") as address:
        yield Site(address)


REQUIREMENTS: dict[int, tuple[str, Check | str]] = {}
"""By number: what is required, in short; and the check, or why it does not bind this service."""


def requires(*numbers: int, says: str) -> Callable[[Check], Check]:
    def noted(check: Check) -> Check:
        for number in numbers:
            assert number not in REQUIREMENTS
            REQUIREMENTS[number] = (says, check)
        return check

    return noted


def elsewhere(*numbers: int, says: str, why: str) -> None:
    for number in numbers:
        assert number not in REQUIREMENTS
        REQUIREMENTS[number] = (says, why)


def met_by(*numbers: int, says: str, test: str) -> None:
    elsewhere(*numbers, says=says, why=f"`{test}`")


def values(body: object) -> Iterator[object]:
    yield body
    for part in body.values() if isinstance(body, dict) else body if isinstance(body, list) else ():
        yield from values(part)


def absolute(url: str) -> bool:
    return re.fullmatch(r"https?://[^/\s]+(/\S*)?", url) is not None


@requires(1, says="JSON in and out")
def _(site: Site) -> None:
    assert site.answer.headers["content-type"] == "application/json"
    refused = httpx.post(f"{site.address}/cds-services/{SERVICE}", content="x", headers={"Content-Type": "text/plain"})
    assert refused.status_code == 415


@requires(3, says="no element is null or empty, but for an empty list of cards")
def _(site: Site) -> None:
    for body in (site.found.json(), site.answer.json()):
        assert not [value for value in values(body) if value is None or value in ("", {}, [])]


@requires(4, 5, 13, says="discovery at /cds-services by GET, 200")
def _(site: Site) -> None:
    assert site.found.status_code == 200


@requires(6, says="an object with a list of services")
def _(site: Site) -> None:
    assert isinstance(site.found.json(), dict)
    assert {one["hook"] for one in site.services} == {*HOOKS} >= {"patient-view", "order-select", "order-sign"}


@requires(7, 8, 9, 10, 12, says="each service has hook, title, description, id and what it needs, as strings")
def _(site: Site) -> None:
    for one in site.services:
        for name in ("hook", "title", "description", "id", "usageRequirements"):
            assert isinstance(one[name], str)
            assert one[name]


@requires(11, 29, 36, says="prefetch templates by key, in the answer to discovery")
def _(site: Site) -> None:
    for one in site.services:
        assert all(isinstance(key, str) and isinstance(query, str) for key, query in one["prefetch"].items())
        assert {"statements", "conditions", "patient"} <= one["prefetch"].keys()


@requires(14, 76, says="other statuses where something is wrong, with an OperationOutcome")
def _(site: Site) -> None:
    for answer, status in ((site.post({}, "nothing-here"), 404), (site.post({"hook": "x"}), 422)):
        assert answer.status_code == status
        assert answer.json()["resourceType"] == "OperationOutcome"
        assert faults_of([answer.json()]) == [[]]


@requires(16, says="a service is at /cds-services/{id}")
def _(site: Site) -> None:
    for one in site.services:
        assert site.post(called_as(one["hook"]), one["id"]).status_code == 200
    refused = site.post(CALL, id_of("order-sign"))
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Request.hook"]


@requires(28, says="resources come as prefetch")
def _(site: Site) -> None:
    assert any("alprazolam" in card["detail"] for card in site.cards)


@requires(35, 55, 56, 57, 59, says="tokens stand in {{ }} and name a primitive root field of the context, as context.name")
def _(site: Site) -> None:
    queries = [query for one in site.services for query in one["prefetch"].values()]
    tokens = [token for query in queries for token in re.findall(r"\{\{(.*?)\}\}", query)]
    assert set(tokens) == {"context.patientId"}
    assert all("{" not in re.sub(r"\{\{context\.patientId\}\}", "", query) for query in queries)


@requires(52, says="an OperationOutcome in place of prefetched data is noticed")
def _(site: Site) -> None:
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    assert site.post(CALL | {"prefetch": {"statements": failed, "conditions": failed}}).status_code == 412
    front = site.post(CALL | {"prefetch": CALL["prefetch"] | {"conditions": failed}}).json()["cards"][0]
    assert "illnesses not sent" in front["summary"]
    beside = site.post(CALL | {"prefetch": CALL["prefetch"] | {"observations": failed}})
    assert "OperationOutcome" in json.dumps(beside.json()["cards"][-1])


@requires(54, says="412 when nothing was sent of which a card could be made")
def _(site: Site) -> None:
    empty: list[object] = [{}, None, {"patient": CALL["prefetch"]["patient"]}, {"statements": {}, "conditions": {}}]
    for prefetch in empty:
        answer = site.post(CALL | {"prefetch": prefetch})
        assert answer.status_code == 412
        assert answer.json()["resourceType"] == "OperationOutcome"


@requires(58, says="queries are reads by id, or searches by reference and token; beyond that only `_include` of medicines")
def _(site: Site) -> None:
    patient = r"\{\{context\.patientId\}\}"
    search = rf"([A-Z][A-Za-z]+)\?patient={patient}(&[a-z\-]+=[^&]+)*(&_sort=-[a-z]+)?(&_count=\d+)?"
    search += r"(&_include=\1:medication)?"
    queries = {query for one in site.services for query in one["prefetch"].values()}
    assert [query for query in queries if not re.fullmatch(rf"Patient/{patient}|{search}", query)] == []


@requires(74, says="200 and an object with a list of cards")
def _(site: Site) -> None:
    assert site.answer.status_code == 200
    assert isinstance(site.answer.json()["cards"], list)


@requires(77, says="an empty list of cards where there is nothing to say")
def _(site: Site) -> None:
    nothing = SIGN | {"context": SIGN["context"] | {"draftOrders": bundle()}}
    answer = site.post(nothing)
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


@requires(80, 81, 82, says="a unique uuid for each card, as a string")
def _(site: Site) -> None:
    found = [card["uuid"] for card in site.cards]
    assert len(set(found)) == len(found)
    assert all(str(uuid.UUID(one)) == one for one in found)


@requires(83, says="a summary shorter than 140 characters")
def _(site: Site) -> None:
    assert all(0 < len(card["summary"]) < 140 for card in site.cards)
    assert len(shortened("word " * 60)) < 140
    assert shortened("short") == "short"


@requires(84, 85, says="the detail is GitHub Flavored Markdown, and no text of a client is markup in it")
def _(site: Site) -> None:
    for card in site.cards:
        shown = MarkdownIt("gfm-like", {"linkify": False}).render(card["detail"])
        assert "<p>" in shown or "<li>" in shown
    hostile = "# *a* _b_ `c` [d](http://x) <b>e</b> ~~f~~ |g| \\h"
    answer = site.post(CALL | {"prefetch": CALL["prefetch"] | {"statements": bundle(medication({"text": hostile}))}})
    details = [card["detail"] for card in answer.json()["cards"] if "http" in card["detail"]]
    escaped = r"\# \*a\* \_b\_ \`c\` \[d\](http://x) \<b\>e\</b\> \~\~f\~\~ \|g\| \\h"
    assert details
    for detail in details:
        assert escaped in detail
        assert hostile in html.unescape(re.sub("<[^>]+>", "", MarkdownIt("commonmark").render(detail)))


@requires(75, says="an answer has cards alone: system actions are never made, every change is for a clinician to choose")
def _(site: Site) -> None:
    for body in (CALL, SIGN):
        assert site.post(body).json().keys() == {"cards"}


@requires(111, says="no icon is sent")
def _(site: Site) -> None:
    assert not [card for card in site.cards if "icon" in card["source"]]


@requires(132, 133, 134, 135, says="nothing is updated or deleted, and no resourceId is sent")
def _(site: Site) -> None:
    actions = [
        action
        for body in (CALL, SIGN)
        for card in site.post(body).json()["cards"]
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]
    assert actions
    assert all(action.keys() == {"type", "description", "resource"} and action["type"] == "create" for action in actions)


@requires(213, says="the hooks that safety asks for are named where clinic and vendor look: in discovery and in the README")
def _(site: Site) -> None:
    readme = (ROOT / "README.md").read_text()
    assert {one["hook"] for one in site.services} == {*HOOKS}
    assert all(one["hook"] in readme and one["usageRequirements"] for one in site.services)


@requires(214, says="no extension is sent, and one in a request that is no object is refused")
def _(site: Site) -> None:
    bodies = [site.found.json(), *({key: card[key] for key in card if key != "suggestions"} for card in site.cards)]
    assert not [part for body in bodies for part in values(body) if isinstance(part, dict) and "extension" in part]
    assert site.post(CALL | {"extension": ["x"]}).status_code == 422


@requires(87, 88, 89, says="the indicator is info, warning or critical")
def _(site: Site) -> None:
    assert site.cards[0]["indicator"] == "critical"
    assert {card["indicator"] for card in site.cards} == {"critical", "warning", "info"}


@requires(90, 105, 106, 107, 108, 109, says="the source has a label and an absolute url that leads to no patient")
def _(site: Site) -> None:
    for card in site.cards:
        assert card["source"]["label"]
        assert card["source"]["url"] == f"{PUBLIC}/rulebook"


@requires(110, says="links lead to what is behind a card")
def _(site: Site) -> None:
    for card in site.cards:
        for link in card["links"]:
            path = link["url"].removeprefix(PUBLIC)
            assert httpx.get(f"{site.address}{path}", follow_redirects=True).status_code == 200


@requires(92, 94, 117, 118, 119, 123, says="suggestions have a label, a uuid and actions")
def _(site: Site) -> None:
    assert site.suggestions
    for suggestion in site.suggestions:
        assert suggestion["label"]
        assert uuid.UUID(suggestion["uuid"])
        assert suggestion["actions"]


@requires(93, 95, 96, says="a selection behaviour goes with suggestions")
def _(site: Site) -> None:
    assert all(("suggestions" in card) == ("selectionBehavior" in card) for card in site.cards)
    assert {card["selectionBehavior"] for card in site.cards if "suggestions" in card} == {"any"}


@requires(98, 99, 100, 136, 219, says="reasons for setting a card aside are codings with a display")
def _(site: Site) -> None:
    reasons = [reason for card in site.cards for reason in card.get("overrideReasons", ())]
    assert reasons
    assert all(reason["display"] and reason["code"] and reason["system"] for reason in reasons)


@requires(103, 104, 138, 139, 141, 142, says="links have a label, a url and a type")
def _(site: Site) -> None:
    links = [link for card in site.cards for link in card["links"]]
    assert links
    assert all(link["label"] and absolute(link["url"]) and link["type"] == "absolute" for link in links)


@requires(144, 145, 146, 147, says="no appContext on an absolute link")
def _(site: Site) -> None:
    assert not [link for card in site.cards for link in card["links"] if "appContext" in link]


@requires(115, 116, 216, 217, 218, 220, says="a topic is a coding")
def _(site: Site) -> None:
    topics = [card["source"]["topic"] for card in site.cards if "topic" in card["source"]]
    assert topics
    assert all(isinstance(topic["code"], str) and topic["system"] and topic["display"] for topic in topics)


@requires(120, 121, 122, says="a recommendation, where there is one, is a boolean; none is made")
def _(site: Site) -> None:
    assert not [suggestion for suggestion in site.suggestions if "isRecommended" in suggestion]


@requires(124, 125, says="actions are a list, each a suggestion by itself")
def _(site: Site) -> None:
    assert all(isinstance(suggestion["actions"], list) for suggestion in site.suggestions)


@requires(127, 128, 129, 130, 131, says="each action creates a new, valid resource, and says what it does")
def _(site: Site) -> None:
    assert site.actions
    assert all(action["type"] == "create" and action["description"] for action in site.actions)
    resources = [action["resource"] for action in site.actions]
    assert all("id" not in resource and resource["for"] == {"reference": "Patient/p1"} for resource in resources)
    assert all(resource["status"] == "draft" and resource["intent"] == "proposal" for resource in resources)
    assert faults_of(resources) == [[] for _ in resources]


@requires(148, says="feedback is taken, and counted by rule")
def _(site: Site) -> None:
    stops = [card for card in site.cards[1:] if card["indicator"] == "critical"]
    (rule,) = re.findall(r"Rule ([a-z0-9-]+) v", stops[0]["detail"])
    before = {entry["rule"]: entry for entry in httpx.get(f"{site.address}/v1/feedback").json()}
    sent = {
        "feedback": [
            {
                "card": stops[0]["uuid"],
                "outcome": "overridden",
                "overrideReason": {"reason": {"code": "x", "system": "y"}, "userComment": "Zyxwvut"},
                "outcomeTimestamp": "2026-11-01T12:00:00Z",
            },
            {
                "card": stops[0]["uuid"],
                "outcome": "accepted",
                "acceptedSuggestions": [{"id": stops[0]["suggestions"][0]["uuid"]}],
                "outcomeTimestamp": "2026-11-01T12:00:00Z",
            },
        ]
    }
    assert site.post(sent, f"{SERVICE}/feedback").status_code == 200
    after = {entry["rule"]: entry for entry in httpx.get(f"{site.address}/v1/feedback").json()}
    assert after[rule]["overridden"] == before.get(rule, {"overridden": 0})["overridden"] + 1
    assert after[rule]["accepted"] == before.get(rule, {"accepted": 0})["accepted"] + 1
    assert "Zyxwvut" not in json.dumps(after)
    refused = site.post({"feedback": [{"card": "x", "outcome": "maybe"}, 7]}, f"{SERVICE}/feedback")
    assert refused.status_code == 422
    assert len(refused.json()["issue"]) == 4
    assert httpx.get(f"{site.address}/v1/feedback").json() == list(after.values())


@requires(208, says="CORS for browser clients that are configured, and for no others")
def _(site: Site) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    for origin, let in (("https://ehr.example.org", True), ("https://other.example.org", False)):
        answer = httpx.options(f"{site.address}/cds-services/{SERVICE}", headers=asked | {"Origin": origin})
        assert (answer.headers.get("access-control-allow-origin") == origin) == let
        seen = httpx.get(f"{site.address}/cds-services", headers={"Origin": origin, "Authorization": "Bearer x"})
        assert (seen.headers.get("access-control-allow-origin") == origin) == let


@requires(210, 211, 212, says="an id for each hook; the id that takes all of them still works")
def _(site: Site) -> None:
    ids = [one["id"] for one in site.services]
    assert len(set(ids)) == len(ids) == len(HOOKS)
    for hook in HOOKS:
        call = called_as(hook)
        assert site.post(call, SERVICE).json() == site.post(call, id_of(hook)).json()


met_by(
    *(176, 177, 195, 199, 200, 205),
    says="signed tokens of listed issuers are checked where clients are configured",
    test="test_requirements_176_177_195_199_200_205_a_good_token_lets_a_client_pass_once",
)
met_by(
    *(201, 203),
    says="no unsigned tokens and no shared secrets",
    test="test_requirements_201_203_a_token_not_to_be_trusted_is_refused_without_a_reason",
)
met_by(
    *(2, 168),
    says="HTTPS beyond this machine: by the service with its own certificate, or by the proxy in front",
    test="test_requirements_2_168_with_a_certificate_the_services_are_reached_by_tls_and_by_nothing_else",
)
elsewhere(27, says="an answer within 500 ms", why="Measured by bench/, and never asserted in a test.")
elsewhere(34, says="resources come as prefetch or from the client's FHIR server", why="As prefetch only; see 28 and 60.")
elsewhere(60, says="access to the client's FHIR server", why="No FHIR server is ever called; data comes as prefetch.")
met_by(
    61,
    says="no call of a FHIR server without an access token: none is called at all",
    test="test_requirement_61_the_fhir_server_of_a_client_is_never_called",
)
elsewhere(78, says="removal of earlier cards", why="A matter of the client; see 211.")
elsewhere(112, 113, says="icon of a source", why="No icon is sent; see 111.")
elsewhere(140, says="deep links", why="Links lead to the rule, not to a patient.")
elsewhere(175, 179, says="mutual TLS", why="A matter of the proxy in front.")
elsewhere(206, says="clients reconsider their algorithms", why="A matter of the client.")
elsewhere(207, says="the algorithms that a service trusts", why="ES384 and RS384, and no others; see 205.")
elsewhere(215, says="names of extensions", why="None are sent; of a request only `careplan.at` is read.")


@cache
def numbered() -> dict[str, Check]:
    return {f"{number:03}-{says}": check for number, (says, check) in sorted(REQUIREMENTS.items()) if callable(check)}


@pytest.mark.parametrize("requirement", numbered())
def test_requirement(site: Site, requirement: str) -> None:
    numbered()[requirement](site)


def test_the_table_of_requirements_is_the_one_on_file_and_has_all_of_them() -> None:
    assert len(REQUIREMENTS) == 120
    named = {check.strip("`") for _, check in REQUIREMENTS.values() if isinstance(check, str) and check.startswith("`test")}
    assert len(named) == 4
    assert named <= globals().keys()
    lines = [
        "# CDS Hooks 2.0: what binds a service, and where it is met",
        "",
        "Made from `tests/contract/test_cds_hooks.py`, where each requirement has a test by its number.",
        "",
        "| number | requirement | met by |",
        "| --- | --- | --- |",
        *(
            f"| {number} | {says} | {f'`test_requirement[{number:03}-...]`' if callable(check) else check} |"
            for number, (says, check) in sorted(REQUIREMENTS.items())
        ),
    ]
    file = ROOT / "docs" / "cds-hooks.md"
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(lines) + "\n")
    assert file.read_text() == "\n".join(lines) + "\n"


# Beyond the list.


def draft(concept_: Json, name: str = "o1", **rest: object) -> Json:
    order = {"resourceType": "MedicationRequest", "id": name, "status": "draft", "intent": "order"}
    return entry(order | {"medicationCodeableConcept": concept_} | rest)


def signing(*orders: Json, **rest: object) -> Json:
    return CALL | {"hook": "order-sign", "context": CALL["context"] | {"draftOrders": bundle(*orders)}} | rest


def selecting(selections: object, *orders: Json) -> Json:
    context = CALL["context"] | {"draftOrders": bundle(*orders), "selections": selections}
    return CALL | {"hook": "order-select", "context": context}


def rules_of(cards: list[Json]) -> set[str]:
    return {rule for card in cards for rule in re.findall(r"Rule ([a-z0-9-]+) v", card["detail"])}


LAMOTRIGINE = concept(RXNORM, "28439", "lamotrigine")
KETAMINE = concept(RXNORM, "6130", "ketamine")
BY_VEIN: Json = {"dosageInstruction": [{"route": concept("http://snomed.info/sct", "47625008")}]}
UNDER_THE_SKIN: Json = {"dosageInstruction": [{"route": concept("http://snomed.info/sct", "34206005")}]}
BY_NOSE: Json = {"dosageInstruction": [{"route": concept("http://snomed.info/sct", "46713006")}]}


@pytest.mark.parametrize("name", ["Patient/p1", "https://ehr.example.org/fhir/Patient/p1"])
def test_a_patient_is_found_by_a_reference_as_by_an_id(site: Site, name: str) -> None:
    answer = site.post(CALL | {"context": CALL["context"] | {"patientId": name}})
    assert answer.status_code == 200, answer.text
    assert answer.json()["cards"] == site.cards


def test_while_orders_are_made_only_alerts_and_what_concerns_the_order_is_shown(site: Site) -> None:
    cards = site.post(SIGN).json()["cards"]
    assert cards
    assert all(card["indicator"] == "critical" or "lamotrigine" in card["detail"].casefold() for card in cards)
    assert any("lamotrigine" in card["detail"] for card in cards)
    selected = SIGN | {"hook": "order-select", "context": SIGN["context"] | {"selections": ["MedicationRequest/o1"]}}
    assert site.post(selected).json() == {"cards": cards}


def test_an_order_of_the_treatment_shows_all_that_stands_in_its_way_and_takes_it_for_no_medicine_of_the_patient(
    site: Site,
) -> None:
    cards = site.post(signing(draft(KETAMINE, **BY_VEIN))).json()["cards"]
    viewed = rules_of(site.cards)
    assert rules_of(cards) >= viewed
    assert any("alprazolam" in card["summary"] and card["indicator"] == "warning" for card in cards)
    assert not [
        card for card in cards if "already take ketamine" in card["detail"] or card["summary"].startswith("Ketamine")
    ]
    assert {card["source"]["topic"]["code"] for card in cards if "topic" in card["source"]} <= {
        "screening",
        "medications",
        "route",
    }
    assert "Which illnesses" not in cards[-1]["detail"]
    assert "preferred" not in cards[-1]["detail"]


@pytest.mark.parametrize(
    ("code", "rest", "product", "route"),
    [
        (KETAMINE, BY_VEIN, "racemic", "iv"),
        (KETAMINE, UNDER_THE_SKIN, "racemic", "subcutaneous"),
        ({"text": "Spravato"}, BY_NOSE, "esketamine", "nasal"),
        (KETAMINE, {}, "racemic", None),
    ],
)
def test_an_order_of_the_treatment_says_which_product_by_which_route(
    planner: Planner, code: Json, rest: Json, product: str, route: str | None
) -> None:
    reader = reader_of(planner)
    call = read_call(signing(draft(code, **rest)), reader, date(2026, 11, 1))
    treatment = call.read.patient.treatment
    assert (treatment.product, treatment.preferred_route, call.read.treats) == (product, route, True)
    assert [one.name for one in call.read.patient.medications or []] == ["alprazolam"]
    assert [one.what for one in call.read.unmapped] == ([] if route else ["route of ketamine"])


def test_only_orders_that_are_selected_matter_and_the_others_are_named(site: Site) -> None:
    orders = (draft({"text": "Xanax"}, "o1"), draft(LAMOTRIGINE, "o2"))
    cards = site.post(selecting(["MedicationRequest/o2"], *orders)).json()["cards"]
    assert any("lamotrigine" in card["summary"] for card in cards)
    assert not any("alprazolam" in card["summary"].casefold() for card in cards)
    assert "not selected" in cards[-1]["detail"]
    assert site.post(selecting([], *orders)).json() == {"cards": []}


@pytest.mark.parametrize("selections", [[7], ["MedicationRequest/o9"], [{}], ["x y"]])
def test_selections_name_draft_orders(site: Site, selections: object) -> None:
    answer = site.post(selecting(selections, draft(LAMOTRIGINE)))
    assert answer.status_code == 422
    assert [issue["expression"] for issue in answer.json()["issue"]] == [["Request.context.selections[0]"]]


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (draft(LAMOTRIGINE, subject={"reference": "Patient/OTHER"}), "somebody else"),
        (entry({"resourceType": "ServiceRequest", "id": "o1", "code": {"text": "ketamine infusion"}}), "ServiceRequest"),
        (draft({}), "neither a code nor a text"),
    ],
)
def test_an_order_that_could_not_be_read_is_shown_as_such(site: Site, order: Json, says: str) -> None:
    assert says in site.post(signing(order)).json()["cards"][-1]["detail"]


def test_data_that_failed_is_shown_while_orders_are_made(site: Site) -> None:
    failed = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    answer = site.post(signing(draft(LAMOTRIGINE), prefetch=CALL["prefetch"] | {"allergies": failed}))
    assert "OperationOutcome" in answer.json()["cards"][-1]["detail"]
    page = bundle() | {"link": [{"relation": "next", "url": "x"}]}
    cut = site.post(signing(draft(LAMOTRIGINE), prefetch=CALL["prefetch"] | {"allergies": page}))
    assert "one page of several" in cut.json()["cards"][-1]["detail"]


@pytest.mark.parametrize(
    ("damage", "status"),
    [
        ({"resourceType": "Bundle", "entry": {"resource": {"resourceType": "Condition"}}}, 422),
        ({"resourceType": "Bundle", "entry": None}, 422),
        ({"resourceType": "Bundle", "entry": ["x"]}, 422),
        ({"resourceType": "Bundle", "entry": [{}]}, 422),
        ({"resourceType": "Coverage"}, 200),
        ({"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Coverage"}}]}, 200),
        ({"resourceType": "Bundle", "total": 3}, 200),
    ],
)
def test_a_damaged_answer_is_no_answer(site: Site, damage: Json, status: int) -> None:
    answer = site.post(CALL | {"prefetch": CALL["prefetch"] | {"conditions": damage}})
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["issue"][0]["expression"][0].startswith("Request.prefetch.conditions.entry")
    else:
        assert "illnesses not sent" in answer.json()["cards"][0]["summary"]


def test_an_answer_without_entries_is_one_that_there_is_nothing_on_record(site: Site) -> None:
    answer = site.post(CALL | {"prefetch": CALL["prefetch"] | {"conditions": {"resourceType": "Bundle", "total": 0}}})
    assert "not sent" not in answer.json()["cards"][0]["summary"]


def test_damaged_draft_orders_are_refused_by_their_place(site: Site) -> None:
    answer = site.post(
        CALL | {"hook": "order-sign", "context": CALL["context"] | {"draftOrders": bundle() | {"entry": "x"}}}
    )
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Request.context.draftOrders.entry"]


def test_a_patient_other_than_that_of_the_context_is_refused(site: Site) -> None:
    other = {"resourceType": "Patient", "id": "OTHER", "birthDate": "1940-02-03"}
    answer = site.post(CALL | {"prefetch": CALL["prefetch"] | {"patient": other}})
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Request.prefetch.patient.id"]


def kinds_of(rule: Rule) -> set[str]:
    return {pattern.kind for group in rule.when for pattern in group}


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"outcomeTimestamp": "yesterday"}, "outcomeTimestamp"),
        ({"outcomeTimestamp": None}, "outcomeTimestamp"),
        ({"outcome": "accepted"}, "acceptedSuggestions"),
        ({"outcome": "accepted", "acceptedSuggestions": [{}]}, "acceptedSuggestions[0].id"),
        ({"outcome": "accepted", "acceptedSuggestions": [{"id": "x"}]}, "acceptedSuggestions[0].id"),
        ({"outcome": "accepted", "acceptedSuggestions": {}}, "acceptedSuggestions"),
        ({"overrideReason": "x"}, "overrideReason"),
        ({"overrideReason": {"reason": "x"}}, "overrideReason.reason"),
        ({"overrideReason": {"reason": {"system": "y"}}}, "overrideReason.reason.code"),
        ({"overrideReason": {"userComment": 7}}, "overrideReason.userComment"),
    ],
)
def test_every_fault_of_feedback_is_named_by_its_place(site: Site, change: Json, place: str) -> None:
    good = {"card": site.cards[0]["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-11-01T12:00:00.5Z"}
    answer = site.post({"feedback": [good | change]}, f"{SERVICE}/feedback")
    assert answer.status_code == 422
    assert f"Request.feedback[0].{place}" in [path for issue in answer.json()["issue"] for path in issue["expression"]]


def test_a_long_record_is_taken_where_records_are_taken_and_nowhere_else(site: Site) -> None:
    illnesses = [condition({"text": f"illness {number}"}, note=[{"text": "x" * 2_000}]) for number in range(300)]
    record = {"resourceType": "Bundle", "entry": illnesses}
    fhir = {"Content-Type": "application/fhir+json"}
    for answer in (
        site.post(CALL | {"prefetch": CALL["prefetch"] | {"conditions": bundle(*illnesses)}}),
        httpx.post(f"{site.address}/fhir/PlanDefinition/$apply", json=record, headers=fhir),
        httpx.post(f"{site.address}/v1/care-plans", json=record, headers=fhir),
    ):
        assert answer.status_code == 200
        assert "illness 299" in answer.text
    for answer in (
        httpx.post(f"{site.address}/v1/care-plans", json={"other_conditions": ["x" * 300_000]}),
        httpx.post(f"{site.address}/fhir/PlanDefinition/$apply", content=b" " * 10_500_000, headers=fhir),
        site.post({"feedback": [{"card": "x" * 300_000}]}, f"{SERVICE}/feedback"),
    ):
        assert answer.status_code == 413


def queries(book: Rulebook) -> dict[str, str]:
    return templates(book.rules.values(), book.derived, book.codes.observations)


def test_prefetch_asks_for_no_more_than_the_rules_use(book: Rulebook) -> None:
    assert queries(book).keys() == KINDS.keys()
    few = {name: rule for name, rule in book.rules.items() if kinds_of(rule) == {"lifestyle"}}
    small = msgspec.structs.replace(book, rules=few)
    assert queries(small).keys() == {"observations", "answers"}
    assert "82810-3" not in queries(small)["observations"]
    assert queries(msgspec.structs.replace(book, rules={})) == {}


def test_null_is_not_the_same_as_none(site: Site) -> None:
    empty = site.post(CALL | {"prefetch": {"statements": None, "conditions": None}})
    assert empty.status_code == 200
    cards = empty.json()["cards"]
    assert "Which illnesses" in cards[0]["detail"]
    assert "not sent" not in cards[0]["summary"]


@pytest.mark.parametrize(
    ("change", "expression"),
    [
        ({"hook": "encounter-start"}, "Request.hook"),
        ({"hookInstance": "7"}, "Request.hookInstance"),
        ({"context": None}, "Request.context"),
        ({"context": {"userId": 7, "patientId": "p"}}, "Request.context.userId"),
        ({"context": {"userId": "7", "patientId": "Practitioner/p"}}, "Request.context.patientId"),
        ({"hook": "order-sign"}, "Request.context.draftOrders"),
        ({"fhirAuthorization": {"access_token": "Zyxwvut"}}, "Request.fhirServer"),
        ({"extension": {"careplan.at": "now"}}, "Request.extension.careplan.at"),
        ({"prefetch": {"conditions": [1], "statements": None}}, "Request.prefetch.conditions"),
        (
            {"prefetch": CALL["prefetch"] | {"conditions": bundle({"resource": {"resourceType": "Condition", "code": 7}})}},
            "Request.prefetch.conditions.entry[0].resource.code",
        ),
    ],
)
def test_every_fault_of_a_call_is_named_by_its_place(site: Site, change: Json, expression: str) -> None:
    answer = site.post(CALL | change)
    assert answer.status_code == 422, answer.text
    assert expression in [path for issue in answer.json()["issue"] for path in issue["expression"]]
    assert "Zyxwvut" not in answer.text


def test_a_card_tells_its_rule_and_differs_from_call_to_call(book: Rulebook) -> None:
    marks = rules_by_mark(book.rules)
    assert len(marks) == len(book.rules) + 1
    for rule in book.rules:
        one, two = (card_uuid(instance, rule, f"{rule}/x") for instance in ("a", "b"))
        assert one != two
        assert uuid.UUID(one).version == 8
        assert marks[mark_of(one) or b""] == rule


def test_tasks_of_a_hold_carry_a_window_only_with_a_signed_protocol(planner: Planner) -> None:
    body = json.loads((ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json").read_text())
    body["treatment"]["session_times"] = ["2027-03-12T10:00:00-05:00"]
    for sent, windows in ((body, 2), ({**body, "protocol": None}, 0)):
        patient = planner.intake.convert(sent)
        read = FromFhir(patient, [], {}, "Patient/p1", {})
        cards = Cards(planner.book.about, planner.book.rules, planner.book.codes.override_reasons).of(
            planner.plan(patient), read, "x"
        )
        actions = [action for card in cards for one in card.get("suggestions", ()) for action in one["actions"]]
        assert actions
        assert len([action for action in actions if "executionPeriod" in action["resource"]]) == windows


@pytest.mark.long
def test_requirements_2_168_with_a_certificate_the_services_are_reached_by_tls_and_by_nothing_else(tmp_path: Path) -> None:
    certificate, key = certified(tmp_path)
    with running(
        tmp_path / "log", trusted=certificate, CAREPLAN_TLS_CERTIFICATE=str(certificate), CAREPLAN_TLS_KEY=str(key)
    ) as address:
        verify = ssl.create_default_context(cafile=str(certificate))
        assert address.startswith("https://")
        assert httpx.get(f"{address}/cds-services", verify=verify).status_code == 200
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{address}/cds-services".replace("https://", "http://"))


def test_requirement_61_the_fhir_server_of_a_client_is_never_called(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.5)
        server = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
        access = {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "s"}
        assert site.post(CALL | {"fhirServer": server, "fhirAuthorization": access}).status_code == 200
        with pytest.raises(TimeoutError):
            listening.accept()


# Tokens.

EC_KEY, OTHER_KEY = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SMALL_KEY = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - it is to be refused
KEYS = {
    "keys": [
        json.loads(ECAlgorithm.to_jwk(EC_KEY.public_key())) | {"kid": "ec", "alg": "ES384"},
        json.loads(RSAAlgorithm.to_jwk(RSA_KEY.public_key())) | {"kid": "rsa", "alg": "RS384"},
        json.loads(RSAAlgorithm.to_jwk(SMALL_KEY.public_key())) | {"kid": "small", "alg": "RS384"},
    ]
}
AUDIENCE = f"{PUBLIC}/cds-services/{SERVICE}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "clients.json").write_text(json.dumps([{"iss": "https://ehr.example.org", "jwks": KEYS}]))
    with running(
        folder / "log", CAREPLAN_CDS_CLIENTS=str(folder / "clients.json"), CAREPLAN_PUBLIC_URL=PUBLIC, CAREPLAN_LOG="json"
    ) as address:
        yield address, folder / "log"


def token(key: Any = EC_KEY, algorithm: str = "ES384", *, kid: str = "ec", header: Json | None = None, **claims: Any) -> str:
    now = int(time.time())
    body = {
        "iss": "https://ehr.example.org",
        "aud": AUDIENCE,
        "exp": now + 120,
        "iat": now,
        "jti": uuid.uuid4().hex,
    } | claims
    body = {name: value for name, value in body.items() if value is not None}
    return jwt.encode(body, key, algorithm=algorithm, headers={"kid": kid} | (header or {}))


def called(address: Server, sent: str | None, path: str = SERVICE) -> httpx.Response:
    headers = {"Authorization": f"Bearer {sent}"} if sent else {}
    return httpx.post(f"{address}/cds-services/{path}", json=CALL, headers=headers)


def test_requirements_176_177_195_199_200_205_a_good_token_lets_a_client_pass_once(guarded: tuple[Server, Path]) -> None:
    address, _ = guarded
    for good in (token(), token(RSA_KEY, "RS384", kid="rsa"), token(aud=[AUDIENCE, "https://other.example.org"])):
        assert called(address, good).status_code == 200
        assert called(address, good).status_code == 401
    assert httpx.get(f"{address}/cds-services").status_code == 200


def unsigned() -> str:
    parts = [{"alg": "none", "kid": "ec"}, jwt.decode(token(), options={"verify_signature": False})]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


def of_a_small_key() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return token(SMALL_KEY, "RS384", kid="small")


BAD: dict[str, Callable[[], str | None]] = {
    "none": lambda: None,
    "no token": lambda: "x.y.z",
    "unsigned": unsigned,
    "a shared secret": lambda: token("secret-secret-secret-secret-secret-secret-secret-xx", "HS384"),
    "an algorithm not listed": lambda: token(RSA_KEY, "RS256", kid="rsa"),
    "another key": lambda: token(OTHER_KEY),
    "an unknown key id": lambda: token(kid="other"),
    "another issuer": lambda: token(iss="https://other.example.org"),
    "another audience": lambda: token(aud=f"{PUBLIC}/cds-services"),
    "over": lambda: token(iat=int(time.time()) - 300, exp=int(time.time()) - 60),
    "not yet": lambda: token(iat=int(time.time()) + 3600, exp=int(time.time()) + 3700),
    "for a whole day": lambda: token(exp=int(time.time()) + 86_400),
    "without an end": lambda: token(exp=None),
    "without an id": lambda: token(jti=None),
    "with an empty id": lambda: token(jti=" "),
    "a small RSA key": of_a_small_key,
    "keys from elsewhere": lambda: token(header={"jku": "https://other.example.org/keys"}),
}


@pytest.mark.parametrize("kind", BAD)
def test_requirements_201_203_a_token_not_to_be_trusted_is_refused_without_a_reason(
    guarded: tuple[Server, Path], kind: str
) -> None:
    address, log = guarded
    sent = BAD[kind]()
    answer = called(address, sent)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert [issue["code"] for issue in answer.json()["issue"]] == ["login"]
    assert sent is None or sent not in log.read_text()
    assert called(address, sent, f"{SERVICE}/feedback").status_code == 401


@pytest.mark.long
def test_a_token_passes_once_among_all_workers(tmp_path: Path) -> None:
    (tmp_path / "clients.json").write_text(json.dumps([{"iss": "https://ehr.example.org", "jwks": KEYS}]))
    clients = str(tmp_path / "clients.json")
    log = tmp_path / "log"
    with running(log, "--workers", "2", CAREPLAN_CDS_CLIENTS=clients, CAREPLAN_PUBLIC_URL=PUBLIC) as address:
        for _ in range(3):
            sent = token()
            answers = [called(address, sent).status_code for _ in range(8)]
            assert sorted(answers) == [200, *([401] * 7)]


def test_used_tokens_are_bounded_and_forgotten_when_they_expire() -> None:
    table = Table(most=2)
    one, other = UsedTokens(table), UsedTokens(table)
    later = time.time() + 60
    assert one.first_use("issuer", "a", later)
    assert not other.first_use("issuer", "a", later)
    assert other.first_use("other", "a", time.time() - 1)
    assert other.first_use("other", "a", later)
    assert not one.first_use("issuer", "b", later)
    assert b"issuer" not in bytes(table.memory)


def test_a_worker_that_died_while_it_remembered_a_token_keeps_no_other_from_it() -> None:
    table = Table(most=100)
    child = os.fork()
    if child == 0:
        fcntl.lockf(table.lock, fcntl.LOCK_EX)
        signal.pause()
    until(lambda: not UsedTokens(table).first_use("issuer", str(time.monotonic_ns()), time.time() + 60))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert UsedTokens(table).first_use("issuer", "a", time.time() + 60)


def test_of_two_processes_with_one_token_one_is_first() -> None:
    table, later = Table(), time.time() + 60
    reading, writing = os.pipe()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            used = UsedTokens(table)
            os.write(
                writing, bytes(sum(used.first_use("issuer", str(name), later) for name in range(200)).to_bytes(2, "big"))
            )
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    os.close(writing)
    found = os.read(reading, 100)
    assert sum(int.from_bytes(found[at : at + 2], "big") for at in range(0, len(found), 2)) == 200


def test_what_a_clinic_system_sends_reaches_neither_log_nor_error(tmp_path: Path) -> None:
    planted = "Zyxwvut Qponmlk"
    fhir = {"Content-Type": "application/fhir+json"}
    with running(tmp_path / "log", CAREPLAN_LOG="json") as address:
        bad_bundle = {
            "resourceType": "Bundle",
            "entry": [{"resource": {"resourceType": "Patient", "birthDate": {planted: 1}}}],
        }
        answers = [
            httpx.post(f"{address}/fhir/PlanDefinition/$apply", json={"resourceType": planted}, headers=fhir),
            httpx.post(f"{address}/fhir/PlanDefinition/$apply", json=bad_bundle, headers=fhir),
            httpx.post(f"{address}/v1/care-plans", content=f'{{"{planted}"'.encode(), headers=fhir),
            httpx.get(f"{address}/fhir/Questionnaire/{planted}"),
            httpx.post(f"{address}/cds-services/{SERVICE}", json=CALL | {"hook": planted, planted: planted}),
            httpx.post(f"{address}/cds-services/{SERVICE}", json=CALL | {"prefetch": {planted: planted}}),
            httpx.post(f"{address}/cds-services/{planted}", json=CALL, headers={"Authorization": f"Bearer {planted}"}),
            httpx.post(f"{address}/cds-services/{SERVICE}/feedback", json={"feedback": [{"card": planted}]}),
            httpx.post(f"{address}/v1/care-plans", json={}, headers={"Accept": "image/x", "Accept-Language": planted}),
        ]
        taken = [
            httpx.post(
                f"{address}/cds-services/{SERVICE}",
                json=CALL
                | {
                    "prefetch": {"conditions": bundle(condition({"text": planted})), "statements": None},
                    "fhirServer": f"https://{planted.split(maxsplit=1)[0]}.example.org",
                    "fhirAuthorization": {"access_token": planted},
                },
            ),
            httpx.post(f"{address}/fhir/PlanDefinition/$apply", json=bundle(medication({"text": planted})), headers=fhir),
        ]
    assert all(400 <= answer.status_code < 500 for answer in answers), [answer.status_code for answer in answers]
    assert not [answer.text for answer in answers if "Zyxwvut" in answer.text or "Qponmlk" in answer.text]
    assert all(answer.status_code == 200 and planted in answer.text for answer in taken)
    log = (tmp_path / "log").read_text()
    assert log
    assert "Zyxwvut" not in log
    assert "Qponmlk" not in log
