"""The files of what a rulebook derives, read in the order in which they rest on each other.

Whoever says in one file that the fact of another one holds means what stands there. So it is written out in its place when
the files are read, and whatever looks at a derived fact knows of no layers: engine, logic, proof, explanations and prose
say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from careplan.rulebook.conditions import Reader
from careplan.rulebook.derived import Derived, DerivedFile, kinds_with_derived
from careplan.rulebook.derived_reading import read_derived
from careplan.rulebook.factors import Kind
from careplan.rulebook.yaml_and_csv import Document


def read_in_order(
    documents: Mapping[str, Document], kinds: Mapping[str, Kind], reader: Callable[[Mapping[str, Kind]], Reader]
) -> dict[str, Derived]:
    """What is derived by its name, from files by their names without `.yaml`; every fault is noted in its document.

    `kinds` are the kinds of fact without anything derived, `reader` makes one that reads conditions by kinds of fact.
    """
    waiting = {stem: set(_named(document.data)) for stem, document in documents.items()}
    found: dict[str, Derived] = {}
    while waiting:
        ready = sorted(stem for stem, names in waiting.items() if names.isdisjoint(waiting))
        if not ready:
            return found | _faulty(waiting, documents)
        earlier = dict(found)
        known = {**kinds, "derived": kinds_with_derived(kinds, earlier.values())["derived"]}
        for stem in ready:
            del waiting[stem]
            fact = read_derived(documents[stem], stem, reader(known), earlier)
            if fact is not None:
                found[fact.file.name] = fact
    return found


def _faulty(waiting: Mapping[str, set[str]], documents: Mapping[str, Document]) -> dict[str, Derived]:
    """Note each circle. What is in one, or waits for it, has its name all the same: rules that use it are not at fault."""
    found = {}
    for stem in sorted(waiting):
        document = documents[stem]
        file = document.convert(DerivedFile) if not document.faults else None
        if file is not None:
            found[file.name] = Derived(file=file, kind="derived" if file.count is None else "counts")
        if way := _round(stem, waiting):
            problem = f"What is derived rests on itself: {' > '.join([*way, stem])}."
            mend = "Let one of these files say itself what it means, without naming another one."
            document.fault(("when" if "when" in document.data else "count",), problem, mend, code="derived-circle")
    return found


def _named(data: object) -> Iterator[str]:
    """The names of derived facts that conditions ask for, wherever they stand."""
    if isinstance(data, list):
        for entry in data:
            yield from _named(entry)
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key == "derived":
                yield from _fields(value)
            else:
                yield from _named(value)


def _fields(tests: object) -> Iterator[str]:
    if isinstance(tests, list):
        for entry in tests:
            yield from _fields(entry)
    elif isinstance(tests, Mapping):
        for key, value in tests.items():
            if key == "any_of":
                yield from _fields(value)
            else:
                yield str(key)


def _round(stem: str, waiting: Mapping[str, set[str]]) -> list[str]:
    """The way from a file over those it rests on back to itself; [] if there is none."""
    ways = [[stem]]
    seen = {stem}
    for way in ways:
        for name in sorted(waiting[way[-1]] & waiting.keys()):
            if name == stem:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []
