"""One answered intake form: its answers item by item, each read or reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from careplan.fhir.read.answer_values import is_time, of_medicine, plain_values
from careplan.fhir.read.completeness import Lists, list_of_link
from careplan.fhir.read.conflicting_answers import field_of, fitted, gravity, is_graded
from careplan.fhir.read.datetimes import later, moment_of
from careplan.fhir.read.element import Element
from careplan.fhir.read.patient_builder import Gathering, Json
from careplan.fhir.read.references import References
from careplan.fhir.read.resource_status import MODIFIED, is_modified
from careplan.fhir.read.terminology import OWN, code_of
from careplan.request.decode import LISTS
from careplan.request.patient import ListName, Medication

MEDICINE_FIELDS = frozenset(Medication.__struct_fields__)
LONGEST_GOAL = 500
UNNAMED = "unnamed medicine"
_NAMES_THINGS = frozenset({"conditions", "other_conditions", "allergies", "medications.name", "expectations.goals"})
"""Questions of which each answer names something that counts, whether the form is finished or not."""
_UNREADABLE = "This answer could not be read."
_OTHER_KIND = "Its answer is of another kind than the question, or beyond what can be answered."
_SEVERAL = "It has several answers, where one is asked for."
_NO_FACTOR = "No factor of the request is made from it."


Entries: TypeAlias = list[tuple[object, Element]]
"""What a list of a form names, each with where it stands."""


class Form:
    """One form. Single answers become claims at once; `lists` holds those lists that a newer form replaces as a whole.

    Of a form that is not `done` counts what warns: red flags, a pregnancy and a home that is not safe, where somebody
    said so, and whatever is named on a list.
    """

    def __init__(self, gathering: Gathering, references: References, response: Element, *, done: bool) -> None:
        self._gathering = gathering
        self._references = references
        self.done = done
        self._moment = moment_of(response.text("authored"))
        self.lists: dict[str, Entries] = {}
        self._items(response)

    def is_newer_than(self, other: Form) -> bool:
        """Whether this form was surely filled in later."""
        if self._moment is None or other._moment is None:
            return self._moment is not None
        return later(self._moment, other._moment)

    def _skip(self, at: Element, what: str, why: str, *lists: ListName) -> None:
        self._gathering.lacks(at, *lists)
        if self.done or lists:
            self._gathering.skip(at, what, why)

    def _items(self, within: Element) -> None:
        for item in within.children("item"):
            link = _link(item)
            if is_modified(item):
                self._skip(item, _asked(item), MODIFIED, *_lists_within(item))
                continue
            answers = list(item.children("answer"))
            if link == "medications":
                self._medicine(item)
                self._named(item, answers)
                continue
            if answers:
                self._answered(item, link, answers)
            self._items(item)
            for answer in answers:
                self._items(answer)

    def _answered(self, item: Element, link: str, answers: list[Element]) -> None:
        if not self.done and not is_graded(link) and link not in _NAMES_THINGS:
            return
        match link:
            case "conditions" | "other_conditions":
                for answer in answers:
                    self._condition(item, answer)
            case "allergies":
                for answer in answers:
                    self._allergy(item, answer)
            case "conditions.none" | "allergies.none" | "medications.none" | "expectations.goals.none":
                self._nothing(item, link.removesuffix(".none"), answers)
            case "medications.name":
                self._named(item, answers)
            case "expectations.goals" | "treatment.session_times":
                self._list(item, link, answers)
            case _:
                self._factor(item, link, answers)

    def _factor(self, item: Element, link: str, answers: list[Element]) -> None:
        if field_of(link) is None:
            self._skip(item, _asked(item), _NO_FACTOR, *list_of_link(link))
            return
        if len(answers) > 1 and not is_graded(link):
            self._skip(item, _asked(item), _SEVERAL)
            return
        for answer in answers:
            value = self._value(link, answer)
            if value is None:
                self._skip(answer, _asked(item), _OTHER_KIND)
            elif self.done or gravity(link, value) > 0:
                # What was begun anew and not finished makes nothing less grave that was said before.
                self._gathering.claim(link, value, answer, self._moment, floor=not self.done)

    def _value(self, link: str, answer: Element) -> object | None:
        """The answer as the factor takes it."""
        if (coding := answer.child("valueCoding")) is not None:
            token = coding.text("code")
            ours = coding.text("system") in (None, f"{OWN}{link if '.' in link else f'patient.{link}'}", f"{OWN}{link}")
            return fitted(link, token) if ours else None
        if (quantity := answer.child("valueQuantity")) is not None:
            said = {quantity.text("code"), quantity.text("unit")} - {None}
            plain = "comparator" not in quantity and (not said or not said.isdisjoint(self._units(link)))
            return fitted(link, quantity.number("value")) if plain else None
        return next((found for value in plain_values(answer) if (found := fitted(link, value)) is not None), None)

    def _units(self, link: str) -> Iterator[str]:
        for observation in self._gathering.tables.codes.observations:
            if observation.factor == link and observation.times == 1 and len(observation.loinc) == 1:
                yield from observation.units.get(observation.loinc[0], ())

    def _condition(self, item: Element, answer: Element) -> None:
        """One illness: by its code or as written, never lost. Whoever answers was asked for illnesses."""
        self._gathering.body.setdefault("conditions", [])
        coding = answer.child("valueCoding")
        said = next((value for value in plain_values(answer) if isinstance(value, str)), None)
        known = self._gathering.tables.known_conditions
        if said is not None and said.strip():
            self._gathering.condition([said] if said in known else [], said, answer)
            return
        if coding is not None:
            code, system, display = coding.text("code"), coding.text("system"), coding.text("display")
            ours = code is not None and code in known and (system is None or system.startswith(OWN))
            meant = code_of(coding)
            tokens = [code] if ours else self._gathering.tables.conditions.of([meant] if meant else [])
            if name := display or code:
                self._gathering.condition([token for token in tokens if token], name, answer)
                return
        pointing = answer.child("valueReference")
        pointed = self._references.to(pointing)
        if pointed is not None and pointed.text("resourceType") == "Condition":
            self._skip(answer, _asked(item), "It points to a resource of the request, which is read by itself.")
            return
        called = pointing.text("display") if pointing else None
        name = called or "an answer that could not be read"
        self._gathering.other_condition(name, answer)
        self._skip(answer, _asked(item), _UNREADABLE, *(("conditions",) if called is None else ()))

    def _allergy(self, item: Element, answer: Element) -> None:
        """One allergy as written, or as a code calls it."""
        coding = answer.child("valueCoding")
        said = next((value for value in plain_values(answer) if isinstance(value, str) and value.strip()), None)
        name = said or (None if coding is None else coding.text("display") or coding.text("code"))
        if not name:
            self._skip(answer, _asked(item), _UNREADABLE, "conditions")
            return
        self._gathering.allergy(name, answer)

    def _nothing(self, item: Element, field: str, answers: list[Element]) -> None:
        flags = [value for answer in answers for value in plain_values(answer)]
        if len(flags) == 1 and flags[0] is True:
            self._gathering.none.setdefault(field, item)
        elif len(flags) != 1 or flags[0] is not False:
            self._skip(item, _asked(item), _OTHER_KIND, *list_of_link(field))

    def _list(self, item: Element, link: str, answers: list[Element]) -> None:
        most = LISTS[f"/{link.replace('.', '/')}"]
        values = self.lists.get(link, [])
        for answer in answers:
            found = next((value for value in plain_values(answer, times=True) if isinstance(value, str)), "")
            fits = is_time(found) if link == "treatment.session_times" else len(found) <= LONGEST_GOAL
            if not found or not fits or ("valueDateTime" in answer and link == "expectations.goals"):
                self._skip(answer, _asked(item), _UNREADABLE, *list_of_link(link))
            elif len(values) >= most:
                self._skip(answer, _asked(item), f"There are more than {most} on this list.", *list_of_link(link))
            else:
                values.append((found, answer))
        if values:
            self.lists[link] = values

    def _named(self, item: Element, answers: list[Element]) -> None:
        """Medicines that are answers by themselves, without a group for each."""
        for answer in answers:
            entry = of_medicine("name", answer)
            if "item" in answer:
                self._medicine(answer, entry)
                continue
            if not entry:
                self._skip(answer, _asked(item), _UNREADABLE, "medications")
                entry = {"name": UNNAMED}
            self.lists.setdefault("medications", []).append((entry, answer))

    def _medicine(self, group: Element, named: Json | None = None) -> None:
        """The entry of the list of medicines in a group of the form, of which the name may be known before."""
        entry: Json = dict(named or {})
        items = list(group.children("item"))
        for item in items:
            field, answers = _link(item).removeprefix("medications."), list(item.children("answer"))
            for inner in (item, *answers):
                for nested in inner.children("item"):
                    self._skip(nested, _asked(nested), _NO_FACTOR)
            if is_modified(item):
                self._skip(item, _asked(item), MODIFIED)
                continue
            for answer in answers:
                found = of_medicine(field, answer) if field in MEDICINE_FIELDS else {}
                if not found or field in entry:
                    why = _NO_FACTOR if field not in MEDICINE_FIELDS else _SEVERAL if field in entry else _UNREADABLE
                    # A second name in one group may be that of a second medicine.
                    lists: Lists = ("medications",) if field == "name" and field in entry else ()
                    self._skip(answer, _asked(item), why, *lists)
                else:
                    entry |= {key: value for key, value in found.items() if key not in entry}
        if not items:
            return
        if "name" not in entry and "rxcui" not in entry:
            self._skip(group, "medicine", "It has no name that could be read.", "medications")
            entry["name"] = UNNAMED
        self.lists.setdefault("medications", []).append((entry, group))


def _link(item: Element) -> str:
    return (item.text("linkId") or "").strip("/").replace("/", ".")


def links_of(within: Element) -> Iterator[str]:
    """The linkIds of all items of a form."""
    for item in within.children("item"):
        yield _link(item)
        yield from links_of(item)
        for answer in item.children("answer"):
            yield from links_of(answer)


def is_asked(link: str) -> bool:
    """Whether a question of the intake form has this linkId."""
    return field_of(link) is not None or bool(list_of_link(link)) or link == "treatment.session_times"


def _lists_within(item: Element) -> Lists:
    links = [_link(item), *links_of(item)]
    return tuple(dict.fromkeys(name for link in links for name in list_of_link(link)))


def _asked(item: Element) -> str:
    """What an item asks, as a report names it."""
    return item.text("text") or _link(item) or "answer"
