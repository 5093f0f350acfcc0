"""Which rules may presume that an entry nobody could read is harmless, and which must ask for certainty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from careplan.rulebook.conditions import LISTS_WITH_ENTRIES, Path, Test, tests_of
from careplan.rulebook.derived import Derived, presumed_absent
from careplan.rulebook.model import Rule


class FaultList(Protocol):
    """Where faults of one file are noted."""

    def fault(self, path: Path, problem: str, mend: str, *, code: str = "form") -> None:
        """Note a fault at `path`."""


def check_certainty(rule: Rule, derived: Mapping[str, Derived], note: FaultList) -> None:
    """A rule that an unread entry more could keep from firing says that it asks for certainty."""
    if rule.file.certain:
        if any(True for group in rule.when for pattern in group for _ in presumed_absent(derived, pattern)):
            problem = "What is derived presumes that an entry nobody could read is harmless, so it is never certain."
            note.fault(("when",), problem, "Test regimen or history itself.", code="certain")
        return
    for group in rule.when:
        for pattern in group:
            for test in tests_of(pattern.tests):
                if _hangs_on_what_is_unread(pattern.kind, test):
                    note.fault(
                        ("when",),
                        f"An entry that nobody could read keeps this rule from firing, by its test of "
                        f"{pattern.kind}.{test.field}.",
                        "Take the test out, or say `certain: true` if a presumption is not enough here.",
                        code="certain",
                    )
                    return


def _hangs_on_what_is_unread(kind: str, test: Test) -> bool:
    """Whether a test can hold of a list and no longer hold of the same list with an unread entry more."""
    if test.field == "list":
        return ("empty" in test.values and test.operation in ("one_of", "one_of_or_unknown")) or (
            test.operation == "none_of" and "given" in test.values
        )
    if test.field in ("unread", "known", "contradicted", "danger", "grave") and kind in (*LISTS_WITH_ENTRIES, "entries"):
        return test.field == "unread" and (False in test.values) == (test.operation in ("one_of", "one_of_or_unknown"))
    if (kind, test.field) == ("medicine", "hold_question"):
        return (test.operation == "one_of" and "open" in test.values) or (
            test.operation == "known" or (test.operation == "none_of" and "open" not in test.values)
        )
    return False
