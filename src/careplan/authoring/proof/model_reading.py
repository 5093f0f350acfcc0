"""What a model of the solver says: the value of each formula, variable and answer."""

from __future__ import annotations

from typing import Any

import z3

_PLACES = 4


class ModelReading:
    """Reads the values that a model of the solver gives; the solver itself completes what the model leaves open."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def holds(self, formula: Any) -> bool:
        """Whether the formula is true in the model."""
        return bool(z3.is_true(self._model.eval(formula, model_completion=True)))

    def number(self, variable: Any) -> int:
        """The value of an integer variable."""
        return int(self._model.eval(variable, model_completion=True).as_long())

    def token(self, answer: Any) -> str:
        """The token that the answer has, of those that it can have."""
        return str(answer.tokens[self.number(answer.value)])

    def value(self, answer: Any) -> str | bool | float:
        """What the request would have as this answer: a token, yes or no, or a number to four places."""
        if answer.tokens:
            return self.token(answer)
        value = self._model.eval(answer.value, model_completion=True)
        if z3.is_bool(value):
            return bool(z3.is_true(value))
        if z3.is_int_value(value):
            return int(value.as_long())
        return round(float(value.as_fraction()), _PLACES)
