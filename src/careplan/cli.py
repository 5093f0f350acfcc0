"""The command line: plan for one patient, run the service, look after the rulebook."""

from __future__ import annotations

import os
import signal
import socket
import sys
from ipaddress import ip_address
from multiprocessing import active_children
from pathlib import Path
from typing import BinaryIO

import msgspec
import rich_click as click
from rich.console import Console

from careplan.commands import authoring, comparing, founding, proving, publishing, reading, testing
from careplan.commands.common import RULES, fail, read_rulebook, read_settings
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.formats import text
from careplan.intake import Intake
from careplan.patient import Protocol
from careplan.plan import CarePlan
from careplan.planner import Planner
from careplan.rulebook.load import shipped
from careplan.rulebook.model import Rulebook
from careplan.settings import Settings, clinic_protocol


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="careplan")
def main() -> None:
    """Draft care plans for ketamine clinics, from rules that a pharmacist can read.

    Example: careplan plan examples/benzodiazepine-daily.json
    """


@main.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), help="Text on a terminal, JSON in a pipe, unless named."
)
@RULES
def plan(file: BinaryIO, form: str | None, rules: Path | None) -> None:
    """Plan for the patient in FILE ("-" for standard input) and print the draft.

    Exits with 0 for a draft, 3 for a blocked plan, 2 for a body that cannot be used.

    Example: careplan plan examples/benzodiazepine-daily.json --format text
    """
    settings = read_settings()
    planner = Planner(read_rulebook(rules or settings.rules_folder))
    try:
        patient = planner.intake.decode(file.read())
    except InvalidPatient as error:
        for fault in error.faults:
            click.echo(f"{fault.pointer or '(the body)'}: {fault.detail}", err=True)
        sys.exit(2)
    made = planner.plan(patient.under(_protocol(settings, planner.intake)))
    _print(made, form or ("text" if sys.stdout.isatty() else "json"))
    sys.exit(3 if made.status == "blocked" else 0)


@main.command()
@click.option("--host", help="Address to listen on; only loopback, as there is no authentication.")
@click.option("--port", type=click.IntRange(0, 65_535), help="Port to listen on; 0 for a free one.")
@RULES
@click.option("--watch", is_flag=True, default=None, help="Reload the rulebook whenever a file of it changes.")
def serve(host: str | None, port: int | None, rules: Path | None, watch: bool | None) -> None:  # noqa: FBT001
    """Run the service until it is told to stop. SIGHUP makes it take the rulebook as it is in its folder then.

    A rulebook with any fault is refused: the one before stays, and the log and /readyz say why. Settings come from
    CAREPLAN_* variables; options win over them.

    Example: careplan serve --host 127.0.0.1 --port 8000
    """
    settings = read_settings()
    chosen = {"host": host, "port": port, "rules": str(rules) if rules else None, "watch": watch}
    settings = msgspec.structs.replace(settings, **{name: value for name, value in chosen.items() if value is not None})
    _refuse_to_listen_beyond_loopback(settings.host)
    book = read_rulebook(settings.rules_folder)
    _protocol(settings, Intake(book.conditions, book.classes))
    settings = msgspec.structs.replace(settings, port=_free_port(settings))
    os.environ.update({f"CAREPLAN_{name.upper()}": str(value) for name, value in msgspec.structs.asdict(settings).items()})
    _announce(settings, book)
    _run(settings)


@main.group()
def rules() -> None:
    """Look after the rulebook."""


for command in (
    authoring.check,
    authoring.lock,
    authoring.new,
    authoring.schema,
    comparing.diff,
    comparing.impact,
    founding.coverage,
    proving.prove,
    publishing.docs,
    reading.graph,
    reading.list_rules,
    reading.show,
    reading.sources,
    testing.test,
):
    rules.add_command(command)
main.add_command(comparing.cohort)


@main.command()
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


def _protocol(settings: Settings, intake: Intake) -> Protocol | None:
    try:
        return clinic_protocol(settings, intake)
    except InvalidSettings as error:
        fail(str(error), 2)


def _print(made: CarePlan, form: str) -> None:
    if form == "json":
        sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(made), indent=2) + b"\n")
        sys.stdout.buffer.flush()
    else:
        text.write(made, Console(highlight=False, soft_wrap=False))


def _refuse_to_listen_beyond_loopback(host: str) -> None:
    try:
        loopback = ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        fail("without authentication the service listens on loopback only, such as 127.0.0.1", 2)


def _free_port(settings: Settings) -> int:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            fail(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}", 2)
        return int(probe.getsockname()[1])


def _announce(settings: Settings, book: Rulebook) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    address = f"http://{host}:{settings.port}"
    example = '{"medications": [{"name": "Xanax", "schedule": "daily"}], "treatment": {"preferred_route": "nasal"}}'
    click.echo(
        f"Rulebook {book.about.id} {book.about.version} with {len(book.rules)} rules.\n"
        f"Listening on  {address}\n"
        f"Documentation {address}/docs\n"
        f"Rulebook      {address}/rulebook\n"
        f"Try it:\n  curl -s {address}/v1/care-plans -H 'Content-Type: application/json' \\\n    -d '{example}'\n"
    )


def _run(settings: Settings) -> None:
    from granian import Granian
    from granian.constants import Interfaces

    host = "127.0.0.1" if settings.host == "localhost" else settings.host
    server = Granian(
        "careplan.web.app:create",
        factory=True,
        address=host,
        port=settings.port,
        interface=Interfaces.ASGI,
        websockets=False,
        log_access=False,
        workers_kill_timeout=10,
    )
    server.on_startup(_pass_on_reloads)
    server.serve()


def _pass_on_reloads() -> None:
    """Hand SIGHUP on to the workers. The server itself would end and replace them, even for a rulebook with faults."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, _pass_on)


def _pass_on(*_: object) -> None:
    for worker in active_children():
        if worker.pid is not None:
            os.kill(worker.pid, signal.SIGHUP)


if __name__ == "__main__":
    main()
