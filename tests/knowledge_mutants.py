"""Knowledge gone wrong in one place each: texts, levels, tasks, deadlines, classes, codes, interactions, lexicons.

`tests.mutants` changes the conditions of rules; this changes everything else that an owner writes down.
"""

from __future__ import annotations

import copy
import csv
import io
import random
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import yaml

from careplan.rulebook.folder import Files
from careplan.rulebook.interactions import INTERACTIONS
from careplan.rulebook.model import LEVELS, SECTIONS, By, Who
from careplan.rulebook.yaml_and_csv import Document
from tests.in_short.invariants import weakened

KINDS = (
    *("text", "level", "ask", "deadline", "card", "class", "name", "half-life", "code", "record code"),
    *("condition", "known illness", "interaction", "goal word", "list word", "illness word", "derived", "measure"),
    *("number to call", "invariant"),
)
GENERATED = ("rules.lock", "proof.cert", "proof.steps", "reviews.yaml")
"""What notices any change at all, whatever it says: no test of what is said."""

Data = Any


class Mutant(NamedTuple):
    """One change of knowledge: of which kind, what was done where, and the changed file with its new bytes."""

    kind: str
    how: str
    path: PurePosixPath
    content: bytes


class Knowledge:
    """The files of a rulebook, to be changed in one place at a time, the same places for the same seed."""

    def __init__(self, files: Files, seed: int) -> None:
        self.files = {path: content for path, content in files.items() if path.name not in GENERATED}
        self._random = random.Random(seed)  # noqa: S311 - draws changes to try, no secrets
        self._rules = [path for path in self.files if len(path.parts) == 2 and path.parts[0] in SECTIONS]

    def sample(self, count: int, kinds: Sequence[str] = KINDS) -> Iterator[Mutant]:
        """So many mutants, spread over the kinds in turn."""
        makers: Mapping[str, Callable[[], Mutant | None]] = {
            **{kind: partial(self._of_a_rule, kind) for kind in ("text", "level", "ask", "deadline", "card")},
            **{kind: partial(self._of_a_medicine, kind) for kind in ("class", "name", "half-life")},
            "code": lambda: self._less_of("code", "conditions.yaml", "icd10", "snomed"),
            "condition": lambda: self._less_of("condition", "conditions.yaml", "names", "also", "closes_hold", "graver"),
            "record code": lambda: self._without_a_word("record code", "codes.yaml"),
            "known illness": lambda: self._without_a_word("known illness", "known_names.yaml"),
            "interaction": self._of_an_interaction,
            "goal word": lambda: self._without_a_word("goal word", "goals.yaml"),
            "list word": lambda: self._without_a_word("list word", "list_words.yaml"),
            "illness word": lambda: self._without_a_word("illness word", "illness_words.yaml"),
            "derived": self._of_what_is_derived,
            "measure": self._of_a_measure,
            "number to call": self._of_a_number,
            "invariant": self._of_an_invariant,
        }
        made, seen, tries = 0, set[tuple[PurePosixPath, bytes]](), 0
        while made < count and tries < 50 * count:
            tries += 1
            mutant = makers[kinds[made % len(kinds)]]()
            if mutant is None or (mutant.path, mutant.content) in seen:
                continue
            seen.add((mutant.path, mutant.content))
            made += 1
            yield mutant

    def _data(self, path: PurePosixPath) -> Data:
        return copy.deepcopy(Document(path, self.files[path].decode()).data)

    def _dumped(self, kind: str, how: str, path: PurePosixPath, data: Data) -> Mutant:
        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=10_000)
        return Mutant(kind, f"{path}: {how}", path, text.encode())

    def _of_a_rule(self, kind: str) -> Mutant | None:
        path = self._random.choice(self._rules)
        data = self._data(path)
        if data.get("status") not in ("trial", "active"):
            return None
        then = data["then"]
        if kind == "level":
            at = LEVELS.index(data["level"])
            data["level"] = LEVELS[at + 1 if at < len(LEVELS) - 1 else at - 1]
            return self._dumped(kind, f"{LEVELS[at]} became {data['level']}", path, data)
        if kind == "card":
            if "card" not in then:
                return None
            del then["card"]
            for words in then.get("in_languages", {}).values():
                words.pop("card", None)
            return self._dumped(kind, "without its card", path, data)
        if kind in ("ask", "deadline"):
            asks = then.get("asks")
            if not asks:
                return None
            at = self._random.randrange(len(asks))
            if kind == "ask" and self._random.random() < 0.5:
                gone = asks.pop(at)
                return self._dumped(kind, f"without the task “{gone['what']}”", path, data)
            field, values = ("who", typing.get_args(Who)) if kind == "ask" else ("by", typing.get_args(By))
            before = asks[at][field]
            asks[at][field] = self._random.choice([value for value in values if value != before])
            return self._dumped(kind, f"{field} of “{asks[at]['what']}”: {before} became {asks[at][field]}", path, data)
        field = self._random.choice(("patient", "patient", "clinician", "line"))
        holder = data if field == "line" else then
        changed = self._changed_text(" ".join(str(holder[field]).split()))
        if changed is None:
            return None
        holder[field], how = changed
        return self._dumped(kind, f"{field} {how}", path, data)

    def _changed_text(self, text: str) -> tuple[str, str] | None:
        """A text without a sentence or a "not", or with another number, and what was done."""
        sentences = re.split(r"(?<=[.!?]) +", text)
        ways: list[tuple[str, str]] = []
        if len(sentences) > 1:
            at = self._random.randrange(len(sentences))
            ways.append((" ".join(sentences[:at] + sentences[at + 1 :]), f"without “{sentences[at]}”"))
        if " not " in text:
            ways.append((text.replace(" not ", " ", 1), "without its first “not”"))
        if number := re.search(r"(?<![\w.{])\d+(?![\w}])", text):
            other = str(int(number[0]) * 2 + 1)
            ways.append((text[: number.start()] + other + text[number.end() :], f"with {other} for {number[0]}"))
        return self._random.choice(ways) if ways else None

    def _rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.files[PurePosixPath(name)].decode("utf-8-sig"), newline="")))

    def _written(self, kind: str, how: str, name: str, rows: list[dict[str, str]]) -> Mutant:
        out = io.StringIO(newline="")
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return Mutant(kind, f"{name}: {how}", PurePosixPath(name), out.getvalue().encode())

    def _of_a_medicine(self, kind: str) -> Mutant | None:
        rows = self._rows("medications.csv")
        row = self._random.choice(rows)
        field = {"class": "classes", "name": self._random.choice(("names", "brands")), "half-life": "half_life"}[kind]
        if not row[field]:
            return None
        if kind == "half-life":
            before, row[field] = row[field], "long" if row[field] != "long" else "short"
            return self._written(
                kind, f"{row['ingredient']}: half-life {before} became {row[field]}", "medications.csv", rows
            )
        parts = row[field].split(";")
        gone = parts.pop(self._random.randrange(len(parts)))
        row[field] = ";".join(parts)
        return self._written(kind, f"{row['ingredient']} without {gone} among {field}", "medications.csv", rows)

    def _of_an_interaction(self) -> Mutant | None:
        rows = self._rows(INTERACTIONS)
        row = self._random.choice([row for row in rows if row["title"]] if self._random.random() < 0.7 else rows)
        field = self._random.choice(("medicine", "beside", "level", "rule", "product", "patient", "what_to_do", "who", "by"))
        if not row[field]:
            return None
        before = row[field]
        if field in ("medicine", "beside", "rule"):
            parts = before.split(";")
            gone = parts.pop(self._random.randrange(len(parts)))
            row[field], how = ";".join(parts), f"without {gone} in {field}"
        elif field in ("patient", "what_to_do"):
            changed = self._changed_text(before)
            if changed is None:
                return None
            row[field], how = changed[0], f"{field} {changed[1]}"
        else:
            values: Mapping[str, Sequence[str]] = {
                "level": LEVELS,
                "product": ("both", "ketamine", "esketamine"),
                "who": typing.get_args(Who),
                "by": typing.get_args(By),
            }
            row[field] = self._random.choice([value for value in values[field] if value != before])
            how = f"{field}: {before} became {row[field]}"
        return self._written("interaction", f"{row['rule'] or row['medicine']}: {how}", INTERACTIONS, rows)

    def _less_of(self, kind: str, name: str, *fields: str) -> Mutant | None:
        path = PurePosixPath(name)
        data = self._data(path)
        condition, field = self._random.choice(list(data)), self._random.choice(fields)
        value = data[condition].get(field)
        if isinstance(value, bool):
            data[condition][field] = not value
            return self._dumped(kind, f"{condition}: {field} became {not value}", path, data)
        if not isinstance(value, list) or not value:
            return None
        gone = value.pop(self._random.randrange(len(value)))
        return self._dumped(kind, f"{condition} without {gone} in {field}", path, data)

    def _without_a_word(self, kind: str, name: str) -> Mutant | None:
        path = PurePosixPath(name)
        data = self._data(path)
        lists = list(_lists_in(data))
        where, words = lists[self._random.randrange(len(lists))]
        gone = words.pop(self._random.randrange(len(words)))
        return self._dumped(kind, f"without “{gone}” in {where}", path, data)

    def _of_what_is_derived(self) -> Mutant | None:
        path = self._random.choice([path for path in self.files if path.parts[0] == "derived"])
        data = self._data(path)
        lists = list(_lists_in({key: value for key, value in data.items() if key in ("when", "count", "compare")}))
        if not lists:
            return None
        where, words = self._random.choice(lists)
        gone = words.pop(self._random.randrange(len(words)))
        return self._dumped("derived", f"without {gone} in {where}", path, data)

    def _of_a_measure(self) -> Mutant | None:
        path = PurePosixPath("vocabulary.yaml")
        data = self._data(path)
        name = self._random.choice(list(data["measures"]))
        measure = data["measures"][name]
        field = self._random.choice(("loinc", "counts_days", "plausible", "units"))
        if field == "loinc" and measure.get(field):
            gone = measure[field].pop(self._random.randrange(len(measure[field])))
            how = f"without the code {gone}"
        elif field == "counts_days" and field in measure:
            measure[field] *= 3
            how = f"counts for {measure[field]} days"
        elif field == "plausible" and isinstance(measure.get(field), dict) and "most" in measure[field]:
            measure[field]["most"] = round(measure[field]["most"] * 1.5)
            how = f"plausible up to {measure[field]['most']}"
        elif field == "units" and measure.get(field):
            gone = self._random.choice(list(measure[field]))
            del measure[field][gone]
            how = f"without the unit {gone}"
        else:
            return None
        return self._dumped("measure", f"{name}: {how}", path, data)

    def _of_a_number(self) -> Mutant | None:
        path = PurePosixPath("rulebook.yaml")
        text = self.files[path].decode()
        head, tail = text.split("front:", 1)
        numbers = [found for found in re.finditer(r"\d", head) if "version" not in head[: found.start()].rsplit("\n", 1)[-1]]
        numbers = [one for one in numbers if not re.match(r"\d{4}-\d\d-\d\d", head[max(0, one.start() - 9) :])]
        one = self._random.choice(numbers)
        changed = head[: one.start()] + str((int(one[0]) + 1) % 10) + head[one.end() :]
        line = text.count("\n", 0, one.start()) + 1
        return Mutant("number to call", f"{path}:{line}: a digit changed", path, f"{changed}front:{tail}".encode())

    def _of_an_invariant(self) -> Mutant | None:
        path = self._random.choice([path for path in self.files if path.parts[0] == "invariants"])
        parts = list(weakened(self._data(path)))
        if not parts:
            return None
        how, data = self._random.choice(parts)
        return self._dumped("invariant", how, path, data)


def _lists_in(data: Data, where: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Each list of words in data, with where it is."""
    if isinstance(data, list):
        if data and all(isinstance(one, str) for one in data):
            yield where, data
        for at, one in enumerate(data):
            yield from _lists_in(one, f"{where}.{at}")
    elif isinstance(data, dict):
        for key, value in data.items():
            yield from _lists_in(value, f"{where}.{key}".lstrip("."))
