"""The patient's part of a plan in another language."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careplan.errors import InvalidRulebook
from careplan.formats.html import page
from careplan.plan.model import items_of
from careplan.plan.translations import Languages
from careplan.planner import Planner
from careplan.rulebook import forbidden_wording
from careplan.rulebook.load import load, shipped
from careplan.rulebook.model import Rulebook
from careplan.web.negotiation import spoken
from tests.everyday import one_row_in
from tests.patients import patients

ROOT = Path(__file__).parents[2]


@given(st.data())
@settings(max_examples=25)
def test_only_what_patients_read_changes_with_the_language(planner: Planner, book: Rulebook, data: st.DataObject) -> None:
    plan = planner.plan(planner.intake.convert(data.draw(patients(book, medicines=2))))
    languages = Languages(book)
    assert languages.plan(plan, "en") is plan
    spanish = languages.plan(plan, "es")
    for before, after in zip(items_of(plan), items_of(spanish), strict=True):
        assert after.patient_language in (None, "es")
        assert (after.patient_text == before.patient_text) == (after.patient_language is None)
        assert (after.patient_language is None) == (after.translation is None)
        assert before.asks == after.asks
        blank = {"patient_text": "", "patient_language": None, "translation": None}
        assert msgspec.structs.replace(before, **blank) == msgspec.structs.replace(after, **blank)
        assert "{" not in after.patient_text


def test_one_section_is_in_spanish_as_a_whole_and_waits_for_a_review(book: Rulebook) -> None:
    section = [rule for rule in book.rules.values() if rule.section == "commitment"]
    assert section
    for rule in section:
        translation = rule.file.then.in_languages["es"]
        assert translation.reviewed_by is None
    assert book.vocabulary.sections["commitment"].in_languages["es"]
    assert book.about.in_languages["es"].crisis


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("es", "es"),
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("en-US,en;q=0.9,es;q=0.8", "en"),
        ("fr, es;q=0.3", "es"),
        ("fr", "en"),
        ("es-US, en;q=0.5", "es"),
        ("es;q=0, *", "en"),
        ("en;q=0.1, es;q=0.2", "es"),
    ],
)
def test_the_language_is_the_one_that_is_liked_best(header: str | None, language: str) -> None:
    assert spoken(header, ("en", "es")) == language


def test_a_page_marks_each_text_with_its_language_and_what_no_translator_has_checked(
    planner: Planner, book: Rulebook
) -> None:
    patient = planner.intake.decode((ROOT / "examples" / "daily-benzodiazepine.json").read_bytes())
    spanish = planner.plan(patient, "es")
    shown = page(spanish, patient, detail="full").decode()
    card, leaflet = (
        part.partition("</section>")[0]
        for part in re.split(r'<section class="(?:card (?!large companion)|leaflet")', shown)[1:]
    )
    assert 'lang="es"' in card.partition(">")[0]
    # The card is marked once as a whole, a longer text each by itself: not all of them are there in Spanish.
    assert card.count("falta la revisión de un traductor") == 1
    assert spanish.card.translation == "needs_review"
    marked = re.findall(r'<(p|h3)[^>]* lang="es"[^>]*>(.*?)</\1>', leaflet, re.DOTALL)
    assert all("falta la revisión de un traductor" in text for _, text in marked)
    assert leaflet.count("falta la revisión de un traductor") == len(marked)
    told = [text for _, text in marked]
    closing = book.about.in_languages["es"]
    for text in (closing.crisis, closing.disclaimer, "Seguir adelante"):
        assert any(" ".join(text.split()) in one for one in told)
    items = [item for item in items_of(spanish) if item.patient_language == "es"]
    assert len(marked) == len(items) + 3
    assert spanish.closing_language == "es"
    assert spanish.closing_translation == "needs_review"


def test_what_a_translator_has_checked_carries_no_mark(planner: Planner, book: Rulebook) -> None:
    closing = {"es": msgspec.structs.replace(book.about.in_languages["es"], reviewed_by="A. Translator")}
    checked = msgspec.structs.replace(book, about=msgspec.structs.replace(book.about, in_languages=closing))
    patient = planner.intake.convert({})
    plan = Languages(checked).plan(planner.plan(patient), "es")
    shown = page(plan, patient, detail="full").decode()
    assert plan.closing_translation == "reviewed"
    assert plan.sections[-1].patient_title_translation == "reviewed"
    assert shown.count("falta la revisión") == len([item for item in items_of(plan) if item.translation == "needs_review"])


@pytest.mark.parametrize(
    "text",
    [
        "Deje de tomar sus pastillas dos días antes.",
        "Suspenda el medicamento la noche anterior.",
        "Reduzca la dosis a la mitad.",
        "No tome la medicina por la mañana.",
        "Por la mañana, omita\nsu dosis.",
    ],
)
def test_an_order_in_spanish_is_recognized(text: str) -> None:
    assert forbidden_wording.orders_a_change_in("es", text)


@pytest.mark.parametrize("text", ["No cambie ninguna medicina por su cuenta.", "Hable de sus pastillas con nosotros."])
def test_what_is_no_order_in_spanish_is_let_be(text: str) -> None:
    assert not forbidden_wording.orders_a_change_in("es", text)


@pytest.mark.parametrize(
    ("language", "text", "code"),
    one_row_in(
        3,
        [
            ("es", "Suspenda el medicamento la noche anterior.", "order-to-patient"),
            ("es", "Tiene {treatment.sessions_planned} sesiones.", "slot"),
            ("es", "Tome 5 mg por la noche.", "dose"),
            ("es", "Hable {con nosotros.", "braces"),
            ("fr", "Parlez-nous.", "order-to-patient"),
            ("español", "Hable con nosotros.", "form"),
        ],
        lambda row: f"{row[0]}-{row[2]}",
    ),
)
def test_a_translation_that_may_not_stand_is_refused_in_its_place(
    language: str, text: str, code: str, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    file = folder / "commitment" / "the-effect-builds.yaml"
    lines = file.read_text().splitlines()
    at = lines.index("  in_languages:")
    end = next(place for place in range(at + 1, len(lines)) if not lines[place].startswith("    "))
    lines[at + 1 : end] = [f"    {language}:", f"      patient: {json.dumps(text)}"]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(InvalidRulebook) as raised:
        load(folder)
    found = [fault for fault in raised.value.faults if fault.file == "commitment/the-effect-builds.yaml"]
    assert code in {fault.code for fault in found}, found
    assert all(fault.line >= at + 1 for fault in found)
