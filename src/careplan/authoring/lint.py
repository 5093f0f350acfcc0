"""What is not wrong in a rulebook, but worth a look."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path, PurePosixPath

from careplan.authoring.coverage import by_source, outside_of_rules
from careplan.authoring.evidence_dates import ended, unborne, unused_places, without_passage
from careplan.authoring.tracked_documents import faults_of_tracked, tracked_documents
from careplan.errors import RuleFault
from careplan.recognition.illness_codes import SNOMED_ILLNESSES
from careplan.recognition.vocabulary import FOLDER
from careplan.rulebook.derived import FOLDER as DERIVED
from careplan.rulebook.derived import used_by
from careplan.rulebook.folder import digest_of, read_folder
from careplan.rulebook.illnesses import misplaced_codes, misplaced_names, unplaced_codes
from careplan.rulebook.load import shipped
from careplan.rulebook.lock import LOCK, locked, read_lock
from careplan.rulebook.model import Rule, Rulebook
from careplan.rulebook.numbers_checks import numbers_not_read
from careplan.rulebook.review_decisions import REVIEWS
from careplan.rulebook.sources import MOST_WORDS
from careplan.rulebook.yaml_and_csv import Document


def warnings(book: Rulebook, folder: Path, on: date | None = None) -> list[RuleFault]:
    """Unused sources and classes, codes that nobody has placed, old evidence, a lock that is behind, another book's name.

    The age of evidence is judged on the day `on`, without it on that of the release; the clock is never asked.
    """
    tracked, faults = tracked_documents(folder)
    of_files = (*_unlocked(book, folder), *_named_as_shipped(book, folder), *faults, *faults_of_tracked(book, tracked))
    return sorted([*_unused(book), *_unplaced(book), *_aged(book, on), *_undecided(book), *of_files])


def _warning(file: str, field: str, problem: str, mend: str, code: str) -> RuleFault:
    return RuleFault(file=file, line=1, field=field, problem=problem, mend=mend, code=code)


def _named_as_shipped(book: Rulebook, folder: Path) -> Iterator[RuleFault]:
    """Two rulebooks of one id and version could not be told apart in plans, but by their digests."""
    home = shipped()
    if folder.resolve() == home.resolve():
        return
    files = read_folder(home)
    about = Document(PurePosixPath("rulebook.yaml"), files[PurePosixPath("rulebook.yaml")].decode("utf-8")).data
    if (about["id"], about["version"]) == (book.about.id, book.about.version) and digest_of(files) != book.digest:
        words = f"It says something else than the shipped rulebook, and is called {book.about.id} {about['version']}, too."
        yield _warning(
            "rulebook.yaml", "id", words, "Give it an id of your own, and raise version with each change.", "own-name"
        )


def _unused(book: Rulebook) -> Iterator[RuleFault]:
    elsewhere = {name for name, _ in outside_of_rules(book)}
    for name, places in by_source(book).items():
        if not any(places.values()) and name not in elsewhere:
            yield _warning("sources.yaml", name, "No rule rests on this source.", "Use it, or take it out.", "unused-source")
    patterns = [pattern for rule in book.rules.values() for group in rule.when for pattern in group]
    tested = {one.file.name for pattern in patterns for one in used_by(book.derived, pattern)}
    tested |= {below.file.name for one in book.derived.values() for below in one.rests_on}
    for name in sorted(book.derived.keys() - tested):
        yield _warning(f"{DERIVED}/{name}.yaml", name, "No rule tests this.", "Use it, or take it out.", "unused-derived")
    held = {name for row in book.catalogue.ingredients.values() for name in row.classes}
    for name in book.classes.keys() - held:
        yield _warning("drug_classes.yaml", name, "No medicine is of this class.", "Use it, or take it out.", "unused-class")


def _unplaced(book: Rulebook) -> Iterator[RuleFault]:
    for code in unplaced_codes(book):
        problem = "Rules look at illnesses of the same block, and this code stands for nothing: it is left to a person."
        mend = "List it under a condition, or with the reason under looked_at in codes.yaml."
        yield _warning("codes.yaml", code, problem, mend, "unplaced-code")
    for file, name, problem in misplaced_names(book):
        yield _warning(file, name, problem, "Keep it in one place only, or correct it.", "misplaced-name")
    for code, token in misplaced_codes(book):
        mend = "Correct the line of this code."
        yield _warning(f"{FOLDER}/{SNOMED_ILLNESSES}", code, f"There is nothing called {token}.", mend, "unknown-token")


def _aged(book: Rulebook, on: date | None) -> Iterator[RuleFault]:
    on = on or (date.fromisoformat(book.about.released) if book.about.released else None)
    if on is None:
        mend = "Write released: with the day, or name a day with --at."
        yield _warning("rulebook.yaml", "released", "Without a day the age of evidence is not judged.", mend, "no-day")
        return
    for rule, why in unborne(book, on):
        mend = "Read a source that bears it, or say under exempt why not, and until when."
        yield _warning(_file(rule), "sources", f"This {rule.file.level} {why}.", mend, "unborne")
    for rule in ended(book, on):
        mend = "Move it to retired/, or say how long it holds now."
        yield _warning(_file(rule), "valid_until", f"The rule ended on {rule.term.last}.", mend, "rule-ended")
    for rule, ref in without_passage(book):
        problem = f"Nobody has written down what {ref.source}, {ref.place} says."
        mend = f"Add it under places of {ref.source} in sources.yaml, in at most {MOST_WORDS} words of our own."
        yield _warning(_file(rule), "sources", problem, mend, "no-passage")
    places = [(f"regions.{name}", numbers) for name, numbers in book.about.regions.items()]
    places += [(f"countries.{name}", numbers) for name, numbers in book.about.countries.items()]
    for place, numbers in places:
        for path in numbers_not_read(numbers, book.sources):
            mend = "Name a source in which it was read, or leave a blank to write it in."
            at = ".".join(map(str, (place, *path)))
            yield _warning("rulebook.yaml", at, "Nobody has read of this line to call.", mend, "unread-number")
    for name, place in unused_places(book):
        yield _warning(
            "sources.yaml", name, f"No rule rests on the place {place}.", "Use it, or take it out.", "unused-place"
        )


def _undecided(book: Rulebook) -> Iterator[RuleFault]:
    for name in sorted({one.rule for one in book.decisions} - book.rules.keys() - book.resting.keys()):
        mend = "Correct the id, or take the decision out."
        yield _warning(REVIEWS, name, "A decision is on a rule that there is not.", mend, "unknown-rule")


def _file(rule: Rule) -> str:
    return f"{rule.section}/{rule.id}.yaml"


def _unlocked(book: Rulebook, folder: Path) -> Iterator[RuleFault]:
    path = folder / LOCK
    if not path.is_file():
        yield _warning(LOCK, "", "There is no lock file.", "Run careplan rules lock.", "no-lock")
        return
    before = read_lock(path.read_text(encoding="utf-8"))
    for name in sorted(before.keys() - book.rules.keys() - book.resting.keys()):
        yield _warning(LOCK, name, "This rule is gone.", "Restore it, or run careplan rules lock.", "not-locked")
    for rule in (*book.rules.values(), *book.resting.values()):
        if before.get(rule.id) != locked(rule, book.derived):
            change = "is new" if rule.id not in before else "has changed"
            yield _warning(
                rule.place,
                "version",
                f"The rule {change} since the lock file was written.",
                "Raise its version if a text or condition changed, and run careplan rules lock.",
                "not-locked",
            )
