"""Doses a day of a symbolic patient: of the medicine looked at, and of the whole list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import z3

from careplan.authoring.proof.answers import Formula, Span
from careplan.recognition.dose_equivalents import COUNTED, COUNTED_IN
from careplan.rulebook.factors import KINDS, OF_DERIVED


def spans() -> dict[tuple[str, str], Span]:
    """The variables of every such field."""
    return {
        (kind, name): Span(
            z3.Bool(f"{kind}.{name}?"),
            z3.Real(f"{kind}.{name} at least"),
            z3.Bool(f"{kind}.{name} bounded?"),
            z3.Real(f"{kind}.{name} at most"),
        )
        for kind, described in KINDS.items()
        for name, field in described.fields.items()
        if field.between
    }


def constraints(
    spans: Mapping[tuple[str, str], Span], asked: Formula, has_medicine: Formula, takes_any: Callable[[str], Formula]
) -> Iterator[Formula]:
    """What holds of the doses of every patient.

    `found` has the span of each dose by kind of fact and field, `asked` is that a list of medicines was sent, `has_medicine`
    that it names one, and `takes_any` gives the formula that a class or ingredient is taken.
    """
    for (kind, name), span in spans.items():
        yield z3.And(span.least >= 0, span.most >= span.least)
        yield z3.Implies(span.bounded, span.there)
        if kind == "regimen":
            counted = z3.Or([takes_any(token) for token in sorted(COUNTED[COUNTED_IN[name]])])
            yield span.there == asked
            yield z3.Implies(z3.And(asked, z3.Not(counted)), z3.And(span.bounded, span.most == 0))
            of_one = spans["medicine", name]
            yield z3.Implies(z3.And(has_medicine, of_one.there), span.least >= of_one.least)
        else:
            yield z3.Implies(span.there, has_medicine)


def without_doses(
    spans: Mapping[tuple[str, str], Span], asked: Formula, takes_any: Callable[[str], Formula]
) -> Iterator[Formula]:
    """That no dose is known of anything that counts, as in a list of names alone."""
    for (kind, name), span in spans.items():
        if kind in OF_DERIVED:
            continue
        if kind == "regimen":
            counted = z3.Or([takes_any(token) for token in sorted(COUNTED[COUNTED_IN[name]])])
            yield z3.Implies(asked, z3.And(span.least == 0, span.bounded == z3.Not(counted)))
        else:
            yield z3.Not(span.there)
