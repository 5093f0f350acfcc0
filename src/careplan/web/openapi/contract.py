"""The contract of the service as a whole: what it says of itself, its document with samples, and the page that shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from litestar import Litestar, Request, Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import SwaggerRenderPlugin
from litestar.openapi.spec import Contact, Server, Tag

from careplan.rulebook.model import Rulebook
from careplan.web.deprecations import DEPRECATED, Deprecated, mark_deprecated
from careplan.web.examples import request_examples
from careplan.web.openapi import document
from careplan.web.openapi.samples import with_shipped_samples
from careplan.web.routes.docs_assets import ASSETS


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


def contract_of(
    app: Litestar, book: Rulebook, deprecated: Sequence[Deprecated] = DEPRECATED, *, bare: bool = False
) -> dict[str, Any]:
    """The OpenAPI document of an application that plans with this rulebook.

    It has the samples of answers that lie beside the program where these are of the same rulebook, and not if `bare`.
    """
    found = document.document(app, book.conditions, book.classes, book.forms, request_examples())
    # Of which rulebook its tokens, measures and samples are.
    found["info"]["x-rulebook"] = {"id": book.about.id, "version": book.about.version, "digest": book.digest}
    mark_deprecated(found, deprecated)
    return found if bare else with_shipped_samples(found)


def configuration(opt: Mapping[str, Any]) -> OpenAPIConfig:
    """What the framework is told of the contract. `opt` is what is needed to see the page of documentation."""
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
        openapi_router=Router(path="/docs", route_handlers=[], opt=dict(opt), include_in_schema=False),
        render_plugins=[_Documentation()],
    )
