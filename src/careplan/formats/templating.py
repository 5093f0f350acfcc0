"""The templates of this package, as pages and as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from careplan.rulebook.text_template import one_line

_EXTENSION, _NO_DIGIT = re.compile(r"\s*(?:x|ext)", re.IGNORECASE), re.compile(r"\D")
_MARKS = re.compile(r"([\\`*_\[\]<>|~&]|^[#+-])|^(\d+)([.)])")


def dialled(text: str, phones: Iterable[str]) -> Markup:
    """A text in which the telephone numbers of the clinic can be called, and are not cut in two."""
    known = sorted(filter(None, phones), key=len, reverse=True)
    if not known:
        return escape(text)
    parts = re.split(f"({'|'.join(map(re.escape, known))})", text)
    return Markup("").join(_called(part) if part in known else escape(part) for part in parts)


def _called(phone: str) -> Markup:
    number = _EXTENSION.split(phone)[0]
    plus = "+" * number.startswith("+")
    return Markup('<a class="phone" href="tel:{}{}">{}</a>').format(plus, _NO_DIGIT.sub("", number), phone)


def escaped(text: str) -> str:
    """A text in which nothing is markup of Markdown."""
    plain = one_line(text)
    return _MARKS.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", plain)


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("careplan.formats"),
        autoescape=autoescape,  # noqa: S701 - in Markdown every value goes through `md`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not autoescape,
    )
    environment.filters |= {"md": escaped, "dialled": dialled}
    return environment


PAGES, MARKDOWN = _environment(autoescape=True), _environment(autoescape=False)
"""Where a value can never become markup: by itself in pages, by the filter `md` in Markdown."""
