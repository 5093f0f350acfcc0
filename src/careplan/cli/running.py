"""Running the service: `serve`, the settings it would run with, keys for those who may ask it, and its contract."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from rich.table import Table

from careplan.cli.common import RULES, fail, lines_of, read_defaults, read_rulebook, read_settings
from careplan.errors import InvalidRulebook, InvalidSettings
from careplan.hardening import harden
from careplan.request.decode import Intake
from careplan.rulebook.load import shipped
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import counted
from careplan.settings import Settings, described, to_environment
from careplan.web.process.listen_sockets import Listeners

METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


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

    SIGHUP makes it take the rulebook and the API keys as they are in their files then. A rulebook with any fault is
    refused: the one before stays, and the log and /readyz say why. SIGTERM stops it: it is not ready for
    `drain_seconds`, then takes nothing new and finishes what is in hand. Settings come from CAREPLAN_* variables and the
    file that CAREPLAN_CONFIG names (see careplan config); options win over them.

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
    harden()
    with _folder_of_metrics(), _listening(settings) as listeners:
        with _lasting():
            book = read_rulebook(settings.rules_folder)
            read_defaults(settings, Intake(book.conditions, book.classes, book.forms))
            settings = msgspec.structs.replace(settings, port=listeners.port)
            os.environ.pop("CAREPLAN_CONFIG", None)
            os.environ.update(to_environment(settings))
            _check_files(book, settings)
        _announce(settings, book)
        _run(settings, listeners)


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


@click.command()
@click.option("--client", required=True, metavar="NAME", help="Whose key it is; this name stands in the log.")
@click.option(
    "--file", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The file of keys to add to."
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(["plan", "read", "observe"]),
    default=("plan", "read"),
    show_default=True,
    help="What it allows; may be given several times.",
)
@click.option("--last-day", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it works.")
@click.option("--rate", help="Requests of this client in each worker, such as 600/minute.")
def key(client: str, file: Path, scopes: tuple[Any, ...], last_day: datetime | None, rate: str | None) -> None:
    """Make an API key and add its hash to a file of keys. The key itself is shown once, and kept nowhere.

    To replace a key, make a second one, give it to the client, then take the first one's entry out of the file. SIGHUP
    makes a running service read the file again.

    Example: careplan key --client ehr --file keys.json
    """
    from careplan.web.security.access import KeyFile, new_key, read_keys, read_rate

    try:
        keys = read_keys(str(file)) if file.exists() else []
        read_rate(rate)
    except InvalidSettings as error:
        fail(str(error), 2)
    taken = {entry.id for entry in keys}
    stem = f"{client.lower()[:24]}-{datetime.now(UTC):%Y%m%d}"
    stem = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in stem)
    key_id = next(name for at in range(1, len(taken) + 2) if (name := stem if at == 1 else f"{stem}-{at}") not in taken)
    text, entry = new_key(client, scopes, key_id, last_day.date() if last_day else None)
    try:
        whole = msgspec.json.encode(KeyFile(keys=[*keys, msgspec.structs.replace(entry, rate=rate)]))
        msgspec.json.decode(whole, type=KeyFile)
    except msgspec.ValidationError as error:
        fail(f"no such key can be made: {error}", 2)
    written = file.with_name(f".{file.name}.new")
    written.touch(mode=0o600)
    written.write_bytes(msgspec.json.format(whole, indent=2) + b"\n")
    written.replace(file)
    click.echo(f"Added {key_id} for {client} to {file}. Its key, which cannot be shown again:", err=True)
    click.echo(text)


@click.command()
@click.option("--write", type=click.Path(dir_okay=False, path_type=Path), help="Write the document to this file.")
def openapi(write: Path | None) -> None:
    """Print the OpenAPI document of the service with the shipped rulebook.

    Example: careplan openapi --write openapi/openapi.json
    """
    from careplan.web.app import build, contract_of

    book = read_rulebook(shipped())
    document = msgspec.json.format(msgspec.json.encode(contract_of(build(book, Settings()), book)), indent=2) + b"\n"
    if write:
        write.write_bytes(document)
    else:
        click.echo(document.decode(), nl=False)


def _check_files(book: Rulebook, settings: Settings) -> None:
    """Read here what the application is made of, so that bad keys, clients or exporters end the command and not a worker."""
    from careplan.web.app import check

    try:
        check(book, settings)
    except (InvalidSettings, InvalidRulebook) as error:
        fail(str(error), 2)


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


@contextmanager
def _folder_of_metrics() -> Iterator[None]:
    """A folder in which worker processes share their counts, unless the environment names one; taken away at the end."""
    if folder := os.environ.get(METRICS_FOLDER):
        if not os.access(folder, os.W_OK | os.X_OK) or not Path(folder).is_dir():
            fail(f"{METRICS_FOLDER} is no folder that can be written to", 2)
        yield
        return
    folder = tempfile.mkdtemp(prefix="careplan-metrics-")
    os.environ[METRICS_FOLDER] = folder
    try:
        yield
    finally:
        os.environ.pop(METRICS_FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)


def _announce(settings: Settings, book: Rulebook) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"{'https' if settings.tls_key else 'http'}://{host}:{settings.port}"
    example = '{"medications": [{"name": "Xanax", "schedule": "daily"}], "treatment": {"preferred_route": "nasal"}}'
    click.echo(
        f"Rulebook {book.about.id} {book.about.version} with {counted(len(book.rules), 'rule')}.\n"
        f"Listening on  {address}\n"
        f"Documentation {address}/docs\n"
        f"Rulebook      {address}/rulebook\n"
        f"Try it:\n  curl -s {address}/v1/care-plans -H 'Content-Type: application/json' \\\n    -d '{example}'\n"
    )


def _run(settings: Settings, listeners: Listeners) -> None:
    from granian.constants import HTTPModes, Interfaces, Loops
    from granian.http import HTTP1Settings

    from careplan.web.process import worker
    from careplan.web.process.supervisor import Supervisor
    from careplan.web.telemetry import logs

    logs.configure(settings.log)
    # Until a worker listens to it, the signal must not end the worker.
    signal.signal(worker.DRAIN, signal.SIG_IGN)
    server = Supervisor(
        "careplan.web.app:create",
        listeners,
        settings.drain_seconds,
        factory=True,
        interface=Interfaces.ASGI,
        loop=Loops.uvloop,
        # HTTP/2 would multiply the ways in which one client can keep a worker busy; proxies speak 1.1 behind them.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=settings.header_seconds * 1000, max_buffer_size=65_536),
        workers=settings.workers,
        backlog=_backlog(settings),
        backpressure=settings.connections,
        workers_kill_timeout=settings.stop_seconds,
        websockets=False,
        log_access=False,
        log_dictconfig=logs.SERVER_LOGS,
        ssl_cert=Path(settings.tls_certificate) if settings.tls_certificate else None,
        ssl_key=Path(settings.tls_key) if settings.tls_key else None,
        ssl_key_password=settings.tls_key_password or None,
    )
    server.serve()


def _backlog(settings: Settings) -> int:
    return max(1_024, settings.connections)
