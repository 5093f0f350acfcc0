"""A rulebook with the files it was read from: what is asked, and what answers."""

from __future__ import annotations

import csv
import io
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from careplan.rulebook.folder import Files
from careplan.rulebook.model import Rulebook
from careplan.rulebook.yaml_and_csv import Document


class Edition(NamedTuple):
    """A rulebook and its files. What is told of one is asked with the words of another where a change is looked at."""

    book: Rulebook
    files: Files

    def data(self, name: str) -> Any:
        """What a file of YAML says."""
        path = PurePosixPath(name)
        return Document(path, self.files[path].decode()).data

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a table."""
        return list(csv.DictReader(io.StringIO(self.files[PurePosixPath(name)].decode("utf-8-sig"), newline="")))
