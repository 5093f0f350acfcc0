"""The composition root of the service: settings in, a ready ASGI application out."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Response, Router, get
from litestar.config.cors import CORSConfig
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, ValidationException
from litestar.handlers import BaseRouteHandler
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin
from litestar.types import ASGIApp
from prometheus_client.metrics_core import Metric

from careplan.authoring.git_history import history
from careplan.clinic_settings import clinic_defaults
from careplan.errors import InvalidPatient
from careplan.hardening import harden
from careplan.planner import Planner
from careplan.request.decode import Intake
from careplan.request.patient import ClinicDefaults
from careplan.rulebook.load import load, load_files
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings, from_environment
from careplan.settings_files import read_files
from careplan.web import problems
from careplan.web.acceptance import checking, kid_of, signing_key_of, trust_of
from careplan.web.deprecations import DEPRECATED, Deprecated, telling
from careplan.web.edition import Desk, Edition, Leasing, Surroundings, UnquotedRequest, edition_of
from careplan.web.limits.framework_caches import forget
from careplan.web.limits.gate import Gate
from careplan.web.limits.query_guard import queried
from careplan.web.methods import Heads
from careplan.web.negotiation import fhir_accepted
from careplan.web.openapi.contract import configuration, contract_of
from careplan.web.process import shared, troubles, warm_up
from careplan.web.process.accepted import Content, Slots, slots, write
from careplan.web.process.keeper import OUTCOMES
from careplan.web.process.lanes import SHORT, Lanes
from careplan.web.process.printing import Printer
from careplan.web.process.reload import Follower
from careplan.web.process.troubles import SelfCheck
from careplan.web.process.worker import Life, begin_as_worker, hold_signals, settle, this_worker
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
    try_page,
    what_if,
)
from careplan.web.routes.docs_assets import docs_asset
from careplan.web.security.access import Access, admitted
from careplan.web.telemetry import logs, metrics, shared_counts
from careplan.web.telemetry.access_log import Journal
from careplan.web.telemetry.tracing import tracing_from

if TYPE_CHECKING:
    from careplan.signing.keys import SigningKey


_READ = {"scope": "read", "opens": "docs"}


@get("/openapi.json", include_in_schema=False, opt=_READ)
async def openapi_json(request: Request[None, None, State]) -> Response[Mapping[str, Any]]:
    """The contract."""
    edition = edition_of(request)
    return Response(await request.app.state.lanes.do(SHORT, lambda: edition.contract), media_type="application/json")


_OF_RECORDS: Sequence[BaseRouteHandler] = (
    care_plans.create_care_plan,
    signing.sign_care_plan,
    cds_hooks.call_service,
    fhir.apply,
    fhir.apply_named,
)
"""The routes that take clinical records, which may be longer than other bodies."""
_ROUTES: Sequence[BaseRouteHandler] = (
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
    try_page.try_page,
    try_page.try_file,
    try_page.try_form,
    try_page.try_medicines,
    handbook.handbook_start,
    handbook.handbook_page,
    docs_asset,
)
"""All other routes."""
_ON_ERRORS: Mapping[int | type[Exception], Any] = {
    InvalidPatient: problems.on_invalid_patient,
    ValidationException: problems.on_validation,
    HTTPException: problems.on_http,
    Exception: problems.on_failure,
}


def _taking_records(settings: Settings) -> Router:
    limit = max(settings.record_limit, settings.body_limit)
    return Router(path="/", route_handlers=_OF_RECORDS, request_max_body_size=limit)


async def _guarded(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    # As one, since the framework copies the route for each guard of a request.
    await admitted(connection, handler)
    await queried(connection, handler)
    await fhir_accepted(connection, handler)


class _Application(Litestar):
    """The framework, for msgspec alone. Else it imports pydantic wherever that is installed, which takes long."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def build(  # noqa: PLR0913 - what it is composed of
    book: Rulebook,
    settings: Settings,
    files: Mapping[str, bytes] | None = None,
    slots: Slots | None = None,
    number: int = 0,
    *,
    deprecated: Sequence[Deprecated] = DEPRECATED,
) -> Litestar:
    """The application that begins with this rulebook and follows what is accepted in `slots`. Raises `InvalidSettings`.

    `files` has what the files hold that settings name, read here if left out; `number` is that of the edition.
    """
    files = read_files(settings) if files is None else files
    desk = Desk()
    counts = metrics.Metrics()
    lanes = Lanes()

    def beat() -> None:
        counts.flush()
        forget(app)

    life = Life(settings.hang_seconds, beat, lanes.longest)
    access = Access(settings, files)
    printer = Printer(counts.printed)

    def make(book: Rulebook, around: Surroundings, key: SigningKey | None) -> Edition:
        return Edition(Planner(book, counts.planned, checking(key)), around, lambda: contract_of(app, book, deprecated))

    def swapped(before: Edition | None, now: Edition | None) -> None:
        counts.serves(before.planner.book if before else None, now.planner.book if now else None)

    desk.on_swap = swapped

    def around(book: Rulebook, files: Mapping[str, bytes]) -> Surroundings:
        # Git is asked when somebody reads a rule's revisions, which nobody does before the service is ready.
        return Surroundings(
            _defaults(book, settings, files),
            lambda planner: handbook.pages_of(planner, history(settings.rules_folder)),
        )

    def prepared(book: Rulebook, files: Mapping[str, bytes]) -> Callable[[], None]:
        """What serves another edition once it is called. Whatever is wrong with the edition leaves all as it is."""
        trust, signing_key, surroundings = trust_of(settings, files), signing_key_of(files), around(book, files)
        before = desk.current
        served = None if before is None else (before.planner.book.digest, before.defaults, kid_of(app.state.signing_key))
        is_served = served == (book.digest, surroundings.defaults, kid_of(signing_key))
        edition = None if is_served else make(book, surroundings, signing_key)

        def take() -> None:
            access.take(files)
            app.state.trust, app.state.signing_key = trust, signing_key
            if edition is not None:
                desk.swap(edition)

        return take

    follower = Follower(slots or Slots(), desk, number, prepared)
    checks = SelfCheck({"edition": lambda: follower.stuck, "log": logs.is_losing, "counts": shared_counts.is_full})

    def state() -> tuple[int, str, int]:
        follower.look()
        edition = desk.current
        return follower.number, edition.planner.book.digest if edition else "", checks.flags()

    life.state = state
    counts.alive = troubles.is_there
    counts.further = lambda: known(settings.workers) if shared_counts.attached() else []

    @asynccontextmanager
    async def planning(_: Litestar) -> AsyncIterator[None]:
        desk.swap(make(book, around(book, files), app.state.signing_key))
        await access.warm()
        try:
            async with follower.running(), life.running(), warm_up.loading(desk):
                counts.started()
                yield
        finally:
            printer.close()
            lanes.close()
            desk.swap(None)

    app = _Application(
        route_handlers=[_taking_records(settings), *_ROUTES],
        exception_handlers={**_ON_ERRORS},
        before_send=telling(deprecated),
        cors_config=_cors(settings.origins),
        guards=[_guarded],
        lifespan=[planning],
        middleware=[Leasing()],
        logging_config=None,
        openapi_config=configuration(_READ),
        request_class=UnquotedRequest,
        request_max_body_size=settings.body_limit,
        state=State(
            {
                "desk": desk,
                "workers": settings.workers if shared_counts.attached() else 0,
                "trust": trust_of(settings, files),
                "signing_key": signing_key_of(files),
                "access": access,
                "metrics": counts,
                "life": life,
                "printer": printer,
                "lanes": lanes,
                "address": settings.public_url,
                "body_limit": settings.body_limit,
                "record_limit": settings.record_limit,
                "try_page": settings.serves_try_page,
            }
        ),
    )
    return app


