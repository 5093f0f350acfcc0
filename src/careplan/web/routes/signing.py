"""`POST /v1/care-plans/sign`: a plan comes back with a clinician's choices, and is answered signed. Nothing is kept."""

from __future__ import annotations

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import JSONBody

from careplan.signing.model import SignedPlan, SigningKeys, ToSign
from careplan.signing.read import Brought, brought
from careplan.signing.sign import signed_plan
from careplan.web.edition import JsonRequest, edition_of
from careplan.web.problem_responses import PROBLEMS, documented

_encoder = msgspec.json.Encoder()
_FAULTS = {422: "The record cannot be signed with these choices; every fault is named by JSON Pointer, with how to mend it."}


class SignRequest(JsonRequest):
    """A request whose body is a plan to sign."""

    async def json(self) -> ToSign:
        """The record, who signs, and the choices. Raises `InvalidSigning` naming every fault."""
        intake, body = edition_of(self).planner.intake, await self.json_body()
        found = await self.beside(lambda: brought(intake.parse(body)))
        self.state["brought"] = found
        return found.asked


@post(
    "/v1/care-plans/sign",
    status_code=200,
    operation_id="signCarePlan",
    summary="Sign a plan",
    description=(
        "Takes a decision record (of `explain=record`), who signs it, when, and a choice for each stop and hold on its "
        "front page, and answers with the signed plan: the record, the choices, the patient's card with the signature in "
        "place of “not yet signed”, and a digest over all of it (RFC 8785), signed by the service where it has a key. A "
        "record that was changed, a plan that the same rulebook does not make of its input, and a decision without a choice "
        "are refused. The card of a blocked plan stays one that says whom to call. Who the clinician is, the caller vouches "
        "for. Nothing is stored; `careplan replay` verifies what is answered."
    ),
    tags=["plans"],
    opt={"scope": "plan"},
    request_class=SignRequest,
    responses=documented(PROBLEMS, 400, 413, 415, 500, 503) | documented(_FAULTS, 422),
    response_description="The signed plan.",
)
async def sign_care_plan(
    data: JSONBody[ToSign],  # noqa: ARG001 - the request has read it
    request: Request[None, None, State],
) -> Response[SignedPlan]:
    """Sign. Raises `InvalidSigning` naming every fault."""
    found: Brought = request.state["brought"]
    planner, key = edition_of(request).planner, request.app.state.signing_key
    size = len(await request.body())
    body = await request.app.state.lanes.do(size, lambda: _encoder.encode(signed_plan(planner, found, key)))
    headers = {"Cache-Control": "no-store"}
    return Response(body, media_type="application/json", headers=headers)


@get(
    "/v1/signing-keys",
    operation_id="getSigningKeys",
    summary="The keys that signed plans are checked by",
    description="The public key of the service as a JSON Web Key Set (RFC 7517); without a key the set is empty.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def signing_keys(request: Request[None, None, State]) -> SigningKeys:
    """The key set."""
    key = request.app.state.signing_key
    return SigningKeys(keys=[key.public] if key else [])
