"""The composition root of the service: settings in, a ready ASGI application out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import structlog
import swagger_ui_bundle
from litestar import Litestar, Request, Response, get
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Contact, Server, Tag
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp

from careplan.errors import InvalidPatient
from careplan.intake import Intake
from careplan.patient import Protocol
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings, clinic_protocol, from_environment
from careplan.web import contract, health, plans, problems, reference
from careplan.web.examples import request_examples
from careplan.web.journal import Journal
from careplan.web.state import planning

ASSETS = "/docs-assets"


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
        return super().render(request, request.app.state.contract or openapi_schema)


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[None, None, State]) -> Response[dict[str, Any]]:
    """The contract."""
    return Response(request.app.state.contract, media_type="application/json")


def build(book: Rulebook, *, protocol: Protocol | None = None, body_limit: int = 262_144) -> Litestar:
    """The application that plans with one rulebook."""
    app = Litestar(
        route_handlers=[
            plans.create_care_plan,
            reference.find_medications,
            reference.list_conditions,
            reference.get_rulebook,
            reference.list_rules,
            reference.get_rule,
            health.livez,
            health.readyz,
            openapi_json,
            create_static_files_router(
                path=ASSETS, directories=[swagger_ui_bundle.swagger_ui_path], include_in_schema=False, name="docs-assets"
            ),
        ],
        exception_handlers={
            InvalidPatient: problems.on_invalid_patient,
            ValidationException: problems.on_validation,
            HTTPException: problems.on_http,
            Exception: problems.on_failure,
        },
        lifespan=[planning(book)],
        logging_config=None,
        openapi_config=_openapi(),
        request_max_body_size=body_limit,
        state=State({"protocol": protocol, "planner": None, "contract": None}),
    )
    app.state.contract = contract.document(app, book, request_examples())
    return app


def create() -> ASGIApp:
    """The application of a worker process, from the environment."""
    settings = from_environment()
    configure_log(settings)
    return serve_with(settings)


def serve_with(settings: Settings) -> ASGIApp:
    """The application for these settings. Raises `InvalidRulebook` or `InvalidSettings` before it serves anything."""
    book = load(settings.rules_folder)
    protocol = clinic_protocol(settings, Intake(book.conditions, book.classes))
    return Journal(build(book, protocol=protocol, body_limit=settings.body_limit))


def configure_log(settings: Settings) -> None:
    """Send the log to standard error, one line an event."""
    form: Mapping[str, Any] = {"json": structlog.processors.JSONRenderer(), "console": structlog.dev.ConsoleRenderer()}
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            form[settings.log],
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


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
            Tag(name="reference", description="What the rulebook knows"),
            Tag(name="health", description="For the machines that run the service"),
        ],
        path="/docs",
        render_plugins=[_Documentation()],
    )
