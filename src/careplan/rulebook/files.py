"""Reading the files of a rulebook: YAML and CSV, with the line of every key at hand for error messages.

PyYAML's C parser composes the nodes, because it is fast and keeps lines; building the values is ours, because the stock
loaders take a key that stands twice in silence and read `no`, `12:30` and `010` as something else.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import PurePosixPath
from typing import Any, TypeVar

import msgspec
import yaml
from jsonschema import Draft202012Validator
from rapidfuzz import process

from careplan.errors import RuleFault
from careplan.rulebook.conditions import Path

T = TypeVar("T")
Row = TypeVar("Row", bound=msgspec.Struct)


class _Loader(yaml.CSafeLoader):
    """Only the plain scalars of YAML 1.2's core schema are anything but text."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"^-?(?:0|[1-9][0-9]*)\.[0-9]+$"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])


class Document:
    """One YAML file: its data, and the line of every key and entry by path."""

    def __init__(self, file: PurePosixPath, text: str) -> None:
        self.file = str(file)
        self.faults: list[RuleFault] = []
        self._lines: dict[Path, int] = {}
        self.data: Any = None
        try:
            node = yaml.compose(text, Loader=_Loader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "cannot be read"
            self.faults.append(
                RuleFault(
                    file=self.file,
                    line=mark.line + 1 if mark else 1,
                    field="",
                    problem=f"This is not YAML: {problem}.",
                    mend="Check indentation, and quote texts that hold a colon or start with a sign.",
                    code="yaml",
                )
            )
            return
        self.data = self._build(node, ()) if node is not None else {}

    def line(self, path: Path) -> int:
        """The line, counted from 1, of the nearest known key on `path`."""
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

    def _build(self, node: yaml.Node, path: Path) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            built: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = str(key_node.value)
                here = (*path, key)
                if key in built:
                    self._lines[here] = key_node.start_mark.line + 1
                    self.fault(here, f"The key {key} stands twice.", "Keep one of the two.", code="duplicate-key")
                self._lines[here] = key_node.start_mark.line + 1
                built[key] = self._build(value_node, here)
            return built
        if isinstance(node, yaml.SequenceNode):
            return [self._build(part, (*path, at)) for at, part in enumerate(node.value)]
        match node.tag.rpartition(":")[2]:
            case "bool":
                return node.value == "true"
            case "int":
                return int(node.value)
            case "float":
                return float(node.value)
            case "null":
                return None
            case _:
                return node.value


def read_rows(file: PurePosixPath, text: str, target: type[Row]) -> tuple[list[Row], list[RuleFault]]:
    """The rows of a CSV file as `target`, whose tuple fields hold cells parted by semicolons; and the faults found."""
    rows: list[Row] = []
    faults: list[RuleFault] = []
    lists = {field.name for field in msgspec.structs.fields(target) if "tuple" in str(field.type)}
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    for row in reader:
        problem = "There are more cells than columns." if None in row else None
        cells = {
            name: tuple(part.strip() for part in (value or "").split(";") if part.strip())
            if name in lists
            else (value or "").strip()
            for name, value in row.items()
            if name is not None
        }
        try:
            rows.append(msgspec.convert(cells, target))
        except msgspec.ValidationError as error:
            problem = problem or f"{error}."
        if problem:
            mend = "Compare with the rows around it."
            faults.append(RuleFault(file=str(file), line=reader.line_num, field="", problem=problem, mend=mend, code="row"))
    return rows, faults
