"""What the workbench does with a folder of rules: find, read, try a changed text, see whose plans change, save.

A changed text is tried beside the other files without being written. Saving writes the one file and nothing else.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import msgspec

from careplan.authoring.impact import Scale, Weighing
from careplan.authoring.realistic_patients import realistic
from careplan.authoring.rule_examples import Trials, examples_of
from careplan.authoring.workbench.answers import Checked, Effect, Example, Row, Sample, Sheet
from careplan.authoring.workbench.completion import Completion, Offers
from careplan.authoring.workbench.due_list import DueList, due_list
from careplan.authoring.workbench.made_up_patient import Said, said_of
from careplan.authoring.workbench.prose_values import Choice, values_of
from careplan.batch.ndjson import Line
from careplan.errors import InvalidRulebook, RuleFault
from careplan.explain.rule_view import Reading
from careplan.planner import Planner
from careplan.rulebook.folder import Files, read_folder
from careplan.rulebook.kept_parts import KeptParts
from careplan.rulebook.load import load_files
from careplan.rulebook.lock import LOCK, locked, read_lock
from careplan.rulebook.model import SECTIONS, Rule, Rulebook

Json = dict[str, Any]

MOST_PATIENTS = 1_000
_SAMPLES = 8
_HEAD = re.compile(r"^(level|status|version|title): *(.*?) *(?:#.*)?$", re.MULTILINE)


class NoRule(Exception):
    """There is no rule of this name in the folder."""


class Unsaved(Exception):
    """The file was not written; says why."""


class Unfit(Exception):
    """The rulebook has faults, so that nothing can be made of it; says so."""


class _Tried(NamedTuple):
    """The rulebook with one text in place of a file, or its faults."""

    mark: str
    files: Files
    book: Rulebook | None
    faults: tuple[RuleFault, ...]


class Bench:
    """A folder of rules. One thread at a time may use it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept = KeptParts()
        self._tried: _Tried | None = None
        self._planner: Planner | None = None
        self._planner_mark = ""
        self._of_text: Planner | None = None
        self._of_text_mark = ""
        self._completion: Completion | None = None
        self._lists = ""

    def find(self, words: str) -> list[Row]:
        """The rules whose files have all these words, first those with them in id or title; all rules without any."""
        sought = words.lower().split()
        found = []
        for path, text in self._rules():
            if all(word in f"{path} {text}".lower() for word in sought):
                head = {name: value.strip("\"'") for name, value in _HEAD.findall(text)}
                found.append(
                    Row(
                        id=path.stem,
                        section=path.parts[0],
                        title=head.get("title", path.stem),
                        level=head.get("level", ""),
                        status=head.get("status", ""),
                        version=head.get("version", ""),
                    )
                )
        return sorted(found, key=lambda row: not all(word in f"{row.id} {row.title}".lower() for word in sought))

    def read(self, rule: str) -> Sheet:
        """The file of a rule, and what comes of it as it is. Raises `NoRule`."""
        path = self._path(rule)
        content = (self._folder / path).read_bytes()
        text = content.decode(errors="replace")
        checked = self.check(rule, text)
        book = self._tried.book if self._tried else None
        known = book.conditions if book else {}
        illnesses = sorted(
            (Choice(value=name, says=one.label) for name, one in known.items()), key=lambda one: one.says.lower()
        )
        return Sheet(id=rule, path=str(path), text=text, mark=_mark(content), checked=checked, illnesses=illnesses)

    def check(self, rule: str, text: str) -> Checked:
        """Try a text in place of the rule's file. Raises `NoRule`."""
        files = read_folder(self._folder)
        path = _path_in(files, rule)
        diff = "".join(
            difflib.unified_diff(
                files[path].decode(errors="replace").splitlines(keepends=True),
                text.splitlines(keepends=True),
                f"a/{path}",
                f"b/{path}",
            )
        )
        tried = self._with(path, text, files)
        book = tried.book
        tried_rule = None if book is None else book.rules.get(rule) or book.resting.get(rule)
        if book is None or tried_rule is None:
            # Those of the rule's own file first.
            return Checked(faults=sorted(tried.faults, key=lambda fault: fault.file != str(path)), diff=diff)
        alone = msgspec.structs.replace(book, rules={rule: tried_rule}, resting={})
        trials = Trials(alone)
        try:
            trial = trials.run(tried_rule)
        finally:
            trials.close()
        examples = [
            Example(
                expected=expected,
                why=example.why,
                passed=outcome.passed,
                problem=outcome.problem,
                patient=example.patient,
            )
            for (expected, _, example), outcome in zip(examples_of(tried_rule), trial.outcomes, strict=True)
        ]
        return Checked(
            prose=Reading(book).detail(tried_rule),
            examples=examples,
            wanted=trial.wanted,
            unshown=len(trial.missing),
            notes=list(self._notes(book, tried_rule)),
            values=values_of(text, tried_rule, book, self._completing(tried)),
            diff=diff,
        )

    def _notes(self, book: Rulebook, rule: Rule) -> Iterator[str]:
        """What is still to be done about a rule that is sound."""
        lock = self._folder / LOCK
        before = read_lock(lock.read_text(encoding="utf-8")).get(rule.id) if lock.is_file() else None
        now = locked(rule, book.derived)
        if before is not None and now.version == before.version and now.content != before.content:
            yield f"It says something else than version {before.version} did: write version: {before.version + 1}."
        if rule.file.status == "trial":
            yield "It runs on trial: no named reviewer has signed it yet."
        elif rule.file.status == "draft":
            yield "It is a draft and does not run; status: trial lets it."

    def complete(self, text: str, at: int) -> Offers:
        """What can be written at a place of a text; nothing before a rulebook without fault was read.

        Any thread may ask this at any time.
        """
        completion = self._completion
        return completion.at(text, at) if completion else Offers()

    def said(self, rule: str, text: str, patient: Json) -> Said:
        """What the rule of a text says of one made-up patient. Raises `NoRule`, and `Unfit` for a text with faults."""
        tried = self._with(self._path(rule), text)
        if tried.book is None:
            raise Unfit("The text has faults; mend them first.")
        if self._of_text is None or self._of_text_mark != tried.mark:
            if self._of_text is not None:
                self._of_text.close()
            self._of_text, self._of_text_mark = Planner(tried.book), tried.mark
        return said_of(self._of_text, rule, patient)

    def sides(self, rule: str, text: str) -> tuple[Files, Files]:
        """The files as they are and with a text in its place, for a proof. Raises `NoRule` and `Unfit`."""
        tried = self._with(self._path(rule), text)
        if tried.book is None:
            raise Unfit("The text has faults; mend them first.")
        return read_folder(self._folder), tried.files

    def due(self, today: date) -> DueList:
        """What is due for review, as the files are. Raises `Unfit`."""
        saved = self._saved()
        if saved is None:
            raise Unfit("The rulebook has faults; mend them first.")
        return due_list(saved.book, today)

    def effect(self, rule: str, text: str, patients: int) -> Effect:
        """Whose plans change if the text takes the place of the file. Raises `NoRule`."""
        path = self._path(rule)
        tried = self._with(path, text)
        before = self._saved()
        if tried.book is None or before is None:
            return Effect(patients=0, differing=0, statuses={}, rules=[], samples=[], faults=list(tried.faults))
        after = Planner(tried.book)
        weighing = Weighing(samples=_SAMPLES)
        try:
            scale = Scale(before, after)
            made_up = realistic(before.book, min(patients, MOST_PATIENTS))
            for number, patient in enumerate(made_up, 1):
                weighing.add(scale.weigh(Line(number, msgspec.json.encode(patient))))
        finally:
            after.close()
        found = weighing.impact()
        return Effect(
            patients=found.patients,
            differing=found.differing,
            statuses=found.statuses,
            rules=found.rules,
            samples=[Sample(patient=one.patient, words=one.difference.in_words) for one in found.samples],
        )

    def save(self, rule: str, text: str, mark: str) -> Sheet:
        """Write the text into the rule's file. Raises `NoRule`, and `Unsaved` where the file is not as it was read."""
        path = self._folder / self._path(rule)
        if path.is_symlink() or self._folder.resolve() not in path.resolve().parents:
            raise Unsaved("The file lies outside of the folder, so it is left alone.")
        if _mark(path.read_bytes()) != mark:
            raise Unsaved("The file was changed by something else since it was read. Read it again first.")
        path.write_bytes(text.encode())
        return self.read(rule)

    def close(self) -> None:
        """Free the engine's memory."""
        for planner in (self._planner, self._of_text):
            if planner is not None:
                planner.close()

    def _rules(self) -> Iterator[tuple[PurePosixPath, str]]:
        files = read_folder(self._folder)
        yield from ((path, files[path].decode(errors="replace")) for path in _paths(files))

    def _path(self, rule: str) -> PurePosixPath:
        return _path_in(read_folder(self._folder), rule)

    def _with(self, path: PurePosixPath, text: str, files: Files | None = None) -> _Tried:
        files = {**(files or read_folder(self._folder)), path: text.encode()}
        mark = _mark_of(files)
        if self._tried is None or self._tried.mark != mark:
            try:
                self._tried = _Tried(mark, files, load_files(files, self._kept), ())
            except InvalidRulebook as error:
                self._tried = _Tried(mark, files, None, error.faults)
        return self._tried

    def _completing(self, tried: _Tried) -> Completion:
        """Completion with the tokens of the last rulebook without fault; no rule's text changes which there are."""
        if self._completion is None or self._lists != _lists(tried.files):
            assert tried.book is not None
            self._completion, self._lists = Completion(tried.book), _lists(tried.files)
        return self._completion

    def _saved(self) -> Planner | None:
        """A planner with the rulebook as it is on disk, kept as long as that does not change; None where it is unfit."""
        files = read_folder(self._folder)
        mark = _mark_of(files)
        if self._planner is None or mark != self._planner_mark:
            try:
                book = load_files(files, self._kept)
            except InvalidRulebook:
                return None
            if self._planner is not None:
                self._planner.close()
            self._planner, self._planner_mark = Planner(book), mark
        return self._planner


def _paths(files: Files) -> Iterator[PurePosixPath]:
    """Where the files of rules lie."""
    for path in files:
        if len(path.parts) == 2 and path.suffix == ".yaml" and path.parts[0] in (*SECTIONS, "retired"):
            yield path


def _path_in(files: Files, rule: str) -> PurePosixPath:
    """Where the file of a rule lies. Only files that are there are ever looked at: no path comes from outside."""
    for path in _paths(files):
        if path.stem == rule:
            return path
    raise NoRule(rule)


def _lists(files: Files) -> str:
    """The mark of all that is no rule."""
    return _mark_of({path: content for path, content in files.items() if path.parts[0] not in (*SECTIONS, "retired")})


def _mark_of(files: Mapping[PurePosixPath, bytes]) -> str:
    return _mark(b"".join(b"%s\0%d\0%s" % (str(path).encode(), len(content), content) for path, content in files.items()))


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
