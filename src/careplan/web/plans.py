"""`POST /v1/care-plans`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import JSONBody, Parameter

from careplan.patient import Patient
from careplan.plan import CarePlan
from careplan.record import TIME, DecisionRecord, record
from careplan.web.contract import PROBLEMS, documented
from careplan.web.state import PlanRequest, edition_of

_encoder = msgspec.json.Encoder()
_Explain = Annotated[Literal["none", "full", "record"], Parameter(description="how much to say about why and why not")]
_At = Annotated[
    str | None,
    Parameter(pattern=TIME, max_length=40, description="the time to write into a decision record; no plan depends on it"),
]


@post(
    "/v1/care-plans",
    status_code=200,
    operation_id="createCarePlan",
    summary="A draft care plan for one patient",
    description=(
        "Takes the factors of one patient and answers with a draft care plan. Every factor is optional: what is left out is "
        "unknown, never no, and is asked for under `information_needed`. Nothing is stored. With `explain=full` the plan "
        "says of every rule why it fired or not; with `explain=record` the answer is a decision record, which "
        "`careplan replay` reads."
    ),
    tags=["plans"],
    sync_to_thread=False,
    request_class=PlanRequest,
    responses=documented(PROBLEMS, 400, 413, 415, 422, 500, 503),
    response_description="The draft plan. A clinician signs it; `blocked` means that a human must act on the alerts first.",
)
def create_care_plan(
    data: JSONBody[Patient], request: Request[None, None, State], explain: _Explain = "none", at: _At = None
) -> Response[CarePlan | DecisionRecord]:
    """Plan for one patient."""
    planner = edition_of(request).planner
    match explain:
        case "none":
            made: CarePlan | DecisionRecord = planner.plan(data)
        case "full":
            made = planner.explained(data)
        case "record":
            made = record(planner, data, at)
    return Response(_encoder.encode(made), media_type="application/json", headers={"Cache-Control": "no-store"})  # type: ignore[arg-type]
