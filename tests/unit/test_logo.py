"""A clinic's logo: taken as it is, or refused with its place and the mend; and shown wherever pages are made."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from careplan.clinic_logo import MOST_BYTES, Logo, read_logo
from careplan.clinic_settings import clinic_defaults
from careplan.errors import InvalidPatient, InvalidSettings
from careplan.formats.html import page
from careplan.formats.pdf import pdf
from careplan.planner import Planner
from careplan.representations import PROTOCOL_FORMATS, SESSION_FORMATS, Wanted
from careplan.request.patient import ClinicDefaults, Treatment
from careplan.settings import Settings
from careplan.settings_files import read_files
from careplan.web.acceptance import check

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 10"><path d="M0 0h30v10z" fill="#145a78"/></svg>'


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int = 6, height: int = 2, *, rows: int | None = None, more: bytes = b"", interlaced: int = 0) -> bytes:
    """A PNG of grey points."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, interlaced)
    points = zlib.compress((b"\0" + b"\x77" * width) * (height if rows is None else rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + more + chunk(b"IDAT", points) + chunk(b"IEND", b"")


def drawn(inside: str, attributes: str = 'viewBox="0 0 9 9"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}>\n{inside}\n</svg>'.encode()


@pytest.mark.parametrize(("content", "kind"), [(SVG, "svg"), (png(), "png"), (b"\xef\xbb\xbf" + SVG, "svg")])
def test_a_logo_is_taken_as_it_is(content: bytes, kind: str) -> None:
    found = read_logo(content)
    assert (found.kind, found.content, found.ratio) == (kind, content, 3.0)
    assert found.address.startswith("data:image/")


REFUSED = {
    "a script": (drawn("<script>alert(1)</script>"), "line 2 of the SVG has <script>"),
    "a handler": (drawn('<path d="M0 0" onload="alert(1)"/>'), "line 2 of the SVG has the attribute onload"),
    "a link": (drawn('<a href="https://example.org"><path d="M0 0"/></a>'), "line 2 of the SVG has <a>"),
    "a picture from elsewhere": (drawn('<image href="https://example.org/a.png"/>'), "line 2 of the SVG has <image>"),
    "foreign content": (drawn("<foreignObject/>"), "line 2 of the SVG has <foreignObject>"),
    "an address": (drawn('<path d="M0 0" fill="url(https://example.org/#a)"/>'), "line 2 of the SVG has an address in fill"),
    "a style": (drawn('<path d="M0 0" style="fill:red"/>'), "line 2 of the SVG has the attribute style"),
    "letters": (drawn("<text>Clinic</text>"), "turn letters into paths"),
    "an entity": (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "line 1 of the SVG has a document type"),
    "a style sheet": (b'<?xml-stylesheet href="a.css"?>' + SVG, "line 1 of the SVG has a processing instruction"),
    "another XML": (b"<html/>", "line 1 of the SVG is of another kind of XML"),
    "no XML": (b"<svg", "line 1 of the SVG is no XML"),
    "no size": (drawn("", ""), "has no viewBox"),
    "a size of nothing": (drawn("", 'viewBox="0 0 0 9"'), "the viewBox of the SVG is not four numbers"),
    "too much": (drawn("<g/>" * 2_000), "goes beyond 2,000 elements"),
    "too deep": (drawn("<g>" * 30 + "</g>" * 30), "24 within each other"),
    "too large": (SVG + b" " * MOST_BYTES, "save it smaller"),
    "too many points": (png(5_000, 1), "5000 by 1 pixels"),
    "fewer points than said": (png(rows=1), "does not hold the picture"),
    "more points than said": (png(rows=3), "does not hold the picture"),
    "a cut PNG": (png()[:-9], "the PNG is damaged"),
    "a changed PNG": (png().replace(b"IEND", b"IENE"), "the PNG is damaged"),
    "an interlaced PNG": (png(interlaced=1), "without interlacing"),
    "a moving PNG": (png(more=chunk(b"acTL", b"\0" * 8)), "save one picture of it"),
    "a JPEG": (b"\xff\xd8\xff\xe0", "neither a PNG nor an SVG"),
    "nothing": (b"", "neither a PNG nor an SVG"),
}


@pytest.mark.parametrize(("content", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_plain_picture_is_refused_with_its_place_and_the_mend(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        read_logo(content)
    assert ": " in str(refused.value)


def test_a_file_that_is_no_logo_keeps_the_service_from_starting(planner: Planner, tmp_path: Path) -> None:
    file = tmp_path / "logo.svg"
    file.write_bytes(drawn("<script/>"))
    settings = Settings(clinic_logo=str(file))
    with pytest.raises(InvalidSettings, match="logo cannot be used: line 2 of the SVG has <script>"):
        check(planner.book, settings, read_files(settings))
    file.write_bytes(SVG)
    check(planner.book, settings, read_files(settings))
    assert clinic_defaults(settings, planner.intake).logo == Logo("svg", SVG)
    with pytest.raises(InvalidSettings, match="logo cannot be read"):
        clinic_defaults(Settings(clinic_logo=str(tmp_path / "none.png")), planner.intake)


@pytest.mark.parametrize("content", [SVG, png()])
def test_page_and_paper_show_it_on_the_front_and_on_the_cards(planner: Planner, content: bytes) -> None:
    patient = planner.intake.convert({"clinic": {"name": "Riverside Clinic"}})
    plan, logo = planner.plan(patient), read_logo(content)
    shown = page(plan, patient, None, "front", "all", logo).decode()
    assert shown.count(f'<img class="logo" src="{logo.address}" alt="Riverside Clinic">') == 3
    assert "<img" not in page(plan, patient, None, "front").decode()
    made = [pdf(plan, patient, "a4", None, "front", "all", logo) for _ in range(2)]
    assert made[0] == made[1] != pdf(plan, patient, "a4", None, "front")
    plain = pdf(plan, patient, "a4", None, "front")
    assert len(PdfReader(io.BytesIO(made[0])).pages) == len(PdfReader(io.BytesIO(plain)).pages)


def test_protocol_checklist_and_companions_card_show_it_too(planner: Planner) -> None:
    logo = read_logo(SVG)
    patient = planner.intake.convert({"clinic": {"name": "Riverside Clinic"}, "conditions": [], "medications": []})
    plan, defaults = planner.plan(patient), ClinicDefaults(clinic=patient.clinic)
    checklist, standing = planner.session_sheet(plan, patient), planner.protocol(Treatment(), defaults)
    assert plan.card.companion is not None
    assert checklist is not None
    mark = f'<img class="logo" src="{logo.address}" alt="Riverside Clinic">'
    assert page(plan, patient, None, "front", "patient", logo).decode().count(mark) == 2
    for rows, made in ((PROTOCOL_FORMATS, standing), (SESSION_FORMATS, checklist)):
        with_it, without = Wanted(patient=patient, logo=logo), Wanted(patient=patient)
        by_name = {row.name: row for row in rows.values()}
        assert by_name["html"].written(made, with_it).decode().count(mark) == 1
        assert "<img" not in by_name["html"].written(made, without).decode()
        assert pictures(by_name["pdf"].written(made, with_it)) == 1
        assert by_name["json"].written(made, with_it) == by_name["json"].written(made, without)
    assert pictures(pdf(plan, patient, "a4", None, "front", "patient", logo)) == 2
    assert pictures(pdf(plan, patient, "a4", None, "front", "patient")) == 0


def pictures(content: bytes) -> int:
    """How many pictures of a document are said to be of the clinic, to whoever has it read aloud."""

    def within(part: Any) -> int:
        found = part.get_object()
        if isinstance(found, list):
            return sum(map(within, found))
        if not isinstance(found, dict):
            return 0
        own = found.get("/S") == "/Figure" and found.get("/Alt") == "Riverside Clinic"
        return own + (within(found["/K"]) if "/K" in found else 0)

    root: Any = PdfReader(io.BytesIO(content)).trailer["/Root"]
    return within(root["/StructTreeRoot"])


def test_no_request_can_bring_one(planner: Planner) -> None:
    body = json.dumps({"clinic": {"name": "Riverside Clinic", "logo": SVG.decode()}}).encode()
    with pytest.raises(InvalidPatient):
        planner.intake.decode(body)
