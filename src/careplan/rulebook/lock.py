"""The lock file: which version of a rule said what, so that no active rule changes under the same number.

One line a rule, sorted by id: id, version, status and the SHA-256 of everything that shapes a plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from careplan.errors import RuleFault
from careplan.rulebook.derived import Derived, used_by
from careplan.rulebook.model import Rule, Status
from careplan.rulebook.yaml_and_csv import Document

LOCK = "rules.lock"
_HEAD = "# id version status sha-256; written by `careplan rules lock`\n"


class Locked(msgspec.Struct, frozen=True, order=True):
    """One line of the lock file."""

    id: str
    version: int
    status: Status
    content: str

    def __str__(self) -> str:
        return f"{self.id} {self.version} {self.status} {self.content}"


def locked(rule: Rule, derived: Mapping[str, Derived]) -> Locked:
    """The line of a rule as it is now, with what it uses of `derived`. Examples, rationale and sources change no plan."""
    file = rule.file
    then = msgspec.to_builtins(file.then)
    # Only where they are there, so that rules without them keep their place in the lock file.
    for name in ("in_languages", "by_day"):
        if not then[name]:
            del then[name]
    shape = (rule.section, file.level, file.order, file.title, file.when, then, file.contested, file.for_everyone)
    certain = ("certain",) if file.certain else ()
    term = ((file.valid_from, file.valid_until),) if rule.term else ()
    patterns = (pattern for group in rule.when for pattern in group)
    used = sorted({one.file.name for pattern in patterns for one in used_by(derived, pattern)})
    behind = [(name, *logic_of(derived[name])) for name in used]
    content = hashlib.sha256(msgspec.json.encode((*shape, *certain, *term, *behind), order="deterministic")).hexdigest()
    return Locked(rule.id, file.version, file.status, content)


def logic_of(derived: Derived) -> tuple[object, ...]:
    """What of a derived fact decides when it holds; its words change no verdict."""
    file = derived.file
    behind = [(below.file.name, *logic_of(below)) for below in sorted(derived.rests_on, key=lambda each: each.file.name)]
    return file.when, msgspec.to_builtins(file.compare), file.count, file.days_since, *behind


def read_lock(text: str) -> dict[str, Locked]:
    """The lines of a lock file by id. Raises `ValueError` naming the first line that is none."""
    lines: dict[str, Locked] = {}
    for at, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split()
        if len(parts) != 4 or not parts[1].isdigit():
            raise ValueError(f"line {at} is not of the form: id version status sha-256")
        lines[parts[0]] = msgspec.convert(
            {"id": parts[0], "version": int(parts[1]), "status": parts[2], "content": parts[3]}, Locked
        )
    return lines


def lock_text(rules: Iterable[Rule], derived: Mapping[str, Derived]) -> str:
    """The lock file of these rules."""
    return _HEAD + "".join(f"{line}\n" for line in sorted(locked(rule, derived) for rule in rules))


def check_lock(
    text: str,
    rules: Mapping[str, Rule],
    derived: Mapping[str, Derived],
    documents: Mapping[str, Document],
    faults: list[RuleFault],
) -> None:
    """Note every rule that changed under its number, went back, or is gone after it was active. No lock file, no claim.

    `rules` are those that run and those that rest.
    """
    try:
        before = read_lock(text)
    except (ValueError, msgspec.ValidationError) as error:
        faults.append(
            RuleFault(file=LOCK, line=1, field="", problem=f"{error}.", mend="Write it with rules lock.", code="lock")
        )
        return
    for name, old in before.items():
        rule = rules.get(name)
        if rule is None:
            if name not in documents and old.status in ("active", "retired"):
                problem = f"The rule {name} is gone, and its id stays taken."
                mend = f"Restore its file, or move it to retired/{name}.yaml with status: retired."
                faults.append(RuleFault(file=LOCK, line=1, field=name, problem=problem, mend=mend, code="rule-gone"))
            continue
        now, note = locked(rule, derived), documents[name]
        if now.status == "retired" and now.version >= old.version:
            continue
        if now.version < old.version:
            note.fault(
                ("version",), f"The version went back from {old.version}.", f"Use {old.version + 1}.", code="version-back"
            )
        elif now.version == old.version and now.content != old.content and "active" in (old.status, now.status):
            note.fault(
                ("version",),
                f"This active rule changed and is still version {old.version}.",
                f"Write version: {old.version + 1}, have it reviewed, and run rules lock.",
                code="version-not-raised",
            )
        elif old.status == "retired":
            note.fault(("id",), f"The id {name} belongs to a retired rule.", "Choose another id.", code="id-retired")
