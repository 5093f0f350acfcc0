"""What the reader of illnesses makes of each name, code and word beside a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from careplan.facts.told_readings import ToldReadings
from careplan.recognition.illness_read import IllnessRead
from careplan.rulebook.model import Rulebook
from tests.in_short.edition import Edition
from tests.in_short.layout import by_letter, by_what_they_say, joined

_COURSES = ("history of {x}", "resolved {x}", "{x} in remission", "mother has {x}", "severe {x}", "denies {x}")
_TODAY = date(2026, 11, 30)
_AMONG = ("asthma", "hypertension", "schizophrenia", "alcohol use disorder", "reflux")
_BESIDE = {
    "abbreviations": ("{x}",),
    "nothing": ("{x}",),
    "passing": ("history of {x}",),
}
_BESIDE_READINGS = ("BP 150/95 {x}", "{x} PHQ-9 18", "QTc {x} 510")
_FIGURES = ("2", "3.5", "22", "45", "110", "1000")
_WORDS: Sequence[str] = (*(f"{{x}} {name}" for name in _AMONG), "hypertension {x}", "reflux {x}")


def illnesses(now: Edition, asked: Edition) -> Iterator[str]:
    """The names, codes and words of one rulebook as the reader of another takes them."""
    read = now.book.known_conditions.reader.read
    yield "# Illnesses in short: what each name and code is read as\n"
    yield "A name that stands alone under an illness is read as that illness and nothing else."
    for token, one in sorted(asked.book.conditions.items()):
        yield f"\n## {token}\n"
        names = {token.replace("_", " "), one.label, one.patient_label, *one.names}
        yield from _told("names", token, {name: _said(read(name)) for name in names})
        codes = {**{code: code for code in one.icd10}, **{f"SNOMED {code}": f"SNOMED {code}" for code in one.snomed}}
        yield from _told("codes", token, {code: _said(read(text)) for code, text in codes.items()})
        yield from _told("may be", "", {name: _said(read(name)) for name in one.may_be})
        plain = token.replace("_", " ")
        courses = ((frame, _said(read(frame.replace("{x}", plain)))) for frame in _COURSES)
        yield "- " + "; ".join(f"{frame.replace('{x}', '...')}: {reading}" for frame, reading in courses)
    yield "\n## Answers to questions of the request\n"
    for diagnosis in asked.book.codes.diagnoses:
        for answer, values in diagnosis.values.items():
            wanted = f"{diagnosis.factor}={answer}"
            yield f"- {wanted}"
            found = {name: _said(read(name)) for name in values.names}
            found |= {code: _said(read(code)) for code in values.icd10}
            found |= {f"SNOMED {code}": _said(read(f"SNOMED {code}")) for code in values.snomed}
            yield from _told("", wanted, found)
    yield "\n## Codes that stand beside those of rules and for no illness of theirs\n"
    for looked_at in asked.book.codes.looked_at:
        yield from _told("", "known", {code: _said(read(code)) for code in looked_at.icd10})
    yield "\n## Known, and of no rule\n"
    yield from _told("", "known", {name: _said(read(name)) for name in asked.data("known_names.yaml")["conditions"]})


def illness_words(now: Edition, asked: Edition) -> Iterator[str]:
    """The words beside names of illnesses, each with several illnesses, as the reader takes them."""
    yield "# Words beside illnesses in short: what becomes of the illness\n"
    yield "“/” parts what is read of the entries named in the heading."
    readings = ToldReadings(now.book, ())
    for section, words in asked.data("illness_words.yaml").items():
        if section in ("readings", "told_readings"):
            yield f"\n## {section}\n"
            said = _kinds(readings, words) if section == "readings" else _beside_readings(readings, words)
            yield from by_what_they_say(said)
            continue
        if isinstance(words, int):
            yield f"\n## {section}\n"
            yield f"{words} days"
            continue
        frames = _BESIDE.get(section, _WORDS)
        yield f"\n## {section}: {' / '.join(f'“{frame}”' for frame in frames)}\n".replace("{x}", "...")
        if section == "abbreviations":
            form = now.book.known_conditions.reader.form
            yield from (f"- {short}: {form(short)}" for short in sorted(words))
            continue
        yield from by_what_they_say((word, _beside(now.book, frames, word)) for word in sorted(map(str, words)))


def _kinds(readings: ToldReadings, kinds: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """What is made of figures and answers behind each word for a reading, and of each unit."""
    for kind in kinds:
        behind = (*kind.get("answers", ()), *_FIGURES)
        for word in kind["words"]:
            yield word, "; ".join(f"{one}: {_reading(readings, f'{word} {one}')}" for one in behind)
        for unit in kind.get("units", ()):
            yield f"{kind['words'][0]} 110 {unit}", _reading(readings, f"{kind['words'][0]} 110 {unit}")
        if most := kind.get("out_of"):
            yield f"{kind['words'][0]} 2/{most}", _reading(readings, f"{kind['words'][0]} 2/{most}")


def _beside_readings(readings: ToldReadings, words: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    for kind, several in words.items():
        for word in map(str, several):
            said = (_reading(readings, frame.replace("{x}", word)) for frame in _BESIDE_READINGS)
            yield f"{kind}: {word}", " / ".join(said)


def _reading(readings: ToldReadings, text: str) -> str:
    read, told = readings.read(text, _TODAY, (), 0)
    taken = (f"{one.measure} {one.reading.value}{one.reading.unit or ''} {one.reading.at or ''}".strip() for one in told)
    return ", ".join(taken) or _said(read)


def _beside(book: Rulebook, frames: Sequence[str], word: str) -> str:
    read = book.known_conditions.reader.read
    return " / ".join(_said(read(frame.replace("{x}", word.replace("<n>", "3")))) for frame in frames)


def _told(what: str, wanted: str, said: Mapping[str, str]) -> Iterator[str]:
    """Names that are read as wanted, and then those that are not, each with what it is read as."""
    as_wanted = [name for name, reading in said.items() if reading == wanted]
    if as_wanted:
        yield f"- {what}:" if what else "- as such:"
        yield from (f"  {line}" for line in by_letter(as_wanted))
    others = ((name, reading) for name, reading in sorted(said.items()) if reading != wanted)
    yield from by_what_they_say((name, f"{what} {reading}".strip()) for name, reading in others)


def _said(found: IllnessRead) -> str:
    parts = []
    for part in found.parts:
        said: dict[str, object] = {} if part.recognition == "read" else {part.recognition: True}
        if part.status != "present":
            said[part.status] = True
        said |= dict.fromkeys(part.tokens, True)
        said |= {"not": " ".join(part.denied), "offers": " ".join(part.offers)}
        parts.append(joined(said))
    return "; ".join(parts) or "nothing"
