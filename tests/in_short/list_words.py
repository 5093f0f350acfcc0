"""Each word of `list_words.yaml` in lines as people write them, and what the reader of lines makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from careplan.recognition.dose_equivalents import Doses
from careplan.recognition.medicine_catalogue import Resolved
from careplan.recognition.recognizer import Recognized
from careplan.request.patient import Medication
from careplan.rulebook.model import Rulebook
from tests.in_short.edition import Edition
from tests.in_short.layout import by_what_they_say, joined

_ANYWHERE = ("sertraline 50 mg {x}", "{x} sertraline 50 mg")
FRAMES: Mapping[str, Sequence[str]] = {
    "frequencies": ("diazepam 5 mg {x}",),
    "as_needed": ("diazepam 5 mg daily {x}",),
    "routes": ("diazepam 5 mg {x}", "fluticasone 50 mcg {x}"),
    "forms": ("diazepam 5 mg {x}", "fluticasone 50 mcg {x}"),
    "reasons": ("lorazepam 1 mg for {x}", "lorazepam 1 mg, {x}"),
    "statuses": ("{x} sertraline", "sertraline {x}"),
    "reason_words": ("lorazepam 1 mg {x} seizures",),
    "before_names": ("{x} sertraline, fluoxetine",),
    "denials": ("sertraline: {x}",),
    "negations": ("{x} taking sertraline",),
    "people": ("sertraline 50 mg {x} qqvex",),
    "before_brands": ("sertraline 50 mg {x} Zoloft",),
    "switches": ("sertraline 50 mg {x} fluoxetine 20 mg", "sertraline 50 mg {x} 100 mg"),
    "leaves": ("{x} fluoxetine to sertraline 50 mg", "{x} fluoxetine"),
    "leaves_for": ("switched from fluoxetine {x} sertraline 50 mg",),
    "relatives": ("{x} takes sertraline", "per {x} sertraline"),
    "relatives_take": ("mother {x} sertraline",),
    "said_by": ("{x} mother sertraline",),
    "for_pets": ("sertraline {x} dog",),
    "pets": ("sertraline for my {x}",),
    "if_words": ("lorazepam 1 mg {x} anxiety",),
    "since_words": ("sertraline 50 mg {x} 2020",),
    "months": ("sertraline 50 mg since {x} 2020",),
    "joins": ("sertraline 50 mg {x} lorazepam 1 mg",),
    "limits": ("diazepam 5 mg twice daily {x} 15 mg",),
    "limits_behind": ("diazepam 5 mg daily {x}",),
    "limits_a_day": ("diazepam 5 mg {x} 15 mg",),
    "steps": ("diazepam 5 mg daily {x} 10 mg daily",),
    "nothing": ("{x}",),
    "no_allergies": ("{x}", "allergies: {x}; sertraline 50 mg"),
    "whole_only": ("{x}", "take {x} daily"),
    "medicines_in_goals": ("{x}",),
    "units": ("sertraline 50 {x} daily",),
    "volumes": ("sertraline 5 {x} daily",),
    "per": ("sertraline 50 mg/{x}",),
    "units_of_activity": ("insulin glargine 100 {x}/ml",),
    "hours": ("fentanyl 25 mcg/{x} patch",),
    "millilitres": ("diazepam 5 mg/5 {x}, 10 ml daily", "diazepam 5 mg/5 ml, 10 {x} daily"),
    "directions": ("diazepam 5 mg {x} 10 mg daily",),
    "amounts": ("diazepam 5 mg 2 {x} daily",),
    "words_of_allergy": ("sertraline {x}", "loratadine {x}"),
    "signs_of_allergy": ("sertraline - {x}", "loratadine - {x}"),
}
"""Lines in which a word of a section shows what it does; those of sections not named here stand before and behind a name."""
_TOKENS: Mapping[str, str] = {
    "local_routes": "sertraline 50 mg {x}",
    "local_forms": "sertraline 50 mg {x}",
    "rescue_forms": "diazepam 5 mg {x}",
    "swallowed": "diazepam 5 mg ointment {x}",
    "elsewhere": "fluticasone 50 mcg {x}",
    "through_the_skin": "fentanyl 25 mcg/hr {x}",
    "other_ways_in": "diazepam 5 mg {x} daily",
    "counted_singly": "diazepam 5 mg, 28 {x} daily",
}
"""Sections that name forms and routes by token, each with a line for the first words of the token."""
_CLASSES = {"nasal_classes": "{x} 50 mcg inhaler", "against_allergies": "{x} - rash"}
_IN_MG = "diazepam 5 {x} daily"


def list_words(now: Edition, asked: Edition) -> Iterator[str]:
    """The words of one rulebook as the reader of another takes them; the same one, but where a change is looked at."""
    yield "# Words of lists of medicines in short: what each says beside a name\n"
    yield "Behind each reading stand the words that were read so. “/” parts the lines named in the heading."
    for title, rows in _parts(asked):
        yield f"\n## {title}\n"
        said = ((word, " / ".join(_said(now.book, text) for text in texts)) for word, texts in sorted(rows.items()))
        yield from by_what_they_say(said)


def _parts(asked: Edition) -> Iterator[tuple[str, dict[str, list[str]]]]:
    data = asked.data("list_words.yaml")
    for section, found in data.items():
        if section in _TOKENS:
            lines = {str(one): [_TOKENS[section].replace("{x}", _first(data, str(one)))] for one in found}
            yield f"{section}: “{_TOKENS[section].replace('{x}', '...')}”", lines
        elif section in _CLASSES:
            lines = {str(one): [_CLASSES[section].replace("{x}", _member(asked.book, str(one)))] for one in found}
            yield f"{section}: “{_CLASSES[section].replace('{x}', '...')}”", lines
        elif section == "gravest_reasons":
            yield (
                "gravest_reasons: after “for pain, for ...”",
                {str(one): [f"lorazepam 1 mg for pain, for {data['reasons'][one][0]}"] for one in found},
            )
        elif section == "endings":
            yield (
                "endings",
                {
                    f"{end} for {other}": [_foreign(asked.book, end, other)]
                    for end, others in found.items()
                    for other in others
                },
            )
        elif section == "in_larger_amounts":
            yield (
                "in_larger_amounts: “oxycodone / ... 5/325 mg twice daily”",
                {one: [f"oxycodone / {one} 5/325 mg twice daily"] for one in found},
            )
        elif section == "tells_no_strength":
            yield (
                "tells_no_strength: “oxycodone / ... 5 mg twice daily”",
                {one: [f"oxycodone / {one} 5 mg twice daily"] for one in found},
            )
        elif section == "in_larger_amounts_from":
            amounts = [
                f"oxycodone / acetaminophen {found - 1:g} mg twice daily",
                f"oxycodone / acetaminophen {found:g} mg twice daily",
            ]
            yield "in_larger_amounts_from: below, and from there on", {f"{found:g}": amounts}
        else:
            frames = (_IN_MG,) if section == "in_mg" else FRAMES.get(section, _ANYWHERE)
            title = f"{section}: {' / '.join(f'“{frame}”' for frame in frames)}".replace("{x}", "...")
            words = {word: [frame.replace("{x}", word.replace("<n>", "3")) for frame in frames] for word in _words(found)}
            yield title, words


def _words(found: object) -> Iterator[str]:
    """The words of a section: of a list, of the lists of a mapping, or the keys where these are the words."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, value in found.items():
            if isinstance(value, (list, dict)):
                yield from _words(value) if key != "words" or isinstance(value, list) else ()
            elif not isinstance(value, bool) and key not in ("a_day", "a_week"):
                yield str(key)
    elif isinstance(found, list):
        for one in found:
            yield from _words(one)


