"""Whether the process is alive, and whether it can plan."""

from __future__ import annotations

from typing import Literal

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from careplan.rehearsal import A_PATIENT
from careplan.web.contract import PROBLEMS, documented
from careplan.web.life import Life
from careplan.web.reload import Reloaded, Reloader
from careplan.web.state import edition_of


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook is loaded and a built-in patient was planned through the engine just now.

    `last_reload` says what came of the last attempt to take a new rulebook, null if there was none.
    """

    status: Literal["ready"] = "ready"
    rulebook: str
    version: str
    digest: str
    last_reload: Reloaded | None = None


@get(
    "/livez",
    operation_id="getLiveness",
    summary="Is the process alive",
    description="Answers as long as the process does.",
    tags=["health"],
    sync_to_thread=False,
    opt={"scope": None},
    responses=documented(PROBLEMS, 500),
)
def livez() -> Alive:
    """Alive."""
    return Alive()


@get(
    "/readyz",
    operation_id="getReadiness",
    summary="Can the service plan",
    description="Plans a built-in patient through the engine; 503 while that does not work, and before the service stops.",
    tags=["health"],
    sync_to_thread=False,
    opt={"scope": None},
    responses=documented(PROBLEMS, 500, 503),
)
def readyz(request: Request[None, None, State]) -> Ready:
    """Ready once a plan comes out."""
    planner = edition_of(request).planner
    reloader: Reloader = request.app.state.reloader
    life: Life = request.app.state.life
    planner.check()
    if life.draining or not planner.plan(A_PATIENT).decisions:
        raise HTTPException(status_code=503)
    book = planner.book
    return Ready(rulebook=book.about.id, version=book.about.version, digest=book.digest, last_reload=reloader.last)
