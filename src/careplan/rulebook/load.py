"""From a folder to a checked rulebook, or to the list of all that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from os import DirEntry, scandir
from pathlib import Path, PurePosixPath
from typing import TypeAlias, TypeVar

import msgspec

from careplan.errors import InvalidRulebook, RuleFault
from careplan.no_collection import no_collection
from careplan.recognition.dose_equivalents import DoseEquivalent
from careplan.recognition.goal_judge import judge_of
from careplan.recognition.goal_lexicon import GoalWords
from careplan.recognition.list_words import ListWords
from careplan.recognition.medicine_catalogue import Catalogue
from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.recognition.recognizer import LocalName, Recognizer
from careplan.rulebook.belonging import check_belonging
from careplan.rulebook.checks import (
    check_codes,
    check_rule,
    check_rulebook,
)
from careplan.rulebook.codes import Codes
from careplan.rulebook.conditions import Reader, When, with_certainty
from careplan.rulebook.courses import with_courses
from careplan.rulebook.derived import FOLDER as DERIVED
from careplan.rulebook.derived import Derived, kinds_with_derived, read_derived
from careplan.rulebook.factors import KINDS, OF_MEASURES, Kind
from careplan.rulebook.illnesses import known_conditions_of
from careplan.rulebook.lock import LOCK, check_lock
from careplan.rulebook.measures import kinds_with, limits_with
from careplan.rulebook.medicine_names import EQUIVALENTS, LIST_WORDS, LOCAL_NAMES, doses_of, phrases_of, recognizer_of
from careplan.rulebook.model import SECTIONS, Condition, DrugClass, Rule, Rulebook, RuleFile, Section, Source, Vocabulary
from careplan.rulebook.rule_texts import texts_of
from careplan.rulebook.rulebook_file import KnownNames, RulebookFile
from careplan.rulebook.sentence_checks import check_sentences
from careplan.rulebook.vocabulary import check_vocabulary, with_declared_words
from careplan.rulebook.yaml_and_csv import Document, read_rows

T = TypeVar("T")
Row = TypeVar("Row", bound=msgspec.Struct)

SUFFIXES = (".yaml", ".csv", ".lock", ".cert", ".txt", ".tsv")
"""The files that a rulebook is made of."""
_MADE_OF_THE_OTHERS = (".lock", ".cert")
"""Of these, what is written anew when the others change: the digest of the rulebook leaves it out."""
INVARIANTS = "invariants"
"""The folder of what must hold of every plan; read by `careplan.authoring.proof`, and no section of the plan."""
CERTIFICATE = "proof.cert"
"""What was proved of the rulebook; see `careplan.rulebook.certificate`."""
KNOWN_CONDITIONS = "known_names.yaml"
"""Illnesses that no rule concerns. The medicines of that kind are in the wide vocabulary."""


def shipped() -> Path:
    """The folder of the rulebook that comes with the package."""
    inside = Path(__file__).parent.parent / "rules"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "rules"


def mark_of_folder(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, times and sizes of the files of a rulebook: the same as long as nobody changed one."""
    return tuple(sorted((entry.path, entry.stat().st_mtime_ns, entry.stat().st_size) for _, entry in _files(folder)))


def _files(folder: Path | str, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], DirEntry[str]]]:
    """Every file below a folder, with the parts of its path there, but for links to folders and what may not be read."""
    with suppress(PermissionError, FileNotFoundError, NotADirectoryError), scandir(folder) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, (*above, entry.name))
            elif entry.is_file():
                yield (*above, entry.name), entry


def load(folder: Path) -> Rulebook:
    """The rulebook in `folder`. Raises `InvalidRulebook` with every fault found, each with file, line and mend."""
    if not (folder / "rulebook.yaml").is_file():
        raise InvalidRulebook([_missing("rulebook.yaml")])
    files = {
        parts: Path(entry.path)
        for parts, entry in _files(folder)
        if entry.name.endswith(SUFFIXES) and not entry.name.startswith(".")
    }
    texts = {PurePosixPath(*parts): files[parts].read_bytes() for parts in sorted(files)}
    with no_collection():
        return _Loading(texts).rulebook()


