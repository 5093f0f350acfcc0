"""A clinic's logo: a PNG, or an SVG in which nothing runs, is fetched or hangs on the fonts of a machine."""

from __future__ import annotations

import re
import struct
import zlib
from base64 import b64encode
from math import isfinite
from typing import Literal
from xml.parsers import expat

import msgspec

MOST_BYTES, MOST_PIXELS, MOST_ELEMENTS, DEEPEST = 65_536, 1_200, 2_000, 24
"""Of a file, of each side of a PNG, of an SVG in all, and of elements within each other."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_SVG = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    {"svg", "g", "defs", "title", "desc", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon"}
    | {"linearGradient", "radialGradient", "stop", "clipPath"}
)
_ATTRIBUTES = frozenset(
    {"id", "version", "viewBox", "width", "height", "preserveAspectRatio", "role", "transform", "opacity", "d", "points"}
    | {"x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "offset", "pathLength"}
    | {"fill", "fill-opacity", "fill-rule", "clip-path", "clip-rule", "clipPathUnits", "gradientUnits", "gradientTransform"}
    | {"spreadMethod", "stop-color", "stop-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap"}
    | {"stroke-linejoin", "stroke-miterlimit", "stroke-dasharray", "stroke-dashoffset", "color", "display"}
)
_WITHIN = re.compile(r"url\(#[\w.-]+\)")
"""The only address that a value may have: of a part of the same file."""
_VIEW_BOX = re.compile(rb"""<svg\b[^>]*?\sviewBox\s*=\s*["']([^"']*)["']""")


class Logo(msgspec.Struct, frozen=True):
    """A logo that was looked at: its bytes, as they are in its file."""

    kind: Literal["png", "svg"]
    content: bytes

    @property
    def ratio(self) -> float:
        """How wide it is for its height."""
        if self.kind == "png":
            width, height = struct.unpack(">II", self.content[16:24])
        else:
            _, _, width, height = _view(self.content)
        return float(width / height)

    @property
    def address(self) -> str:
        """The whole of it as a `data:` address, so that a page fetches nothing."""
        media_type = "image/png" if self.kind == "png" else "image/svg+xml"
        return f"data:{media_type};base64,{b64encode(self.content).decode()}"


def _view(content: bytes) -> tuple[float, float, float, float]:
    """The viewBox of an SVG. Raises `ValueError` for one that shows nothing."""
    said = _VIEW_BOX.search(content)
    numbers = [float(one) for one in re.split(rb"[\s,]+", said[1].strip())] if said else []
    if len(numbers) != 4 or min(numbers[2:]) <= 0 or not all(map(isfinite, numbers)):
        raise ValueError("the viewBox of the SVG is not four numbers, the last two above 0: correct it")
    x, y, width, height = numbers
    return x, y, width, height


def read_logo(content: bytes) -> Logo:
    """The logo in a file. Raises `ValueError` with where it is not as it must be, and how to mend that."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"it has {len(content):,} bytes of at most {MOST_BYTES:,}: save it smaller")
    if content.startswith(_SIGNATURE):
        _check_png(content)
        return Logo("png", content)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        _Svg().check(content)
        _view(content)
        return Logo("svg", content)
    raise ValueError("it is neither a PNG nor an SVG: save it as one of the two")


def _check_png(content: bytes) -> None:
    """Every chunk whole, and as many points as it says: what sets a page must not stumble over it."""
    again = "save the picture anew"
    at, data = len(_SIGNATURE), []
    header: tuple[int, ...] = ()
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8].ljust(8, b"\0"))
        body, end = content[at + 8 : at + 8 + length], at + 12 + length
        if end > len(content) or zlib.crc32(kind + body) != int.from_bytes(content[end - 4 : end], "big"):
            raise ValueError(f"the PNG is damaged (byte {at}): {again}")
        if kind == b"IHDR" and length == 13 and not header:
            header = struct.unpack(">IIBBBBB", body)
        if kind == b"IDAT":
            data.append(body)
        if kind in (b"acTL", b"fcTL", b"fdAT"):
            raise ValueError(f"the PNG moves (byte {at}): save one picture of it")
        at = end
        if kind == b"IEND":
            break
    if not header or header[3] not in _CHANNELS or header[6]:
        raise ValueError(f"the PNG has no header that can be used, or is interlaced (byte 8): {again} without interlacing")
    width, height, depth, colour = header[:4]
    if not 0 < width <= MOST_PIXELS or not 0 < height <= MOST_PIXELS:
        raise ValueError(f"the PNG has {width} by {height} pixels of at most {MOST_PIXELS} on each side: make it smaller")
    row = 1 + (width * depth * _CHANNELS[colour] + 7) // 8
    unpacked = zlib.decompressobj()
    try:
        points = unpacked.decompress(b"".join(data), row * height + 1)
    except zlib.error:
        points = b""
    if len(points) != row * height:
        raise ValueError(f"the PNG does not hold the picture that its header names: {again}")


class _Svg:
    """Goes through an SVG: shapes, colours and gradients are taken, all else is refused where it stands."""

    def __init__(self) -> None:
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.ProcessingInstructionHandler = self._refuse_instruction
        self._depth = self._count = 0

    def check(self, content: bytes) -> None:
        """Raise `ValueError` naming the line of the first thing that is not taken."""
        try:
            self._parser.Parse(content, True)  # noqa: FBT003 - as expat has it
        except expat.ExpatError as error:
            raise ValueError(f"line {error.lineno} of the SVG is no XML: save the drawing anew") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, element = name.rpartition(" ")
        self._count += 1
        self._depth += 1
        if self._count == 1 and element != "svg":
            raise self._fault("is of another kind of XML", "save the drawing as SVG")
        if space != _SVG or element not in _ELEMENTS:
            mend = "turn letters into paths" if element in ("text", "tspan") else "leave it out, or save it as a plain SVG"
            raise self._fault(f"has <{element[:40]}>", mend)
        if self._count > MOST_ELEMENTS or self._depth > DEEPEST:
            raise self._fault(f"goes beyond {MOST_ELEMENTS:,} elements, or {DEEPEST} within each other", "make it simpler")
        for attribute, value in attributes.items():
            if attribute not in _ATTRIBUTES:
                raise self._fault(f"has the attribute {attribute.rpartition(' ')[2][:40]}", "save it as a plain SVG")
            if "url" in value.lower() and not _WITHIN.fullmatch(value.strip()):
                raise self._fault(f"has an address in {attribute}", "point to a part of the same file alone")
        if self._count == 1 and "viewBox" not in attributes:
            raise self._fault("has no viewBox", "give <svg> one, so that it can be made smaller")

    def _end(self, _name: str) -> None:
        self._depth -= 1

    def _refuse_doctype(self, *_said: object) -> None:
        raise self._fault("has a document type", "leave it out")

    def _refuse_instruction(self, *_said: object) -> None:
        raise self._fault("has a processing instruction", "leave it out")

    def _fault(self, what: str, mend: str) -> ValueError:
        return ValueError(f"line {self._parser.CurrentLineNumber} of the SVG {what}: {mend}")
