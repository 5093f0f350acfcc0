"""Two solvers of different makers, each asked in SMT-LIB text alone, so that neither rests on the other."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Protocol

MILLISECONDS = 60_000
"""After this long a solver gives up on one question and says that it does not know."""


class Solver(Protocol):
    """A solver that remembers what it was told."""

    name: str
    version: str

    def tell(self, commands: str) -> str:
        """What it answers to SMT-LIB commands."""
        ...


class Z3:
    """z3, by Microsoft Research."""

    name = "z3"

    def __init__(self) -> None:
        import z3

        self.version: str = z3.get_version_string()
        self._evaluate: Callable[[Any, str], str] = z3.Z3_eval_smtlib2_string
        self._context = z3.Context()
        self.tell(f"(set-option :timeout {MILLISECONDS})")

    def tell(self, commands: str) -> str:
        """What z3 answers."""
        return self._evaluate(self._context.ref(), commands).strip()


class Cvc5:
    """cvc5, by Stanford University and the University of Iowa."""

    name = "cvc5"

    def __init__(self) -> None:
        import cvc5

        self.version = version("cvc5")
        self._cvc5: Any = cvc5
        terms = cvc5.TermManager()
        self._solver = cvc5.Solver(terms)
        self._symbols = cvc5.SymbolManager(terms)
        self.tell(f"(set-option :incremental true)(set-option :tlimit-per {MILLISECONDS})")

    def tell(self, commands: str) -> str:
        """What cvc5 answers."""
        parser = self._cvc5.InputParser(self._solver, self._symbols)
        parser.setStringInput(self._cvc5.InputLanguage.SMT_LIB_2_6, commands, "questions")
        answers: list[str] = []
        while not (command := parser.nextCommand()).isNull():
            answers.append(command.invoke(self._solver, self._symbols))
        return "".join(answers).strip()


_MADE: dict[str, Callable[[], Solver]] = {"z3": Z3, "cvc5": Cvc5}
NAMES = tuple(_MADE)


def installed() -> tuple[str, ...]:
    """The names of the solvers that can be asked here."""
    return tuple(name for name in NAMES if find_spec(name) is not None)


def solver(name: str) -> Solver:
    """A new solver of this name. Raises `ImportError` where it is not installed."""
    return _MADE[name]()
