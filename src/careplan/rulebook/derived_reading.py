"""One file of what a rulebook derives, read: its conditions, comparison, count or date, and all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

from careplan.rulebook.conditions import (
    COMPARISONS,
    Either,
    Expression,
    Flaw,
    Group,
    Path,
    Pattern,
    Reader,
    Test,
    When,
    tests_of,
)
from careplan.rulebook.derived import COUNTED, DATES, RESTS_ON, Compared, CompareEntry, Derived, DerivedFile, is_true
from careplan.rulebook.factors import OF_MEASURES, SINGLE
from careplan.rulebook.yaml_and_csv import Document

MOST_GROUPS = 60
"""Into so many groups a derived fact may come apart, with those that are written out in it."""
_ALWAYS_KNOWN = frozenset({"list", "unread", "hold_question", "protocol_hold", "gap_too_long"})
"""Fields that say how a list was sent or read, or what may be said of a hold: each rule has to ask for them by itself."""
_OF_WHAT_WAS_ASKED = frozenset({"unknown", "one_of_or_unknown"})


def read_derived(document: Document, stem: str, reader: Reader, earlier: Mapping[str, Derived]) -> Derived | None:
    """The derived fact of a file, or None; every fault is noted in `document`.

    `earlier` are the derived facts on which it may rest, and that `reader` knows as well.
    """
    file = document.convert(DerivedFile) if not document.faults else None
    if file is None:
        return None
    found = _read(file, reader, earlier)
    for flaw in reader.flaws:
        document.fault(flaw.path, flaw.problem, flaw.mend, code=flaw.code)
    if file.name != stem:
        problem = f"The name {file.name} is not the name of the file."
        document.fault(("name",), problem, f"Write name: {stem}.", code="id-and-file")
    return found


def _read(file: DerivedFile, reader: Reader, earlier: Mapping[str, Derived]) -> Derived | None:
    reading = _Reading(reader, earlier)
    forms = [name for name in ("when", "compare", "count", "days_since") if getattr(file, name) is not None]
    if len(forms) != 1:
        reading.flaw(
            (), "Exactly one of when, compare, count and days_since is needed.", "Leave one of them.", code="derived"
        )
        return None
    if forms[0] in ("count", "days_since") and file.values:
        reading.flaw(("values",), "A number has no answers to put into words.", "Take this out.", code="derived")
    if forms[0] in ("when", "compare") and set(file.values) != {"true", "false"}:
        reading.flaw(("values",), "Not every answer has its words.", "Say true and false in words.", code="derived")
    if forms[0] in ("count", "days_since") and "{value}" not in file.says:
        reading.flaw(("says",), "These words leave out the number.", "Write {value} where it stands.", code="derived")
    return reading.of(file, forms[0])


class _Reading:
    def __init__(self, reader: Reader, earlier: Mapping[str, Derived]) -> None:
        self._reader = reader
        self._kinds = reader.kinds
        self._earlier = earlier
        self._used: dict[str, Derived] = {}

    def flaw(self, path: Path, problem: str, mend: str, *, code: str) -> None:
        self._reader.flaws.append(Flaw(path, problem, mend, code))

    def of(self, file: DerivedFile, form: str) -> Derived:
        if form == "when":
            when = self._when(file.when, ("when",))
            return Derived(file=file, kind="derived", when=when, rests_on=tuple(self._used.values()))
        if form == "compare":
            assert file.compare is not None
            return Derived(file=file, kind="derived", compared=self._compared(file.compare))
        if form == "days_since":
            if file.days_since not in DATES:
                problem = f"No request has a date {file.days_since}."
                self.flaw(("days_since",), problem, f"Use one of {', '.join(DATES)}.", code="unknown-field")
            return Derived(file=file, kind="days_since", date=file.days_since or "")
        if isinstance(file.count, list):
            written = [self._when(line, ("count", at)) for at, line in enumerate(file.count)]
            lines = tuple(line for line in written if line)
            when = tuple(group for line in lines for group in line)
            return Derived(file=file, kind="counts", when=when, lines=lines, rests_on=tuple(self._used.values()))
        return Derived(file=file, kind="counts", counted=self._counted(file.count))

    def _when(self, data: object, path: Path) -> When:
        when = self._reader.when(data, path)
        for group in when:
            for pattern in group:
                if pattern.kind not in RESTS_ON:
                    problem = f"A derived fact cannot rest on {pattern.kind}."
                    self.flaw(path, problem, f"Use one of {', '.join(sorted(RESTS_ON))}.", code="derived")
                self._check_tests(pattern.tests, path)
        written = tuple(each for group in when for each in self._written_out(group, path))
        if len(written) > MOST_GROUPS:
            problem = f"With what it rests on, this comes apart into {len(written)} groups."
            self.flaw(path, problem, f"At most {MOST_GROUPS} can be looked at.", code="derived")
        return written

    def _written_out(self, group: Group, path: Path) -> When:
        """A group with what the derived facts mean that it names, in place of their names."""
        found: When = ((),)
        for pattern in group:
            ways = self._meant(pattern.tests, path) if pattern.kind == "derived" else ((pattern,),)
            found = tuple((*one, *way) for one in found for way in ways)
        return found

    def _meant(self, expression: Expression, path: Path) -> When:
        if not isinstance(expression, Test):
            parts = [self._meant(part, path) for part in expression.parts]
            if isinstance(expression, Either):
                return tuple(way for part in parts for way in part)
            found: When = ((),)
            for part in parts:
                found = tuple((*one, *way) for one in found for way in part)
            return found
        earlier = self._earlier[expression.field]
        if expression.operation in _OF_WHAT_WAS_ASKED:
            return ()
        if not is_true(expression) or not earlier.when:
            problem = f"Of {earlier.file.name} only that it holds can stand here, and not of a comparison."
            self.flaw(path, problem, f"Write {earlier.file.name}: true, or say what must hold instead.", code="derived")
            return ()
        self._used[earlier.file.name] = earlier
        return earlier.when

    def _check_tests(self, expression: Expression, path: Path) -> None:
        for test in tests_of(expression):
            if test.field in _ALWAYS_KNOWN or test.operation in _OF_WHAT_WAS_ASKED:
                problem = "A derived fact speaks of the patient, not of what was asked, read or signed."
                self.flaw(path, problem, "Let the rule that needs this test it.", code="derived")

    def _counted(self, data: object) -> Pattern | None:
        flaws = len(self._reader.flaws)
        groups = self._reader.when(data, ("count",))
        if len(self._reader.flaws) > flaws:
            return None
        patterns = [pattern for group in groups for pattern in group]
        if len(patterns) != 1 or patterns[0].kind not in COUNTED:
            mend = "Name medicine or condition, or list groups of conditions to count those that hold."
            self.flaw(("count",), "What is counted is one kind of fact, or a list of groups.", mend, code="derived")
            return None
        self._check_tests(patterns[0].tests, ("count",))
        return patterns[0]

    def _compared(self, entry: CompareEntry) -> Compared | None:
        given = [name for name in COMPARISONS if getattr(entry, name) is not None]
        if len(given) != 1:
            mend = f"Write one of {', '.join(COMPARISONS)}."
            self.flaw(("compare",), "One number is held against one other.", mend, code="comparison")
            return None
        (operation,) = given
        left = self._number(entry.field, ("compare", "field"))
        right = self._number(getattr(entry, operation), ("compare", operation))
        return Compared(left, operation, right, float(entry.plus)) if left and right else None

    def _number(self, name: str, path: Path) -> tuple[str, str] | None:
        kind, _, field = name.partition(".")
        described = self._kinds[kind].fields.get(field) if kind in (*SINGLE, *OF_MEASURES) else None
        if described is None or described.type != "number":
            mend = "Name a number as kind.field, such as treatment.sessions_planned."
            self.flaw(path, f"There is no number called {name}.", mend, code="unknown-field")
            return None
        return kind, field
