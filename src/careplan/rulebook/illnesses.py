"""Which illnesses a rulebook knows by names and codes, and what it says of codes and names that nobody has placed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date
from pathlib import PurePosixPath
from typing import Generic, NamedTuple, TypeVar

from careplan.recognition.illness_codes import (
    ICD10_TABLE,
    SNOMED_ILLNESSES,
    SNOMED_KNOWN,
    IllnessCodes,
    bare,
    nearest,
    pointed,
)
from careplan.recognition.illness_names import IllnessNames, Named
from careplan.recognition.illness_parts import Phrases
from careplan.recognition.illness_read import Lasting
from careplan.recognition.illness_reader import IllnessReader
from careplan.recognition.illness_words import IllnessWords, Normal
from careplan.recognition.known_conditions import KnownConditions
from careplan.recognition.vocabulary import FOLDER
from careplan.rulebook.codes import NOTHING, SAME, Codes
from careplan.rulebook.model import Condition, Rulebook

T = TypeVar("T")
ILLNESS_WORDS = "illness_words.yaml"
KNOWN_NAMES = "known_names.yaml"


class IllnessFiles(NamedTuple):
    """What the files of a rulebook say of illnesses besides its conditions and codes.

    `names` are known though no rule concerns them; `text` gives the text of a file, "" for none. No plan is older than the
    day `released`.
    """

    names: tuple[str, ...]
    words: IllnessWords
    text: Callable[[PurePosixPath], str]
    released: str | None


def known_conditions_of(conditions: Mapping[str, Condition], codes: Codes, files: IllnessFiles) -> KnownConditions:
    """The illnesses that are known, and what reads them."""
    listed = [code for entry in conditions.values() for code in entry.icd10]
    listed += [code for one in codes.diagnoses for values in one.values.values() for code in values.icd10]
    tables = [files.text(PurePosixPath(FOLDER, name)) for name in (ICD10_TABLE, SNOMED_ILLNESSES, SNOMED_KNOWN)]
    listed += [code for entry in codes.looked_at if entry.person for code in entry.icd10]
    looked_at = [code for entry in codes.looked_at if not entry.person for code in entry.icd10]
    of_codes = IllnessCodes(*tables, listed=listed, looked_at=looked_at)
    names = _names(conditions, codes, files, of_codes)
    phrases = Phrases(files.words, names, of_codes.table.has)
    least_day = date.fromisoformat(files.released) if files.released else date.min
    reader = IllnessReader(phrases, of_codes, _of_icd10(conditions, codes), _lasting(conditions, codes), least_day)
    return KnownConditions(files.names, of_codes, reader, files.words)


def _names(conditions: Mapping[str, Condition], codes: Codes, files: IllnessFiles, of_codes: IllnessCodes) -> IllnessNames:
    normal = Normal(files.words.abbreviations)
    own: dict[str, dict[str, None]] = {}
    for token, entry in conditions.items():
        for name in (token.replace("_", " "), entry.label, entry.patient_label, *entry.names):
            own.setdefault(name, {})[token] = None
    for diagnosis in codes.diagnoses:
        for answer, values in diagnosis.values.items():
            for name in values.names:
                own.setdefault(name, {})[f"{diagnosis.factor}={answer}"] = None
    may_be: dict[str, dict[str, None]] = {}
    for token, entry in conditions.items():
        for name in entry.may_be:
            may_be.setdefault(name, {})[token] = None
    return IllnessNames(
        normal,
        (
            Named("conditions.yaml", _Once(lambda: _together(own, normal)), own=True),
            Named(KNOWN_NAMES, [(name, ()) for name in files.names], own=True),
            Named(SNOMED_ILLNESSES, _Once(lambda: ((name, tokens) for tokens, _, name in of_codes.illnesses()))),
            Named(SNOMED_KNOWN, _Once(lambda: ((name, ()) for _, name in of_codes.harmless()))),
        ),
        {name: tuple(tokens) for name, tokens in may_be.items()},
        _Once(lambda: _lasting_names(codes, of_codes)),
    )


class _Once(Generic[T]):
    """Names that are put together when somebody goes through them."""

    def __init__(self, read_anew: Callable[[], Iterable[T]]) -> None:
        self._made = read_anew

    def __iter__(self) -> Iterator[T]:
        return iter(self._made())


def _lasting_names(codes: Codes, of_codes: IllnessCodes) -> Iterator[tuple[str, str]]:
    """The names of illnesses that stay, those of their codes included, each with the condition that it stays."""
    staying = {code: token for token, course in codes.courses.items() for code in course.lasting.snomed}
    yield from ((name, token) for token, course in codes.courses.items() for name in course.lasting.names)
    yield from ((name, staying[code]) for _, code, name in of_codes.illnesses() if code in staying)


def _together(own: Mapping[str, Iterable[str]], normal: Normal) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The names of conditions, those of one form together with all that any of them stands for."""
    keys = normal.keys(own)
    found: dict[str, dict[str, None]] = {}
    for name, tokens in own.items():
        found.setdefault(keys[name], {}).update(dict.fromkeys(tokens))
    yield from ((name, tuple(sorted(found[keys[name]]))) for name in own)


