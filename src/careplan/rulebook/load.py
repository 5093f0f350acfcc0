"""From a folder to a checked rulebook, or to the list of all that is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec

from careplan.errors import InvalidRulebook, RuleFault
from careplan.goals import GoalJudge, GoalWords
from careplan.medications import Catalogue, Combination, Ingredient
from careplan.rulebook.conditions import Reader, When
from careplan.rulebook.files import Document, read_rows
from careplan.rulebook.model import (
    SECTIONS,
    Condition,
    DrugClass,
    Rule,
    Rulebook,
    RulebookFile,
    RuleFile,
    Section,
    Source,
    Vocabulary,
)
from careplan.rulebook.soundness import check_rule, check_rulebook, check_sentences
from careplan.texts import Text

T = TypeVar("T")
Row = TypeVar("Row", bound=msgspec.Struct)

INVARIANTS = "invariants"
"""The folder of what must hold of every plan; read by `careplan.proof`, and no section of the plan."""
GENERATED = frozenset({"README.md", "COVERAGE.md"})


def shipped() -> Path:
    """The folder of the rulebook that comes with the package."""
    inside = Path(__file__).parent.parent / "rules"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "rules"


def load(folder: Path) -> Rulebook:
    """The rulebook in `folder`. Raises `InvalidRulebook` with every fault found, each with file, line and mend."""
    if not (folder / "rulebook.yaml").is_file():
        raise InvalidRulebook([_missing("rulebook.yaml")])
    texts = {
        PurePosixPath(path.relative_to(folder).as_posix()): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix in {".yaml", ".csv"} and not path.name.startswith(".")
    }
    return _Loading(texts).rulebook()


class _Loading:
    """One pass over the files of a rulebook, gathering faults as it goes."""

    def __init__(self, files: Mapping[PurePosixPath, bytes]) -> None:
        self._files = files
        self._faults: list[RuleFault] = []
        self._digest = hashlib.sha256()
        for path, content in files.items():
            self._digest.update(f"{path}\0{len(content)}\0".encode() + content)

    def rulebook(self) -> Rulebook:
        about = self._one("rulebook.yaml", RulebookFile, check_sentences)
        vocabulary = self._one("vocabulary.yaml", Vocabulary)
        sources = self._one("sources.yaml", dict[str, Source])
        classes = self._one("drug_classes.yaml", dict[str, DrugClass])
        conditions = self._one("conditions.yaml", dict[str, Condition])
        words = self._one("goals.yaml", GoalWords)
        ingredients = self._rows("medications.csv", Ingredient)
        combinations = self._rows("combinations.csv", Combination)
        self._stop_if_faulty()
        assert about and vocabulary and sources and classes and conditions and words
        catalogue = self._catalogue(ingredients, combinations, about, classes)
        self._stop_if_faulty()
        assert catalogue
        rules: dict[str, Rule] = {}
        resting: dict[str, Rule] = {}
        documents: dict[str, Document] = {}
        for path in self._files:
            if len(path.parts) == 2 and path.suffix == ".yaml" and path.parts[0] != INVARIANTS:
                rule, document = self._rule(path, classes, catalogue, conditions)
                if rule is None:
                    continue
                if rule.id in documents:
                    document.fault(
                        ("id",),
                        f"The id {rule.id} is already taken by {documents[rule.id].file}.",
                        "Choose another id.",
                        code="id-taken",
                    )
                documents[rule.id] = document
                runs = rule.file.status in ("trial", "active") and path.parts[0] != "retired"
                (rules if runs else resting)[rule.id] = rule
        for document in documents.values():
            self._faults += document.faults
        self._stop_if_faulty()
        book = Rulebook(
            about=about,
            digest=self._digest.hexdigest(),
            rules=rules,
            resting=resting,
            sources=sources,
            vocabulary=vocabulary,
            classes=classes,
            conditions=conditions,
            catalogue=catalogue,
            goals=GoalJudge(words, [name for name in catalogue.names() if len(name) > 3]),
        )
        for rule in (*rules.values(), *resting.values()):
            check_rule(book, rule, documents[rule.id])
        check_rulebook(book, documents)
        self._faults = [fault for document in documents.values() for fault in document.faults]
        self._stop_if_faulty()
        return book

    def _rule(
        self,
        path: PurePosixPath,
        classes: Mapping[str, DrugClass],
        catalogue: Catalogue,
        conditions: Mapping[str, Condition],
    ) -> tuple[Rule | None, Document]:
        document = self._document(path)
        section = path.parts[0]
        file = document.convert(RuleFile) if not document.faults else None
        if section not in (*SECTIONS, "retired"):
            document.fault(
                (), f"{section} is not a section of the plan.", f"Use one of {', '.join(SECTIONS)}.", code="section"
            )
        reader = Reader(classes, catalogue.ingredients, conditions)
        when: When = reader.when(document.data.get("when")) if isinstance(document.data, dict) else ()
        for flaw in reader.flaws:
            document.fault(flaw.path, flaw.problem, flaw.mend, code=flaw.code)
        if file is not None and file.id != path.stem:
            document.fault(
                ("id",), f"The id {file.id} is not the name of the file.", f"Write id: {path.stem}.", code="id-and-file"
            )
        texts = _texts(document, file) if file is not None else None
        if file is None or texts is None or document.faults:
            self._faults += document.faults
            return None, document
        title, patient, clinician, asks = texts
        rule = Rule(
            file=file,
            section=msgspec.convert(section if section != "retired" else "screening", Section),
            when=when,
            title=title,
            patient=patient,
            clinician=clinician,
            asks=tuple(zip(file.then.asks, asks, strict=True)),
        )
        return rule, document

    def _catalogue(
        self,
        ingredients: list[Ingredient],
        combinations: list[Combination],
        about: RulebookFile,
        classes: Mapping[str, DrugClass],
    ) -> Catalogue | None:
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
        if self._faults:
            return None
        try:
            return Catalogue(ingredients, combinations, about.dosage_words, about.rescue_forms)
        except ValueError as error:
            self._csv_fault("medications.csv", "", f"{error}.".capitalize())
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


def _texts(document: Document, file: RuleFile) -> tuple[Text, Text, Text, tuple[Text, ...]] | None:
    sources = [
        (("title",), file.title),
        (("then", "patient"), file.then.patient),
        (("then", "clinician"), file.then.clinician),
        *((("then", "asks", at, "what"), ask.what) for at, ask in enumerate(file.then.asks)),
    ]
    parsed = []
    for path, source in sources:
        try:
            parsed.append(Text.parse(source))
        except ValueError as error:
            document.fault(
                path,
                f"The braces of this text cannot be read: {error}.",
                "Write {name} around a name to fill in.",
                code="braces",
            )
    if len(parsed) != len(sources):
        return None
    title, patient, clinician, *asks = parsed
    return title, patient, clinician, tuple(asks)


def _missing(name: str) -> RuleFault:
    return RuleFault(
        file=name,
        line=1,
        field="",
        problem="The file is missing.",
        mend="Restore it from the last good rulebook.",
        code="missing-file",
    )
