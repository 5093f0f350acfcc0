"""Questions about a plan: what changes of the patient would change, and what would change one item."""

from __future__ import annotations

import asyncio
from functools import partial

import msgspec
from litestar import Request, Response, post
from litestar.datastructures import State
from litestar.params import JSONBody

from careplan.errors import Fault, InvalidPatient
from careplan.explain.counterfactual import WhatWouldChange
from careplan.explain.plan_diff import Difference, difference
from careplan.plan.model import CarePlan, RulebookRef
from careplan.request.patient import Patient
from careplan.request.what_if_request import MOST_CHANGES, WhatIf, WhichChange, read_what_if, read_which_change, variants
from careplan.web.edition import Edition, JsonRequest, edition_of
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.web.process.lanes import SHORT

_encoder = msgspec.json.Encoder()
_HEADERS = {"Cache-Control": "no-store"}


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What each change would add, remove or change in the plan, in the order in which the changes were sent."""

    rulebook: RulebookRef
    status: str
    differences: list[Difference]


class WhatIfRequest(JsonRequest):
    """A request whose body is a patient with changes to try."""

    async def json(self) -> WhatIf:
        """The patient and the changes."""
        intake, body = edition_of(self).planner.intake, await self.json_body()
        return await self.beside(lambda: read_what_if(intake, body), MOST_CHANGES)


class WhichChangeRequest(JsonRequest):
    """A request whose body is a patient and the item to ask about."""

    async def json(self) -> WhichChange:
        """The patient and the item."""
        edition, body = edition_of(self), await self.json_body()
        read = await self.beside(lambda: read_which_change(edition.planner.intake, body))
        return msgspec.structs.replace(read, patient=read.patient.under(edition.defaults))


@post(
    "/v1/care-plans/compare",
    status_code=200,
    operation_id="compareCarePlans",
    summary="What if",
    description=(
        "Takes a patient and changes to try, each a JSON Merge Patch (RFC 7396) of the patient, and answers with what each "
        "change by itself would add, remove or change in the plan."
    ),
    tags=["plans"],
    opt={"scope": "plan"},
    request_class=WhatIfRequest,
    responses=documented(PROBLEMS, 400, 413, 415, 422, 500, 503),
    response_description="One difference for each change.",
)
async def compare_care_plans(data: JSONBody[WhatIf], request: Request[None, None, State]) -> Response[Compared]:
    """Plan for the patient and for each variant."""
    edition, lanes = edition_of(request), request.app.state.lanes
    planner = edition.planner
    size = len(await request.body())
    async with lanes.one_after_another(size * len(data.changes)):
        before = await lanes.do(size, lambda: planner.plan(data.patient.under(edition.defaults)))
        changed = await lanes.do(size * len(data.changes), lambda: variants(planner.intake, data))
        differences = []
        for patient in changed:
            # One after the other, so that others have their turn between two, and nobody plans for a caller who is gone.
            await asyncio.sleep(0)
            differences.append(await lanes.do(size, partial(_differs, edition, before, patient)))
    compared = Compared(rulebook=before.rulebook, status=before.status, differences=differences)
    body = await lanes.do(size * len(differences), lambda: _encoder.encode(compared))
    return Response(body, media_type="application/json", headers=_HEADERS)


def _differs(edition: Edition, before: CarePlan, patient: Patient) -> Difference:
    return difference(before, edition.planner.plan(patient.under(edition.defaults)))


@post(
    "/v1/care-plans/what-would-change",
    status_code=200,
    operation_id="whatWouldChange",
    summary="What would change an item",
    description=(
        "Takes a patient and the id of an item of the plan, or of a rule, and answers with the smallest changes of what "
        "patient or clinic could change by which the item would go away, or come up, and with what else each of them would "
        "add or remove. Medicines, conditions and red flags are left alone."
    ),
    tags=["plans"],
    opt={"scope": "plan"},
    request_class=WhichChangeRequest,
    responses=documented(PROBLEMS, 400, 413, 415, 422, 500, 503),
    response_description="The ways to change it; `fixed` says what stands in the way where there is none.",
)
async def what_would_change(data: JSONBody[WhichChange], request: Request[None, None, State]) -> Response[WhatWouldChange]:
    """Find the ways for one item. Raises `InvalidPatient` where `item` is neither an item nor a rule."""
    planner, lanes = edition_of(request).planner, request.app.state.lanes
    try:
        # Many plans are tried, however little was sent.
        found = await lanes.do(SHORT + 1, lambda: planner.what_would_change(data.patient, data.item))
    except KeyError:
        detail = "is neither an item that a plan for this patient could have nor a rule"
        raise InvalidPatient([Fault(pointer="/item", detail=detail)]) from None
    return Response(_encoder.encode(found), media_type="application/json", headers=_HEADERS)  # type: ignore[arg-type]
