"""Whether a medicine of a line stays where it is put, as a cream does, or acts on the whole body.

Forms and ways in say it of any medicine. For some classes and ingredients they say more: an anti-inflammatory gel stays in
the knee, while a patch with an opioid is put on the skin to act everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from careplan.recognition.line import Listed
from careplan.recognition.list_words import ListWords
from careplan.recognition.medicine_rows import Ingredient
from careplan.recognition.plain_text import squeezed

_PER_CENT = "%"


class _Means(Protocol):
    """What a name means."""

    @property
    def ingredients(self) -> Sequence[Ingredient]: ...


class WhereItActs:
    """Says it by the lists of one rulebook."""

    def __init__(self, words: ListWords) -> None:
        self._local_forms, self._patch = frozenset(words.local_forms), frozenset(words.through_the_skin)
        self._anyhow = frozenset(words.acts_through_the_skin)
        self._swallowed, self._in_mg = frozenset(words.swallowed), frozenset(words.in_mg)
        self._hours = frozenset(words.hours)
        self._kinds = [(frozenset(kind.classes), frozenset(kind.forms), kind) for kind in words.stays_put]
        self._forms_by_name = {squeezed(form): token for token, listed in words.forms.items() for form in listed}

    def settled(self, listed: Listed, matches: Sequence[_Means]) -> Listed:
        """The same medicine, with `local` as it is for what its name means."""
        if not matches:
            return listed
        # "Eye drops" are a name too, where nothing else stands in a line.
        named = {form for name in listed.names if (form := self._forms_by_name.get(squeezed(name.text))) is not None}
        per_cent = _PER_CENT in [one.unit for one in listed.strengths]
        if not (listed.forms or listed.routes or listed.local or per_cent or named):
            return listed
        said = named.union([word.value for word in (*listed.forms, *listed.routes)])
        if not named.isdisjoint(self._local_forms):
            listed = msgspec.structs.replace(listed, local=True)
        local = self._stays(listed, said, [row for match in matches for row in match.ingredients], per_cent=per_cent)
        return listed if local == listed.local else msgspec.structs.replace(listed, local=local)

    def _stays(self, listed: Listed, said: set[str], rows: Sequence[Ingredient], *, per_cent: bool) -> bool:
        through_the_skin = not self._anyhow.isdisjoint([row.ingredient for row in rows])
        if listed.local:
            # "Apply to the back" says of a patch only where it is put.
            put_on = self._local_forms.isdisjoint(said)
            return not (put_on and (through_the_skin or (not per_cent and self._is_given_off(listed, said))))
        if through_the_skin or not rows or not (said or per_cent) or not self._swallowed.isdisjoint(said):
            return False
        classes = {name for row in rows for name in row.classes}
        in_mg = not self._in_mg.isdisjoint([one.unit for one in listed.strengths])
        for of, forms, kind in self._kinds:
            if of and not (classes and classes <= of):
                continue
            if kind.ingredients and any(row.ingredient not in kind.ingredients for row in rows):
                continue
            if kind.per_cent == "also" and per_cent:
                return True
            in_form = not forms.isdisjoint(said) and (kind.any_dose or not in_mg)
            if in_form and (per_cent or kind.per_cent != "only"):
                return True
        return False

    def _is_given_off(self, listed: Listed, said: set[str]) -> bool:
        words = (one.text.lower().replace("/", " ").split()[1:] for one in listed.strengths)
        by_the_hour = any(not self._hours.isdisjoint(said_of_one) for said_of_one in words)
        return by_the_hour or not self._patch.isdisjoint(said - {"transdermal"})
