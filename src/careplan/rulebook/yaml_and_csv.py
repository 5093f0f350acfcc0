"""Reading the files of a rulebook: YAML and CSV, with the line of every key at hand for error messages.

PyYAML's C parser composes the nodes, because it is fast and keeps lines; building the values is ours, because the stock
loaders take a key that stands twice in silence and read `no`, `12:30` and `010` as something else.
"""

from __future__ import annotations

import copy
import csv
import io
import re
from pathlib import PurePosixPath
from typing import Any, Self, TypeVar

import msgspec
import yaml
from rapidfuzz import process

from careplan.errors import RuleFault
from careplan.rulebook.conditions import Path
from careplan.rulebook.file_faults import unseen

T = TypeVar("T")
Row = TypeVar("Row", bound=msgspec.Struct)


_PLAIN = re.compile(r"(?:(true|false)|(-?(?:0|[1-9][0-9]*))|(-?(?:0|[1-9][0-9]*)\.[0-9]+)|(null|~|))$")
_TEXT, _MAP, _LIST = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"
_TAGS = (
    _TEXT,
    "tag:yaml.org,2002:bool",
    "tag:yaml.org,2002:int",
    "tag:yaml.org,2002:float",
    "tag:yaml.org,2002:null",
)
"""By the number of the group of `_PLAIN` that matches."""


MOST_NODES = 400_000
"""Entries of one file, counting those behind an alias each time; the longest shipped one has 13,000."""
DEEPEST = 40
"""Lists and fields within each other; shipped ones are nested nine deep."""
LONGEST_NUMBER = 18
"""Characters; what is longer is taken for text, and refused where a number belongs."""
MOST_ROW_FAULTS = 500
_DEEP_PERHAPS = re.compile(r"^(?: {80}|(?:[ \t]*[-?:][ \t]+){10})", re.MULTILINE)


class _TooMuch(Exception):
    """The text stands for more than is read."""


def nested(text: str) -> int:
    """How deep the brackets of a text are nested at most, those in quotes included."""
    deepest = depth = 0
    for bracket in _BRACKETS.findall(text):
        depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


_BRACKETS = re.compile(r"[\[\]{}]")


def _line_at(error: yaml.YAMLError, text: str) -> int:
    return text.count("\n", 0, getattr(error, "position", None) or 0) + 1


_COLUMN = re.compile(r"`\$\.(\w+)`")
"""Where a value of a row stands, in the words of msgspec."""


class _Loader(yaml.CSafeLoader):
    """Only the plain scalars of YAML 1.2's core schema are anything but text.

    The parser asks these three for each of the 65,000 nodes of a rulebook; those of the library, which also look at paths
    that nobody registers here, take as long as the parsing.
    """

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        if kind is yaml.ScalarNode:
            found = _PLAIN.match(value) if implicit[0] else None
            return _TAGS[found.lastindex or 0] if found else _TEXT
        return _MAP if kind is yaml.MappingNode else _LIST


