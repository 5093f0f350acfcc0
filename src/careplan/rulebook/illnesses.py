"""Which illnesses a rulebook knows by their codes, and what it says of codes that nobody has placed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from careplan.recognition.illness_codes import ICD10_TABLE, SNOMED_ILLNESSES, SNOMED_KNOWN, IllnessCodes, pointed
from careplan.recognition.known_conditions import KnownConditions
from careplan.recognition.vocabulary import FOLDER
from careplan.rulebook.codes import Codes
from careplan.rulebook.model import Condition, Rulebook


def known_conditions_of(
    names: Iterable[str], conditions: Mapping[str, Condition], codes: Codes, text: Callable[[PurePosixPath], str]
) -> KnownConditions:
    """The illnesses that are known and that no rule concerns. `text` gives the text of a file, "" for none."""
    listed = [code for entry in conditions.values() for code in entry.icd10]
    listed += [code for one in codes.diagnoses for values in one.values.values() for code in values.icd10]
    tables = [text(PurePosixPath(FOLDER, name)) for name in (ICD10_TABLE, SNOMED_ILLNESSES, SNOMED_KNOWN)]
    listed += [code for entry in codes.looked_at if entry.person for code in entry.icd10]
    looked_at = [code for entry in codes.looked_at if not entry.person for code in entry.icd10]
    return KnownConditions(names, IllnessCodes(*tables, listed=listed, looked_at=looked_at))


def unplaced_codes(book: Rulebook) -> Iterator[str]:
    """Codes of ICD-10 in a block that rules look at which stand for nothing and that nobody has looked at."""
    yield from map(pointed, book.known_conditions.codes.unplaced())


def misplaced_codes(book: Rulebook) -> Iterator[tuple[str, str]]:
    """Codes of SNOMED CT that stand for what there is not, each with what that is."""
    answers = {f"{one.factor}={value}" for one in book.codes.diagnoses for value in one.values}
    for tokens, code, _ in book.known_conditions.codes.illnesses():
        yield from ((code, token) for token in tokens if token not in answers and token not in book.conditions)
