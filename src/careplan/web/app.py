"""The composition root of the service: settings in, a ready ASGI application out."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog
from litestar import Litestar, Request, Response, Router, get
from litestar.config.cors import CORSConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Contact, Server, Tag
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ASGIApp

from careplan.authoring.git_history import history
from careplan.errors import InvalidPatient, InvalidRulebook, InvalidSettings
from careplan.hardening import harden
from careplan.planner import Planner
from careplan.request.decode import Intake
from careplan.request.patient import ClinicDefaults
from careplan.rulebook.load import load, mark_of_folder
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings, clinic_defaults, from_environment
from careplan.web import problems
from careplan.web.edition import Desk, Edition, Leasing, Surroundings, edition_of
from careplan.web.limits.gate import Gate
from careplan.web.limits.query_guard import queried
from careplan.web.openapi import document
from careplan.web.openapi.examples import request_examples
from careplan.web.process import warm_up
from careplan.web.process.printing import Printer
from careplan.web.process.reload import Reloader
from careplan.web.process.worker import Life, begin_as_worker, hold_signals, settle
from careplan.web.routes import (
    batch,
    care_plans,
    cds_hooks,
    fhir,
    handbook,
    health,
    protocol,
    reference,
    signing,
    start_page,
    what_if,
)
from careplan.web.routes.docs_assets import ASSETS, docs_asset
from careplan.web.security.access import Access, admitted, renewal
from careplan.web.telemetry import logs, metrics
from careplan.web.telemetry.access_log import Journal
from careplan.web.telemetry.tracing import tracing_from

if TYPE_CHECKING:
    from careplan.signing.keys import SigningKey
    from careplan.web.security.cds_clients import Trust

log = structlog.get_logger("careplan")


class _Documentation(SwaggerRenderPlugin):
    """Swagger UI from files of this service, showing the completed document. Works without the internet."""

    def __init__(self) -> None:
        super().__init__(
            path="/",
            js_url=f"{ASSETS}/swagger-ui-bundle.js",
            css_url=f"{ASSETS}/swagger-ui.css",
            standalone_preset_js_url=f"{ASSETS}/swagger-ui-standalone-preset.js",
            favicon=f'<link rel="icon" type="image/png" href="{ASSETS}/favicon-32x32.png">',
        )

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page."""
        edition = request.app.state.desk.current
        return super().render(request, edition.contract if edition else openapi_schema)


_READ = {"scope": "read", "opens": "docs"}


@get("/openapi.json", include_in_schema=False, sync_to_thread=False, opt=_READ)
def openapi_json(request: Request[None, None, State]) -> Response[Mapping[str, Any]]:
    """The contract."""
    return Response(edition_of(request).contract, media_type="application/json")


