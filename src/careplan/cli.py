"""The command line: plan for one patient, run the service, look after the rulebook."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from ipaddress import ip_address
from multiprocessing import active_children
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec
import rich_click as click

from careplan.commands import authoring, comparing, founding, interviewing, proving, publishing, reading, testing
from careplan.commands.common import RULES, fail, read_rulebook, read_settings
from careplan.commands.output import FORMS, Output
from careplan.difference import difference
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.intake import Intake
from careplan.patient import TIME, Patient, Protocol
from careplan.planner import Planner
from careplan.record import read_record, record, replay
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
    "--format",
    "form",
    type=click.Choice(["text", "json", *FORMS]),
    help="Text on a terminal, JSON in a pipe, unless named. html, markdown, pdf and fhir are for files.",
)
@click.option("--explain", is_flag=True, help="Say of every rule why it fired or not, the nearest to firing first.")
@click.option("--record", "at", metavar="TIME", help="Print a decision record made at this time (RFC 3339) instead.")
@click.option("--against", type=click.File("rb"), help="Say what would be different for the patient in this file.")
@click.option("--what-would-change", "item", metavar="ID", help="Say what would make this item or rule go away or come up.")
@RULES
def plan(
    file: BinaryIO,
    *,
    form: str | None,
    explain: bool,
    at: str | None,
    against: BinaryIO | None,
    item: str | None,
    rules: Path | None,
) -> None:
    """Plan for the patient in FILE ("-" for standard input) and print the draft.

    Exits with 0 for a draft, 3 for a blocked plan, 2 for a body that cannot be used.

    Example: careplan plan examples/daily-benzodiazepine.json --format text
    """
    if sum(map(bool, (explain, at, against, item))) > 1:
        fail("choose one of --explain, --record, --against and --what-would-change", 2)
    settings = read_settings()
    planner = Planner(read_rulebook(rules or settings.rules_folder))
    clinic = _protocol(settings, planner.intake)
    patient = _read(planner, file, clinic)
    made = planner.explained(patient) if explain else planner.plan(patient)
    output = Output(form or ("text" if sys.stdout.isatty() else "json"))
    write = FORMS.get(form or "")
    if write and (explain or at or against or item):
        fail(f"{form} is a form of a plan by itself, without --explain, --record, --against and --what-would-change", 2)
    if write:
        sys.stdout.buffer.write(write(made, patient))
    elif against:
        output.difference(difference(made, planner.plan(_read(planner, against, clinic))))
    elif item:
        try:
            output.ways(planner.what_would_change(patient, item))
        except KeyError:
            fail(f"{item} is neither an item of this plan nor a rule", 2)
    elif at:
        if not re.fullmatch(TIME, at):
            fail("give the time as 2026-01-31T14:00:00Z", 2)
        output.data(record(planner, patient, at))
    else:
        output.plan(made)
    sys.exit(3 if made.status == "blocked" else 0)


@main.command("replay")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@RULES
def replay_record(file: BinaryIO, *, form: str, rules: Path | None) -> None:
    """Make the decision in the record FILE again, and say whether today's rulebook would give the same plan.

    Exits with 0 if it would, 1 if not, 2 if the record cannot be used, 4 if the same rulebook gave another plan.

    Example: careplan replay record.json
    """
    planner = Planner(read_rulebook(rules or read_settings().rules_folder))
    try:
        found = replay(planner, read_record(file.read()))
    except InvalidPatient as error:
        _refuse(error)
    except ValueError as error:
        fail(f"this is no decision record: {error}", 2)
    Output(form).replay(found)
    sys.exit(4 if found.reproduced is False else 0 if found.same_plan else 1)


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
main.add_command(interviewing.interview)


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


def _read(planner: Planner, file: BinaryIO, clinic: Protocol | None) -> Patient:
    try:
        return planner.intake.decode(file.read()).under(clinic)
    except InvalidPatient as error:
        _refuse(error)


def _refuse(error: InvalidPatient) -> NoReturn:
    for fault in error.faults:
        click.echo(f"{fault.pointer or '(the body)'}: {fault.detail}", err=True)
    sys.exit(2)


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
