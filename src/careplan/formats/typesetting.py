"""Documents as Typst is given them, and the PDF that it makes of one.

They are kept apart because Typst takes memory by the ten megabytes and gives none back: it remembers all that it has set.
The service writes a document down and has it set by a process of its own, `careplan.formats.print_process`.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from careplan.clinic_logo import Logo

HIGHEST_LOGO, WIDEST_LOGO = 11, 48
"""In millimetres."""


class Document(msgspec.Struct, frozen=True):
    """What there is to set: the name of a template of this package, and the texts that it reads by name."""

    template: str
    inputs: dict[str, str]


def of_logo(logo: Logo | None) -> dict[str, str]:
    """What a template is handed of a logo: its bytes as numbers, and how high it can be."""
    if logo is None:
        return {}
    high = min(HIGHEST_LOGO, WIDEST_LOGO / logo.ratio)
    told = {"format": logo.kind, "high": round(high, 2), "bytes": list(logo.content)}
    return {"logo": msgspec.json.encode(told).decode()}


def typeset(document: Document) -> bytes:
    """The PDF (PDF/UA-1), the same bytes for the same document everywhere: no font of the machine is looked at."""
    import typst

    here = Path(str(files("careplan.formats")))
    pdf = typst.compile(
        (here / "templates" / document.template).read_bytes(),
        format="pdf",
        font_paths=typst.Fonts(include_system_fonts=False, font_paths=[here / "fonts"]),
        sys_inputs=document.inputs,
        pdf_standards=["ua-1"],
    )
    assert isinstance(pdf, bytes)
    return pdf
