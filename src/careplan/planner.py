"""One rulebook ready to plan with: patient in, plan out."""

from __future__ import annotations

from careplan.assembly import Assembly
from careplan.engine import Engine
from careplan.facts import FactMaker
from careplan.intake import Intake
from careplan.patient import Patient
from careplan.plan import CarePlan
from careplan.reading import Reading
from careplan.rulebook.model import Rulebook


class Planner:
    """Everything that is prepared once per rulebook. Belongs to the thread that made it, as its engine does."""

    def __init__(self, book: Rulebook) -> None:
        self.book = book
        self.intake = Intake(book.conditions, book.classes)
        self._facts = FactMaker(book)
        self._engine = Engine({rule.id: rule.when for rule in book.rules.values()})
        self._assembly = Assembly(book)
        self.reading = Reading(book)

    def plan(self, patient: Patient) -> CarePlan:
        """The draft plan of one patient. Equal patients get equal plans, byte for byte."""
        case = self._facts.case(patient)
        return self._assembly.plan(case, self._engine.evaluate(case.facts))

    def close(self) -> None:
        """Free the engine's memory."""
        self._engine.close()
