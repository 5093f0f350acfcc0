"""What a rulebook was copied from: the hash of each part as it was then, kept in a file of the folder.

A part is a rule, found by its id wherever its file lies, or any other file. Files that a command writes are none.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from careplan.rulebook.lock import LOCK
from careplan.rulebook.model import SECTIONS

RECORD = "origin.lock"
_HEAD = "# id or file, place, sha-256 of what was copied; written by `careplan rules init` and `careplan rules doctor`\n"
_ABOUT = "rulebook.yaml"
_KINDS = (".yaml", ".csv", ".txt", ".tsv", ".md")
_WRITTEN = (LOCK, RECORD, "COVERAGE.md")
"""Files that commands write from the others; those in `schema/` are too."""
_OWN = re.compile(rb"^(?:id|version|title):[^\n]*\n", re.MULTILINE)
"""The lines of `rulebook.yaml` by which a rulebook says whose it is: each owner's are other ones."""


class Part(NamedTuple):
    """Where a part lies in its folder, and the hash of its content."""

    path: str
    content: str


def parts_of(folder: Path) -> dict[str, Part]:
    """All parts of the rulebook in a folder, rules by id and other files by their path."""
    found = {}
    for file in sorted(folder.rglob("*")):
        path = PurePosixPath(file.relative_to(folder))
        if not file.is_file() or file.suffix not in _KINDS or any(name.startswith(".") for name in path.parts):
            continue
        if str(path) in _WRITTEN or path.parts[0] == "schema":
            continue
        rule = len(path.parts) == 2 and path.suffix == ".yaml" and path.parts[0] in (*SECTIONS, "retired")
        content = file.read_bytes()
        if str(path) == _ABOUT:
            content = _OWN.sub(b"", content)
        found[path.stem if rule else str(path)] = Part(str(path), hashlib.sha256(content).hexdigest())
    return found


def id_of(folder: Path) -> str:
    """The id of the rulebook in a folder, as its file says it; empty if it says none."""
    found = re.search(rb"^id: *([a-z0-9-]+)", (folder / _ABOUT).read_bytes(), re.MULTILINE)
    return found[1].decode() if found else ""


def copy_rulebook(shipped: Path, folder: Path, name: str) -> None:
    """Copy a rulebook into a new folder under another id, with the record of what was copied."""
    skipped = shutil.ignore_patterns(".*", "COVERAGE.md", RECORD)
    shutil.copytree(shipped, folder, ignore=skipped, dirs_exist_ok=True)
    about = folder / _ABOUT
    about.write_bytes(re.sub(rb"^id:[^\n]*$", b"id: " + name.encode(), about.read_bytes(), count=1, flags=re.MULTILINE))
    write_record(folder, parts_of(folder))


def take(shipped: Path, theirs: Part, folder: Path, ours: Part | None) -> None:
    """Put a part of the shipped rulebook into a folder, in the place of its own, which keeps saying whose book it is."""
    content = (shipped / theirs.path).read_bytes()
    if theirs.path == _ABOUT and ours is not None:
        own = {line.split(b":")[0]: line for line in _OWN.findall((folder / _ABOUT).read_bytes())}
        content = _OWN.sub(lambda found: own.get(found[0].split(b":")[0], found[0]), content)
    if ours is not None and ours.path != theirs.path:
        (folder / ours.path).unlink()
    target = folder / theirs.path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def read_record(folder: Path) -> dict[str, Part] | None:
    """What was copied, part by part; None where there is no record. Raises `ValueError` naming a line that is none."""
    path = folder / RECORD
    if not path.is_file():
        return None
    found = {}
    for at, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        words = line.split()
        if len(words) != 3 or not re.fullmatch(r"[0-9a-f]{64}", words[2]):
            raise ValueError(f"line {at} of {RECORD} is not of the form: id or file, place, sha-256")
        found[words[0]] = Part(words[1], words[2])
    return found


def write_record(folder: Path, parts: Mapping[str, Part]) -> None:
    """Write down what was copied."""
    lines = (f"{name} {part.path} {part.content}\n" for name, part in sorted(parts.items()))
    (folder / RECORD).write_text(_HEAD + "".join(lines), encoding="utf-8")
