"""`GET /v1/protocol`: the clinic's standing protocol, which plans cite."""

from __future__ import annotations

from typing import Annotated

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import ValidationException
from litestar.params import Parameter

from careplan.media_types import JSON
from careplan.plan.protocol_model import StandingProtocol
from careplan.representations import PROTOCOL_FORMATS, Wanted, in_words
from careplan.request.clinic import Clinic, Paper
from careplan.request.patient import Patient, Product, Treatment
from careplan.web.edition import edition_of
from careplan.web.negotiation import NotAcceptable, chosen, headers, lines_of, spoken, written
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.web.process.lanes import SHORT

_Product = Annotated[Product | None, Parameter(description="the product; if left out, what holds while it is not known")]
_Completed = Annotated[
    # The framework would leave a limit of 0 out of the contract.
    int | None, Parameter(gt=-1, le=200, description="sessions behind the patient; if left out, what holds at any stage")
]
_Planned = Annotated[
    int | None, Parameter(ge=1, le=200, description="sessions planned, where the patients' plans have been sent the number")
]
_Paper = Annotated[Paper | None, Parameter(description="the paper of a PDF; if left out that of the clinic")]


@get(
    "/v1/protocol",
    operation_id="getProtocol",
    summary="The clinic's standing protocol",
    description=(
        "What is true of every patient of a product and stage at this clinic, from the rules and the figures that the "
        "clinic's own protocol has in the settings, in the form that Accept names: "
        f"{in_words(one.title for one in PROTOCOL_FORMATS.values())}. Its `digest` is that of `standing` in plans of the "
        "same product, stage and figures."
    ),
    tags=["reference"],
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 406, 500, 503),
    response_description="The protocol. Print it once, and not for each patient.",
)
async def standing_protocol(
    request: Request[None, None, State],
    product: _Product = None,
    sessions_completed: _Completed = None,
    sessions_planned: _Planned = None,
    paper: _Paper = None,
) -> Response[StandingProtocol]:
    """The protocol.

    Raises `NotAcceptable` where there is no such form of it, and `ValidationException` for a number that is none.
    """
    edition = edition_of(request)
    for name in ("sessions_completed", "sessions_planned"):
        # The word null is no number, though the framework takes it for a parameter that was left out.
        if request.query_params.get(name, "").lower() == "null":
            raise ValidationException(extra=[{"key": name, "message": "no number"}])
    try:
        media_type = chosen(lines_of(request, "accept"), JSON, PROTOCOL_FORMATS)
    except NotAcceptable:
        raise NotAcceptable(PROTOCOL_FORMATS) from None
    language = spoken(lines_of(request, "accept-language"), edition.planner.languages.available)
    treatment = Treatment(product=product, sessions_completed=sessions_completed, sessions_planned=sessions_planned)
    protocol = edition.planner.protocol(treatment, edition.defaults, language)
    paper = paper or (protocol.clinic or Clinic()).printed_on
    wanted = Wanted(patient=Patient(), paper=paper, logo=edition.defaults.logo)
    body = await written(PROTOCOL_FORMATS[media_type], lambda: protocol, wanted, request.app.state, SHORT)
    return Response(body, media_type=media_type, headers=headers(media_type, language, PROTOCOL_FORMATS))  # type: ignore[arg-type]