def _defaults(book: Rulebook, settings: Settings, files: Mapping[str, bytes]) -> ClinicDefaults:
    return clinic_defaults(settings, Intake(book.conditions, book.classes, book.forms), files)


def known(workers: int) -> list[Metric]:
    """What the processes of the service know of each other, as metrics."""
    reloads = zip(OUTCOMES, shared.reload_counts(), strict=True)
    serving = [({"worker": str(one.worker), "digest": one.digest}, float(one.ready)) for one in troubles.workers(workers)]
    return [
        metrics.numbers("reloads", "Attempts to take new files.", "counter", [({"outcome": o}, n) for o, n in reloads]),
        metrics.numbers("worker_rulebook", "Which rulebook each worker plans with.", "gauge", serving),
        metrics.numbers("workers_in_trouble", "Workers with something wrong.", "gauge", troubles.counted(workers)),
    ]


def _cors(origins: list[str]) -> CORSConfig | None:
    if not origins:
        return None
    return CORSConfig(
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST", "OPTIONS"],
        allow_headers=["Authorization", "X-API-Key", "Content-Type", "Accept", "Accept-Language", "Traceparent"],
        expose_headers=["Deprecation", "Link", "Retry-After", "Sunset", "X-Request-Id"],
    )


_inherited: tuple[int, Rulebook] | None = None
"""The rulebook that the first process of the service read, with the number of its edition; workers are forked from it."""


def accept(book: Rulebook, content: Content) -> None:
    """Have workers that are forked from now on begin with this edition."""
    global _inherited  # noqa: PLW0603 - workers find it there after the fork
    write(slots.free(), content)
    slots.take()
    _inherited = (shared.accepted().number, book)


def create() -> ASGIApp:
    """The application of a worker process, from the environment and what was accepted."""
    begin_as_worker()
    harden()
    shared_counts.attach(this_worker())
    settings = from_environment()
    logs.configure(settings.log)
    number, book, files = _edition(settings)
    app = build(book, settings, files, slots, number)
    tracing = tracing_from(os.environ)
    app.on_startup.append(settle)
    app.on_shutdown.append(tracing.close)
    gate = Gate(app, settings, app.state.metrics, app.state.life, app.state.access)
    hold_signals()
    return Journal(Heads(gate), app.state.metrics, tracing, https=settings.public_url.startswith("https://"))


def _edition(settings: Settings) -> tuple[int, Rulebook, Mapping[str, bytes]]:
    """The accepted edition. A worker that replaces a dead one is not to die of files that were changed since."""
    try:
        number, content = slots.read()
    except LookupError:
        return 0, load(settings.rules_folder), read_files(settings)
    if _inherited is not None and _inherited[0] == number:
        return number, _inherited[1], content.named
    return number, load_files(content.files), content.named
