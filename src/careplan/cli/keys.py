"""Making API keys for those who may ask the service."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click

from careplan.cli.common import fail
from careplan.errors import InvalidSettings
from careplan.rulebook.folder import read_file
from careplan.rulebook.text_template import counted
from careplan.settings_files import MOST_BYTES


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
    makes a running service read the file again. A file that is there keeps its mode and owner; a new one can be read by
    nobody else.

    Example: careplan key --client ehr --file keys.json
    """
    from careplan.web.security.access import CLIENT, KeyFile, new_key, read_keys, read_rate

    if not CLIENT.fullmatch(client):
        fail("--client takes a name of 1 to 60 letters, digits, dots, dashes and underscores, such as ehr", 2)
    file = file.resolve() if file.is_symlink() else file
    there = file.exists()
    if there and not file.is_file():
        fail(f"{file} is no file; name the file of keys", 2)
    try:
        keys = read_keys(read_file(file, MOST_BYTES)) if there and file.stat().st_size else []
        read_rate(rate)
    except (InvalidSettings, ValueError) as error:
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
    _write(file, msgspec.json.format(whole, indent=2) + b"\n")
    names = ", ".join(sorted({one.client for one in keys}))
    before = f"It held {counted(len(keys), 'key')} ({names}) before. " if keys else "" if there else "The file is new. "
    click.echo(f"Added {key_id} for {client} to {file}. {before}Its key, which cannot be shown again:", err=True)
    click.echo(text)


def _write(file: Path, content: bytes) -> None:
    """Put this into the file, whole or not at all where that can be done, with the mode and owner that it has."""
    about = file.stat() if file.exists() else None
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.unlink(missing_ok=True)
        opened = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(opened, "wb") as written:
                if about is not None:
                    os.fchown(opened, about.st_uid, about.st_gid)
                    os.fchmod(opened, about.st_mode & 0o7777)
                written.write(content)
                written.flush()
                os.fsync(opened)
            beside.replace(file)
        finally:
            with suppress(OSError):
                beside.unlink(missing_ok=True)
    except OSError:
        # A file that is mounted by itself cannot be replaced, and in some folders nothing can be made.
        if about is None:
            raise
        _write_into(file, content)


def _write_into(file: Path, content: bytes) -> None:
    with file.open("r+b") as written:
        written.write(content)
        written.truncate()
        written.flush()
        os.fsync(written.fileno())
