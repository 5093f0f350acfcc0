"""From a folder to a checked rulebook, or to the list of all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from careplan.errors import InvalidRulebook, RuleFault
from careplan.no_collection import no_collection
from careplan.recognition.goal_judge import judge_of
from careplan.recognition.goal_lexicon import GoalWords
from careplan.recognition.illness_words import IllnessWords
from careplan.recognition.list_words import ListWords
from careplan.recognition.medicine_catalogue import Catalogue
from careplan.recognition.medicine_rows import Combination, Ingredient
from careplan.recognition.recognizer import LocalName, Recognizer
from careplan.rulebook.belonging import check_belonging
from careplan.rulebook.checks import check_codes, check_rule, check_rulebook
from careplan.rulebook.codes import Codes
from careplan.rulebook.conditions import Reader
from careplan.rulebook.courses import with_courses
from careplan.rulebook.derived import FOLDER as DERIVED
from careplan.rulebook.derived import Derived, kinds_with_derived
from careplan.rulebook.derived_order import read_in_order
from careplan.rulebook.factors import KINDS, OF_MEASURES
from careplan.rulebook.file_faults import causes, in_row, missing, no_text
from careplan.rulebook.folder import Files, digest_of, misplaced, read_folder
from careplan.rulebook.illnesses import ILLNESS_WORDS, IllnessFiles, known_conditions_of
from careplan.rulebook.interaction_rows import Interaction
from careplan.rulebook.interactions import INTERACTIONS, SECTION, with_interactions
from careplan.rulebook.kept_parts import KeptParts, mark_of_lists
from careplan.rulebook.lock import LOCK, check_lock
from careplan.rulebook.measures import kinds_with, limits_with
from careplan.rulebook.medicine_names import (
    EQUIVALENTS,
    LIST_WORDS,
    LOCAL_NAMES,
    doses_of,
    equivalents_of,
    phrases_of,
    recognizer_of,
    with_years_over,
)
from careplan.rulebook.model import SECTIONS, Condition, DrugClass, Rule, Rulebook, Vocabulary
from careplan.rulebook.review_decisions import REVIEWS, ReviewDecision
from careplan.rulebook.reviews import check_decisions
from careplan.rulebook.rule_reading import Known, read_rule
from careplan.rulebook.rulebook_file import KnownNames, RulebookFile
from careplan.rulebook.sentence_checks import check_about
from careplan.rulebook.session_day import FILE as CHECKLIST
from careplan.rulebook.session_day import SessionDay
from careplan.rulebook.session_day_checks import check_session_day
from careplan.rulebook.source_checks import check_bibliography
from careplan.rulebook.sources import Source
from careplan.rulebook.vocabulary import check_vocabulary, with_declared_words
from careplan.rulebook.yaml_and_csv import Document, read_rows

T = TypeVar("T")
Row = TypeVar("Row", bound=msgspec.Struct)

INVARIANTS = "invariants"
"""The folder of what must hold of every plan; read by `careplan.authoring.proof`, and no section of the plan."""
CERTIFICATE = "proof.cert"
"""What was proved of the rulebook; see `careplan.rulebook.certificate`."""
KNOWN_CONDITIONS = "known_names.yaml"
"""Illnesses that no rule concerns. The medicines of that kind are in the wide vocabulary."""
LISTS = frozenset(
    {
        *("rulebook.yaml", "vocabulary.yaml", "sources.yaml", "drug_classes.yaml", "conditions.yaml", "codes.yaml"),
        *("goals.yaml", "name_stems.yaml", "tracked_documents.yaml", "medications.csv", "combinations.csv"),
        *(LIST_WORDS, KNOWN_CONDITIONS, ILLNESS_WORDS, LOCAL_NAMES, EQUIVALENTS, INTERACTIONS, CHECKLIST, REVIEWS),
    }
)
"""The files outside of folders; name stems and tracked documents are only for those who look after the rulebook."""


def shipped() -> Path:
    """The folder of the rulebook that comes with the package."""
    inside = Path(__file__).parent.parent / "rules"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "rules"


def load(folder: Path) -> Rulebook:
    """The rulebook in `folder`. Raises `InvalidRulebook` with every fault found, each with file, line and mend."""
    return load_files(read_folder(folder))


def load_files(files: Files, kept: KeptParts | None = None) -> Rulebook:
    """The rulebook that these files make, whoever wrote them. Raises `InvalidRulebook`, and nothing else.

    With `kept`, parts are taken from what was loaded before, and are there for the next time.
    """
    if PurePosixPath("rulebook.yaml") not in files:
        raise InvalidRulebook([missing("rulebook.yaml", "The file is missing: is this the folder of a rulebook?")])
    loading = _Loading(files, kept or KeptParts())
    try:
        with no_collection():
            return loading.rulebook()
    except InvalidRulebook:
        raise
    except Exception as error:
        raise InvalidRulebook(causes([*loading.faults, loading.unforeseen(error)])) from error


class _Loading:
    """One pass over the files of a rulebook, gathering faults as it goes."""

    def __init__(self, files: Files, kept: KeptParts) -> None:
        self._files = files
        self._kept = kept
        self._lists = mark_of_lists(files, (*SECTIONS, "retired", INVARIANTS))
        kept.begin()
        self._read: dict[PurePosixPath, None] = {}
        self._faults: list[RuleFault] = []

    @property
    def faults(self) -> Sequence[RuleFault]:
        """What was found so far."""
        return self._faults

    def unforeseen(self, error: Exception) -> RuleFault:
        """A fault of the file that was read last."""
        at = str(next(reversed(self._read), "rulebook.yaml"))
        words, mend = f"This cannot be read: {type(error).__name__}.", "Take back the last change of this file."
        return RuleFault(file=at, line=1, field="", problem=words, mend=mend, code="unreadable")

    def rulebook(self) -> Rulebook:
        """The rulebook. Whatever can be read is checked before the faults of all files are raised together."""
        sources = self._list("sources.yaml", dict[str, Source], check_bibliography)
        about = self._list("rulebook.yaml", RulebookFile, partial(check_about, sources))
        vocabulary = self._list("vocabulary.yaml", Vocabulary, check_vocabulary)
        classes = self._list("drug_classes.yaml", dict[str, DrugClass])
        conditions = self._list("conditions.yaml", dict[str, Condition])
        codes = self._list("codes.yaml", Codes, lambda found, note: check_codes(found, conditions, note))
        conditions = with_courses(conditions, codes) if conditions and codes else conditions
        words = self._list("goals.yaml", GoalWords)
        list_words = with_years_over(self._list(LIST_WORDS, ListWords), sources or {})
        ingredients = self._rows("medications.csv", Ingredient)
        combinations = self._rows("combinations.csv", Combination)
        known_names = (self._list(KNOWN_CONDITIONS, KnownNames, needed=False) or KnownNames()).conditions
        illness_words = self._list(ILLNESS_WORDS, IllnessWords, needed=False) or IllnessWords()
        rows_are_sound = not any(fault.file.endswith(".csv") for fault in self._faults)
        catalogue = (
            self._of_lists("catalogue", partial(self._catalogue, ingredients, combinations, about, classes))
            if about and classes and rows_are_sound
            else None
        )
        kinds = kinds_with(vocabulary.measures) if vocabulary else KINDS
        known = (classes, catalogue, conditions, kinds) if classes and catalogue and conditions else None
        derived = self._of_lists("derived", partial(self._derived, known)) if known else {}
        kinds = kinds_with_derived(kinds, derived.values())
        rules, resting, documents = self._rules((*known[:3], kinds) if known else None)
        interactions = self._interactions((*known[:3], kinds), rules, documents) if known else ()
        faults_of_form = {name for name, document in documents.items() if document.faults}
        medicines = (
            self._of_lists("medicines", partial(self._recognizer, catalogue, list_words, about))
            if catalogue and list_words and about
            else None
        )
        if not (about and vocabulary and sources and classes and conditions and codes and words and catalogue and medicines):
            self._faults += [fault for document in documents.values() for fault in document.faults]
            self._faults += misplaced(self._files, LISTS)
            self._stop_if_faulty()
            raise AssertionError("a file of the rulebook is missing without a fault")
        illnesses = IllnessFiles(known_names, illness_words, self._text_if_any, about.released)
        everyday = frozenset(list_words.whole_only).difference(list_words.medicines_in_goals) if list_words else frozenset()
        book = Rulebook(
            about=about,
            digest=digest_of(self._files),
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
            known_conditions=self._of_lists("illnesses", partial(known_conditions_of, conditions, codes, illnesses)),
            goals=judge_of(
                words,
                {name: tokens for name, tokens in catalogue.named().items() if len(name) > 3 and name not in everyday},
            ),
            derived=derived,
            session_day=self._list(CHECKLIST, SessionDay, partial(check_session_day, vocabulary, sources), needed=False),
            interactions=interactions,
            decisions=self._decisions(),
            certificate=self._files.get(PurePosixPath(CERTIFICATE), b""),
        )
        ids = frozenset(documents)
        for rule in (*rules.values(), *resting.values()):
            if rule.id not in faults_of_form:
                check_rule(book, rule, documents[rule.id], ids)
                check_belonging(book, rule, documents[rule.id])
        check_rulebook(book, documents)
        self._faults += misplaced(self._files, LISTS)
        check_lock(self._text_if_any(PurePosixPath(LOCK)), {**rules, **resting}, derived, documents, self._faults)
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

    def _interactions(self, known: Known, rules: dict[str, Rule], documents: dict[str, Document]) -> tuple[Interaction, ...]:
        """The rows of the table of interactions; the rules that they make are put among the others."""
        text = self._text_if_any(PurePosixPath(INTERACTIONS))
        if PurePosixPath(INTERACTIONS) not in self._files:
            return ()
        rows, faults = with_interactions(text, known[:3], rules, documents, partial(read_rule, section=SECTION, known=known))
        self._faults += faults
        return rows

    def _derived(self, known: Known) -> dict[str, Derived]:
        """What the rulebook derives, by name, also where a file of it is faulty: rules that use it are then not at fault."""
        documents = {
            path.stem: self._document(path)
            for path in self._files
            if len(path.parts) == 2 and path.suffix == ".yaml" and path.parts[0] == DERIVED
        }
        classes, catalogue, conditions, kinds = known
        found = read_in_order(documents, kinds, partial(Reader, classes, catalogue.ingredients, conditions))
        unknown = OF_MEASURES if kinds["measures"] is KINDS["measures"] else frozenset()  # as in rules
        for document in documents.values():
            self._faults += [fault for fault in document.faults if unknown.isdisjoint(fault.field.split("."))]
        return found

    def _decisions(self) -> tuple[ReviewDecision, ...]:
        there = PurePosixPath(REVIEWS) in self._files
        return (self._list(REVIEWS, tuple[ReviewDecision, ...], check_decisions) if there else ()) or ()

    def _text_if_any(self, path: PurePosixPath) -> str:
        self._read[path] = None
        return self._text(path) if path in self._files else ""

    def _rule(self, path: PurePosixPath, known: Known | None) -> tuple[Rule | None, Document]:
        def read() -> tuple[Rule | None, Document]:
            document = self._document(path)
            return read_rule(document, path.stem, section=path.parts[0], known=known), document

        # Without known lists a rule is only looked through, and nothing of it is kept.
        key = path, self._files[path], self._lists
        rule, document = self._kept.of(key, read, lambda made: made[0] is not None and not made[1].faults)
        return rule, document.afresh()

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
        rows, faults = equivalents_of(self._text_if_any(PurePosixPath(EQUIVALENTS)))
        self._faults += faults if PurePosixPath(EQUIVALENTS) in self._files else []
        at_fault = EQUIVALENTS
        try:
            doses = doses_of(words, rows, catalogue)
            at_fault = LOCAL_NAMES
            return recognizer_of(catalogue, words, phrases, local, about.controlled, doses, self._text_if_any)
        except ValueError as error:
            self._csv_fault(at_fault, "", f"{error}.".capitalize())
            return None

    def _of_lists(self, part: str, make: Callable[[], T]) -> T:
        """A part that is made of nothing but lists, as it was before if they are; kept if nothing is wrong so far."""
        return self._kept.of((part, self._lists), make, lambda _: not self._faults)

    def _list(
        self, name: str, target: type[T], check: Callable[[T, Document], None] | None = None, *, needed: bool = True
    ) -> T | None:
        def read() -> T | None:
            document = self._document(PurePosixPath(name))
            value = document.convert(target) if not document.faults else None
            if value is not None and check is not None:
                check(value, document)
            self._faults += document.faults
            return value

        if PurePosixPath(name) in self._files:
            return self._of_lists(name, read)
        self._faults += [missing(name)] if needed else []
        return None

    def _rows(self, name: str, target: type[Row]) -> list[Row]:
        def read() -> list[Row]:
            rows, faults = read_rows(PurePosixPath(name), self._text(PurePosixPath(name)), target)
            self._faults += faults
            return rows

        if PurePosixPath(name) in self._files:
            return self._of_lists(name, read)
        self._faults.append(missing(name))
        return []

    def _document(self, path: PurePosixPath) -> Document:
        return Document(path, self._text(path))

    def _text(self, path: PurePosixPath) -> str:
        self._read[path] = None
        try:
            return self._files[path].decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self._faults.append(no_text(path, self._files[path], error))
            return ""

    def _csv_fault(self, file: str, row: str, problem: str, *, code: str = "row") -> None:
        self._faults.append(in_row(file, self._text(PurePosixPath(file)), row, problem, code=code))

    def _stop_if_faulty(self) -> None:
        if self._faults:
            raise InvalidRulebook(causes(self._faults))
