"""Signing a plan on the command line as the service does, making the key for it, and reading keys to check by."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import msgspec
import rich_click as click

from careplan.cli.common import RULES, fail, read_rulebook, read_settings, refuse, whole
from careplan.cli.output import Output
from careplan.decision_record import parsed
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.hardening import harden
from careplan.planner import Planner
from careplan.signing.keys import new_pair, read_public_keys, read_signing_key
from careplan.signing.model import PublicKey, SigningKeys
from careplan.signing.read import brought
from careplan.signing.sign import signed_plan


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--by", required=True, metavar="NAME", help="The clinician who signs.")
@click.option("--at", required=True, metavar="TIME", help="When (RFC 3339).")
@click.option(
    "--choice",
    "choices",
    multiple=True,
    metavar="ITEM=OPTION",
    help="What is chosen for an item that is to be decided; once for each of them.",
)
@click.option("--note", "notes", multiple=True, metavar="ITEM=TEXT", help="A note of the clinician on that choice.")
@click.option(
    "--signing-key",
    type=click.Path(dir_okay=False),
    help="The key to sign with, as careplan signing-key makes it; that of the settings if left out.",
)
@RULES
def sign(
    file: BinaryIO,
    *,
    by: str,
    at: str,
    choices: tuple[str, ...],
    notes: tuple[str, ...],
    signing_key: str | None,
    rules: Path | None,
) -> None:
    """Sign the plan in the decision record FILE ("-" for standard input), and print the signed plan.

    Exits with 2 and every fault if the record was changed or a decision has no choice.

    Example: careplan sign record.json --by "Dr. A. Example, MD" --at 2026-01-31T15:00:00Z --choice maoi-interaction=agreed
    """
    harden()
    settings = read_settings()
    planner = Planner(read_rulebook(rules or settings.rules_folder))
    noted = dict(_pair(note, "--note ITEM=TEXT") for note in notes)
    by_item = [
        {"item": item, "option": option} for item, option in (_pair(choice, "--choice ITEM=OPTION") for choice in choices)
    ]
    if idle := noted.keys() - {choice["item"] for choice in by_item}:
        fail(f"there is a note without a choice for {', '.join(sorted(idle))}", 2)
    body = [choice | ({"note": noted[choice["item"]]} if choice["item"] in noted else {}) for choice in by_item]
    try:
        key_file = signing_key or settings.signing_key
        key = read_signing_key(key_file) if key_file else None
        found = brought({"record": parsed(whole(file)), "by": by, "at": at, "choices": body})
        Output("json").data(signed_plan(planner, found, key))
    except InvalidPatient as error:
        refuse(error)
    except InvalidSettings as error:
        fail(str(error), 2)
    except ValueError as error:
        fail(f"this is no decision record: {error}", 2)


@click.command("signing-key")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def signing_key(file: Path) -> None:
    """Make a key to sign plans with (Ed25519): the private half in FILE, the public half in FILE.pub.

    Set CAREPLAN_SIGNING_KEY to FILE and keep it secret. Keep every FILE.pub as long as the plans that it signed: they are
    checked by it.

    Example: careplan signing-key signing.pem
    """
    if not file.name:
        fail("FILE is empty; name the file to write the key to", 2)
    public = file.with_name(f"{file.name}.pub")
    pair = new_pair()
    for path, content, mode in ((file, pair.private, 0o600), (public, pair.public, 0o644)):
        try:
            path.touch(mode=mode, exist_ok=False)
        except FileExistsError:
            fail(f"there is a file {path} already; a key is never written over", 2)
        except OSError as error:
            fail(f"{path} cannot be written: {error.strerror}", 2)
        path.write_bytes(content)
    click.echo(f"Wrote the private key to {file} and the public one to {public}. As a key set:", err=True)
    click.echo(msgspec.json.encode(SigningKeys(keys=read_public_keys(pair.public))))


def public_keys_in(file: BinaryIO) -> list[PublicKey]:
    """The keys in a file; ends the command with code 2 if it holds none."""
    try:
        return read_public_keys(whole(file))
    except ValueError as error:
        fail(f"this is no public key: {error}", 2)


def _pair(text: str, form: str) -> tuple[str, str]:
    item, equals, value = text.partition("=")
    if not (item and equals and value):
        fail(f"write it as {form}", 2)
    return item, value