async def _guarded(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    # As one, since the framework copies the route for each guard of a request.
    await admitted(connection, handler)
    await queried(connection, handler)


class _Application(Litestar):
    """The framework, for msgspec alone. Else it imports pydantic wherever that is installed, which takes long."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def build(book: Rulebook, settings: Settings) -> Litestar:
    """The application that begins with this rulebook and reloads it as the settings say. Raises `InvalidSettings`."""
    desk = Desk()
    counts = metrics.Metrics()
    life = Life(settings.hang_seconds, counts.flush)
    access = Access(settings)
    printer = Printer(counts.printed)

    def make(book: Rulebook, around: Surroundings) -> Edition:
        return Edition(Planner(book, counts.planned), around, lambda: contract_of(app, book))

    def swapped(before: Edition | None, now: Edition | None) -> None:
        counts.serves(before.planner.book if before else None, now.planner.book if now else None)

    desk.on_swap = swapped

    def around(book: Rulebook) -> Surroundings:
        past = history(settings.rules_folder)
        return Surroundings(_defaults(book, settings), lambda planner: handbook.pages_of(planner, past))

    watched = [settings.rules_folder, *([Path(settings.protocol)] if settings.protocol else [])] if settings.watch else []
    reloader = Reloader(settings.rules_folder, desk, make, around, watched=watched)
    reloader.before = renewal(access)
    reloader.after = counts.reloaded

    # Git is asked after the start: nobody reads a rule's revisions before the service is ready.
    first = Surroundings(
        _defaults(book, settings),
        lambda planner: handbook.pages_of(planner, history(settings.rules_folder)),
    )

    @asynccontextmanager
    async def planning(_: Litestar) -> AsyncIterator[None]:
        desk.swap(make(book, first))
        await access.warm()
        try:
            async with reloader.running(), life.running(), warm_up.loading(desk):
                counts.started()
                yield
        finally:
            printer.close()
            desk.swap(None)

    records = Router(
        path="/",
        route_handlers=[
            care_plans.create_care_plan,
            signing.sign_care_plan,
            cds_hooks.call_service,
            fhir.apply,
            fhir.apply_named,
        ],
        request_max_body_size=max(settings.record_limit, settings.body_limit),
    )
    app = _Application(
        route_handlers=[
            records,
            batch.create_care_plans,
            what_if.compare_care_plans,
            what_if.what_would_change,
            signing.signing_keys,
            protocol.standing_protocol,
            cds_hooks.discover,
            cds_hooks.take_feedback,
            cds_hooks.get_feedback,
            fhir.metadata,
            fhir.get_questionnaire,
            fhir.get_plan_definition,
            reference.find_medications,
            reference.list_conditions,
            reference.get_rulebook,
            reference.get_rulebook_proof,
            reference.list_rules,
            reference.get_rule,
            health.livez,
            health.readyz,
            metrics.metrics_page,
            openapi_json,
            start_page.start_page,
            handbook.handbook_start,
            handbook.handbook_page,
            docs_asset,
        ],
        exception_handlers={
            InvalidPatient: problems.on_invalid_patient,
            ValidationException: problems.on_validation,
            HTTPException: problems.on_http,
            Exception: problems.on_failure,
        },
        cors_config=_cors(settings.origins),
        guards=[_guarded],
        lifespan=[planning],
        middleware=[Leasing()],
        logging_config=None,
        openapi_config=_openapi(),
        request_max_body_size=settings.body_limit,
        state=State(
            {
                "desk": desk,
                "reloader": reloader,
                "trust": _trust(settings),
                "signing_key": _signing_key(settings),
                "access": access,
                "metrics": counts,
                "life": life,
                "printer": printer,
                "address": settings.public_url,
                "body_limit": settings.body_limit,
                "record_limit": settings.record_limit,
            }
        ),
    )
    return app


def _defaults(book: Rulebook, settings: Settings) -> ClinicDefaults:
    return clinic_defaults(settings, Intake(book.conditions, book.classes, book.forms))


def _trust(settings: Settings) -> Trust | None:
    if not settings.cds_clients:
        return None
    from careplan.web.security.cds_clients import trust_in

    return trust_in(settings.cds_clients, settings.public_url)


def _signing_key(settings: Settings) -> SigningKey | None:
    if not settings.signing_key:
        return None
    from careplan.signing.keys import read_signing_key

    return read_signing_key(settings.signing_key)


def _cors(origins: list[str]) -> CORSConfig | None:
    if not origins:
        return None
    return CORSConfig(
        allow_origins=origins,
        allow_methods=["GET", "POST", "OPTIONS"],
        allow_headers=["Authorization", "X-API-Key", "Content-Type", "Accept", "Accept-Language", "Traceparent"],
        expose_headers=["X-Request-Id", "Retry-After"],
    )


def contract_of(app: Litestar, book: Rulebook) -> dict[str, Any]:
    """The OpenAPI document of an application that plans with this rulebook."""
    return document.document(app, book.conditions, book.classes, book.forms, request_examples())


_inherited: tuple[object, Rulebook] | None = None
"""The rulebook that the first process of the service read, with the mark of its folder; workers are forked from it."""


def create() -> ASGIApp:
    """The application of a worker process, from the environment."""
    begin_as_worker()
    harden()
    settings = from_environment()
    logs.configure(settings.log)
    app = build(_rulebook(settings.rules_folder), settings)
    tracing = tracing_from(os.environ)
    app.on_startup.append(settle)
    app.on_shutdown.append(tracing.close)
    gate = Gate(app, settings, app.state.metrics, app.state.life, app.state.access)
    hold_signals()
    return Journal(gate, app.state.metrics, tracing, https=settings.public_url.startswith("https://"))


def _rulebook(folder: Path) -> Rulebook:
    """The rulebook in its folder. A worker that replaces a dead one must not die of files that were changed since."""
    if _inherited is None:
        return load(folder)
    mark, book = _inherited
    if mark == mark_of_folder(folder):
        return book
    try:
        return load(folder)
    except InvalidRulebook as error:
        log.error("rulebook refused", faults=len(error.faults), digest=book.digest)
        return book


def check(book: Rulebook, settings: Settings) -> None:
    """Raise `InvalidSettings` for whatever would keep a worker from starting."""
    global _inherited  # noqa: PLW0603 - workers find it there after the fork
    Access(settings)
    _defaults(book, settings)
    _trust(settings)
    _signing_key(settings)
    tracing_from(os.environ).close()
    for file in (settings.tls_certificate, settings.tls_key):
        if file and not Path(file).is_file():
            raise InvalidSettings(f"there is no file {file}")
    if settings.tls_key:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
                settings.tls_certificate, settings.tls_key, settings.tls_key_password or None
            )
        except OSError:
            raise InvalidSettings(
                "tls_certificate and tls_key are no PEM files that belong together, or the password is wrong"
            ) from None
    _inherited = (mark_of_folder(settings.rules_folder), book)


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Care plan service",
        version=version("careplan"),
        summary="Draft care plans for ketamine clinics",
        description=(
            "Send one patient's factors, get a draft care plan that a clinician signs. Every line of a plan can be "
            "traced to the answers behind it, to its rule and to its sources. Nothing is stored. Errors are problem "
            "documents (RFC 9457) that name every fault by JSON Pointer."
        ),
        contact=Contact(name="Whoever runs this service"),
        servers=[Server(url="/", description="This service")],
        tags=[
            Tag(name="plans", description="Plans for patients"),
            Tag(name="fhir", description="The same as FHIR R4"),
            Tag(name="cds-hooks", description="Cards for EHRs (CDS Hooks 2.0)"),
            Tag(name="reference", description="What the rulebook knows"),
            Tag(name="health", description="For the machines that run the service"),
        ],
        openapi_router=Router(path="/docs", route_handlers=[], opt=_READ, include_in_schema=False),
        render_plugins=[_Documentation()],
    )
