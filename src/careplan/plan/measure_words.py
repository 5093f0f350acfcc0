"""What is said of measures: values with their dates, scores compared, and readings that are asked again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from careplan.facts.case import Case, Fact
from careplan.facts.measured import Check, ScoreChange, Taken
from careplan.plan.model import About, NotConsidered
from careplan.rulebook.factors import OF_DERIVED, OF_MEASURES
from careplan.rulebook.model import Rulebook
from careplan.rulebook.text_template import in_words, number

HAVE_SOURCE = OF_MEASURES | OF_DERIVED | {"treatment"}
"""The kinds of fact of which a phrase may have its source behind it: the day, the scores, or what it is derived from."""
_WITHOUT_RESPONSE = HAVE_SOURCE - {"treatment"}


class MeasureWords:
    """The words of one case for its measures."""

    def __init__(self, book: Rulebook, case: Case) -> None:
        self._measures = book.vocabulary.measures
        self._measured = case.measured
        self._sent_response = case.patient.treatment.response_so_far is not None
        worked_out = self._measured.response is not None and not self._sent_response
        self.have_source = HAVE_SOURCE if worked_out else _WITHOUT_RESPONSE
        """The kinds of fact of which a phrase has its source behind it in this case."""

    def about(self, fact: Fact, fields: Iterable[str]) -> Iterator[About]:
        """The measures that a fact is about."""
        if fact.kind == "measure_check":
            check = self._check(fact)
            names = [(check.name, check.pointers[0])]
        else:
            known = self._measured.earlier if fact.kind == "earlier_measures" else self._measured.taken
            names = [(name, self._measured.pointer(name)) for name in fields if name in known]
        order = list(self._measures)
        for name, pointer in names:
            yield About(pointer=pointer, index=order.index(name), name=self._measures[name].label)

    def behind(self, fact: Fact, field: str) -> str:
        """What stands behind a phrase: the day of a measurement, or the scores from which an answer was worked out."""
        measured = self._measured
        match fact.kind, field:
            case (("measures" | "earlier_measures"), _):
                taken = (measured.taken if fact.kind == "measures" else measured.earlier).get(field)
                return f" ({taken.at[:10]})" if taken and taken.at else ""
            case "score_change", _ if field in measured.changes:
                return f" ({self._compared(measured.changes[field])})"
            case "treatment", "response_so_far" if measured.response and not self._sent_response:
                name = measured.response[1]
                return f" ({self._measures[name].label}: {self._compared(measured.changes[name])})"
            case _:
                return ""

    def _compared(self, change: ScoreChange) -> str:
        """Two scores with their days."""
        return f"{self._figure(change.first)}, then {self._figure(change.last)}"

    def _figure(self, taken: Taken) -> str:
        on = f" on {taken.at[:10]}" if taken.at else ""
        return f"{number(float(taken.value))}{on}"

    def word(self, fact: Fact, name: str) -> str | None:
        """What a text fills in of a reading that is asked again."""
        check = self._check(fact)
        measure = self._measures[check.name]
        match name:
            case "measure":
                return measure.label
            case "reading":
                return in_words(list(check.said[:3]))
            case "plausible":
                bounds = measure.plausible
                if bounds is None or bounds.least is None or bounds.most is None:
                    return "the answers that there are"
                whole = "whole numbers " if measure.whole else ""
                return f"{whole}{number(bounds.least)} to {number(bounds.most)} {measure.unit}".rstrip()
            case _:
                return None

    def name_of(self, fact: Fact) -> str:
        """What a reading that is asked again is called."""
        return self._measures[self._check(fact).name].label

    def not_considered(self, spoken_of: Iterable[str], tested: Iterable[str]) -> Iterator[NotConsidered]:
        """Readings that left no trace in the items, with the reason."""
        for pointer, what, why in self._measured.aside:
            yield NotConsidered(pointer=pointer, what=what, why=why)
        looked_at, said = frozenset(tested), frozenset(spoken_of)
        for name in self._measured.taken:
            pointer = self._measured.pointer(name)
            if not pointer.endswith(name):
                continue  # It was told among the illnesses, where it is spoken of.
            if name not in looked_at:
                told = self._measured.response is not None and name == self._measured.response[1]
                why = "No rule of this rulebook looks at it." if not told else "It says how the treatment has gone so far."
                yield NotConsidered(pointer=pointer, what=self._measures[name].label, why=why)
            elif pointer not in said:
                why = "Rules looked at it, and none had anything to say."
                yield NotConsidered(pointer=pointer, what=self._measures[name].label, why=why)
        for check in self._measured.checks:
            if check.pointers[0] not in said:
                why = f"It cannot be meant: {in_words(list(check.said[:3]))}. No rule used it."
                yield NotConsidered(pointer=check.pointers[0], what=self._measures[check.name].label, why=why)

    def _check(self, fact: Fact) -> Check:
        return self._measured.checks[fact.indexes[0]]


def is_of_measures(kind: str) -> bool:
    """Whether facts of a kind are about measures."""
    return kind in OF_MEASURES or kind == "measure_check"
