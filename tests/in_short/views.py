"""Which files in short there are, and which files of a rulebook feed each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tests.in_short.edition import Edition
from tests.in_short.goal_words import goal_words
from tests.in_short.illnesses import illness_words, illnesses
from tests.in_short.list_words import list_words
from tests.in_short.measures import measures
from tests.in_short.medicines import medicines
from tests.in_short.records import records
from tests.in_short.rules import rules

FOLDER = Path(__file__).parents[1] / "golden" / "in_short"


class View(NamedTuple):
    """One file in short, what writes it, and patterns of the files of a rulebook of which it tells."""

    file: str
    told: Callable[[Edition, Edition], Iterator[str]]
    feeds: tuple[str, ...]

    def text(self, now: Edition, asked: Edition | None = None) -> str:
        """The whole file; `asked` has the words that are tried, where they are not those of the rulebook itself."""
        return "\n".join(self.told(now, asked or now)) + "\n"

    def is_fed_by(self, path: PurePosixPath) -> bool:
        """Whether it tells of a file."""
        return any(fnmatchcase(str(path), pattern) for pattern in self.feeds)


_RULES = (
    *("*/*.yaml", "interactions.csv", "medications.csv", "conditions.yaml", "drug_classes.yaml"),
    *("vocabulary.yaml", "rulebook.yaml"),
)
_ILLNESSES = ("conditions.yaml", "codes.yaml", "known_names.yaml", "illness_words.yaml")
VIEWS = (
    View("rules.md", rules, _RULES),
    View("medicines.md", medicines, ("medications.csv", "combinations.csv", "list_words.yaml", "rulebook.yaml")),
    View("list_words.md", list_words, ("list_words.yaml", "medications.csv", "dose_equivalents.csv")),
    View("goal_words.md", goal_words, ("goals.yaml",)),
    View("illnesses.md", illnesses, _ILLNESSES),
    View("illness_words.md", illness_words, _ILLNESSES),
    View("records.md", records, ("codes.yaml", "conditions.yaml")),
    View("measures.md", measures, ("vocabulary.yaml",)),
)
