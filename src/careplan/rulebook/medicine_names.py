"""Everything that a rulebook knows of names of medicines, from the rows, the wide vocabulary and the clinic's own names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

import msgspec

from careplan.errors import RuleFault
from careplan.recognition.dose_equivalents import DoseEquivalent, DoseReader
from careplan.recognition.entries import EntryReader
from careplan.recognition.just_ended import ToldInLines
from careplan.recognition.list_words import ListWords, Phrases
from careplan.recognition.medicine_catalogue import Catalogue
from careplan.recognition.recognizer import LocalName, Recognizer
from careplan.recognition.vocabulary import FOLDER, FURTHER_NAMES, KNOWN_NAMES, PRODUCT_CODES, WideVocabulary
from careplan.rulebook.sources import Source
from careplan.rulebook.validity_checks import DatedRow, faults_of_rows
from careplan.rulebook.yaml_and_csv import Document, read_rows

LOCAL_NAMES = "local_medicines.csv"
"""The clinic's own names of medicines; they win over the shipped ones. There may be none."""
EQUIVALENTS = "dose_equivalents.csv"
"""What doses are worth in diazepam and morphine; without it nothing is counted in them."""
LIST_WORDS = "list_words.yaml"


def phrases_of(words: ListWords, document: Callable[[], Document]) -> tuple[Phrases, Document | None]:
    """The phrases of lists, and the document with what is wrong with them, if anything is."""
    phrases = Phrases(words)
    if not phrases.flaws:
        return phrases, None
    flawed = document()
    for path, problem, mend in phrases.flaws:
        flawed.fault(path, problem, mend, code="list-words")
    return phrases, flawed


def equivalents_of(text: str) -> tuple[list[DoseEquivalent], list[RuleFault]]:
    """The rows of the table of equivalents, and the faults of form, of days and of rows that say the same twice."""
    lines: list[int] = []
    rows, faults = read_rows(PurePosixPath(EQUIVALENTS), text, DoseEquivalent, lines)
    if len(rows) == len(lines):
        dated = (
            DatedRow(at, (row.ingredient, row.of, row.route), row.valid_from, row.valid_until)
            for at, row in zip(lines, rows, strict=True)
        )
        faults += faults_of_rows(EQUIVALENTS, dated, "factor")
    return rows, faults


def doses_of(words: ListWords, rows: Iterable[DoseEquivalent], catalogue: Catalogue) -> DoseReader:
    """What reads doses. Raises ValueError for a row of no such ingredient, or without a sound factor."""
    rows = list(rows)
    if missing := [row.ingredient for row in rows if row.ingredient not in catalogue.ingredients]:
        raise ValueError(f"there is no ingredient {missing[0]}, of which a dose is to be counted")
    return DoseReader(words, rows)


def with_years_over(words: ListWords | None, sources: Mapping[str, Source]) -> ListWords | None:
    """The words of lines with the last year that is surely over: that before the newest day on which a source was read."""
    newest = max((source.read_on for source in sources.values() if source.read_on), default=None)
    if words is None or newest is None:
        return words
    return msgspec.structs.replace(words, ended=msgspec.structs.replace(words.ended, years_over=int(newest[:4]) - 1))


def recognizer_of(  # noqa: PLR0913, PLR0917 - one argument a file
    catalogue: Catalogue,
    words: ListWords,
    phrases: Phrases,
    local: Iterable[LocalName],
    controlled: Iterable[str],
    doses: DoseReader,
    text: Callable[[PurePosixPath], str],
) -> Recognizer:
    """What recognizes medicines, which `catalogue` then resolves entries with, and reads doses a day with `doses`.

    `text` gives the text of a file, "" for none. Raises ValueError for a name that is said to mean no such ingredient.
    """
    texts = [text(PurePosixPath(FOLDER, name)) for name in (KNOWN_NAMES, FURTHER_NAMES, PRODUCT_CODES)]
    recognizer = Recognizer(catalogue, words, WideVocabulary(*texts), phrases, local, controlled)
    catalogue.entries = EntryReader(recognizer, catalogue, doses, ToldInLines(words.told, words.ended, words.since_words))
    return recognizer
