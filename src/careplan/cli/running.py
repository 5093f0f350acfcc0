"""Running the service: `serve`, the settings it would run with, and its contract."""

from __future__ import annotations

import gc
import os
import re
import resource
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import msgspec
import rich_click as click
import structlog
from rich.table import Table

from careplan.cli.common import RULES, fail, lines_of, read_settings, refuse_rulebook
from careplan.errors import InvalidRulebook, InvalidSettings
from careplan.hardening import harden
from careplan.rulebook.folder import mark_of_file, mark_of_folder, read_folder
from careplan.rulebook.load import load_files
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import counted
from careplan.settings import PREFIX, Settings, by_variable, described, to_environment
from careplan.settings_files import AT_THE_START, NAMED, InvalidFile, read_files
from careplan.web.process.listen_sockets import Listeners

OTHER_DESCRIPTORS = 64
"""What a worker needs besides its connections: its own files, and those of a process that it starts."""


@click.command()
@click.option("--host", help="Address to listen on; beyond loopback only with API keys or OAuth.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0 for a free one.")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes.")
@RULES
@click.option("--watch", is_flag=True, default=None, help="Reload the rulebook whenever a file of it changes.")
def serve(
    host: str | None,
    port: int | None,
    workers: int | None,
    rules: Path | None,
    watch: bool | None,  # noqa: FBT001
) -> None:
    """Run the service until it is told to stop.

    SIGHUP makes it take the rulebook, the API keys and the other files that settings name as they are then. A fault in
    one of these files refuses all: those before stay, and the log and /readyz say why. With faults in the rulebook alone
    the other files are taken. SIGTERM stops it: it is not ready for `drain_seconds`, then takes nothing new and finishes
    what is in hand. Settings come from CAREPLAN_* variables and the file that CAREPLAN_CONFIG names (see careplan config);
    options win over them.

    Example: careplan serve --host 127.0.0.1 --port 8000 --workers 2
    """
    settings = read_settings()
    chosen = {"host": host, "port": port, "workers": workers, "rules": str(rules) if rules else None, "watch": watch}
    settings = msgspec.structs.replace(settings, **{name: value for name, value in chosen.items() if value is not None})
    if not settings.on_loopback and not settings.authenticates:
        fail(
            f"{settings.host} is beyond loopback, where the service does not listen without authentication: patients' data "
            "pass through it. Set CAREPLAN_API_KEYS or CAREPLAN_OAUTH_ISSUER, or listen on 127.0.0.1",
            2,
        )
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < OTHER_DESCRIPTORS:  # no worker would ever come up
        fail(f"{most} open files are too few for a process of the service: let it have 1,024 (ulimit -n)", 2)
    harden()
    with _listening(settings) as listeners:
        settings = msgspec.structs.replace(settings, port=listeners.port)
        os.environ.pop("CAREPLAN_CONFIG", None)
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)  # Counts are shared in memory.
        os.environ.update(to_environment(settings))
        with _lasting():
            book, files = _accept(settings)
        _announce(settings, book)
        _run(settings, listeners, book, files)


@click.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    help="Text on a terminal, JSON in a pipe, unless named. markdown is the table of the manual.",
)
def config(form: str | None) -> None:
    """Print the settings that the service would run with, where each comes from and what it means. Secrets are masked.

    Example: careplan config --format text
    """
    try:
        rows = described()
    except InvalidSettings as error:
        fail(str(error), 2)
    form = form or ("text" if sys.stdout.isatty() else "json")
    if form == "json":
        click.echo(msgspec.json.format(msgspec.json.encode([row._asdict() for row in rows]), indent=2))
    elif form == "markdown":
        click.echo(markdown_of_settings())
    else:
        table = Table("setting", "value", "from", "meaning", box=None, header_style="bold")
        for row in rows:
            table.add_row(row.name, row.value or "-", row.source, row.meaning)
        lines_of(table)


def markdown_of_settings() -> str:
    """The settings as a table for the manual."""
    lines = ["| variable | default | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{row.variable}` | {row.default or 'none'} | {row.meaning} |" for row in described({})]
    return "\n".join(lines)


def _accept(settings: Settings) -> tuple[Rulebook, Mapping[str, bytes]]:
    """Read all files once; what they hold is what every worker begins with. Ends the command with whatever is wrong.

    The rulebook, and the content of the files that settings name, are those of the first edition.
    """
    from careplan.web import acceptance, app
    from careplan.web.process.accepted import content_of

    try:
        acceptance.check_certificate(settings)
        files = read_files(settings)
        rules = read_folder(settings.rules_folder)
        book = load_files(rules)
        acceptance.check_digest(settings, book)
        acceptance.check(book, settings, files)
    except InvalidFile as error:
        variable, words = f"{PREFIX}{error.setting.upper()}", by_variable(str(error))
        fail(words if variable in words else f"{variable}: {words}", 2)
    except InvalidSettings as error:
        fail(by_variable(str(error)), 2)
    except InvalidRulebook as error:
        refuse_rulebook(error, f"the rulebook in {settings.rules_folder}")
    named = {name: content for name, content in files.items() if name not in AT_THE_START}
    app.accept(book, content_of(rules, named))
    return book, files


