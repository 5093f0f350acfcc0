"""What each name and code of a medicine is read as, with the classes by which rules look at it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from careplan.recognition.recognizer import Recognized
from careplan.rulebook.model import Rulebook
from tests.in_short.edition import Edition
from tests.in_short.layout import by_what_they_say, joined


def medicines(now: Edition, asked: Edition) -> Iterator[str]:
    """The names and codes of one rulebook as the recognizer of another takes them."""
    yield "# Medicines in short: what each name and code is read as\n"
    yield "Under each medicine its classes, then the names and codes read as it and nothing else, then those read otherwise."
    for token, row in sorted(asked.book.catalogue.ingredients.items()):
        current = now.book.catalogue.ingredients.get(token)
        yield f"\n## {token}\n"
        if current is None:
            yield "It is gone."
            continue
        gap = f"longest gap {current.longest_gap_hours} h" if current.longest_gap_hours else ""
        hold = f"hold {current.hold}" if current.hold else ""
        lasts = [current.half_life, current.half_life_hours, current.active_metabolite]
        yield joined([", ".join(current.classes), *lasts, gap, hold])
        names = (row.name, *row.names, *row.brands, *row.rescue_brands, *row.depot_brands)
        yield from _told(now.book, token, (*names, *(f"RxCUI {code}" for code in row.rxcui)))
    yield "\n## Products with several ingredients\n"
    products = [name for one in asked.book.catalogue.combinations for name in (one.product, *one.names)]
    codes = [f"RxCUI {code}" for one in asked.book.catalogue.combinations for code in one.rxcui]
    yield from by_what_they_say((name, _said(now.book, name)) for name in sorted({*products, *codes}))


def _told(book: Rulebook, token: str, names: Sequence[str]) -> Iterator[str]:
    said = {name: _said(book, name) for name in names}
    as_it = sorted(name for name, reading in said.items() if reading == token)
    if as_it:
        yield f"- {'; '.join(as_it)}"
    yield from by_what_they_say((name, reading) for name, reading in sorted(said.items()) if reading != token)


def _said(book: Rulebook, name: str) -> str:
    if name.startswith("RxCUI "):
        coded = book.medicines.by_code(name.removeprefix("RxCUI "))
        return _of(coded) if coded is not None else "no code that is known"
    return "; ".join(map(_of, book.medicines.recognize(name)))


def _of(one: Recognized) -> str:
    match, said = one.match, dict[str, object]()
    if match is None or not match.ingredients or one.recognition != "read":
        said[one.recognition] = True
    if match is not None:
        said[" + ".join(row.ingredient for row in match.ingredients)] = True
        said |= {"also": ", ".join(match.also_contains), "rescue": match.rescue, "depot": match.depot}
    said["schedule"] = one.schedule
    return joined(said)
