"""What the service holds while it runs: one planner, made and used by one thread."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from careplan.patient import Patient
from careplan.planner import Planner
from careplan.rulebook.model import Rulebook


class UnsupportedMediaType(HTTPException):
    """The body is not declared as JSON."""

    status_code = 415


class PlanRequest(Request[None, None, State]):
    """A request whose JSON body is a patient, read strictly: media type, duplicate keys, every fault at once."""

    async def json(self) -> Patient:
        """The patient. Raises `InvalidPatient`, or 415 for another media type."""
        media_type, parameters = self.content_type
        if media_type != "application/json" or parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType
        patient = planner_of(self.app).intake.decode(await self.body())
        return patient.under(self.app.state.protocol)


def planner_of(app: Litestar) -> Planner:
    """The planner of a running app. Raises 503 while there is none."""
    planner: Planner | None = app.state.get("planner")
    if planner is None:
        raise HTTPException(status_code=503)
    return planner


def planning(book: Rulebook) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """The lifespan in which a planner exists, made in the thread that answers requests."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        app.state.planner = planner = Planner(book)
        try:
            yield
        finally:
            app.state.planner = None
            planner.close()

    return lifespan
