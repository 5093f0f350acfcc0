"""An entry of the patient's list, by its name and its code, as the rest of the service takes it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple, TypeAlias

import msgspec

from careplan.recognition.daily_dose import Told
from careplan.recognition.disagreements import NOT_TAKEN, ON_HOLD, Disagreement, disagreements
from careplan.recognition.dose_equivalents import NO_DOSES, DoseReader, Doses, added
from careplan.recognition.just_ended import NOTHING_TOLD, ToldInLines
from careplan.recognition.line import Leftover, Listed, Said
from careplan.recognition.line_beside_name import Beside, beside_name, both, stays_where_put, without_a_name
from careplan.recognition.medicine_catalogue import Catalogue, Match, Problem, Resolved, agree, display, without_kinds
from careplan.recognition.medicine_rows import Ingredient
from careplan.recognition.recognizer import Recognized, Recognizer
from careplan.request.patient import Medication, MedicineIndication, MedicineStatus, Schedule

NOTHING = Match(())
"""What an entry stands for that names no medicine under a rule: all about it is known, and nothing follows from it."""


class _Named(NamedTuple):
    """What a name stands for, what is wrong with it, the words that nobody knows, and the names that no rule looks at."""

    match: Match | None
    problem: Problem | None
    unknown: tuple[str, ...]
    besides: tuple[str, ...] = ()
    taken: bool = True


_Found: TypeAlias = Sequence[Recognized]
_TREATMENT = "ketamine"  # an allergy to the treatment itself must not pass in silence
MOST_SUGGESTIONS = 3
_NO_FIELDS = (None,) * 5


class EntryReader:
    """Resolves entries. What a name says of schedule and reason is taken where the caller did not send it in a field."""

    def __init__(
        self, recognizer: Recognizer, catalogue: Catalogue, doses: DoseReader, told: ToldInLines = NOTHING_TOLD
    ) -> None:
        self._recognizer, self._catalogue, self._doses, self._told = recognizer, catalogue, doses, told
        self.told_of: Collection[str] = told.tokens

    def resolve(self, index: int, entry: Medication, on: str | None = None) -> Resolved:
        """One entry `on` a day; its match is `NOTHING` where no rule looks at what is known, None where nobody can say."""
        by_code = self._recognizer.by_code(entry.rxcui) if entry.rxcui else None
        if not entry.written:
            return self._by_code_alone(index, entry, by_code)
        found = self._recognizer.recognize(entry.written, on)
        if len(found) == 1 and found[0].is_plain and _is_one_text(entry):
            return self._plain(index, entry, found[0], on)
        lined: tuple[Recognized, ...] = ()
        line, named_by = Beside("", ()), found
        name, text = entry.name, entry.text
        if name is not None and text is not None:
            lined = self._recognizer.recognize(text, on)
            line = Beside(text, lined)
            if lined and len(found) == 1:
                joined = self._recognizer.recognize(f"{name} {text}", on)
                line = beside_name(name, text, found[0], lined, joined)
                entry = line.status_in(entry)
                named_by = joined if stays_where_put(joined) else found
        resolved = self._resolved(index, entry, by_code, named_by, line.recognized)
        if not lined and len(found) == 1 and not (entry.dose_mg is not None or _says_more(found[0])):
            return resolved
        said = [
            Said("name" if entry.name else "text", *_read_of(found)),
            *([Said("text", *_read_of(lined))] if lined else []),
        ]
        return msgspec.structs.replace(
            resolved,
            said=tuple([one for one in said if len(one.medicines) > 1 or one.says_more]),
            disagreements=tuple(line.places(self._disagreements(entry, found, line.recognized))),
            doses=self._doses_of(Told(entry.dose_mg, entry.schedule, on), resolved, found, lined),
            told=self._told_of(entry, found, line, on) if resolved.match is not None and resolved.taken else (),
        )

    def _plain(self, index: int, entry: Medication, recognized: Recognized, on: str | None) -> Resolved:
        """An entry of one text, in which names say all, as most entries are: no field can say something else."""
        match, listed = recognized.stands_for, recognized.listed
        if listed is None or not listed.says_more:
            return Resolved(index, entry, match)
        said = (Said("name" if entry.name else "text", (listed,)),)
        if recognized.match is None:
            return Resolved(index, entry, match, said=said)
        schedule, indication = listed.schedule, self._recognizer.indication(listed)
        filled = entry if schedule is None and indication is None else _with_use(entry, schedule, indication)
        doses = [self._dose_of(recognized, Told(on=on), row) for row in match.ingredients]
        known = doses.count(NO_DOSES) < len(doses)
        told = self._told_of(entry, (recognized,), Beside("", ()), on)
        return Resolved(index, filled, match, said=said, doses=tuple(doses) if known else (), told=told)

    def _told_of(self, entry: Medication, found: _Found, line: Beside, on: str | None) -> tuple[str, ...]:
        """The conditions of which the texts of an entry tell, each of the medicine beside whose name it stands."""
        beside = (line.text or entry.text, line.recognized or found)
        texts = ((entry.written, found), beside) if entry.name else ((entry.written, found),)
        told: dict[str, None] = {}
        for text, several in texts:
            if text:
                meant = [(one.listed, _meant_by(one)) for one in several]
                if any(self._told.may_concern(of) for _, of in meant):
                    told.update(dict.fromkeys(self._told.of_a_text(text, meant, self._recognizer.reader.years_over(on))))
        return tuple(told)

    def _by_code_alone(self, index: int, entry: Medication, by_code: Recognized | None) -> Resolved:
        coded = (by_code.match if by_code is not None and entry.status not in NOT_TAKEN else None) or NOTHING
        if by_code is None or (coded is NOTHING and self._is_allergy_to_the_treatment(by_code, entry.status)):
            return Resolved(index, entry, None, "not_recognized")
        if entry.status in NOT_TAKEN:
            return Resolved(index, _without_use(entry), coded, taken=False)
        return Resolved(index, entry, coded, on_hold=entry.status == ON_HOLD and _is_under_rules(by_code))

    def _resolved(
        self,
        index: int,
        entry: Medication,
        by_code: Recognized | None,
        found: Sequence[Recognized],
        lined: Sequence[Recognized],
    ) -> Resolved:
        assert entry.written is not None
        coded = (by_code.match if by_code is not None and entry.status not in NOT_TAKEN else None) or NOTHING
        filled = self._filled(entry, found)
        if lined:
            filled = self._filled(filled, lined)
        match, problem, unknown, besides, taken = self._by_name(found, entry.status)
        if match is None:
            offers = self._catalogue.offered_for(entry.written) or self._suggestions(found)
            if by_code is not None:
                # The code is exact; a name that cannot be read beside it is still shown to the clinician.
                return Resolved(index, filled, coded, "partly_recognized", offers)
            return Resolved(index, filled, None, "not_recognized", offers)
        if coded.ingredients and match.ingredients and not without_kinds(match.ingredients, coded.ingredients):
            match = coded  # The code tells which one of its kind it is.
        if by_code is not None and entry.status not in NOT_TAKEN and not self._agree(by_code, found, match):
            rows = {row.ingredient: row for one in (coded, match) for row in one.ingredients}
            return Resolved(index, filled, Match(tuple(rows.values())), "code_and_name_disagree")
        if entry.rxcui and by_code is None and problem is None and match.is_under_rules:
            problem = "code_not_recognized"
        if lined and taken and (other := self._other_medicine(match, lined, entry.status)) is not None:
            # The line names another medicine than the name: nothing that was sent is dropped, so both count.
            rows = {row.ingredient: row for one in (match, other) for row in one.ingredients}
            match = Match(without_kinds(rows.values(), rows.values()))
        if not taken:
            filled = _without_use(filled)
        on_hold = taken and match.is_under_rules and _is_on_hold(entry, (*found, *lined))
        return Resolved(index, filled, match, problem, unknown_parts=unknown, besides=besides, taken=taken, on_hold=on_hold)

    def _other_medicine(self, match: Match, lined: Sequence[Recognized], sent: MedicineStatus | None) -> Match | None:
        """What the line means, where rules look at it and it is not what the name means."""
        other = self._by_name(lined, sent).match
        if other is None:
            return None
        ruled = {row.ingredient for row in other.ingredients if row.classes}
        return None if ruled <= {row.ingredient for row in match.ingredients} else other

    def _disagreements(
        self, entry: Medication, found: Sequence[Recognized], lined: Sequence[Recognized]
    ) -> tuple[Disagreement, ...]:
        """Where the fields of an entry that rules look at say something else than its texts."""
        sent = (entry.schedule, entry.indication, entry.dose_mg, entry.status)
        if not lined and sent == (None, None, None, None):
            return ()
        differ: dict[str, Disagreement] = {}
        for said_in, several in (("name" if entry.name else "text", found), ("text", lined)):
            of_rules = [one for one in several if one.listed is not None and _is_under_rules(one)]
            if len(of_rules) != 1 or of_rules[0].listed is None or of_rules[0].match is None:
                continue
            listed, match = of_rules[0].listed, of_rules[0].match
            single = entry.dose_mg is not None and len(match.ingredients) == 1 and not match.also_contains
            meant = self._doses.meant(listed) if single else ()
            where: Literal["name", "text"] = "name" if said_in == "name" else "text"
            for one in disagreements(entry, where, listed, meant):
                differ.setdefault(one.field, one)
        if lined:
            named = self._by_name(found, entry.status)
            other = self._other_medicine(named.match, lined, entry.status) if named.match and named.taken else None
            if named.match is not None and other is not None and not agree(named.match, other):
                first = next(one.listed for one in lined if one.listed is not None and one.match is not None)
                place = first.names[0].start, first.names[-1].end
                differ = {"name": Disagreement("name", display(named.match), display(other), "text", *place), **differ}
        return tuple(differ.values())

    def _doses_of(
        self, told: Told, resolved: Resolved, found: Sequence[Recognized], lined: Sequence[Recognized]
    ) -> tuple[Doses, ...]:
        """Doses a day of the ingredients of an entry that is taken."""
        if resolved.match is None or not resolved.taken or resolved.problem == "code_and_name_disagree":
            return ()
        if resolved.on_hold and (resolved.entry.status is not None or lined or len(found) == 1):
            return ()
        if len(found) == 1 and not lined:
            apart = [self._dose_of(found[0], told, row) for row in resolved.match.ingredients]
            return tuple(apart) if any(one is not NO_DOSES for one in apart) else ()
        out = (*NOT_TAKEN, ON_HOLD) if resolved.on_hold else NOT_TAKEN
        doses = []
        for row in resolved.match.ingredients:
            several = [
                recognized
                for recognized in (*found, *lined)
                if _means(recognized, row) and (resolved.entry.status or recognized.status) not in out
            ]
            if len(several) > 1 and not lined and told.mg is None:
                doses.append(added([self._dose_of(one, told, row) for one in several]))
                continue
            named_by, match = _first(found, several), _first(lined, several) or without_a_name(lined)
            listed = both(named_by, match)
            of = next((said.match for said in (match, named_by) if said is not None and said.match is not None), None)
            if listed is None or of is None or not row.classes or row not in of.ingredients:
                doses.append(NO_DOSES)
            else:
                doses.append(self._doses.of(listed, told, row, of))
        return tuple(doses) if any(named_by is not NO_DOSES for named_by in doses) else ()

    def _dose_of(self, recognized: Recognized, told: Told, row: Ingredient) -> Doses:
        if (
            recognized.listed is None
            or recognized.match is None
            or not row.classes
            or row not in recognized.match.ingredients
        ):
            return NO_DOSES
        return self._doses.of(recognized.listed, told, row, recognized.match)

    def _by_name(self, found: Sequence[Recognized], sent: MedicineStatus | None) -> _Named:
        if len(found) == 1 and found[0].is_plain and sent is None:
            return _Named(found[0].stands_for, None, ())
        unknown = tuple(
            " ".join(part.text.split())
            for recognized in found
            if recognized.unexplained and recognized.recognition in ("read", "unread")
            for part in _of_the_name(recognized)
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
    def _is_allergy_to_the_treatment(recognized: Recognized, status: MedicineStatus | None) -> bool:
        if status != "allergy" or recognized.match is None:
            return False
        return any(_TREATMENT in row.classes for row in recognized.match.ingredients)

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
        if entry.schedule is not None and entry.indication is not None:
            return entry
        taken = [one for one in found if one.listed is not None and one.match is not None and one.status not in NOT_TAKEN]
        if len(taken) != 1 or taken[0].listed is None:
            return entry
        schedule = entry.schedule or (None if _is_on_hold(entry, taken) else taken[0].schedule)
        indication = entry.indication or self._recognizer.indication(taken[0].listed)
        if schedule == entry.schedule and indication == entry.indication:
            return entry
        return msgspec.structs.replace(entry, schedule=schedule, indication=indication)

    def _suggestions(self, found: Sequence[Recognized]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(display(match) for one in found for match in self._recognizer.offers(one)))[
            :MOST_SUGGESTIONS
        ]


def _meant_by(recognized: Recognized) -> frozenset[str]:
    """The ingredients and classes of a medicine that is taken."""
    rows = () if recognized.match is None or recognized.status in NOT_TAKEN else recognized.match.ingredients
    return frozenset(token for row in rows for token in (row.ingredient, *row.classes))


def _is_one_text(entry: Medication) -> bool:
    """True for a name or a line with nothing beside it."""
    if (entry.rxcui, entry.status, entry.dose_mg, entry.schedule, entry.indication) != _NO_FIELDS:
        return False
    return entry.text is None or entry.name is None


def _with_use(entry: Medication, schedule: Schedule | None, indication: MedicineIndication | None) -> Medication:
    return msgspec.structs.replace(entry, schedule=schedule, indication=indication)


def _without_use(entry: Medication) -> Medication:
    """An entry that is not taken, without how and for what: nothing follows from that."""
    return msgspec.structs.replace(entry, schedule=None, indication=None) if entry.schedule or entry.indication else entry


def _is_on_hold(entry: Medication, said: Sequence[Recognized]) -> bool:
    return entry.status == ON_HOLD or (
        entry.status is None and any(one.status == ON_HOLD and _is_under_rules(one) for one in said)
    )


def _of_the_name(recognized: Recognized) -> tuple[Leftover, ...]:
    """The unexplained words of an entry that stand where a name is expected; all of them where no name was found."""
    named = recognized.listed is not None and bool(recognized.listed.names)
    return tuple(part for part in recognized.unexplained if part.in_name or not named)


def _says_more(recognized: Recognized) -> bool:
    """Whether a text says anything besides names."""
    listed = recognized.listed
    return bool(recognized.unexplained) or (listed is not None and listed.says_more)


def _read_of(found: Sequence[Recognized]) -> tuple[tuple[Listed, ...], tuple[Leftover, ...]]:
    """All that is said of the medicines of a text, and what nothing explains."""
    left = dict.fromkeys(part for one in found for part in one.unexplained)
    return tuple([one.listed for one in found if one.listed is not None]), tuple(left)


def _means(recognized: Recognized, row: Ingredient) -> bool:
    return recognized.match is not None and row in recognized.match.ingredients


def _first(found: Sequence[Recognized], several: Sequence[Recognized]) -> Recognized | None:
    return next((one for one in found if any(one is other for other in several)), None)


def _is_under_rules(recognized: Recognized) -> bool:
    return recognized.match is not None and recognized.match.is_under_rules
