"""Every example of the manual of the rule language, on every program that decides or proves anything about rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
import z3

from careplan.authoring.proof.formulas import of_when
from careplan.authoring.proof.smtlib import LOGIC, Writer
from careplan.authoring.proof.solvers import installed, solver
from careplan.authoring.proof.symbols import SymbolicPatient
from careplan.authoring.proof.terms import all_of
from careplan.facts.case import Case
from careplan.inference.case_logic import CaseLogic
from careplan.inference.derived import CaseMaker
from careplan.inference.durable_rules import Engine
from careplan.inference.verdicts import RuleTables
from careplan.planner import Planner
from careplan.rulebook.conditions import COMPARISONS, Reader, When, tests_of, with_certainty
from careplan.rulebook.load import load
from careplan.rulebook.model import Rulebook
from tests import reference
from tests.patients import Json
from tests.proof.assignment import Chosen, assigned
from tests.shipped import few_rules_in

PAGE = Path(__file__).parents[2] / "docs" / "rule-language.md"
BLOCKS: list[tuple[int, Json]] = [
    (PAGE.read_text()[: found.start()].count("\n") + 2, yaml.safe_load(found[1]))
    for found in re.finditer(r"^```yaml\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
]
DERIVED = [one for _, block in BLOCKS for one in block.get("derived", ())]
LONG = pytest.mark.long
EXAMPLES = [pytest.param(block, id=f"line {line}") for line, block in BLOCKS if "when" in block and "refused" not in block]
EVERY_TENTH = [pytest.param(*one.values, id=one.id, marks=LONG if at % 10 else ()) for at, one in enumerate(EXAMPLES)]
REFUSED = [pytest.param(block, id=f"line {line}") for line, block in BLOCKS if "refused" in block]
VERDICTS: dict[str, tuple[bool, bool | None]] = {
    "comes_up": (True, True),
    "for_now": (True, None),
    "silent": (False, False),
    "open": (False, None),
}
"""What a rule does for a patient, and what is known of it whatever the answers are that are missing."""


class Programs:
    """Everything that can say of a patient whether a rule comes up."""

    def __init__(self, folder: Path) -> None:
        for one in DERIVED:
            is_a_fact = "when" in one or "compare" in one
            words = {"values": {"true": "so", "false": "not so"}} if is_a_fact else {"says": "{value}"}
            whole = {"label": one["name"], "rationale": "An example.", "unknown": "it is not known", **words, **one}
            (folder / "derived" / f"{one['name']}.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
        self.book: Rulebook = load(folder)
        self.planner = Planner(self.book)
        self._bare = msgspec.structs.replace(self.book, rules={})
        self._symbolic = SymbolicPatient(self.book)
        self._solvers = [solver(name) for name in installed()]
        for one in self._solvers:
            one.tell(f"(set-logic {LOGIC})")
        self._declared: list[set[str]] = [set() for _ in self._solvers]
        self._writer = Writer()
        self._values_of = z3.Solver()
        self._values_of.add(*self._symbolic.constraints)

    def read(self, block: Json) -> tuple[When, list[str]]:
        """The conditions of an example, and the codes of what is wrong with it."""
        reader = Reader(self.book.classes, self.book.catalogue.ingredients, self.book.conditions, self.book.kinds)
        when = reader.when(block["when"])
        return with_certainty(when) if block.get("certain") else when, [flaw.code for flaw in reader.flaws]

    def verdicts(self, when: When, body: Json) -> dict[str, bool | None]:
        """What each says: whether the rule comes up; and of the logic None, where that hangs on an answer."""
        case = CaseMaker(self._bare, [when]).case(self.planner.intake.decode(msgspec.json.encode(body)))
        rules = {"rule": when}
        engine, tables = Engine(rules), RuleTables(rules)
        try:
            found = {
                "engine": bool(engine.evaluate(case.facts)),
                "tables": bool(tables.verdicts(case).findings),
                "reference": bool(reference.findings(rules, case.facts)),
            }
        finally:
            engine.close()
            tables.close()
        return {**found, "logic": CaseLogic(case).of(when)[0], **self._of_solvers(when, case)}

    def _of_solvers(self, when: When, case: Case) -> dict[str, bool]:
        """That there is one medicine, illness or goal of the patient for which the formula holds."""
        fires = of_when(self._symbolic, when)
        text = self._writer.text(fires)
        picks = range(max(1, len(case.patient.medications or ()), len(case.patient.conditions or ())))
        values = ["".join(self._values(case, Chosen.of(case, pick), fires)) for pick in picks]
        found: dict[str, bool] = {}
        for one, declared in zip(self._solvers, self._declared, strict=True):
            one.tell("\n".join(self._writer.needed([fires], declared)))
            answers = {one.tell(f"(push 1){each}(assert {text})(check-sat)(pop 1)") for each in values}
            assert answers <= {"sat", "unsat"}, answers
            found[one.name] = "sat" in answers
        return found

    def _values(self, case: Case, chosen: Chosen, fires: Any) -> Iterator[str]:
        """The value of each variable of a formula for this patient, as text."""
        self._values_of.push()
        self._values_of.add(all_of(assigned(self._symbolic, case, chosen)))
        if (medicine := chosen.facts["medicine"]) is not None:
            answer, stance = self._symbolic.answers["medicine", "hold_question"], medicine.properties.get("hold_question")
            known = answer.is_(str(stance)) if stance is not None else True
            self._values_of.add(answer.known == (stance is not None), known)
        assert self._values_of.check() == z3.sat
        model = self._values_of.model()
        self._values_of.pop()
        for name, sort in re.findall(r"\(declare-const \|([^|]*)\| (\w+)\)", "".join(self._writer.needed([fires], set()))):
            variable = z3.Const(name, {"Bool": z3.BoolSort(), "Int": z3.IntSort(), "Real": z3.RealSort()}[sort])
            same = variable == model.eval(variable, model_completion=True)
            yield f"(assert {self._writer.text(same)})"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    made = Programs(few_rules_in(tmp_path_factory.mktemp("language") / "rules"))
    yield made
    made.planner.close()


@pytest.mark.parametrize("block", EVERY_TENTH)
def test_an_example_of_the_manual_is_so_by_every_program(programs: Programs, block: Json) -> None:
    assert block.keys() <= {"when", "certain", *VERDICTS}
    when, flaws = programs.read(block)
    assert flaws == []
    for name, (there, stays) in VERDICTS.items():
        for body in block.get(name, ()):
            wanted = {
                program: stays if program == "logic" else there
                for program in ("engine", "tables", "reference", "logic", *installed())
            }
            assert programs.verdicts(when, body) == wanted, (name, body)


@pytest.mark.parametrize("block", REFUSED)
def test_what_the_manual_says_to_be_refused_is_refused_for_that_reason(programs: Programs, block: Json) -> None:
    assert block["refused"] in programs.read(block)[1]


def test_the_manual_has_an_example_of_every_kind_of_test_and_of_most_mistakes(programs: Programs) -> None:
    whens = [programs.read(param.values[0])[0] for param in EXAMPLES]  # type: ignore[arg-type]
    used = {test.operation for when in whens for group in when for one in group for test in tests_of(one.tests)}
    assert used >= {
        "one_of",
        "one_of_or_unknown",
        "none_of",
        "known",
        "unknown",
        "has_any",
        "has_all",
        "has_none",
        *COMPARISONS,
    }
    codes = set(re.findall(r'code="([a-z-]+)"', Path(reader_file()).read_text()))
    assert {param.values[0]["refused"] for param in REFUSED} == codes  # type: ignore[index]


def reader_file() -> str:
    from careplan.rulebook import conditions

    return conditions.__file__
