"""Everything public says what it is, and names the errors that it raises."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "careplan"
FILES = sorted(SOURCE.rglob("*.py"))
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
ASIDE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def public(body: list[ast.stmt], before: str = "") -> Iterator[tuple[str, Definition]]:
    """All functions and classes that may be used from elsewhere, methods and classes inside of classes as well."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield f"{before}{node.name}", node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{before}{node.name}.")


def parts_of(node: ast.AST) -> Iterator[ast.AST]:
    """All that a function does itself, without the functions inside of it."""
    for part in ast.iter_child_nodes(node):
        if not isinstance(part, ASIDE):
            yield part
            yield from parts_of(part)


def raised_by(node: ast.AST) -> set[str]:
    """The names of the errors in a function's `raise` statements; an error held in a variable has none."""
    found: set[str] = set()
    for part in parts_of(node):
        error = part.exc if isinstance(part, ast.Raise) else None
        error = error.func if isinstance(error, ast.Call) else error
        name = error.attr if isinstance(error, ast.Attribute) else error.id if isinstance(error, ast.Name) else ""
        if name[:1].isupper():
            found.add(name)
    return found


def lacking(tree: ast.Module) -> Iterator[str]:
    """What is not said."""
    if not ast.get_docstring(tree):
        yield "the module says nothing"
    for name, node in public(tree.body):
        said = ast.get_docstring(node)
        if not said:
            yield f"{name} says nothing"
        elif not isinstance(node, ast.ClassDef):
            yield from (f"{name} does not name {error}" for error in sorted(raised_by(node)) if error not in said)


def test_everything_public_has_a_docstring_that_names_the_errors_it_raises() -> None:
    found = {str(path.relative_to(SOURCE)): list(lacking(ast.parse(path.read_text()))) for path in FILES}
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_what_is_not_said_would_be_noticed() -> None:
    source = '"""A module."""\ndef one():\n    """Raise."""\n    raise ValueError(2)\n'
    source += 'class Two:\n    """Class."""\n    def three(self): ...\n'
    assert list(lacking(ast.parse(source))) == ["one does not name ValueError", "Two.three says nothing"]


# What the documents for developers say.


def dependencies_in_the_table() -> set[str]:
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## Dependencies")[1]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    return {
        name for first, why in rows for name in re.findall(r"[a-z][\w-]+", f"{first} {why if '*' in first else ''}".lower())
    }


def test_every_dependency_has_a_line_that_says_why_it_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    wanted = [*project["project"]["dependencies"], *(one for extra in extras for one in extra)]
    wanted += [one for one in project["dependency-groups"]["dev"] if not one.startswith("types-")]  # "type stubs"
    names = {re.split(r"[\[=<>]", one)[0].lower() for one in wanted}
    assert names - dependencies_in_the_table() == set()


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_document_names_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"`((?:src|tests|rules|bench|scripts|docs)/[\w./-]+)`", text))
    assert named
    assert {name for name in named - WRITTEN_BY_THE_READER if not (ROOT / name.rstrip("/")).exists()} == set()


WRITTEN_BY_THE_READER = {
    "src/careplan/formats/outline.py",
    "rules/aftercare/caffeine-six-or-more.yaml",
    "rules/preparation/long-way-home.yaml",
}
"""What the walkthroughs of CONTRIBUTING.md make; `tests/test_walkthroughs.py` does so on a copy."""


def test_every_module_that_the_architecture_names_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    packages = {str(path.parent.relative_to(SOURCE)) for path in FILES} - {"."}
    named = {name for name in re.findall(r"`([a-z_]+(?:/[a-z_]+)+)(?:\.py)?`", text) if name.split("/")[0] in packages}
    there = {str(path.relative_to(SOURCE).with_suffix("")) for path in FILES} | packages
    assert named
    assert named - there == set()