class Document:
    """One YAML file: its data, and the line of every key and entry by path, sought once there is a fault to show."""

    def __init__(self, file: PurePosixPath, text: str) -> None:
        self.file = str(file)
        self.faults: list[RuleFault] = []
        self._text = ""
        self._twice = False
        self._lines: dict[Path, int] = {}
        self._left = MOST_NODES
        self.data: Any = None
        try:
            if _DEEP_PERHAPS.search(text) or nested(text) > DEEPEST:
                self._look_into(text)
            node = None if self.faults else yaml.compose(text, Loader=_Loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
            mend = "Check indentation, and quote texts that hold a colon or start with a sign."
            self._unusable(
                mark.line + 1 if mark else _line_at(error, text), f"This is not YAML: {problem}.", mend, code="yaml"
            )
        if not self.faults:
            self.faults += unseen(self.file, text)
        if self.faults:
            return
        try:
            self.data = self._build(node) if node is not None else {}
        except _TooMuch:
            self.data = None
            words = f"Written out, this file has more than {MOST_NODES:,} entries, or an entry holds itself."
            self._unusable(1, words, "Write out what its anchors (&) and aliases (*) stand for.", code="too-large")
            return
        self._text = text
        if self._twice:
            self._find_lines()

    def afresh(self) -> Self:
        """The same document, of which faults can be noted without this one being told."""
        again = copy.copy(self)
        again.faults = [*self.faults]
        return again

    def _look_into(self, text: str) -> None:
        """Note that the text is nested too deep: what reads it whole would go as deep, in the end below the stack."""
        depth = 0
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > DEEPEST:
                words = f"Lists and fields are nested here more than {DEEPEST} deep."
                self._unusable(
                    event.start_mark.line + 1 if event.start_mark else 1,
                    words,
                    "Take away the brackets that are too many.",
                    code="too-deep",
                )
                return

    def _unusable(self, line: int, problem: str, mend: str, *, code: str) -> None:
        self.faults.append(RuleFault(file=self.file, line=line, field="", problem=problem, mend=mend, code=code))

    def line(self, path: Path) -> int:
        """The line, counted from 1, of the nearest known key on `path`."""
        if not self._lines:
            self._find_lines()
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def fault(self, path: Path, problem: str, mend: str, *, code: str = "form") -> None:
        """Note a fault at `path`."""
        field, line = ".".join(map(str, path)), self.line(path)
        self.faults.append(RuleFault(file=self.file, line=line, field=field, problem=problem, mend=mend, code=code))

    def convert(self, target: type[T], data: Any = None, path: Path = ()) -> T | None:
        """The data (or a part of it at `path`) as `target`; None, with every fault noted, if it is not of that form."""
        data = self.data if data is None else data
        try:
            return msgspec.convert(data, target)
        except msgspec.ValidationError as error:
            from jsonschema import Draft202012Validator

            schema = msgspec.json.schema(target)
            before = len(self.faults)
            for found in Draft202012Validator(schema).iter_errors(data):
                self._schema_fault(found, path)
            if len(self.faults) == before:
                self.fault(path, f"{error}.", "See README.md for the form of this file.")
            return None

    def _schema_fault(self, error: Any, path: Path) -> None:
        if error.context:
            deepest = max(error.context, key=lambda cause: len(cause.absolute_path))
            self._schema_fault(deepest, path)
            return
        here = (*path, *error.absolute_path)
        if error.validator == "additionalProperties":
            known = sorted(error.schema["properties"])
            for key in error.instance:
                if key not in known:
                    near = process.extractOne(str(key), known, score_cutoff=60)
                    mend = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(known)}."
                    self.fault((*here, key), f"There is no field called {key} here.", mend, code="unknown-key")
        elif error.validator == "enum":
            near = process.extractOne(str(error.instance), error.validator_value, score_cutoff=60)
            mend = f"Did you mean {near[0]}?" if near else f"Use one of {', '.join(map(str, error.validator_value))}."
            self.fault(here, f"{error.instance} is not a value of this field.", mend, code="unknown-token")
        elif error.validator == "required":
            for key in error.validator_value:
                if error.message.startswith(repr(key)):  # one error for each missing key
                    self.fault(here, f"The field {key} is missing.", f"Add {key}.", code="missing-key")
        else:
            self.fault(here, f"{error.message}.", "See README.md for the form of this field.")

    def _build(self, node: yaml.Node, depth: int = 0) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            # An alias is the node that it stands for, so that a small text can be large, or without end.
            self._left -= len(node.value) + 1
            if self._left < 0 or depth > DEEPEST * 2:
                raise _TooMuch
            if node.tag not in (_MAP, _LIST):
                self._tagged(node)
        if isinstance(node, yaml.MappingNode):
            built = {self._key(key): self._build(value, depth + 1) for key, value in node.value}
            self._twice |= len(built) < len(node.value)
            return built
        if isinstance(node, yaml.SequenceNode):
            return [self._build(part, depth + 1) for part in node.value]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        """A value without parts, by its tag; a fault and its text where the tag does not fit."""
        if node.tag == _TEXT or len(node.value) > LONGEST_NUMBER:
            if getattr(node, "style", "") == '"':  # where they may be written as others
                self.faults += unseen(self.file, node.value, node.start_mark.line + 1)
            if node.value.isspace():
                self._unusable(
                    node.start_mark.line + 1, "There are blanks here alone.", "Write what belongs here.", code="blank"
                )
            return node.value
        if node.tag not in _TAGS or not _PLAIN.match(node.value):
            self._tagged(node)
            return node.value
        match node.tag.rpartition(":")[2]:
            case "bool":
                return node.value == "true"
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
            case _:
                return None

    def _key(self, node: yaml.Node) -> str:
        """A key as text."""
        if not isinstance(node, yaml.ScalarNode):
            words, mend = "This key is a list or has fields of its own.", "Write one word as the key."
            self._unusable(node.start_mark.line + 1, words, mend, code="yaml")
            return "?"
        self.faults += unseen(self.file, node.value, node.start_mark.line + 1)
        return str(node.value)

    def _tagged(self, node: yaml.Node) -> None:
        tag = node.tag.replace("tag:yaml.org,2002:", "!!")[:40]
        words = f"The tag {tag} is not read, or not on this value."
        self._unusable(node.start_mark.line + 1, words, "Write the value without a tag.", code="yaml")

    def _find_lines(self) -> None:
        node = yaml.compose(self._text, Loader=_Loader)
        if node is not None:
            self._number(node, ())

    def _number(self, node: yaml.Node, path: Path) -> None:
        """Note the lines from this node down, and the keys that stand twice."""
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            met: set[str] = set()
            for key_node, value_node in node.value:
                key = str(key_node.value)
                here = (*path, key)
                self._lines[here] = key_node.start_mark.line + 1
                if key in met:
                    self.fault(here, f"The key {key} stands twice.", "Keep one of the two.", code="duplicate-key")
                met.add(key)
                self._number(value_node, here)
        elif isinstance(node, yaml.SequenceNode):
            for at, part in enumerate(node.value):
                self._number(part, (*path, at))


