"""NLM's RxNorm release (RRF): names and codes of products, and with RXNSAT.RRF beside them their NDC numbers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

CONCEPTS, ATTRIBUTES = "RXNCONSO.RRF", "RXNSAT.RRF"
_KINDS = frozenset(
    (
        "IN",
        "PIN",
        "MIN",
        "BN",
        "SCD",
        "SBD",
        "SCDC",
        "SBDC",
        "SCDF",
        "SBDF",
        "SCDG",
        "SBDG",
        "GPCK",
        "BPCK",
        "SCDGP",
        "SBDFP",
    )
)
"""Ingredients, brands, products, packs and groups of forms; not the forms themselves."""


class NotARelease(ValueError):
    """The file is no RxNorm release."""


@contextmanager
def lines_of(release: Path, name: str) -> Iterator[Iterable[str]]:
    """The lines of one file of a release, which is a zip archive, a folder or that file itself; none if it is not there."""
    if zipfile.is_zipfile(release):
        with zipfile.ZipFile(release) as archive:
            inside = [member for member in archive.namelist() if member.upper().endswith(name)]
            # A full release holds the prescribable part again in a folder of its own.
            inside.sort(key=lambda member: ("prescribe" in member.lower(), len(member)))
            if not inside:
                yield ()
                return
            with archive.open(inside[0]) as found:
                yield io.TextIOWrapper(found, encoding="utf-8")
        return
    path = (
        next((at for at in (release / name, release / "rrf" / name) if at.is_file()), None) if release.is_dir() else release
    )
    if path is None or (release.is_file() and name != CONCEPTS):
        yield ()
        return
    with path.open(encoding="utf-8") as found:
        yield found


def products(lines: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """Code, kind and name of every current ingredient and product. Raises `NotARelease` for lines of another form."""
    for line in lines:
        cells = line.rstrip("\n").split("|")
        if len(cells) < 18:
            raise NotARelease(f"a line has {len(cells)} fields, where {CONCEPTS} has 18")
        if cells[11] == "RXNORM" and cells[12] in _KINDS and cells[16] in ("N", "E", ""):
            yield cells[0], cells[12], cells[14]


def ndc_codes(lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    """NDC numbers with the code of the product that they stand for."""
    for line in lines:
        cells = line.rstrip("\n").split("|")
        if len(cells) > 10 and cells[8] == "NDC" and cells[9] == "RXNORM" and cells[10].isalnum():
            yield cells[10], cells[0]
