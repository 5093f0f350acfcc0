"""What the service holds while it runs: the edition that answers now, and older ones until their last request has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from litestar import Request
from litestar.datastructures import URL, State
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from careplan.fhir.read.ages import day_of
from careplan.fhir.read.bundle import FhirReader, FromFhir
from careplan.media_types import FHIR_JSON, READ_VERSIONS
from careplan.planner import Planner
from careplan.request.patient import ClinicDefaults, Patient
from careplan.request.previous import MOST_BYTES
from careplan.web.deprecations import BODY_KEY
from careplan.web.pages import NoPages, Pages

Result = TypeVar("Result")


class Surroundings(NamedTuple):
    """What belongs to a rulebook in service: what is known of the clinic, and what makes its pages."""

    defaults: ClinicDefaults = ClinicDefaults()
    pages: Callable[[Planner], Pages] = lambda _planner: NoPages()


class Edition:
    """One rulebook in service, with the clinic's protocol, the contract and the pages."""

    def __init__(self, planner: Planner, around: Surroundings, contract: Callable[[], Mapping[str, Any]]) -> None:
        self.planner = planner
        self.defaults = around.defaults
        self._contract = contract
        self.fhir = FhirReader(planner.book, planner.intake)
        self._pages = around.pages
        self.requests = 0

    @cached_property
    def handbook(self) -> Pages:
        """The rulebook as pages, each made when somebody first asks for it."""
        return self._pages(self.planner)

    @cached_property
    def contract(self) -> Mapping[str, Any]:
        """The OpenAPI document, made when somebody first asks for it."""
        return self._contract()


class Desk:
    """Hands each request the edition that is current when it begins, and frees an edition after its last request."""

    def __init__(self) -> None:
        self._current: Edition | None = None
        self.on_swap: Callable[[Edition | None, Edition | None], None] = lambda _before, _now: None

    @property
    def current(self) -> Edition | None:
        """The edition that new requests get; None before the service has started and after it has ended."""
        return self._current

    def swap(self, edition: Edition | None) -> None:
        """Let new requests have `edition`. The one before is freed as soon as nobody uses it."""
        before, self._current = self._current, edition
        self.on_swap(before, edition)
        if before is not None and before.requests == 0:
            before.planner.close()

    @contextmanager
    def lease(self) -> Iterator[Edition]:
        """The current edition, kept until the block ends. Raises `HTTPException` with 503 while there is none."""
        edition = self._current
        if edition is None:
            raise HTTPException(status_code=503)
        edition.requests += 1
        try:
            yield edition
        finally:
            edition.requests -= 1
            if edition.requests == 0 and edition is not self._current:
                edition.planner.close()


class Leasing(ASGIMiddleware):
    """Ties every request to one edition from its beginning to its end."""

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Serve one request."""
        desk: Desk = scope["litestar_app"].state.desk
        with desk.lease() as edition:
            scope["state"]["edition"] = edition
            await next_app(scope, receive, send)


_NO_URL = URL("")


def edition_of(request: Request[Any, Any, State]) -> Edition:
    """The edition that a request began with."""
    edition: Edition = request.state["edition"]
    return edition


class UnsupportedMediaType(HTTPException):
    """The body is not declared as one of the types that are read here."""

    status_code = 415

    def __init__(self, takes: Sequence[str], *, of_fhir: bool = False) -> None:
        """`takes` are those that are read, `of_fhir` whether it is only the version of FHIR that is another."""
        super().__init__()
        read = " or ".join(sorted(version for version in READ_VERSIONS if version.count(".") == 1))
        self.words = (
            f"FHIR is read in the versions R4 and R4B; Content-Type may say so by fhirVersion={read}, or leave it out."
            if of_fhir
            else f"Send the body as {' or '.join(takes)}, in UTF-8 and without Content-Encoding."
        )


def declared(request: Request[Any, Any, Any], *takes: str) -> str:
    """The media type of the body. Raises `UnsupportedMediaType` unless it is one of these, in UTF-8, and not packed.

    Where it names a version of FHIR, this must be one that is read.
    """
    media_type, parameters = request.content_type
    version = next((value for name, value in parameters.items() if name.lower() == "fhirversion"), "4.0")
    if version.strip('" ') not in READ_VERSIONS:
        raise UnsupportedMediaType(takes, of_fhir=True)
    codings = ",".join(request.headers.getall("content-encoding", [])).lower().split(",")
    plain = {coding.strip() for coding in codings} <= {"", "identity"}
    if not plain or media_type not in takes or parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(takes)
    return media_type


class UnquotedRequest(Request[None, None, State]):
    """A request whose address is quoted in no message: the framework quotes it when something of the query is wrong."""

    @property
    def url(self) -> URL:
        """The same for all. That of the request would be kept, and fails where the Host header is none."""
        return _NO_URL


class JsonRequest(UnquotedRequest):
    """A request whose body is declared as JSON."""

    async def json_body(self, *media_types: str) -> bytes:
        """The bytes of the body. Raises `UnsupportedMediaType` unless it is JSON, or of one of these types, in UTF-8."""
        declared(self, *(media_types or ("application/json",)))
        self.state[BODY_KEY] = body = await self.body()
        return body

    async def beside(self, work: Callable[[], Result], times: int = 1) -> Result:
        """What `work` returns or raises: done beside the loop if the body is long, or has to be gone through many times."""
        found: Result = await self.app.state.lanes.do(len(await self.body()) * times, work)
        return found


class PlanRequest(JsonRequest):
    """A request whose body is a patient, as our JSON or as a FHIR Bundle; read strictly, every fault at once."""

    async def json(self) -> Patient:
        """The patient.

        Raises `InvalidPatient` with every fault, `UnsupportedMediaType` for another media type, and `HTTPException` with 413
        for a body of JSON that is longer than `body_limit` bytes, or so much longer as an earlier plan in it may be.
        """
        edition = edition_of(self)
        body = await self.json_body("application/json", FHIR_JSON)
        if self.content_type[0] == FHIR_JSON:
            day = day_of(self.query_params.get("at"))
            read = await self.beside(lambda: edition.fhir.read(edition.fhir.parse(body), day))
            self.state["read"] = read
            return read.patient.under(edition.defaults)
        brings = b'"previous"' in body
        if len(body) > self.app.state.body_limit + (MOST_BYTES if brings else 0):  # Only a record may be larger.
            raise HTTPException(status_code=413)
        sent = await self.beside(lambda: edition.planner.intake.decode(body))
        patient = sent.on(day_of(self.query_params.get("at")))
        self.state["dated"] = patient is not sent
        return patient.under(edition.defaults)


def was_dated(request: Request[Any, Any, State]) -> bool:
    """Whether the day of the plan is that of `at`, as the body named none."""
    return bool(request.state.get("dated"))


def read_of(request: Request[Any, Any, State]) -> FromFhir | None:
    """What the patient was read from, if that was FHIR."""
    found: FromFhir | None = request.state.get("read")
    return found