Known: TypeAlias = tuple[Mapping[str, DrugClass], Catalogue, Mapping[str, Condition], Mapping[str, Kind]]
"""The lists whose tokens rules may name, and the kinds of fact that they may test."""


class _Loading:
    """One pass over the files of a rulebook, gathering faults as it goes."""

    def __init__(self, files: Mapping[PurePosixPath, bytes]) -> None:
        self._files = files
        self._faults: list[RuleFault] = []
        self._digest = hashlib.sha256()
        for path, content in files.items():
            if path.suffix in _MADE_OF_THE_OTHERS:
                continue
            self._digest.update(f"{path}\0{len(content)}\0".encode() + content)

    def rulebook(self) -> Rulebook:
        """The rulebook. Whatever can be read is checked before the faults of all files are raised together."""
        about = self._one("rulebook.yaml", RulebookFile, check_sentences)
        vocabulary = self._one("vocabulary.yaml", Vocabulary, check_vocabulary)
        sources = self._one("sources.yaml", dict[str, Source])
        classes = self._one("drug_classes.yaml", dict[str, DrugClass])
        conditions = self._one("conditions.yaml", dict[str, Condition])
        codes = self._one("codes.yaml", Codes, lambda found, note: check_codes(found, conditions, note))
        conditions = with_courses(conditions, codes) if conditions and codes else conditions
        words = self._one("goals.yaml", GoalWords)
        list_words = self._one(LIST_WORDS, ListWords)
        ingredients = self._rows("medications.csv", Ingredient)
        combinations = self._rows("combinations.csv", Combination)
        known_names = self._known_names().conditions
        rows_are_sound = not any(fault.file.endswith(".csv") for fault in self._faults)
        catalogue = (
            self._catalogue(ingredients, combinations, about, classes) if about and classes and rows_are_sound else None
        )
        kinds = kinds_with(vocabulary.measures) if vocabulary else KINDS
        known = (classes, catalogue, conditions, kinds) if classes and catalogue and conditions else None
        derived = self._derived(known) if known else {}
        kinds = kinds_with_derived(kinds, derived.values())
        rules, resting, documents = self._rules((*known[:3], kinds) if known else None)
        faults_of_form = {document.file for document in documents.values() if document.faults}
        medicines = self._recognizer(catalogue, list_words, about) if catalogue and list_words and about else None
        if not (about and vocabulary and sources and classes and conditions and codes and words and catalogue and medicines):
            self._faults += [fault for document in documents.values() for fault in document.faults]
            self._stop_if_faulty()
            raise AssertionError("a file of the rulebook is missing without a fault")
        everyday = frozenset(list_words.whole_only).difference(list_words.medicines_in_goals) if list_words else frozenset()
        book = Rulebook(
            about=about,
            digest=self._digest.hexdigest(),
            rules=rules,
            resting=resting,
            sources=sources,
            vocabulary=with_declared_words(vocabulary, derived.values()),
            kinds=kinds,
            limits=limits_with(vocabulary.measures),
            classes=classes,
            conditions=conditions,
            codes=codes,
            catalogue=catalogue,
            medicines=medicines,
            known_conditions=known_conditions_of(known_names, conditions, codes, self._text_if_any),
            goals=judge_of(
                words,
                {name: tokens for name, tokens in catalogue.named().items() if len(name) > 3 and name not in everyday},
            ),
            derived=derived,
            certificate=self._files.get(PurePosixPath(CERTIFICATE), b""),
        )
        ids = frozenset(documents)
        for rule in (*rules.values(), *resting.values()):
            if documents[rule.id].file not in faults_of_form:
                check_rule(book, rule, documents[rule.id], ids)
                check_belonging(book, rule, documents[rule.id])
        check_rulebook(book, documents)
        check_lock(self._lock(), {**rules, **resting}, derived, documents, self._faults)
        self._faults += [fault for document in documents.values() for fault in document.faults]
        self._stop_if_faulty()
        return book

    def _rules(self, known: Known | None) -> tuple[dict[str, Rule], dict[str, Rule], dict[str, Document]]:
        """The rules that run, those that rest, and the files of all, also of those that cannot be read, by id."""
        rules: dict[str, Rule] = {}
        resting: dict[str, Rule] = {}
        documents: dict[str, Document] = {}
        for path in self._files:
            if len(path.parts) != 2 or path.suffix != ".yaml" or path.parts[0] in (INVARIANTS, DERIVED):
                continue
            rule, document = self._rule(path, known)
            if path.stem in documents:
                taken = f"The id {path.stem} is already taken by {documents[path.stem].file}."
                document.fault(("id",), taken, "Choose another id.", code="id-taken")
                self._faults += document.faults
                continue
            documents[path.stem] = document
            if rule is not None:
                runs = rule.file.status in ("trial", "active") and path.parts[0] != "retired"
                (rules if runs else resting)[rule.id] = rule
        return rules, resting, documents

    def _derived(self, known: Known) -> dict[str, Derived]:
        """What the rulebook derives, by name, also where a file of it is faulty: rules that use it are then not at fault."""
        found: dict[str, Derived] = {}
        for path in self._files:
            if len(path.parts) != 2 or path.suffix != ".yaml" or path.parts[0] != DERIVED:
                continue
            document = self._document(path)
            one = read_derived(document, path.stem, Reader(known[0], known[1].ingredients, *known[2:]))
            if one is not None:
                found[one.file.name] = one
            self._faults += document.faults
        return found

    def _lock(self) -> str:
        return self._text_if_any(PurePosixPath(LOCK))

    def _text_if_any(self, path: PurePosixPath) -> str:
        return self._text(path) if path in self._files else ""

    def _rule(self, path: PurePosixPath, known: Known | None) -> tuple[Rule | None, Document]:
        document = self._document(path)
        section = path.parts[0]
        file = document.convert(RuleFile) if not document.faults else None
        if section not in (*SECTIONS, "retired"):
            near = f"Use one of {', '.join(SECTIONS)}."
            document.fault((), f"{section} is not a section of the plan.", near, code="section")
        when: When = ()
        if known is not None and isinstance(document.data, dict):
            classes, catalogue, conditions, kinds = known
            reader = Reader(classes, catalogue.ingredients, conditions, kinds)
            when = reader.when(document.data.get("when"))
            for flaw in reader.flaws:
                if kinds["measures"] is KINDS["measures"] and not OF_MEASURES.isdisjoint(flaw.path):
                    continue  # Nobody knows which measures there are: their own file has faults, which are named.
                document.fault(flaw.path, flaw.problem, flaw.mend, code=flaw.code)
        if file is not None and file.id != path.stem:
            document.fault(
                ("id",), f"The id {file.id} is not the name of the file.", f"Write id: {path.stem}.", code="id-and-file"
            )
        texts = texts_of(document, file) if file is not None else None
        if file is None or texts is None or document.faults or known is None:
            return None, document
        rule = Rule(
            file=file,
            section=msgspec.convert(section if section != "retired" else "screening", Section),
            when=with_certainty(when) if file.certain else when,
            title=texts.title,
            patient=texts.patient,
            clinician=texts.clinician,
            line=texts.line,
            card=texts.card,
            cards_in_languages=texts.cards,
            asks=tuple(zip(file.then.asks, texts.asks, strict=True)),
        )
        return rule, document

    def _catalogue(
        self,
        ingredients: list[Ingredient],
        combinations: list[Combination],
        about: RulebookFile,
        classes: Mapping[str, DrugClass],
    ) -> Catalogue | None:
        before = len(self._faults)
        known = {row.ingredient for row in ingredients}
        for row in ingredients:
            for name in row.classes:
                if name not in classes:
                    self._csv_fault(
                        "medications.csv", row.ingredient, f"There is no drug class {name}.", code="unknown-token"
                    )
        for product in combinations:
            for name in product.ingredients:
                if name not in known:
                    self._csv_fault(
                        "combinations.csv", product.product, f"There is no ingredient {name}.", code="unknown-token"
                    )
        if len(self._faults) > before:
            return None
        try:
            return Catalogue(ingredients, combinations, about.dosage_words, about.only_offered)
        except ValueError as error:
            self._csv_fault("medications.csv", "", f"{error}.".capitalize())
            return None

    def _recognizer(self, catalogue: Catalogue, words: ListWords, about: RulebookFile) -> Recognizer | None:
        phrases, flawed = phrases_of(words, lambda: self._document(PurePosixPath(LIST_WORDS)))
        self._faults += flawed.faults if flawed else []
        local = self._rows(LOCAL_NAMES, LocalName) if PurePosixPath(LOCAL_NAMES) in self._files else []
        rows = self._rows(EQUIVALENTS, DoseEquivalent) if PurePosixPath(EQUIVALENTS) in self._files else []
        at_fault = EQUIVALENTS
        try:
            doses = doses_of(words, rows, catalogue)
            at_fault = LOCAL_NAMES
            return recognizer_of(catalogue, words, phrases, local, about.controlled, doses, self._text_if_any)
        except ValueError as error:
            self._csv_fault(at_fault, "", f"{error}.".capitalize())
            return None

    def _one(self, name: str, target: type[T], check: Callable[[T, Document], None] | None = None) -> T | None:
        if PurePosixPath(name) not in self._files:
            self._faults.append(_missing(name))
            return None
        document = self._document(PurePosixPath(name))
        value = document.convert(target) if not document.faults else None
        if value is not None and check is not None:
            check(value, document)
        self._faults += document.faults
        return value

    def _known_names(self) -> KnownNames:
        """The known names of the rulebook; a rulebook need not have any."""
        if PurePosixPath(KNOWN_CONDITIONS) not in self._files:
            return KnownNames()
        return self._one(KNOWN_CONDITIONS, KnownNames) or KnownNames()

    def _rows(self, name: str, target: type[Row]) -> list[Row]:
        if PurePosixPath(name) not in self._files:
            self._faults.append(_missing(name))
            return []
        rows, faults = read_rows(PurePosixPath(name), self._text(PurePosixPath(name)), target)
        self._faults += faults
        return rows

    def _document(self, path: PurePosixPath) -> Document:
        return Document(path, self._text(path))

    def _text(self, path: PurePosixPath) -> str:
        try:
            return self._files[path].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._files[path][: error.start].count(b"\n") + 1
            self._faults.append(
                RuleFault(
                    file=str(path),
                    line=line,
                    field="",
                    problem="This is not UTF-8.",
                    mend="Save the file as UTF-8.",
                    code="encoding",
                )
            )
            return ""

    def _csv_fault(self, file: str, row: str, problem: str, *, code: str = "row") -> None:
        text = self._text(PurePosixPath(file))
        line = next((at for at, content in enumerate(text.splitlines(), 1) if row and content.startswith(row)), 1)
        self._faults.append(
            RuleFault(
                file=file, line=line, field=row, problem=problem, mend="Correct the cell or add what is missing.", code=code
            )
        )

    def _stop_if_faulty(self) -> None:
        if self._faults:
            raise InvalidRulebook(self._faults)


def _missing(name: str) -> RuleFault:
    mend = "Restore it from the last good rulebook."
    return RuleFault(file=name, line=1, field="", problem="The file is missing.", mend=mend, code="missing-file")
