"""What workers on other machines are given to know once, and the function that they then do with each piece of work."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Any, Generic, TypeVar

import msgspec

from careplan.batch.answer_lines import Answering, Answers, answered
from careplan.batch.ndjson import Limits, Line
from careplan.planner import Planner
from careplan.request.patient import ClinicDefaults
from careplan.rulebook.folder import read_folder
from careplan.rulebook.load import load_files
from careplan.rulebook.model import Rulebook

Result = TypeVar("Result")
Files = dict[str, bytes]
"""The files of a rulebook, by their paths in its folder."""


class Work(Generic[Result]):
    """Does pieces of a job."""

    def __init__(self, do: Callable[[list[Line]], Result], planners: Iterable[Planner]) -> None:
        self._do = do
        self._planners = planners

    def __call__(self, lines: list[Line]) -> Result:
        """What comes of these lines."""
        return self._do(lines)

    def close(self) -> None:
        """Free the memory of the engines."""
        for planner in self._planners:
            planner.close()


class AnswerJob(msgspec.Struct, frozen=True):
    """Answer lines with plans."""

    files: Files
    defaults: ClinicDefaults
    as_fhir: bool
    limits: Limits

    @property
    def name(self) -> str:
        """One name for equal jobs."""
        return digest_of(self)

    def start(self) -> Work[Answers]:
        """Read the rulebook; gives what answers."""
        return answering(unpacked(self.files), self.defaults, as_fhir=self.as_fhir, limits=self.limits)


def answering(book: Rulebook, defaults: ClinicDefaults, *, as_fhir: bool, limits: Limits) -> Work[Answers]:
    """What answers lines with a rulebook."""
    planner = Planner(book)
    found = Answering(planner, defaults, as_fhir=as_fhir, limits=limits)
    return Work(lambda lines: answered(found, lines), [planner])


def files_of(folder: Path) -> Files:
    """The files of the rulebook in a folder. Raises `InvalidRulebook`."""
    return {str(path): content for path, content in read_folder(folder).items()}


def unpacked(files: Files) -> Rulebook:
    """The rulebook that these files make. Raises `InvalidRulebook`."""
    return load_files({PurePosixPath(path): content for path, content in files.items()})


def digest_of(job: Any) -> str:
    """One name for equal jobs."""
    return blake2b(msgspec.msgpack.encode(job), digest_size=16).hexdigest()
