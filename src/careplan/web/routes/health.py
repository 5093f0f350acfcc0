"""Whether the process is alive, and whether it can plan."""

from __future__ import annotations

import time
from typing import Literal
from weakref import WeakKeyDictionary

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from careplan.planner import A_PATIENT, Planner
from careplan.web.edition import edition_of
from careplan.web.problem_responses import PROBLEMS, documented
from careplan.web.process import troubles
from careplan.web.process.keeper import Reloaded, last_reload
from careplan.web.process.troubles import Trouble, Worker
from careplan.web.process.worker import Life

FRESH_SECONDS = 1.0


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: Literal["alive"] = "alive"


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """A rulebook is loaded and a built-in patient was planned through the engine within the last second.

    `last_reload` says what came of the last attempt to take new files, null if there was none; `workers` which rulebook each
    worker serves, and `troubles` what is wrong that the service goes on in spite of.
    """

    status: Literal["ready"] = "ready"
    rulebook: str
    version: str
    digest: str
    last_reload: Reloaded | None = None
    workers: list[Worker] = []
    troubles: list[Trouble] = []


_looked: WeakKeyDictionary[Planner, float] = WeakKeyDictionary()
"""When each planner last made its plan."""


def _plans(planner: Planner) -> bool:
    if time.monotonic() - _looked.get(planner, float("-inf")) < FRESH_SECONDS:
        return True
    planner.check()
    if not planner.rehearsed(A_PATIENT).decisions:
        return False
    _looked[planner] = time.monotonic()
    return True


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
    description=(
        "Plans a built-in patient through the engine, at most once a second; 503 while that does not work, and before the "
        "service stops."
    ),
    tags=["health"],
    sync_to_thread=False,
    opt={"scope": None},
    responses=documented(PROBLEMS, 500, 503),
)
def readyz(request: Request[None, None, State]) -> Ready:
    """Ready once a plan comes out. One look serves all who ask within a second.

    Raises `HTTPException` with 503 while the worker drains, or where no plan comes out.
    """
    planner = edition_of(request).planner
    workers: int = request.app.state.workers
    life: Life = request.app.state.life
    if life.draining or not _plans(planner):
        raise HTTPException(status_code=503)
    book = planner.book
    return Ready(
        rulebook=book.about.id,
        version=book.about.version,
        digest=book.digest,
        last_reload=last_reload(),
        workers=troubles.workers(workers),
        troubles=troubles.troubles_of(workers),
    )
