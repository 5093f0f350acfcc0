"""One rule, read from the document of its file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from careplan.recognition.medicine_catalogue import Catalogue
from careplan.rulebook.conditions import Reader, When, with_certainty
from careplan.rulebook.dated_texts import with_dated_texts
from careplan.rulebook.factors import KINDS, OF_MEASURES, Kind
from careplan.rulebook.model import SECTIONS, Condition, DrugClass, Rule, RuleFile, Section
from careplan.rulebook.rule_texts import texts_of
from careplan.rulebook.validity import ALWAYS
from careplan.rulebook.validity_checks import term_of
from careplan.rulebook.yaml_and_csv import Document

Known: TypeAlias = tuple[Mapping[str, DrugClass], Catalogue, Mapping[str, Condition], Mapping[str, Kind]]
"""The lists whose tokens rules may name, and the kinds of fact that they may test."""


def read_rule(document: Document, stem: str, *, section: str, known: Known | None) -> Rule | None:
    """The rule of a document, if it can be read; what is wrong is noted there. `stem` is the id that it must have."""
    file = document.convert(RuleFile) if not document.faults else None
    if section not in (*SECTIONS, "retired"):
        near = f"Use one of {', '.join(SECTIONS)}."
        document.fault((), f"{section} is not a section of the plan.", near, code="section")
    when: When = ()
    if known is not None and isinstance(document.data, dict):
        classes, catalogue, conditions, kinds = known
        reader = Reader(classes, catalogue.ingredients, conditions, kinds)
        when = reader.when(document.data.get("when"))
        for flaw in reader.flaws:
            if kinds["measures"] is KINDS["measures"] and not OF_MEASURES.isdisjoint(flaw.path):
                continue  # Nobody knows which there are: their own file has faults, which are named.
            document.fault(flaw.path, flaw.problem, flaw.mend, code=flaw.code)
    if file is not None and file.id != stem:
        document.fault(("id",), f"The id {file.id} is not the name of the file.", f"Write id: {stem}.", code="id-and-file")
    term = term_of(document, file) if file is not None else ALWAYS
    texts = texts_of(document, file, term) if file is not None else None
    if file is None or texts is None or document.faults or known is None:
        return None
    rule = Rule(
        file=file,
        place=document.file,
        section=msgspec.convert(section if section != "retired" else "screening", Section),
        when=with_certainty(when) if file.certain else when,
        title=texts.title,
        patient=texts.patient,
        clinician=texts.clinician,
        line=texts.line,
        card=texts.card,
        cards_in_languages=texts.cards,
        asks=tuple(zip(file.then.asks, texts.asks, strict=True)),
        term=term,
    )
    return with_dated_texts(rule, document)