@contextmanager
def _listening(settings: Settings) -> Iterator[Listeners]:
    """The port of the service, held as long as the block lasts. Ends the command if another process has it."""
    try:
        listeners = Listeners(settings.host, settings.port, settings.workers, _backlog(settings))
    except OSError as error:
        fail(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}", 2)
    with closing(listeners):
        yield listeners


@contextmanager
def _lasting() -> Iterator[None]:
    """What is made in this block lasts as long as the service: no collector need search it, nor workers copy it for one."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _announce(settings: Settings, book: Rulebook) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{'https' if settings.tls_key else 'http'}://{host}:{settings.port}"
    click.echo(
        f"Rulebook {book.about.id} {book.about.version} with {counted(len(book.rules), 'rule')}.\n"
        f"Listening on  {address}\n{offered(settings, address)}"
    )


def offered(settings: Settings, address: str) -> str:
    """What can be looked at and tried at this address, with what it takes to be answered."""
    shown = key = ""
    if settings.authenticates:
        shown = "" if "docs" in settings.opened else " (asks for a key or token of scope read)"
        key = " -H 'Authorization: Bearer KEY'"
    # An address of all interfaces is none that a client should ask, and names beyond the served ones are refused.
    asked = settings.public_url.rstrip("/") or re.sub(r"//(0\.0\.0\.0|\[::\]):", "//localhost:", address)
    body = '{"medications": [{"name": "Xanax", "schedule": "daily"}], "treatment": {"preferred_route": "nasal"}}'
    return (
        f"Documentation {asked}/docs{shown}\n"
        f"Rulebook      {asked}/rulebook{shown}\n"
        f"Try it:\n  curl -s {asked}/v1/care-plans{key} -H 'Content-Type: application/json' \\\n    -d '{body}'\n"
    )


def _run(settings: Settings, listeners: Listeners, book: Rulebook, files: Mapping[str, bytes]) -> None:
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings

    from careplan.web.process import worker
    from careplan.web.process.accepted import slots
    from careplan.web.process.keeper import Keeper
    from careplan.web.process.supervisor import Supervisor
    from careplan.web.telemetry import logs, shared_counts

    logs.configure(settings.log)
    shared_counts.reserve(settings.workers)
    # -P: no file in the folder where the service was started is taken for a module.
    examining = (sys.executable, "-P", "-m", "careplan.web.acceptance")
    keeper = Keeper(slots, book.digest, examining, marks=partial(_marks, settings) if settings.watch else None)
    # Until a worker listens to it, the signal must not end the worker.
    signal.signal(worker.DRAIN, signal.SIG_IGN)
    server = Supervisor(
        "careplan.web.app:create",
        listeners,
        keeper,
        drain_seconds=settings.drain_seconds,
        hang_seconds=settings.hang_seconds,
        tls=tuple(files[name] for name in AT_THE_START if name in files),
        factory=True,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        # HTTP/2 would multiply the ways in which one client can keep a worker busy; proxies speak 1.1 behind them.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.header_seconds * 1000, max_buffer_size=65_536),
        workers=settings.workers,
        backlog=_backlog(settings),
        backpressure=_connections(settings),
        workers_kill_timeout=settings.stop_seconds,
        websockets=False,
        log_access=False,
        log_dictconfig=logs.SERVER_LOGS,
        ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
        ssl_key=Path(settings.tls_key) if settings.tls_key else None,
        ssl_key_password=settings.tls_key_password or None,
    )
    server.serve()


def _marks(settings: Settings) -> object:
    """Equal as long as no file of the rulebook changed, nor one that a setting names."""
    places = (getattr(settings, name) for name in NAMED if name not in AT_THE_START)
    return mark_of_folder(settings.rules_folder), tuple(map(mark_of_file, filter(None, places)))


def _connections(settings: Settings) -> int:
    """The connections that a worker may hold: as many as are set, or as its descriptors allow."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = settings.connections if most == resource.RLIM_INFINITY else max(16, most - OTHER_DESCRIPTORS)
    if room < settings.connections:
        structlog.get_logger("careplan").warning("fewer connections than set, for want of descriptors", connections=room)
    return min(settings.connections, room)


def _backlog(settings: Settings) -> int:
    return max(1_024, settings.connections)
