"""What FHIR R4 has no element for, as extensions: with them a plan in FHIR says all that it says in JSON."""

from __future__ import annotations

from typing import Any

from careplan.fhir.read.terminology import OWN
from careplan.plan.illness_model import IllnessEntryRead
from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import About, CouldChange, Item, Question

Json = dict[str, Any]

LANGUAGE = "http://hl7.org/fhir/StructureDefinition/language"
_TYPES = {"medications": "MedicationStatement", "conditions": "Condition"}


def in_language(language: str) -> Json:
    """The mark of a text that is in another language than the rest."""
    return {"extension": [{"url": LANGUAGE, "valueCode": language}]}


def translated(item: Item) -> list[Json]:
    """Whether a translator has checked the patient's text; nothing where it is in English."""
    if item.translation is None:
        return []
    return [{"url": f"{OWN}translation", "valueCode": item.translation.replace("_", "-")}]


def about(entry: About) -> Json:
    """The entry of the request that an item concerns."""
    return _group("about", _text("pointer", entry.pointer), _text("name", entry.name))


def medicine_read(read: MedicineRead) -> Json:
    """How an entry of the medicines was understood."""
    return _group(
        "medicine",
        {"url": "index", "valueInteger": read.index},
        *([_text("recognized-as", read.recognized_as)] if read.recognized_as else []),
        *(_code("class", name) for name in read.classes),
        *([_code("problem", read.problem)] if read.problem else []),
        *(_text("suggestion", name) for name in read.suggestions),
    )


def illness_read(read: IllnessEntryRead) -> Json:
    """How an entry of the other conditions was understood."""
    return _group(
        "illness",
        _text("pointer", read.pointer),
        _text("written", read.written),
        _code("recognition", read.recognition),
        *(_code("token", token) for token in read.tokens),
        *(_code("suggestion", token) for part in read.parts for token in part.suggestions),
    )


def requirement(question: Question) -> Json:
    """An unanswered question: what it is, why it matters, what an answer looks like and what it could change."""
    factor = question.pointer.strip("/").replace("/", ".")
    form = question.form
    edges = {"least": form.least, "most": form.most}
    answer = [
        _code("type", form.type),
        *(
            {"url": "choice", "valueCoding": {"system": f"{OWN}{factor}", "code": choice.value, "display": choice.label}}
            for choice in form.choices
        ),
        *({"url": name, "valueDecimal": edge} for name, edge in edges.items() if edge is not None),
    ]
    return {
        "extension": [
            {"url": f"{OWN}question", "valueString": question.question},
            {"url": f"{OWN}why-it-matters", "valueString": question.why_it_matters},
            _group("answer", *answer),
            *map(_could_change, question.could_change),
        ],
        "type": _TYPES.get(factor.partition(".")[0], "QuestionnaireResponse"),
        "mustSupport": [factor],
    }


def _could_change(change: CouldChange) -> Json:
    rules = (_code("rule", rule) for rule in change.rules)
    return _group("could-change", _code("section", change.section), _code("level", change.level), *rules)


def _group(name: str, *parts: Json) -> Json:
    return {"url": f"{OWN}{name}", "extension": list(parts)}


def _text(name: str, value: str) -> Json:
    return {"url": name, "valueString": value}


def _code(name: str, value: str) -> Json:
    return {"url": name, "valueCode": value.replace("_", "-")}
