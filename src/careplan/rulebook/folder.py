"""The files of a rulebook, read from a folder once and as a whole, within limits.

A folder may be written to while it is read, be a projected volume whose files are links, or come from a stranger. What is
read here is all that is ever looked at: whoever checks it, runs it or hands it on to another process has the same bytes.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Container, Iterator, Mapping
from itertools import islice
from os import DirEntry
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypeAlias

from careplan.errors import InvalidRulebook, RuleFault
from careplan.rulebook.review_decisions import REVIEWS

Files: TypeAlias = Mapping[PurePosixPath, bytes]
"""The content of a rulebook by path, in order."""

SUFFIXES = (".yaml", ".csv", ".lock", ".cert", ".txt", ".tsv")
"""The files that a rulebook is made of."""
_MADE_OF_THE_OTHERS = (".lock", ".cert")
"""Of these, what is written anew when the others change."""
NOT_OF_RULES = (".json", ".md", ".steps")
"""What lies in a rulebook's folder for people, editors and those who check its proofs."""
MOST_FILES = 20_000
MOST_ENTRIES = 2 * MOST_FILES
"""Files and folders of any kind that are looked through: a link may lead to the root of a machine, whose end nobody sees."""
MOST_BYTES = {
    ".yaml": 1_000_000,
    ".csv": 8_000_000,
    ".lock": 1_000_000,
    ".cert": 8_000_000,
    ".txt": 16_000_000,
    ".tsv": 16_000_000,
}
"""Of one file of each kind; the longest of the shipped rulebook has a tenth of it or less."""
MOST_IN_ALL = 64_000_000
DEEPEST = 8
"""Folders within folders."""
TRIES, PAUSE_SECONDS = 5, 0.1
"""A folder that changes while it is read is read again, so often and after such a pause."""

_WHOLE = "Restore it from the last good rulebook."


class _Found(NamedTuple):
    path: tuple[str, ...]
    place: str
    mark: tuple[int, int, int]


def mark_of_folder(folder: Path) -> tuple[object, ...]:
    """Names, times and sizes of the files of a rulebook: the same as long as nobody changed one."""
    faults: list[RuleFault] = []
    return tuple((one.path, one.mark) for one in _listed(folder, faults))


def mark_of_file(place: str | Path) -> tuple[int, ...]:
    """Which file is there, its time and its size; nothing where there is none."""
    try:
        about = Path(place).stat()
    except (OSError, ValueError):
        return ()
    return about.st_ino, about.st_mtime_ns, about.st_size


def read_folder(folder: Path) -> Files:
    """The files of the rulebook in `folder`, read while none of them changed.

    Names that begin with a dot are passed over. Raises `InvalidRulebook` for a folder or file that cannot be read, is too
    large, or has a name that is not text, each by its path.
    """
    for _ in range(TRIES):
        faults: list[RuleFault] = []
        before = _listed(folder, faults)
        files = dict(_contents(before, faults))
        if not faults:
            again: list[RuleFault] = []
            if [one.mark for one in _listed(folder, again)] == [one.mark for one in before]:
                return files
        elif mark_of_folder(folder) == tuple((one.path, one.mark) for one in before):
            raise InvalidRulebook(faults)
        time.sleep(PAUSE_SECONDS)
    raise InvalidRulebook([_fault("rulebook.yaml", "The files kept changing while they were read.", "Try again later.")])


def digest_of(files: Files) -> str:
    """One name for equal rulebooks: SHA-256 in hexadecimal of all files but lock, certificate and decisions of reviewers."""
    digest = hashlib.sha256()
    for path, content in files.items():
        if path.suffix not in _MADE_OF_THE_OTHERS and str(path) != REVIEWS:
            digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def unread(folder: Path) -> list[str]:
    """Files in the folder of a rulebook that are none of its kinds, by their paths."""
    found = []
    for above, entry in _Walk([]).files(folder):
        kind = PurePosixPath(entry.name).suffix
        if kind not in (*SUFFIXES, *NOT_OF_RULES, ".yml"):
            found.append("/".join(_shown((*above, entry.name))))
    return sorted(found)


def misplaced(files: Files, known: Container[str]) -> Iterator[RuleFault]:
    """A fault for each file of YAML or CSV that nothing reads, which may be a rule in the wrong place.

    `known` are the files that lie in no folder. What lies in a folder of its own is told by whoever reads that.
    """
    for path in files:
        fits = path.name in known if len(path.parts) == 1 else len(path.parts) == 2 and path.suffix == ".yaml"
        if fits or path.suffix not in (".yaml", ".csv"):
            continue
        mend = "Put a rule into the folder of its section, and take away what is no part of the rulebook."
        yield _fault(str(path), "No file of this name is read here.", mend, code="unread-file")


