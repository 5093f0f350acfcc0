"""What is being treated, where nobody said so and the list of illnesses leaves one answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from careplan.request.patient import Indication, Patient
from careplan.rulebook.model import Condition


def with_indication(
    patient: Patient, illnesses: Sequence[str], conditions: Mapping[str, Condition]
) -> tuple[Patient, tuple[int, ...]]:
    """The patient with what is treated, and the places of the illnesses it was read off, if it was.

    Of two illnesses that ketamine is given for nobody can say which one is meant, so that it is asked for.
    """
    if patient.treatment.indication is not None or not illnesses:
        return patient, ()
    listed = [(at, conditions[name]) for at, name in enumerate(illnesses) if name in conditions]
    less = {name for _, entry in listed if entry.treats for name in entry.instead_of}
    treated = {entry.treats for _, entry in listed} - less - {""}
    if len(treated) != 1 or any(not treated.isdisjoint(entry.puts_in_doubt) for _, entry in listed):
        return patient, ()
    (token,) = treated
    indication = msgspec.convert(token, Indication)
    treatment = msgspec.structs.replace(patient.treatment, indication=indication)
    return msgspec.structs.replace(patient, treatment=treatment), tuple(
        [at for at, entry in listed if entry.treats == token]
    )
