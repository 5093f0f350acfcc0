"""A rulebook by name: a folder, or a revision of the git repository that holds one."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from careplan.commands.common import fail


@contextmanager
def rulebook_folder(name: str, home: Path) -> Iterator[Path]:
    """The folder called `name`, or else the rulebook in `home` as it was at the git revision `name`.

    Ends the command with code 2 if it is neither.
    """
    if Path(name).is_dir():
        yield Path(name)
        return
    if name.startswith("-"):
        fail(f"{name} is neither a folder nor a revision", 2)
    with TemporaryDirectory() as scratch:
        top, prefix = _place(name, home)
        archive = _git(top, "archive", "--format=tar", f"{name}:{prefix}")
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(scratch, filter="data")
        yield Path(scratch)


def _place(name: str, home: Path) -> tuple[Path, str]:
    """The top of the repository around `home`, and the path of `home` in it."""
    try:
        top, prefix = _git(home, "rev-parse", "--show-toplevel", "--show-prefix").decode().splitlines()
        return Path(top), prefix
    except subprocess.CalledProcessError:
        fail(f"{name} is no folder, and {home} is in no git repository that could have such a revision", 2)


def _git(home: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(home), *arguments], capture_output=True, check=True)  # noqa: S603, S607
    except FileNotFoundError:
        fail("git is not installed, so only folders can be compared", 2)
    except subprocess.CalledProcessError as error:
        if arguments[0] == "rev-parse":
            raise
        reason = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        fail(f"git knows no such rulebook: {reason[-1]}", 2)
    return done.stdout
