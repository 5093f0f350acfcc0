"""An entry of the patient's list, by its name and its code, as the rest of the service takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from careplan.recognition.line import Leftover
from careplan.recognition.medicine_catalogue import Catalogue, Match, Problem, Resolved, agree, display
from careplan.recognition.recognizer import Recognized, Recognizer
from careplan.request.patient import Medication, MedicineStatus

NOTHING = Match(())
"""What an entry stands for that names no medicine under a rule: all about it is known, and nothing follows from it."""


class _Named(NamedTuple):
    """What a name stands for, what is wrong with it, the words that nobody knows, and the names that no rule looks at."""

    match: Match | None
    problem: Problem | None
    unknown: tuple[str, ...]
    besides: tuple[str, ...] = ()
    taken: bool = True


NOT_TAKEN = frozenset(("stopped", "not_taken", "allergy"))
_TREATMENT = "ketamine"
"""The class of the treatment itself: an allergy to it must not pass in silence."""
MOST_SUGGESTIONS = 3


class EntryReader:
    """Resolves entries. What a name says of schedule and reason is taken where the caller did not send it in a field."""

    def __init__(self, recognizer: Recognizer, catalogue: Catalogue) -> None:
        self._recognizer, self._catalogue = recognizer, catalogue

    def resolve(self, index: int, entry: Medication) -> Resolved:
        """One entry; its match is `NOTHING` where it is known and no rule looks at it, and None where nobody can say."""
        by_code = self._recognizer.by_code(entry.rxcui) if entry.rxcui else None
        coded = (by_code.match if by_code is not None and entry.status not in NOT_TAKEN else None) or NOTHING
        if not entry.written:
            if by_code is None or (coded is NOTHING and self._is_allergy_to_the_treatment(by_code, entry.status)):
                return Resolved(index, entry, None, "not_recognized")
            if entry.status in NOT_TAKEN:
                return Resolved(index, _without_use(entry), coded, taken=False)
            return Resolved(index, entry, coded)
        found = self._recognizer.recognize(entry.written)
        filled = self._filled(entry, found)
        if entry.name and entry.text:
            filled = self._filled(filled, self._recognizer.recognize(entry.text))
        match, problem, unknown, besides, taken = self._by_name(found, entry.status)
        if match is None:
            offers = self._catalogue.offered_for(entry.written) or self._suggestions(found)
            if by_code is not None:
                # The code is exact; a name that cannot be read beside it is still shown to the clinician.
                return Resolved(index, filled, coded, "partly_recognized", offers)
            return Resolved(index, filled, None, "not_recognized", offers)
        if by_code is not None and entry.status not in NOT_TAKEN and not self._agree(by_code, found, match):
            rows = {row.ingredient: row for one in (coded, match) for row in one.ingredients}
            return Resolved(index, filled, Match(tuple(rows.values())), "code_and_name_disagree")
        if entry.rxcui and by_code is None and problem is None and any(row.classes for row in match.ingredients):
            problem = "code_not_recognized"
        if not taken:
            filled = _without_use(filled)
        return Resolved(index, filled, match, problem, unknown_parts=unknown, besides=besides, taken=taken)

    def _by_name(self, found: Sequence[Recognized], sent: MedicineStatus | None) -> _Named:
        unknown = tuple(
            " ".join(part.text.split())
            for one in found
            if one.recognition in ("read", "unread")
            for part in _of_the_name(one)
        )
        readable = [one for one in found if one.recognition != "unread"]
        if not readable and not any(one.match for one in found):
            return _Named(None, None, unknown)
        if any(self._is_allergy_to_the_treatment(one, sent or one.status) for one in readable):
            return _Named(None, None, unknown)
        problem: Problem | None = "partly_recognized" if unknown else None
        taken = [one for one in found if (sent or one.status) not in NOT_TAKEN and one.recognition != "none"]
        matches = [one.match for one in taken if one.match is not None]
        if not matches:
            known_by = [one.known_by for one in taken]
            called = " and ".join(dict.fromkeys(known_by)) if len(taken) == len(found) and all(known_by) else ""
            return _Named(Match((), called), problem, unknown, taken=bool(taken))
        besides = tuple(
            dict.fromkeys(" ".join(one.called.split()) for one in readable if one not in taken or one.match is None)
        )
        rows = {row.ingredient: row for match in matches for row in match.ingredients}
        match = matches[0]
        if len(rows) > len(match.ingredients):
            contains = tuple(dict.fromkeys(name for one in matches for name in one.also_contains))
            match = Match(tuple(rows.values()), "", contains, any(one.rescue for one in matches))
        return _Named(match, problem, unknown, besides)

    @staticmethod
    def _is_allergy_to_the_treatment(one: Recognized, status: MedicineStatus | None) -> bool:
        if status != "allergy" or one.match is None:
            return False
        return any(_TREATMENT in row.classes for row in one.match.ingredients)

    @staticmethod
    def _agree(by_code: Recognized, found: Sequence[Recognized], match: Match) -> bool:
        """True if code and name do not speak of different medicines."""
        if any(one.listed is not None and (one.listed.local or one.status in NOT_TAKEN) for one in found):
            return True
        ruled = Match(tuple(row for row in match.ingredients if row.classes))
        coded = Match(tuple(row for row in (by_code.match or NOTHING).ingredients if row.classes))
        if not ruled.ingredients and not coded.ingredients:
            return True
        return bool(ruled.ingredients and coded.ingredients) and agree(ruled, coded)

    def _filled(self, entry: Medication, found: Sequence[Recognized]) -> Medication:
        """The entry with what its name says of schedule and reason, where that is one thing and the caller sent nothing."""
        taken = [one for one in found if one.listed is not None and one.match is not None and one.status not in NOT_TAKEN]
        if len(taken) != 1 or taken[0].listed is None:
            return entry
        schedule = entry.schedule or taken[0].schedule
        indication = entry.indication or self._recognizer.indication(taken[0].listed)
        if schedule == entry.schedule and indication == entry.indication:
            return entry
        return msgspec.structs.replace(entry, schedule=schedule, indication=indication)

    def _suggestions(self, found: Sequence[Recognized]) -> tuple[str, ...]:
        offers = (display(match) for one in found for match in self._recognizer.offers(one))
        return tuple(dict.fromkeys(offers))[:MOST_SUGGESTIONS]


def _without_use(entry: Medication) -> Medication:
    """An entry that is not taken, without how and for what: nothing follows from that."""
    return msgspec.structs.replace(entry, schedule=None, indication=None) if entry.schedule or entry.indication else entry


def _of_the_name(one: Recognized) -> tuple[Leftover, ...]:
    """The unexplained words of an entry that stand where a name is expected; all of them where no name was found."""
    named = one.listed is not None and bool(one.listed.names)
    return tuple(part for part in one.unexplained if part.in_name or not named)
