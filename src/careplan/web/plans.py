"""`POST /v1/care-plans`."""

from __future__ import annotations

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import JSONBody

from careplan.patient import Patient
from careplan.plan import CarePlan
from careplan.web.contract import PROBLEMS, documented
from careplan.web.state import PlanRequest, edition_of

_encoder = msgspec.json.Encoder()


@post(
    "/v1/care-plans",
    status_code=200,
    operation_id="createCarePlan",
    summary="A draft care plan for one patient",
    description=(
        "Takes the factors of one patient and answers with a draft care plan. Every factor is optional: what is left out is "
        "unknown, never no, and is asked for under `information_needed`. Nothing is stored."
    ),
    tags=["plans"],
    sync_to_thread=False,
    request_class=PlanRequest,
    responses=documented(PROBLEMS, 400, 413, 415, 422, 500, 503),
    response_description="The draft plan. A clinician signs it; `blocked` means that a human must act on the alerts first.",
)
def create_care_plan(data: JSONBody[Patient], request: Request[None, None, State]) -> Response[CarePlan]:
    """Plan for one patient."""
    plan = edition_of(request).planner.plan(data)
    return Response(_encoder.encode(plan), media_type="application/json", headers={"Cache-Control": "no-store"})  # type: ignore[arg-type]