def _listed(folder: Path, faults: list[RuleFault]) -> list[_Found]:
    found: list[_Found] = []
    walk = _Walk(faults)
    for above, entry in walk.files(folder):
        path = (*above, entry.name)
        name = "/".join(_shown(path))
        kind = PurePosixPath(entry.name.lower()).suffix
        if kind == ".yml" or (kind in SUFFIXES and not entry.name.endswith(SUFFIXES)):
            right = {".yml": ".yaml"}.get(kind, kind)
            mend = f"Call it {PurePosixPath(name).with_suffix(right).name}, or take it away."
            faults.append(
                _fault(name, f"A file that ends in {PurePosixPath(name).suffix} is not read.", mend, code="unread-file")
            )
        if not entry.name.endswith(SUFFIXES):
            continue
        if _shown(path) != path:
            faults.append(
                _fault(name, "The name of this file is not text in UTF-8.", "Give it another name.", code="file-name")
            )
            continue
        try:
            about = entry.stat()
        except OSError as error:
            faults.append(_unreadable(name, error))
            continue
        if not stat.S_ISREG(about.st_mode):
            faults.append(_fault(name, "This is not a file.", _WHOLE, code="unreadable"))
            continue
        found.append(_Found(path, entry.path, (about.st_ino, about.st_mtime_ns, about.st_size)))
    if walk.left < 0 or len(found) > MOST_FILES:
        words = f"There are more than {MOST_FILES:,} files, or {MOST_ENTRIES:,} entries of any kind."
        mend = "Name the folder of the rulebook itself, and take away links that lead out of it."
        faults[:] = [_fault("rulebook.yaml", words, mend, code="too-large")]  # what was met on the way is no rulebook's
        return []
    return sorted(found)


class _Walk:
    """A way through a folder and those in it. Links are followed, but not in a circle, and after so many entries it ends."""

    def __init__(self, faults: list[RuleFault]) -> None:
        """Folders that cannot be looked through are added to `faults`."""
        self._faults = faults
        self.left = MOST_ENTRIES
        """How many entries may still be met; below zero where there were more."""

    def files(
        self, folder: Path | str, above: tuple[str, ...] = (), ways: tuple[tuple[int, int], ...] = ()
    ) -> Iterator[tuple[tuple[str, ...], DirEntry[str]]]:
        """Every file below a folder, with the folders above it there."""
        try:
            about = Path(folder).stat()
            here = (about.st_dev, about.st_ino)
            if here in ways or len(above) > DEEPEST:
                words = "This link leads back to a folder above it." if here in ways else "Folders are nested too deep."
                self._faults.append(_fault("/".join(_shown(above)), words, "Take it away.", code="unreadable"))
                return
            with os.scandir(folder) as found:
                entries = sorted(islice(found, self.left + 1), key=lambda entry: entry.name)
        except OSError as error:
            self._faults.append(_unreadable("/".join(_shown(above)), error) if above else _no_folder(error))
            return
        for entry in entries:
            self.left -= 1
            if self.left < 0:
                return
            if entry.name.startswith("."):
                continue
            if not _is_folder(entry):
                yield above, entry
                continue
            if entry.name.lower().endswith((*SUFFIXES, ".yml")):
                name = "/".join(_shown((*above, entry.name)))
                mend = "Put a file in its place, or give the folder the name of a section."
                self._faults.append(_fault(name, "This is a folder and not a file.", mend, code="unread-file"))
            yield from self.files(entry.path, (*above, entry.name), (*ways, here))
            if self.left < 0:
                return


def _is_folder(entry: DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _contents(files: list[_Found], faults: list[RuleFault]) -> Iterator[tuple[PurePosixPath, bytes]]:
    left = MOST_IN_ALL
    for file in files:
        name = "/".join(file.path)
        most = min(MOST_BYTES[PurePosixPath(name).suffix], left)
        try:
            content = read_file(file.place, most)
        except OSError as error:
            faults.append(_unreadable(name, error))
            continue
        if len(content) > most:
            words = f"The file is larger than {most:,} bytes." if most < left else "The files together are too large."
            faults.append(_fault(name, words, "Split it, or look whether it belongs here.", code="too-large"))
            if most == left:
                return
            continue
        left -= len(content)
        yield PurePosixPath(*file.path), content


def read_file(place: str | Path, most: int) -> bytes:
    """The content of a regular file, and one byte more than `most` of one that is longer. Raises `OSError`.

    Nothing is waited for: a pipe without a writer is no file.
    """
    opened = os.open(place, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(0, "it is no file")
        return file.read(most + 1)


def _shown(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.encode(errors="surrogateescape").decode(errors="replace") for part in path)


def _unreadable(name: str, error: OSError) -> RuleFault:
    words = f"This cannot be read: {error.strerror or type(error).__name__}."
    return _fault(
        name, words, "Let the service's user read it, or restore it from the last good rulebook.", code="unreadable"
    )


def _no_folder(error: OSError) -> RuleFault:
    words = f"The folder of the rulebook cannot be read: {error.strerror or type(error).__name__}."
    return _fault("rulebook.yaml", words, "Name the folder in which rulebook.yaml lies.", code="unreadable")


def _fault(file: str, problem: str, mend: str, *, code: str = "reload") -> RuleFault:
    return RuleFault(file=file, line=1, field="", problem=problem, mend=mend, code=code)
