"""What is asked for samples: of each operation a request that is answered with 200, and others that are refused."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from careplan.fhir.cds_hooks.services import id_of
from careplan.media_types import FHIR_JSON
from careplan.rulebook.model import Rulebook
from careplan.web.examples import folder
from careplan.web.openapi.samples import Answered, Sent

Json = dict[str, Any]
Ask = Callable[[Sent], Answered]
_encode = msgspec.json.encode
_POST, _GET = "POST", "GET"
_PLANS = "/v1/care-plans"
_RECORDED, _SIGNED = "2026-03-02T09:00:00Z", "2026-03-02T09:20:00Z"
_BY = "Dr Ada Quill"
_SHORT = {"detail": "front"}


class Asked(NamedTuple):
    """A request for a sample, with the name and the summary under which it will be shown."""

    operation: str
    name: str
    summary: str
    sent: Sent


def good_requests(book: Rulebook, ask: Ask) -> Iterator[Asked]:
    """Requests for each operation that are answered with 200. Some are made of the answers to others, got by `ask`."""
    return itertools.chain(_plans(ask), _questions(ask), _records(book, ask), _reference(book))


def bad_requests(good: Mapping[str, Sent]) -> Iterator[Asked]:
    """Requests that each operation refuses for what is in them, made from a good one of it."""
    for operation, sent in good.items():
        if sent.body:
            yield Asked(operation, "not-json", "A body that is not JSON", sent._replace(body=b"{"))
            other = sent._replace(form="text/plain", headers=sent.headers or {"Accept": sent.form})
            yield Asked(operation, "media-type", "A body of another media type", other)
        unknown = sent._replace(parameters={**sent.parameters, "nonsense": "1"})
        yield Asked(operation, "unknown-parameter", "A parameter of the query that there is not", unknown)
        if sent.path.startswith((_PLANS, "/v1/protocol")) and not sent.path.endswith("/batch"):
            picture = sent._replace(headers={"Accept": "image/png"})
            yield Asked(operation, "no-such-form", "A form that there is not", picture)
        for name in {"name", "rule_id", "service"} & sent.parameters.keys():
            nobody = sent._replace(parameters={**sent.parameters, name: "nobody"})
            yield Asked(operation, "no-such-thing", "A name that nothing has", nobody)
    if "createCarePlan" in good and good["createCarePlan"].form != FHIR_JSON:
        yield from bad_requests({"createCarePlan": a_record()})
    yield from _wrong(good)


def a_record() -> Sent:
    """The request for a plan of a caller who speaks FHIR."""
    return Sent(_POST, _PLANS, body=_file("records/daily-benzodiazepine.json"), form=FHIR_JSON)


def _wrong(good: Mapping[str, Sent]) -> Iterator[Asked]:
    faults = {"age_years": "forty", "pregnancy": "maybe", "medications": [{"schedule": "daily"}]}
    bodies: dict[str, Json | list[Any]] = {
        "createCarePlan": faults if good["createCarePlan"].form != FHIR_JSON else {"resourceType": "Patient"},
        "compareCarePlans": {"patient": faults, "changes": [{}]},
        "whatWouldChange": {"patient": {}, "item": "no-such-item"},
        "signCarePlan": {"by": _BY, "at": _SIGNED, "record": {}},
        "applyPlanDefinition": {"resourceType": "Patient"},
        "applyNamedPlanDefinition": {"resourceType": "Patient"},
        "callCdsService": {"hook": "patient-view", "context": {}},
        "sendCdsFeedback": {"feedback": []},
    }
    for operation, body in bodies.items():
        if operation in good:
            yield Asked(operation, "faults", "A body with faults, each named", good[operation]._replace(body=_encode(body)))
    if "callCdsService" in good:
        call = msgspec.json.decode(good["callCdsService"].body) | {"prefetch": {}}
        without = good["callCdsService"]._replace(body=_encode(call))
        yield Asked("callCdsService", "nothing-prefetched", "A call without what the prefetch asks for", without)


def _plans(ask: Ask) -> Iterator[Asked]:
    patient = _file("daily-benzodiazepine.json")
    plan = Sent(_POST, _PLANS, body=patient)
    said = "A patient who takes a benzodiazepine each day"
    front = plan._replace(parameters=_SHORT)
    yield Asked("createCarePlan", "daily-benzodiazepine", f"{said}: front page and card", front)
    for form, name, sent in (
        ("text/markdown", "page-as-markdown", front),
        ("text/html", "page", front),
        (FHIR_JSON, "plan-as-fhir", plan),
    ):
        yield Asked("createCarePlan", name, f"The same as {form}", sent._replace(headers={"Accept": form}))
    times = _decoded(patient)
    times["treatment"]["session_times"] = ["2026-03-09T14:00:00Z"]
    calendar = {"at": _RECORDED, "zone": "America/Chicago", "key": "made-up-course"}
    sessions = Sent(_POST, _PLANS, calendar, _encode(times), headers={"Accept": "text/calendar"})
    yield Asked("createCarePlan", "sessions-as-calendar", "Sessions as a calendar", sessions)
    of_records = a_record()._replace(parameters=_SHORT, headers={"Accept": "application/json"})
    yield Asked("createCarePlan", "record", "A FHIR Bundle, answered as JSON", of_records)
    recorded = ask(Sent(_POST, _PLANS, {"explain": "record", "at": _RECORDED}, patient))
    if recorded.status == 200:
        record = _decoded(recorded.body)
        body = _encode({"record": record, "by": _BY, "at": _SIGNED, "choices": _choices(record)})
        yield Asked(
            "signCarePlan", "signed", "A record with a choice for each decision", Sent(_POST, f"{_PLANS}/sign", body=body)
        )
    yield Asked("getSigningKeys", "keys", "The keys of a service that has none", Sent(_GET, "/v1/signing-keys"))
    lines = b"".join(
        _encode({"request_key": key} | body) + b"\n" for key, body in (("a-1", {}), ("a-2", {"age_years": "x"}))
    )
    batch = Sent(_POST, f"{_PLANS}/batch", body=lines, form="application/x-ndjson")
    yield Asked("createCarePlans", "two-lines", "Two lines, the second with a fault", batch)
    records = _encode(_decoded(_file("records/daily-benzodiazepine.json"))) + b"\n"
    yield Asked("createCarePlans", "one-record", "One record", batch._replace(body=records, form="application/fhir+ndjson"))


def _questions(ask: Ask) -> Iterator[Asked]:
    patient = _decoded(_file("daily-benzodiazepine.json"))
    body = _encode({"patient": patient, "changes": [{"lifestyle": {"sleep_hours_per_night": 8}}]})
    yield Asked(
        "compareCarePlans", "more-sleep", "What more sleep would change", Sent(_POST, f"{_PLANS}/compare", body=body)
    )
    answer = ask(Sent(_POST, _PLANS, body=_encode(patient)))
    items = [item["id"] for section in _decoded(answer.body).get("sections", ()) for item in section["items"]]
    for item in items:
        body = _encode({"patient": patient, "item": item})
        which = Sent(_POST, f"{_PLANS}/what-would-change", body=body)
        found = ask(which)
        if found.status == 200 and _decoded(found.body).get("ways"):
            yield Asked("whatWouldChange", "one-item", "The smallest changes that make an item go away", which)
            return


def _records(book: Rulebook, ask: Ask) -> Iterator[Asked]:
    record = _file("records/daily-benzodiazepine.json")
    named = {"name": book.about.id}
    applied = Sent(_POST, "/fhir/PlanDefinition/$apply", body=record, form=FHIR_JSON)
    said = "A record of one patient"
    yield Asked("applyPlanDefinition", "record", said, applied)
    by_name = applied._replace(path="/fhir/PlanDefinition/{name}/$apply", parameters=named)
    yield Asked("applyNamedPlanDefinition", "record", said, by_name)
    yield Asked("getCapabilityStatement", "statement", "The statement", Sent(_GET, "/fhir/metadata"))
    form = Sent(_GET, "/fhir/Questionnaire/{name}", {"name": "intake"})
    yield Asked("getQuestionnaire", "intake", "The intake form", form)
    definition = Sent(_GET, "/fhir/PlanDefinition/{name}", named)
    yield Asked("getPlanDefinition", "rulebook", "The rulebook", definition)
    yield Asked("discoverCdsServices", "services", "The services", Sent(_GET, "/cds-services"))
    service = {"service": id_of("patient-view")}
    call = Sent(_POST, "/cds-services/{service}", service, _file("hooks/patient-view.json"))
    yield Asked("callCdsService", "patient-view", "The record of a patient is opened", call)
    cards = _decoded(ask(call).body).get("cards", ())
    if cards:
        card = {"card": cards[-1]["uuid"], "outcome": "overridden", "outcomeTimestamp": _SIGNED}
        feedback = Sent(_POST, "/cds-services/{service}/feedback", service, _encode({"feedback": [card]}))
        yield Asked("sendCdsFeedback", "set-aside", "A card was set aside", feedback)
    yield Asked("getFeedback", "counts", "After one card was set aside", Sent(_GET, "/v1/feedback"))


def _reference(book: Rulebook) -> Iterator[Asked]:
    medicine = Sent(_GET, "/v1/medications", {"q": "xanax", "limit": "1"})
    yield Asked("findMedications", "brand", "A brand name", medicine)
    for operation, name, said, path in (
        ("listConditions", "conditions", "The conditions", "/v1/conditions"),
        ("getRulebook", "rulebook", "The rulebook", "/v1/rulebook"),
        ("getRulebookProof", "certificate", "The certificate", "/v1/rulebook/proof"),
        ("listRules", "rules", "The rules", "/v1/rules"),
        ("getProtocol", "protocol", "The protocol", "/v1/protocol"),
        ("getLiveness", "alive", "Alive", "/livez"),
        ("getReadiness", "ready", "Ready", "/readyz"),
    ):
        yield Asked(operation, name, said, Sent(_GET, path))
    for form, name in (("text/html", "page"), ("text/markdown", "page-as-markdown")):
        page = Sent(_GET, "/v1/protocol", headers={"Accept": form})
        yield Asked("getProtocol", name, f"The protocol as {form}", page)
    rule = next((one.file.id for one in book.in_order()), "none")
    yield Asked("getRule", "rule", "One rule", Sent(_GET, "/v1/rules/{rule_id}", {"rule_id": rule}))


def _choices(record: Json) -> list[Json]:
    """The first option of each decision. Where a line has none to choose from, those of its level."""
    usual = {"stop": "assessed", "hold": "agreed"}
    return [
        {"items": row["items"], "option": next((one["value"] for one in row.get("options", ())), usual[row["level"]])}
        for row in record["plan"]["front"]["decisions"]
    ]


def _file(name: str) -> bytes:
    return Path(folder(), name).read_bytes()


def _decoded(body: bytes) -> Json:
    found: Json = msgspec.json.decode(body)
    return found