def _of_icd10(conditions: Mapping[str, Condition], codes: Codes) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for token, entry in conditions.items():
        for code in entry.icd10:
            found.setdefault(bare(code), []).append(token)
    answers: dict[str, list[str]] = {}
    for diagnosis in codes.diagnoses:
        for answer, values in diagnosis.values.items():
            for code in values.icd10:
                answers.setdefault(bare(code), []).append(f"{diagnosis.factor}={answer}")
        for code in diagnosis.beside:
            answers.setdefault(bare(code), [])
    for listed in codes.looked_at:
        for code in listed.icd10:
            found.setdefault(bare(code), [])
    alone = dict(found)
    for code, tokens in answers.items():
        # An answer and a condition may hang on codes of one branch, each at a place of its own.
        near = nearest(code, alone)
        found[code] = [*(alone[near] if near else ()), *tokens]
    for code in alone.keys() - answers.keys():
        if above := nearest(code, answers, below=1):
            found[code] = [*found[code], *answers[above]]
    return {code: tuple(dict.fromkeys(tokens)) for code, tokens in found.items()}


def _lasting(conditions: Mapping[str, Condition], codes: Codes) -> dict[str, Lasting]:
    """What each condition and answer counts as once it is past."""
    found: dict[str, Lasting] = {}
    for token, entry in conditions.items():
        course = codes.courses.get(token)
        if course is None:
            found[token] = Lasting(None, token, token, token, token, token, entry.graver, entry.of_family)
            continue

        def counts(outcome: str, own: str = token) -> str:
            return own if outcome == SAME else "" if outcome == NOTHING else outcome

        onset = None if course.onset == "any" else course.onset
        over = counts(course.over)
        # Whoever has a history of what lasts has it, unless the rulebook has a condition of its own for the past.
        history = counts(course.history) if course.history else counts(course.older) if onset is not None else over or token
        found[token] = Lasting(
            onset,
            counts(course.older),
            over,
            counts(course.remission),
            counts(course.sequela),
            history,
            entry.graver,
            entry.of_family,
            course.recent,
        )
    for diagnosis in codes.diagnoses:
        past = diagnosis.older or ""
        for answer in diagnosis.values:
            found[f"{diagnosis.factor}={answer}"] = Lasting(diagnosis.within_days, past, past, past, past, past)
    return found


def unplaced_codes(book: Rulebook) -> Iterator[str]:
    """Codes of ICD-10 in a block that rules look at which stand for nothing and that nobody has looked at."""
    yield from map(pointed, book.known_conditions.codes.unplaced())


def told_in_other_lists(book: Rulebook) -> frozenset[str]:
    """The conditions of which an allergy or the line of a medicine can tell, so that no list of illnesses is needed."""
    return frozenset((*book.codes.allergies, *_told_by_lines(book)))


def _told_by_lines(book: Rulebook) -> Collection[str]:
    """The conditions of which lines of medicines can tell."""
    return book.catalogue.entries.told_of if book.catalogue.entries else ()


def misplaced_names(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    """Names of illnesses that cannot stand where they do: the file, what is named, and why not."""
    for token, entry in book.conditions.items():
        for name in (*entry.graver, *filter(None, [entry.of_family])):
            if name not in book.conditions:
                yield "conditions.yaml", token, f"There is no condition called {name}."
    for name in _told_by_lines(book):
        if name not in book.conditions:
            yield "list_words.yaml", name, "There is no condition of this name, of which lines could tell."
    yield from _misplaced_in_readings(book)
    yield from _names_of_several(book)


def _misplaced_in_readings(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    for reading in book.known_conditions.words.readings:
        for measure in filter(None, (reading.measure, reading.second)):
            if measure not in book.vocabulary.measures:
                yield "illness_words.yaml", measure, "There is no measure of this name, of which words could tell."
        for means in (*(one.means for one in reading.ranges), *(reading.answers.values() if not reading.measure else ())):
            if means and "=" not in means and means not in book.conditions:
                yield "illness_words.yaml", means, "There is no condition of this name, which a reading could mean."


def _names_of_several(book: Rulebook) -> Iterator[tuple[str, str, str]]:
    """Names that stand for two illnesses, or that are also only offered for one."""
    by_form: dict[str, tuple[str, str, tuple[str, ...]]] = {}
    reader = book.known_conditions.reader
    for source, name, tokens in reader.names():
        if source not in ("conditions.yaml", KNOWN_NAMES):
            continue
        found = by_form.setdefault(reader.form(name), (source, name, tokens))
        if found[2] != tokens:
            yield source, name, f"{found[0]} has it as well, as {found[1]}, so that it is read as that."
        if reader.may_be(name):
            yield source, name, "It stands under may_be of a condition as well, so that it is only offered."


def misplaced_codes(book: Rulebook) -> Iterator[tuple[str, str]]:
    """Codes of SNOMED CT that stand for what there is not, each with what that is."""
    answers = {f"{one.factor}={value}" for one in book.codes.diagnoses for value in one.values}
    for tokens, code, _ in book.known_conditions.codes.illnesses():
        yield from ((code, token) for token in tokens if token not in answers and token not in book.conditions)
