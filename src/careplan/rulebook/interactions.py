"""The table of interactions, `interactions.csv`: what each class of medicines does beside ketamine, and who says it.

A row with a title makes a rule of the ordinary language, which then goes through every check like any other. A row
without one points at the rules that were written by hand, and `level: none` says that there is nothing to say, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import Any, TypeAlias, TypeVar

from careplan.errors import RuleFault
from careplan.recognition.medicine_catalogue import Catalogue
from careplan.rulebook.conditions import Path
from careplan.rulebook.interaction_rows import PRODUCTS, ROUTES, Interaction, fires, silent, stands_for_medicines
from careplan.rulebook.validity_checks import DatedRow, faults_of_rows
from careplan.rulebook.yaml_and_csv import Document, read_rows

T = TypeVar("T")
RowFault: TypeAlias = Callable[..., RuleFault]
"""Makes a fault of a row from its column, what is wrong, the mend and perhaps a code."""

INTERACTIONS = "interactions.csv"
SECTION = "medications"
"""The section of the plan in which the rules that rows make are read."""

NEEDED = ("line", "patient", "topic", "version", "who", "does", "by")
"""The cells that a row with a title must have filled."""
ONLY_OF_MAKERS = (
    *("line", "patient", "card", "card_es", "who", "does", "by", "topic", "version"),
    *("valid_from", "valid_until"),
)
"""The cells that say nothing where the row makes no rule: the rule it names has them."""
_COLUMN = {"when": "medicine", "sources": "source", "id": "rule", "level": "level", "version": "version"}
_OF_THEN = {"patient": "patient", "clinician": "what_to_do", "card": "card", "asks": "does", "in_languages": "card_es"}


class RowDocument(Document):
    """A row as the document of the rule that it makes: each fault stands at its line and in its column."""

    def __init__(self, data: Any, at: int) -> None:
        self.file = INTERACTIONS
        self.faults = []
        self.data = data
        self._at = at

    def line(self, path: Path) -> int:  # noqa: ARG002
        """The line of the row, whichever part of it is meant."""
        return self._at

    def fault(self, path: Path, problem: str, mend: str, *, code: str = "form") -> None:
        """Note a fault of a part of the rule, in the column that it was made of."""
        field = column_of(path)
        self.faults.append(RuleFault(file=self.file, line=self._at, field=field, problem=problem, mend=mend, code=code))


def column_of(path: Path) -> str:
    """The column from which a part of a rule was made."""
    first = str(path[0]) if path else "rule"
    if first == "then":
        return _OF_THEN.get(str(path[1]), "what_to_do") if len(path) > 1 else "what_to_do"
    if first == "sources" and len(path) > 2:
        return str(path[2])
    return _COLUMN.get(first, first)


def with_interactions(
    text: str,
    known: tuple[Iterable[str], Catalogue, Iterable[str]],
    rules: dict[str, T],
    documents: dict[str, Document],
    read: Callable[[Document, str], T | None],
) -> tuple[tuple[Interaction, ...], list[RuleFault]]:
    """The rows of a table, and the faults of form and of tokens; `known` are classes, medicines and conditions.

    The rules that rows make are put among `rules`, and what they are made of among `documents`. `read` is how a document
    of an id is read.
    """
    lines: list[int] = []
    rows, faults = read_rows(PurePosixPath(INTERACTIONS), text, Interaction, lines)
    classes, catalogue, conditions = known
    medicines = {*classes, *catalogue.ingredients}
    makers = ((at, row) for at, row in zip(lines, rows, strict=True) if row.makes)
    dated = (DatedRow(at, row.situation, row.valid_from, row.valid_until) for at, row in makers)
    ill_dated = list(faults_of_rows(INTERACTIONS, dated, "row"))
    faults += ill_dated
    without_days = {fault.line for fault in ill_dated}
    for at, row in zip(lines, rows, strict=True):
        found = list(_faults(at, row, catalogue, medicines, {*medicines, *conditions}))
        faults += found
        if found or not row.makes or at in without_days:
            continue
        name = row.rule[0]
        document = RowDocument(rule_of(row, catalogue), at)
        rule = read(document, name)
        if name in documents:
            taken = f"The id {name} is already taken by {documents[name].file}."
            document.fault(("id",), taken, "Choose another id.", code="id-taken")
            faults += document.faults
            continue
        documents[name] = document
        if rule is not None:
            rules[name] = rule
    return tuple(rows), faults


def _faults(at: int, row: Interaction, catalogue: Catalogue, medicines: set[str], known: set[str]) -> Iterator[RuleFault]:
    """What is wrong in a row, by its line in the table.

    A row makes a rule, names rules that say it, or has the level none; each kind fills other cells.
    """
    row_fault = partial(_row_fault, at)
    unknown = list(_unknown_names(row, medicines, known, row_fault))
    yield from unknown
    if not unknown and not any(row.is_about(one) for one in catalogue.ingredients.values()):
        yield row_fault("medicine", "No medicine is of this kind.", "Correct medicine or but_not.")
    if row.level == "none":
        if row.rule or row.title:
            yield row_fault("rule", "A row that says nothing names no rule.", "Take the rule out, or give the row a level.")
    else:
        mend = "Fill in {column}, or give the row the level none."
        yield from _empty_cells(row, ("what_to_do", "source", "place", "strength"), "This cell is empty.", mend, row_fault)
        if not row.rule:
            mend = "Name the rule that says it, or give the row a title and a name for its rule."
            yield row_fault("rule", "Nobody says this.", mend)
    if row.makes:
        ours = set() if unknown else {token for one in row.members(catalogue) for token in one.tokens}
        yield from _faults_of_maker(row, ours, medicines, row_fault)
    else:
        for column in ONLY_OF_MAKERS:
            if getattr(row, column):
                mend = "Take it out, or give the row a title."
                yield row_fault(column, "The rule that is named has this, and the row makes none.", mend)


def _row_fault(at: int, column: str, problem: str, mend: str, code: str = "row") -> RuleFault:
    return RuleFault(file=INTERACTIONS, line=at, field=column, problem=problem, mend=mend, code=code)


def _unknown_names(row: Interaction, medicines: set[str], known: set[str], row_fault: RowFault) -> Iterator[RuleFault]:
    for column, allowed in (("medicine", medicines), ("but_not", medicines), ("beside", known)):
        for token in getattr(row, column):
            if token not in allowed:
                mend = "Use a class of drug_classes.yaml or an ingredient of medications.csv"
                mend += ", or a condition of conditions.yaml." if column == "beside" else "."
                yield row_fault(column, f"There is nothing called {token}.", mend, "unknown-token")


def _empty_cells(
    row: Interaction, columns: Iterable[str], problem: str, mend: str, row_fault: RowFault
) -> Iterator[RuleFault]:
    for column in columns:
        if not getattr(row, column):
            yield row_fault(column, problem, mend.format(column=column), "missing-key")


def _faults_of_maker(row: Interaction, ours: set[str], medicines: set[str], row_fault: RowFault) -> Iterator[RuleFault]:
    """What is wrong in a row that makes a rule; `ours` are the names and classes of its medicines."""
    if len(row.rule) != 1:
        yield row_fault("rule", "A row makes one rule.", "Name it once, in small letters with hyphens.")
    problem = "This cell is empty, and the row makes a rule."
    yield from _empty_cells(row, NEEDED, problem, "Fill in {column}.", row_fault)
    if not row.version.isdigit():
        yield row_fault("version", "A version is a whole number.", "Begin with 1 and raise it with each change.")
    if both := sorted(ours.intersection(row.beside)):
        problem = f"The medicine itself is of the kind {both[0]}, so that it would be beside itself."
        yield row_fault("beside", problem, "Write a rule by hand that counts them, and name it here.")
    kinds = {"medicine" if token in medicines else "condition" for token in row.beside}
    if len(kinds) > 1:
        yield row_fault("beside", "This mixes medicines and illnesses.", "Write one row for each.")


def rule_of(row: Interaction, catalogue: Catalogue) -> dict[str, Any]:
    """The rule that a row makes, as its file would have it; its examples come from the table of medicines."""
    then: dict[str, Any] = {
        "patient": row.patient,
        "clinician": f"{row.what_happens} {row.what_to_do}",
        "asks": [{"who": row.who, "what": row.does, "by": row.by}],
    }
    if row.card:
        then["card"] = {"slot": "medicines", "says": row.card}
    if row.card_es:
        then["in_languages"] = {"es": {"card": row.card_es}}
    return {
        "id": row.rule[0],
        "version": int(row.version) if row.version.isdigit() else 1,
        "status": "trial",
        "level": row.level,
        "title": row.title,
        "scope": "personal",
        "topic": row.topic,
        "line": row.line,
        "rationale": row.what_happens,
        "sources": [{"source": row.source, "place": row.place, "strength": row.strength}],
        **({"valid_from": row.valid_from} if row.valid_from else {}),
        **({"valid_until": row.valid_until} if row.valid_until else {}),
        "when": _when(row, catalogue),
        "then": then,
        "examples": {"fires": list(fires(row, catalogue)), "silent": list(silent(row, catalogue))},
    }


def _when(row: Interaction, catalogue: Catalogue) -> dict[str, Any]:
    held = {name for one in catalogue.ingredients.values() for name in one.classes}  # "insulin" is a class and a medicine
    classes = [token for token in row.medicine if token in held]
    names = [token for token in row.medicine if token not in held]
    barred = [token for token in row.but_not if token in held]
    barred_names = [token for token in row.but_not if token not in held]
    medicine: dict[str, Any] = {"class": {"not": barred}} if barred else {}
    if barred_names:
        medicine["ingredient"] = {"not": barred_names}
    kinds: list[dict[str, Any]] = [{"class": token} for token in classes] if barred else [{"class": classes}] * bool(classes)
    kinds += [{"ingredient": names}] * bool(names)
    if len(kinds) > 1:
        medicine["any_of"] = kinds
    elif barred and classes:
        medicine["class"] = {"all": classes, "not": barred}
    else:
        medicine |= kinds[0]
    when: dict[str, Any] = {"medicine": medicine}
    treatment: dict[str, Any] = {}
    if PRODUCTS[row.product]:
        treatment["product"] = list(PRODUCTS[row.product])
    if ROUTES[row.route]:
        treatment["preferred_route"] = list(ROUTES[row.route])
    if treatment:
        when["treatment"] = treatment
    if row.beside:
        of_medicines = any(stands_for_medicines(token, catalogue) for token in row.beside)
        when |= {"regimen": {"takes": list(row.beside)}} if of_medicines else {"history": {"has": list(row.beside)}}
    return when
