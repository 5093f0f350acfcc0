"""The shipped lists with a fifth of their medicines, over which as much can be proved in a fifth of the time.

What a list, a derived fact or a rule that is kept names stays, and so does one medicine of each class at least.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path, PurePosixPath

from careplan.rulebook.load import INVARIANTS
from careplan.rulebook.model import SECTIONS
from tests.shipped import FILES, lists_in

Row = dict[str, str]

_SAYS_NOTHING = frozenset({"medications.csv", "combinations.csv", "dose_equivalents.csv", "interactions.csv"})
_NAMES_ALL = frozenset({"known_names.yaml", "name_stems.yaml", "vocabulary.yaml"})


def few_medicines_in(folder: Path, keep: Collection[str] = ()) -> Path:
    """A new folder as `tests.shipped.lists_in` makes one, with few medicines."""
    lists_in(folder, keep)
    shutil.rmtree(folder / "vocabulary")  # whose names stand for medicines that are not there
    for name, text in _few(frozenset(keep)).items():
        (folder / name).write_text(text)
    return folder


@cache
def _few(keep: frozenset[str]) -> dict[str, str]:
    words = {
        word
        for path, content in FILES.items()
        if path.name not in _SAYS_NOTHING | _NAMES_ALL
        and path.suffix in (".yaml", ".csv")
        and (path.parts[0] not in (*SECTIONS, INVARIANTS, "vocabulary") or path.stem in keep)
        for word in re.findall(r"[\w-]+", content.decode())
    }
    kept, classes = set[str](), set[str]()
    for row in _rows("medications.csv"):
        if row["ingredient"] in words or not classes.issuperset(row["classes"].split(";")):
            kept.add(row["ingredient"])
            classes.update(row["classes"].split(";"))
    return {
        "medications.csv": _cut("medications.csv", lambda row: row["ingredient"] in kept),
        "combinations.csv": _cut("combinations.csv", lambda row: kept.issuperset(row["ingredients"].split(";"))),
        "dose_equivalents.csv": _cut("dose_equivalents.csv", lambda row: row["ingredient"] in kept),
    }


def _rows(name: str) -> list[Row]:
    return list(csv.DictReader(FILES[PurePosixPath(name)].decode().splitlines()))


def _cut(name: str, wanted: Callable[[Row], bool]) -> str:
    rows = _rows(name)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for row in rows if wanted(row))
    return text.getvalue()
