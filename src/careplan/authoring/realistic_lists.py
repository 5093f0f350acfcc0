"""Lists of medicines as they are found in real records: lines of many kinds, a few misspelt, a few that nobody can read."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from careplan.authoring.composed_texts import Weighted
from careplan.authoring.realistic_data import Medicine, Source

Json = dict[str, Any]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MISSPELT_FROM = 5
"""Shorter names are not misspelt, as they would become other words."""


class MedicineLists:
    """Draws lists of medicines, with `chance` for everything."""

    def __init__(self, source: Source, chance: random.Random) -> None:
        self._chance, self._source = chance, source
        self._groups = [
            (
                name,
                group.rate,
                Weighted((one, one.weight) for one in group.medicines),
                Weighted(group.schedules.items()),
                Weighted(group.reasons.items()),
            )
            for name, group in source.groups.items()
        ]
        self._lines = Weighted((line, line.weight) for line in source.lines)
        # By schedule, or by form where that says how to take it.
        known = source.sigs | source.sigs_of_forms
        self._sigs = {name: Weighted((sig, sig.weight) for sig in sigs) for name, sigs in known.items()}

    def of(self, absent: Mapping[str, float]) -> list[Json]:
        """The entries of a patient; `absent` says how often a group is not brought by any illness."""
        chance = self._chance
        entries = [
            self._entry(medicines.draw(chance), schedules.draw(chance), reasons.draw(chance))
            for name, rate, medicines, schedules, reasons in self._groups
            if chance.random() >= (1.0 - rate) * absent.get(name, 1.0)
        ]
        if chance.random() < self._source.unread.rate:
            entries.append({"name": " ".join(chance.choice(words) for words in self._source.unread.parts.values()).strip()})
        if len(entries) > 1:
            chance.shuffle(entries)
        return entries

    def _entry(self, medicine: Medicine, schedule: str, reason: str) -> Json:
        chance, source = self._chance, self._source
        line = self._lines.draw(chance)
        name = medicine.name
        if chance.random() < source.misspelt.rate and (changed := self._misspelt(name)) not in source.misspelt.but_not:
            name = changed
        strength, form = chance.choice(medicine.strengths), medicine.form or source.default_form
        unit = medicine.unit or source.default_unit
        sig = self._sigs[form if form in source.sigs_of_forms else schedule].draw(chance)
        said = f"{strength:g}" if isinstance(strength, float | int) else strength
        text = line.text.format(
            name=name,
            Name=name[0].upper() + name[1:],
            NAME=name.upper(),
            brand=chance.choice(medicine.brands) if medicine.brands else name,
            strength=said,
            unit=unit,
            form=form,
            sig=sig.sig.format(form=form),
            short=sig.short,
        )
        entry: Json = {"name": text}
        if chance.random() < line.dose:
            if unit == "mg" and isinstance(strength, float | int):
                entry["dose_mg"] = plain(strength)
            else:
                entry["name"] += f" {said} {unit}"
        if chance.random() < line.fields:
            entry |= {"schedule": schedule, "indication": reason}
        return entry

    def _misspelt(self, name: str) -> str:
        """The name with two letters changed over, one left out or one doubled."""
        if len(name) < _MISSPELT_FROM:
            return name
        at = 1 + int(self._chance.random() * (len(name) - 2))
        match int(self._chance.random() * 4):
            case 0:
                return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
            case 1:
                return name[:at] + name[at + 1 :]
            case 2:
                return name[:at] + name[at] + name[at:]
            case _:
                return name[:at] + self._chance.choice(_LETTERS) + name[at + 1 :]


def plain(number: float) -> float:
    """7.0 as 7, as most systems send it."""
    return int(number) if number == int(number) else number
