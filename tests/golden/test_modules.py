"""Every module with what it is for, kept as a page of the documentation: `docs/modules.md`, made of the modules' own words.

After a new module or another first sentence: `CAREPLAN_WRITE_GOLDEN=1 pytest tests/golden/test_modules.py`.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "careplan"
PAGE = ROOT / "docs" / "modules.md"

HEAD = """\
# The modules

What each module is for, in its own first words, package by package in the order in which a request passes them
([ARCHITECTURE.md](../ARCHITECTURE.md#map)). This page is made of the modules: to change a line here, change the first line
of a module and run `CAREPLAN_WRITE_GOLDEN=1 .venv/bin/pytest tests/golden/test_modules.py`.
"""


def packages() -> dict[str, str]:
    """The rows of the map in ARCHITECTURE.md: each package, or module that stands alone, with its idea."""
    table = (ROOT / "ARCHITECTURE.md").read_text().split("## Map")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w/]+)` \| (.+?) \|$", table, re.MULTILINE)
    return {name.rstrip("/"): idea for name, idea in rows}


def of_package(name: str) -> list[Path]:
    """The modules of a package itself, without those of packages inside of it."""
    folder = SOURCE / name
    return sorted(path for path in folder.glob("*.py") if path.stem != "__init__") if folder.is_dir() else []


def first_words(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(text.split("\n\n")[0].split())


def page() -> str:
    return "\n".join(lines())


def lines() -> Iterator[str]:
    yield HEAD
    yield "## At the top\n"
    yield from listed(sorted(path for path in SOURCE.glob("*.py") if path.stem != "__init__"))
    for name, idea in packages().items():
        if modules := of_package(name):
            yield f"\n## {name}/: {idea}\n"
            yield from listed(modules)
    yield ""


def listed(modules: list[Path]) -> Iterator[str]:
    for path in modules:
        yield f"- [`{path.stem}`](../{path.relative_to(ROOT)}): {first_words(path)}"


def test_the_page_of_modules_says_what_the_modules_say() -> None:
    text = page()
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        PAGE.write_text(text)
    assert text == PAGE.read_text()


def test_every_package_has_a_row_on_the_map_and_every_row_is_there() -> None:
    there = {str(path.parent.relative_to(SOURCE)) for path in SOURCE.rglob("*.py")} - {"."}
    rows = packages()
    assert {name for name in rows if not (SOURCE / name).is_dir() and not (SOURCE / f"{name}.py").is_file()} == set()
    assert {name for name in there if name not in rows and of_package(name)} == set()
