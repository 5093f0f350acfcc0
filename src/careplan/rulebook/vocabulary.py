"""What makes `vocabulary.yaml` fit for use: every factor that it names can be used, and every measure is whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from careplan.rulebook.conditions import Path
from careplan.rulebook.derived import Derived
from careplan.rulebook.factors import KINDS, MAY_BE_CHANGED, OF_DERIVED, OF_MEASURES
from careplan.rulebook.measures import Measure
from careplan.rulebook.model import FieldWords, Vocabulary
from careplan.rulebook.presumption import FaultList

_BESIDES = frozenset({"medications", "conditions", "allergies", "goals", "medicine.dose_mg", "treatment.session_times"})
"""What has words though no rule tests it: whole lists, and parts of a request that a plan speaks of."""


def with_declared_words(vocabulary: Vocabulary, derived: Iterable[Derived]) -> Vocabulary:
    """The vocabulary with the words of all fields that follow from its measures, and of derived facts."""
    own = {f"{one.kind}.{one.file.name}": _words_of_derived(one) for one in derived}
    return msgspec.structs.replace(vocabulary, fields={**vocabulary.fields, **_words_of(vocabulary.measures), **own})


def _words_of_derived(derived: Derived) -> FieldWords:
    file = derived.file
    return FieldWords(label=file.label, says=file.says, unknown=file.unknown, values=file.values)


def _words_of(measures: Mapping[str, Measure]) -> Mapping[str, FieldWords]:
    """The words of all fields that follow from measures, by kind.field."""
    found: dict[str, FieldWords] = {}
    for name, measure in measures.items():
        found[f"measures.{name}"] = FieldWords(
            label=measure.label,
            says=measure.says,
            unknown=measure.unknown,
            question=measure.question,
            why=measure.why,
            values=measure.values,
        )
        found[f"earlier_measures.{name}"] = FieldWords(
            label=f"earlier {measure.label}",
            says=f"earlier, and not since: {measure.says}",
            unknown=f"no earlier {measure.label} is known",
            values=measure.values,
        )
        found[f"measured_days_ago.{name}"] = FieldWords(
            label=f"days since the {measure.label}",
            says=f"days since the {measure.label} was taken: {{value}}",
            unknown=measure.unknown,
        )
        if measure.change is not None:
            found[f"score_change.{name}"] = FieldWords(
                label=f"change of the {measure.label}",
                says="{value}",
                unknown=f"no two values of the {measure.label} can be compared",
                values={word: said.format(label=measure.label) for word, said in _CHANGES.items()},
            )
    return found


def check_vocabulary(words: Vocabulary, note: FaultList) -> None:
    """Note every factor that no rule could use or no advice may change, and every faulty measure."""
    for name, entry in words.fields.items():
        kind, _, field = name.partition(".")
        described = KINDS[kind].fields.get(field) if kind in KINDS else None
        if described is None and name not in _BESIDES:
            problem = f"No request has a factor {name}, so no rule could use it."
            mend = "Declare what is measured or scored under measures, or take the entry out."
            note.fault(("fields", name), problem, mend, code="unusable-factor")
        elif entry.changeable and not (kind in MAY_BE_CHANGED and described is not None and described.sent):
            path: Path = ("fields", name, "changeable")
            note.fault(path, f"{name} cannot be called changeable.", "Take this line out.", code="not-changeable")
    taken: dict[str, str] = {}
    for name, measure in words.measures.items():
        _check_measure(name, measure, note)
        for code in measure.loinc:
            if taken.setdefault(code, name) != name:
                problem = f"LOINC {code} is already a code of {taken[code]}."
                note.fault(("measures", name, "loinc"), problem, "Leave it to one of the two.", code="code-taken")


def _check_measure(name: str, measure: Measure, note: FaultList) -> None:
    def fault(part: str, problem: str, mend: str) -> None:
        note.fault(("measures", name, *([part] if part else [])), problem, mend, code="measure")

    if name in {field for kind in KINDS if kind not in OF_MEASURES | OF_DERIVED for field in KINDS[kind].fields} - {
        "problem"
    }:
        fault("", f"{name} is already the name of another factor.", "Choose another name.")
    if measure.question and not measure.why:
        fault("question", "A question says why it matters.", "Add why.")
    if "{value}" not in measure.says:
        fault("says", "These words leave out the value.", "Write {value} where it stands.")
    if measure.type == "number":
        _check_number(measure, fault)
        return
    for part in ("unit", "units", "plausible", "scores", "change"):
        if getattr(measure, part):
            fault(part, "A measure with answers is no number.", "Take this out, or take answers out.")
    if measure.values.keys() != measure.answers.keys():
        fault("values", "Not every answer has its words.", f"Say {', '.join(measure.answers)} in words under values.")


def _check_number(measure: Measure, fault: Callable[[str, str, str], None]) -> None:
    bounds = measure.plausible
    if bounds is None or bounds.least is None or bounds.most is None or not 0 <= bounds.least < bounds.most < 1_000_000:
        fault("plausible", "A number needs plausible limits, from 0 up.", "Write plausible: {least: ..., most: ...}.")
    elif not all(map(bounds.hold, measure.scores.values())):
        fault("scores", "A score lies outside of the plausible limits.", "Correct the score or the limits.")
    if measure.values:
        fault("values", "A number has no answers to put into words.", "Take this out.")
    if measure.units and not measure.unit:
        fault("units", "There is no unit to tell these in.", "Write unit.")
    change = measure.change
    if change is not None and change.partial_percent > change.response_percent:
        fault("change", "A partial response is less than a response.", "Let partial_percent be the smaller one.")


_CHANGES: Mapping[str, str] = {
    "remission": "the {label} has fallen to remission",
    "response": "the {label} has fallen by as much as a response takes",
    "partial": "the {label} has fallen, by less than a response takes",
    "none": "the {label} has hardly changed",
    "worse": "the {label} has risen",
}
