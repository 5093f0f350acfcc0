"""The past of a rulebook that is kept in git: what it was at a revision, and the revisions of each file."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec


class Revision(msgspec.Struct, frozen=True):
    """One change of a file: the commit's id, its day (ISO 8601) and the first line of its message."""

    commit: str
    day: str
    subject: str


class NoRevision(Exception):
    """There is no such revision of the rulebook; the message says why."""


@contextmanager
def folder_at(name: str, home: Path) -> Iterator[Path]:
    """The folder called `name`, or else a copy of the rulebook in `home` as it was at the git revision `name`.

    Raises `NoRevision` if it is neither.
    """
    if Path(name).is_dir():
        yield Path(name)
        return
    if name.startswith("-"):
        raise NoRevision(f"{name} is neither a folder nor a revision")
    top, prefix = _place(home)
    archive = _git(top, "archive", "--format=tar", f"{name}:{prefix}")
    with TemporaryDirectory() as scratch:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(scratch, filter="data")
        yield Path(scratch)


def history(home: Path) -> Mapping[str, list[Revision]]:
    """The revisions of every file in `home` by its path there, newest first; empty where there is no git history."""
    try:
        listed = _git(home, "log", "--format=%x00%h%x09%as%x09%s", "--name-only", "--relative", "--", ".").decode()
    except NoRevision:
        return {}
    found: dict[str, list[Revision]] = {}
    for entry in listed.split("\0")[1:]:
        head, *files = entry.splitlines()
        revision = Revision(*head.split("\t", 2))
        for file in filter(None, files):
            found.setdefault(file, []).append(revision)
    return found


def _place(home: Path) -> tuple[Path, str]:
    """The top of the repository around `home`, and the path of `home` in it."""
    top, prefix = _git(home, "rev-parse", "--show-toplevel", "--show-prefix").decode().splitlines()
    return Path(top), prefix


def _git(home: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", "-C", str(home), *arguments], capture_output=True, check=True)  # noqa: S603, S607
    except FileNotFoundError:
        raise NoRevision("git is not installed, so only folders can be read") from None
    except OSError as error:
        raise NoRevision(f"git could not be started: {error.strerror}") from None
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise NoRevision(f"git knows no such rulebook: {reason[-1].removeprefix('fatal: ')}") from None
    return done.stdout
