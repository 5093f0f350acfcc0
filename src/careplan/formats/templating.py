"""The templates of this package, as pages and as Markdown."""

from __future__ import annotations

import re

from jinja2 import Environment, PackageLoader, StrictUndefined

from careplan.rulebook.text_template import one_line

_MARKS = re.compile(r"([\\`*_\[\]<>|~&]|^[#+-])|^(\d+)([.)])")


def escaped(text: str) -> str:
    """A text in which nothing is markup of Markdown."""
    plain = one_line(text)
    return _MARKS.sub(lambda found: f"\\{found[1]}" if found[1] else f"{found[2]}\\{found[3]}", plain)


def _environment(*, autoescape: bool) -> Environment:
    made = Environment(
        loader=PackageLoader("careplan.formats"),
        autoescape=autoescape,  # noqa: S701 - in Markdown every value goes through `md`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not autoescape,
    )
    made.filters["md"] = escaped
    return made


PAGES, MARKDOWN = _environment(autoescape=True), _environment(autoescape=False)
"""Where a value can never become markup: by itself in pages, by the filter `md` in Markdown."""
