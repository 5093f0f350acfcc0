"""Planning for one patient, and making a recorded decision again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
import rich_click as click

from careplan.cli.common import RULES, fail, read_check, read_defaults, read_rulebook, read_settings, refuse, whole
from careplan.cli.output import Output
from careplan.clinic_logo import Logo
from careplan.decision_record import is_a_time, parsed, record, record_in, replay
from careplan.errors import InvalidPatient
from careplan.explain.plan_diff import difference
from careplan.hardening import harden
from careplan.plan.layers import Detail, Reader
from careplan.plan.session_sheet_model import SessionSheet
from careplan.planner import Planner
from careplan.representations import BY_NAME, SESSION_FORMATS, Format, Wanted
from careplan.request.clinic import Clinic
from careplan.request.patient import ClinicDefaults, Patient
from careplan.zones import is_a_zone


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", *BY_NAME]),
    help="Text on a terminal, JSON in a pipe, unless named. The others are for files.",
)
@click.option("--explain", is_flag=True, help="Say of every rule why it fired or not, the nearest to firing first.")
@click.option(
    "--record",
    "at",
    metavar="TIME",
    help="Print a decision record made at this time (RFC 3339) instead; its day is that of the plan if the body has none.",
)
@click.option("--against", type=click.File("rb"), help="Say what would be different for the patient in this file.")
@click.option("--what-would-change", "item", metavar="ID", help="Say what would make this item or rule go away or come up.")
@click.option(
    "--zone", metavar="ZONE", help="Write hours in this time zone, such as America/New_York, else in the clinic's."
)
@click.option(
    "--detail",
    type=click.Choice(["front", "standard", "full"]),
    help="How much is printed: the front page and the card, also what is behind them, or also the standing protocol and the "
    "patient's leaflet. On a terminal the least, elsewhere the second, unless named.",
)
@click.option(
    "--reader",
    type=click.Choice(["all", "clinician", "patient", "nurse"]),
    default="all",
    help="For whom it is printed: the patient's copy alone holds nothing that is written for the clinician; for the nurse "
    "it is the checklist of a session, as Markdown unless named.",
)
@RULES
def plan(
    file: BinaryIO,
    *,
    form: str | None,
    explain: bool,
    at: str | None,
    against: BinaryIO | None,
    item: str | None,
    zone: str | None,
    detail: Detail | None,
    reader: Reader | Literal["nurse"],
    rules: Path | None,
) -> None:
    """Plan for the patient in FILE ("-" for standard input) and print the draft.

    Exits with 0 for a draft, 3 for a blocked plan, 2 for a body that cannot be used.

    Example: careplan plan examples/daily-benzodiazepine.json --format text
    """
    harden()
    shown = form or ("text" if sys.stdout.isatty() else "json")
    # Explanations, records and comparisons are JSON as well.
    written = BY_NAME.get(form or "") if form != "json" else None
    other_answers = [bool(one) for one in (at, against, item)]
    _refuse_contradictions(shown, written, detail, reader, explain=explain, other_answers=other_answers)
    settings = read_settings()
    if zone and not is_a_zone(zone):
        fail(f"there is no time zone {zone}; name one such as America/New_York", 2)
    planner = Planner(read_rulebook(rules or settings.rules_folder), check=read_check(settings))
    clinic = read_defaults(settings, planner.intake)
    patient = _read(planner, file, clinic, zone).on(datetime.fromisoformat(at).date() if at and is_a_time(at) else None)
    where = patient.clinic.hours if patient.clinic else None
    plan = planner.explained(patient) if explain else planner.plan(patient)
    if reader == "nurse":
        _checklist(planner.session_sheet(plan, patient), patient, form or "markdown", clinic.logo)
        sys.exit(3 if plan.status == "blocked" else 0)
    output = Output(shown, where, detail, reader)
    if written:
        wanted = Wanted(
            patient=patient,
            zone=where,
            paper=(patient.clinic or Clinic()).printed_on,
            detail=detail or "standard",
            reader=reader,
            logo=clinic.logo,
        )
        sys.stdout.buffer.write(written.written(plan, wanted))
    elif against:
        output.difference(difference(plan, planner.plan(_read(planner, against, clinic, zone))))
    elif item:
        try:
            output.ways(planner.what_would_change(patient, item))
        except KeyError:
            fail(f"{item} is neither an item of this plan nor a rule", 2)
    elif at:
        if not is_a_time(at):
            fail("give the time as 2026-01-31T14:00:00Z", 2)
        output.data(record(planner, patient, at))
    else:
        output.plan(plan, patient)
    sys.exit(3 if plan.status == "blocked" else 0)


def _refuse_contradictions(
    shown: str,
    written: Format | None,
    detail: Detail | None,
    reader: Reader | Literal["nurse"],
    *,
    explain: bool,
    other_answers: Sequence[bool],
) -> None:
    """End with a message where options do not go together.

    `other_answers` says which of --record, --against and --what-would-change were given, which answer no plan.
    """
    no_plan = any(other_answers)
    if explain + sum(other_answers) > 1:
        fail("choose one of --explain, --record, --against and --what-would-change", 2)
    if reader == "nurse":
        if explain or no_plan or detail:
            fail("--reader nurse is for the checklist of a session by itself", 2)
        return
    if written and (explain or no_plan):
        fail(f"{shown} is a form of a plan by itself, without --explain, --record, --against and --what-would-change", 2)
    if detail and (no_plan or (written and "detail" not in written.needs)):
        fail("--detail is for a plan by itself, as text, JSON, a page, Markdown or PDF", 2)
    if reader != "all" and (no_plan or (shown != "text" and (not written or "reader" not in written.needs))):
        fail("--reader is for a plan by itself, as text, a page, Markdown or PDF", 2)


@click.command("replay")
@click.argument("file", type=click.File("rb"))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--public-key",
    type=click.File("rb"),
    help="Check the signature of a signed plan by this key: in PEM, or what GET /v1/signing-keys answers.",
)
@RULES
def replay_record(file: BinaryIO, *, form: str, public_key: BinaryIO | None, rules: Path | None) -> None:
    """Make the decision in the record FILE again, and say whether today's rulebook would give the same plan.

    Of a signed plan it also says who signed what, and whether all is as it was signed.

    Exits with 0 if it would, 1 if not, 2 if the record cannot be used, 4 if the same rulebook gave another plan, the
    record is not as it was made, or a signed plan is not as it was signed.

    Example: careplan replay record.json
    """
    # What checks signatures takes longer to load than a plan to make.
    from careplan.cli.signing import public_keys_in
    from careplan.signing.verify import is_signed, verified

    planner = Planner(read_rulebook(rules or read_settings().rules_folder))
    output = Output(form)
    trusted = True
    try:
        data = parsed(whole(file))
        if is_signed(data):
            seen = verified(planner, data, public_keys_in(public_key) if public_key else None)
            recorded, intact, trusted = seen.record, seen.record_intact, seen.trusted
        elif public_key:
            fail("--public-key is for a signed plan, and this is none", 2)
        else:
            seen = None
            recorded, intact = record_in(data)
        found = replay(planner, recorded, intact=intact)
    except InvalidPatient as error:
        refuse(error)
    except ValueError as error:
        fail(f"this is no decision record: {error}", 2)
    output.replay(found, seen)
    wrong = found.reproduced is False or found.intact is False or not trusted
    sys.exit(4 if wrong else 0 if found.same_plan else 1)


def _checklist(sheet: SessionSheet | None, patient: Patient, form: str, logo: Logo | None) -> None:
    """Write the checklist of a session; ends the command with code 2 where there is none, or not in this form."""
    forms = {one.name: one for one in SESSION_FORMATS.values()}
    if form not in forms:
        fail(f"there is no checklist of a session as {form}; choose one of {', '.join(forms)}", 2)
    if sheet is None:
        fail("this rulebook has no checklist of a session", 2)
    clinic = patient.clinic or Clinic()
    wanted = Wanted(patient=patient, zone=clinic.hours, paper=clinic.printed_on, logo=logo)
    sys.stdout.buffer.write(forms[form].written(sheet, wanted))


def _read(planner: Planner, file: BinaryIO, defaults: ClinicDefaults, zone: str | None) -> Patient:
    try:
        patient = planner.intake.decode(whole(file)).under(defaults)
    except InvalidPatient as error:
        refuse(error)
    return msgspec.structs.replace(patient, clinic=Clinic(zone=zone).over(patient.clinic)) if zone else patient
