"""The clinic's standing protocol on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import rich_click as click

from careplan.cli.common import RULES, read_defaults, read_rulebook, read_settings
from careplan.planner import Planner
from careplan.representations import PROTOCOL_FORMATS, Wanted
from careplan.request.clinic import Clinic
from careplan.request.patient import Patient, Product, Treatment

_BY_NAME = {form.name: form for form in PROTOCOL_FORMATS.values()}


@click.command("protocol")
@click.option("--product", type=click.Choice(get_args(Product)), help="The product; if left out, what holds for any.")
@click.option("--sessions-completed", type=click.IntRange(0, 200), help="Sessions behind the patient.")
@click.option("--sessions-planned", type=click.IntRange(1, 200), help="Sessions planned, where plans are sent the number.")
@click.option("--format", "form", type=click.Choice(list(_BY_NAME)), default="markdown", show_default=True)
@RULES
def protocol(
    *,
    product: Product | None,
    sessions_completed: int | None,
    sessions_planned: int | None,
    form: str,
    rules: Path | None,
) -> None:
    """Write the clinic's standing protocol: what is true of every patient of a product and stage.

    Example: careplan protocol --product racemic --sessions-completed 0 --format pdf > protocol.pdf
    """
    settings = read_settings()
    planner = Planner(read_rulebook(rules or settings.rules_folder))
    treatment = Treatment(product=product, sessions_completed=sessions_completed, sessions_planned=sessions_planned)
    defaults = read_defaults(settings, planner.intake)
    protocol = planner.protocol(treatment, defaults)
    wanted = Wanted(patient=Patient(), paper=(protocol.clinic or Clinic()).printed_on, logo=defaults.logo)
    sys.stdout.buffer.write(_BY_NAME[form].written(protocol, wanted))