def _first(data: Mapping[str, Mapping[str, Sequence[str]]], token: str) -> str:
    return str((data["forms"].get(token) or data["routes"].get(token) or [token])[0])


def _member(book: Rulebook, name: str) -> str:
    return next((row.name for row in book.catalogue.ingredients.values() if name in row.classes), name)


def _foreign(book: Rulebook, end: str, other: str) -> str:
    """The name of a medicine with an ending of another language in the place of its own."""
    names = (row.name for row in book.catalogue.ingredients.values() if row.name.isalpha() and row.name.endswith(other))
    return next((f"{name.removesuffix(other)}{end}" for name in names if len(name) > 8), end)


def _said(book: Rulebook, text: str) -> str:
    found = "; ".join(_medicine(one) for one in book.medicines.recognize(text))
    return found + _doses(book.catalogue.entries.resolve(0, Medication(name=text)) if book.catalogue.entries else None)


def _medicine(one: Recognized) -> str:
    listed = one.listed
    said: dict[str, object] = {one.recognition: True}
    if one.match is not None:
        said[" + ".join(row.name for row in one.match.ingredients)] = True
        said["rescue"] = one.match.rescue
    if listed is not None:
        said |= {
            "status": one.status,
            "schedule": one.schedule,
            "times a day": listed.times_a_day,
            "as needed": listed.as_needed is not None,
            "reason": " ".join(str(reason.indication) for reason in listed.reasons),
            "form": " ".join(word.value for word in listed.forms),
            "route": " ".join(word.value for word in listed.routes),
            "local": listed.local,
            "strength": " ".join(part.unit if part.amount is not None else "several" for part in listed.strengths),
            "amount": " ".join(f"{part.count} {part.of}" for part in listed.amounts),
            "limit": " ".join(part.limit for part in listed.limits),
            "steps": listed.steps,
            "since": listed.since is not None,
            "for a time": listed.duration is not None,
            "quantity": listed.quantity is not None,
            "refills": listed.refills is not None,
        }
    said["not understood"] = len(one.unexplained)
    return joined(said)


def _doses(resolved: Resolved | None) -> str:
    doses: Sequence[Doses] = resolved.doses if resolved is not None else ()
    told = [f"{one.mg.least:g} to {one.mg.most} mg a day" for one in doses if one.mg is not None]
    return f", {' + '.join(told)}" if told else ""