def read_rows(
    file: PurePosixPath, text: str, target: type[Row], lines: list[int] | None = None
) -> tuple[list[Row], list[RuleFault]]:
    """The rows of a CSV file as `target`, whose tuple fields hold cells parted by semicolons; and the faults found.

    The line of each row, counted from 1, is added to `lines`.
    """
    rows: list[Row] = []
    faults: list[RuleFault] = []
    lists = {field.name for field in msgspec.structs.fields(target) if "tuple" in str(field.type)}
    faults += unseen(str(file), text)
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)

    def note(problem: str, mend: str = "Compare with the rows around it.", column: str = "") -> None:
        line = max(1, reader.line_num)
        faults.append(RuleFault(file=str(file), line=line, field=column, problem=problem, mend=mend, code="row"))

    try:
        missing = [name for name in _columns(target) if name not in (reader.fieldnames or ())]
        if missing:
            note(f"The first row names no column {', '.join(missing)}.", "Restore it from the last good rulebook.")
            return rows, faults
        for row in reader:
            problem, column = "There are more cells than columns." if None in row else None, ""
            cells = {
                name: tuple(part.strip() for part in (value or "").split(";") if part.strip())
                if name in lists
                else (value or "").strip()
                for name, value in row.items()
                if name is not None
            }
            try:
                rows.append(msgspec.convert(cells, target))
                if lines is not None:
                    lines.append(reader.line_num)
            except msgspec.ValidationError as error:
                problem = problem or f"{error}."
                at = _COLUMN.search(str(error))
                column = at[1] if at else ""
            if problem:
                note(problem, column=column)
            if len(faults) >= MOST_ROW_FAULTS:
                note("There may be more faults below.", "Correct those above, and check again.")
                break
    except csv.Error as error:
        note(f"This is not CSV: {error}.", "Look for a quotation mark without its other half, in this row or above.")
    return rows, faults


def _columns(target: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(target) if field.required]
