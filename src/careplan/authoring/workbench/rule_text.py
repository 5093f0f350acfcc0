"""Where things stand in the text of a rule's file, also while it is being typed and is no YAML yet.

A rule's file is indented mappings and lists, with mappings and lists in brackets on their lines. That much of YAML is read
here, line by line, so that a mistake further up leaves the rest as it is. What is read from a whole file is checked against
what the file means before anything is made of it.
"""

from __future__ import annotations

import re
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Keys, and positions in lists from 0."""

_KEY = re.compile(r"([A-Za-z][\w.-]*|\"[^\"]*\"|'[^']*')[ ]*:(?=\s|$)")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^']|'')*'")
_PLAIN = re.compile(r"(?:[^\s,\[\]{}:#]|:(?=\S)|(?<=\S)#)+(?:[ ]+(?:[^\s,\[\]{}:#]|:(?=\S))+)*")
_TOKEN = re.compile(r"[\w.-]*")


class Scalar(NamedTuple):
    """A plain value: its path, and where it stands in the text."""

    path: Path
    start: int
    end: int


class Cursor(NamedTuple):
    """What could stand at a place in the text: a key of the mapping at `path`, a value there, either or neither.

    From `start` to `end` is the word that stands there now, and `typed` what of it is before the place. `flow` says whether
    it is inside of brackets, `indent` how far the word is from the left.
    """

    path: Path
    start: int
    end: int
    typed: str
    key: bool
    value: bool
    flow: bool
    indent: int


class _Reader:
    """Reads lines one after the other, and knows on which path it is."""

    def __init__(self) -> None:
        self.scalars: list[Scalar] = []
        self.keys: dict[Path, set[str]] = {}
        self.after_key = self.after_dash = False
        self._block: list[tuple[int, str | int]] = []
        self._flow: list[str | int | None] = []
        self._prose: int | None = None

    @property
    def path(self) -> Path:
        """Where a value would stand."""
        return (*(step for _, step in self._block), *(step for step in self._flow if step is not None))

    @property
    def in_flow(self) -> bool:
        return bool(self._flow)

    @property
    def wants_key(self) -> bool:
        """Whether brackets are open in which a key comes next."""
        return self.in_flow and self._flow[-1] is None

    @property
    def in_prose(self) -> bool:
        return self._prose is not None

    def read(self, line: str, offset: int, *, begun: bool = False) -> None:
        """One line that begins at `offset` of the text; `begun` if it goes on after what is given."""
        content = line.strip()
        indent = len(line) - len(line.lstrip(" "))
        self.after_key = self.after_dash = False
        if self._prose is not None:
            if (not content and not begun) or indent > self._prose:
                return
            self._prose = None
        if not self._flow and (not content or content.startswith("#")) and not begun:
            return
        at = 0 if self._flow else self._of_block(line, indent)
        self._of_value(line, at, offset)

    def _of_block(self, line: str, at: int) -> int:
        while re.match(r"-(\s|$)", line[at:]):
            self._block = [step for step in self._block if step[0] < at or step[0] == at]
            counted = 0
            if self._block and self._block[-1][0] == at and isinstance(self._block[-1][1], int):
                counted = self._block.pop()[1] + 1  # type: ignore[operator]
            self._block.append((at, counted))
            at += 1
            at += len(line[at:]) - len(line[at:].lstrip(" "))
            self.after_dash = True
        if found := _KEY.match(line, at):
            self._block = [step for step in self._block if step[0] < at]
            self._note(found[1])
            self._block.append((at, found[1].strip("\"'")))
            self.after_key = True
            return found.end()
        if not self.after_dash:
            self._block = [step for step in self._block if step[0] < at]
        return at

    def _of_value(self, line: str, at: int, offset: int) -> None:
        rest = line[at:].lstrip(" ")
        if not self._flow and rest[:1] in ("|", ">"):
            self._prose = self._block[-1][0] if self._block else 0
            return
        while at < len(line):
            char = line[at]
            if char in "{[":
                self._flow.append(None if char == "{" else 0)
            elif char in "}]" and self._flow:
                self._flow.pop()
            elif char == "," and self._flow:
                last = self._flow[-1]
                self._flow[-1] = last + 1 if isinstance(last, int) else None
            elif char == "#" and (at == 0 or line[at - 1] == " "):
                return
            elif char not in " :,":
                at = self._of_word(line, at, offset)
                continue
            at += 1

    def _of_word(self, line: str, at: int, offset: int) -> int:
        found = _QUOTED.match(line, at) or (_PLAIN if self._flow else re.compile(r"[^#]*[^#\s]|\S")).match(line, at)
        if found is None:
            return at + 1
        colon = re.match(r"[ ]*:(?=\s|$)", line[found.end() :])
        if self.wants_key:
            self._note(found[0])
            if colon:
                self._flow[-1] = found[0].strip("\"'")
                return found.end() + colon.end()
        elif found[0][0] not in "\"'":
            self.scalars.append(Scalar(self.path, offset + at, offset + found.end()))
        return found.end()

    def _note(self, key: str) -> None:
        self.keys.setdefault(self.path, set()).add(key.strip("\"'"))


def scalars(text: str) -> list[Scalar]:
    """The plain values of a text, in their order."""
    return _whole(text).scalars


def keys(text: str) -> dict[Path, set[str]]:
    """The keys that stand in each mapping of a text."""
    return _whole(text).keys


def cursor(text: str, at: int) -> Cursor | None:
    """What could stand at a place of a text; None inside of prose, a comment or a sentence."""
    begin = text.rfind("\n", 0, at) + 1
    typed = re.search(r"[\w.-]*$", text[begin:at])
    assert typed is not None
    start = begin + typed.start()
    if typed[0] == "-" and not text[begin:start].strip():  # the dash of a list
        return None
    before = text[begin:start]
    reader = _Reader()
    offset = 0
    for line in text[:begin].splitlines(keepends=True):
        reader.read(line.rstrip("\n"), offset)
        offset += len(line)
    reader.read(before, begin, begun=True)
    lead = before.rstrip()
    opens = not lead.strip(" -") or lead.endswith(":") or (reader.in_flow and lead[-1:] in ("{", "[", ","))
    if reader.in_prose or not opens or "#" in before or (before[-1:] == ":" and not reader.in_flow):
        return None
    after = _TOKEN.match(text, at)
    assert after is not None
    if reader.in_flow:
        key = reader.wants_key
        value = not key
    else:
        key = not reader.after_key
        value = reader.after_key or reader.after_dash
    return Cursor(reader.path, start, after.end(), typed[0], key, value, reader.in_flow, len(before))


def _whole(text: str) -> _Reader:
    reader = _Reader()
    offset = 0
    for line in text.splitlines(keepends=True):
        reader.read(line.rstrip("\n"), offset)
        offset += len(line)
    return reader
