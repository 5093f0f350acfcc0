"""What the rulebook knows, to look up: medicines, conditions, the rulebook and its rules."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Request, get
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, Parameter

from careplan.explain.rule_view import RuleDetail, RuleSummary, summary
from careplan.recognition.medicine_catalogue import Found
from careplan.rulebook.certificate import Certificate, certificate_of, digest_of_certificate, fits
from careplan.rulebook.model import Level, Rulebook, Section
from careplan.rulebook.text_template import one_line
from careplan.web.edition import edition_of
from careplan.web.problem_responses import PROBLEMS, documented


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The base of what is looked up."""


class Medicines(Reference, frozen=True, kw_only=True):
    """Medicines found, best first."""

    medications: list[Found]


class ConditionEntry(Reference, frozen=True, kw_only=True):
    """One token that `conditions` of a request may hold, with its words and codes."""

    token: str
    label: str
    patient_label: str
    kind: str
    question: str
    icd10: list[str] = []
    snomed: list[str] = []
    also: list[str] = []


class Conditions(Reference, frozen=True, kw_only=True):
    """Every token that `conditions` of a request may hold."""

    conditions: list[ConditionEntry]


class RulebookSummary(Reference, frozen=True, kw_only=True):
    """The rulebook that answers now. `digest` is the SHA-256 of its files; `rules` counts the rules that run, by status.

    `proof` is the SHA-256 of its certificate, which `GET /v1/rulebook/proof` gives; it is missing where there is none.
    """

    id: str
    version: str
    digest: str
    title: str
    disclaimer: str
    rules: dict[str, int]
    medications: int
    conditions: int
    drug_classes: list[str]
    proof: str = ""


class Rules(Reference, frozen=True, kw_only=True):
    """Rules in order of section, level and id."""

    rules: list[RuleSummary]


_Query = Annotated[
    str,
    Parameter(min_length=1, max_length=200, description="a name, part of a name or RxNorm code"),
]
_Limit = Annotated[int, Parameter(ge=1, le=100, description="at most this many answers")]
_Section = Annotated[Section | None, Parameter(description="only rules of this section")]
_Level = Annotated[Level | None, Parameter(description="only rules of this level")]
_Source = Annotated[str | None, Parameter(max_length=100, description="only rules that rest on this source")]


def _book(request: Request[None, None, State]) -> Rulebook:
    return edition_of(request).planner.book


@get(
    "/v1/medications",
    operation_id="findMedications",
    summary="Look up medicines",
    description="Finds medicines by generic, brand or foreign name, by a misspelling or by RxNorm code, with their classes.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def find_medications(request: Request[None, None, State], q: _Query, limit: _Limit = 20) -> Medicines:
    """Medicines by name or code."""
    return Medicines(medications=_book(request).catalogue.search(q, limit))


@get(
    "/v1/conditions",
    operation_id="listConditions",
    summary="List the conditions",
    description="The tokens that `conditions` of a request may hold, with their words and codes.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def list_conditions(request: Request[None, None, State]) -> Conditions:
    """Every condition token."""
    return Conditions(
        conditions=[
            ConditionEntry(
                token=token,
                label=entry.label,
                patient_label=entry.patient_label,
                kind=entry.kind,
                question=entry.question,
                icd10=list(entry.icd10),
                snomed=list(entry.snomed),
                also=[*entry.also, *entry.names],
            )
            for token, entry in sorted(_book(request).conditions.items())
        ]
    )


@get(
    "/v1/rulebook",
    operation_id="getRulebook",
    summary="The rulebook in use",
    description="Name, version and digest of the rulebook that answers now. Every plan carries the same reference.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def get_rulebook(request: Request[None, None, State]) -> RulebookSummary:
    """The rulebook in short."""
    book = _book(request)
    statuses = [rule.file.status for rule in book.rules.values()]
    return RulebookSummary(
        id=book.about.id,
        version=book.about.version,
        digest=book.digest,
        title=book.about.title,
        disclaimer=one_line(book.about.disclaimer),
        rules={status: statuses.count(status) for status in sorted(set(statuses))},
        medications=len(book.catalogue.ingredients) + len(book.catalogue.combinations),
        conditions=len(book.conditions),
        drug_classes=sorted(book.classes),
        proof=digest_of_certificate(book),
    )


class NoProof(NotFoundException):
    """The rulebook that answers has no certificate of its own; `words` say why."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.words = words


@get(
    "/v1/rulebook/proof",
    operation_id="getRulebookProof",
    summary="What was proved of the rulebook",
    description="The certificate of the rulebook that answers now: every claim about all patients in words, the SHA-256 of "
    "its formula, and the solvers that confirmed it. There is none (404) where nobody has proved this state of it.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 404, 500, 503),
)
def get_rulebook_proof(request: Request[None, None, State]) -> Certificate:
    """The certificate. Raises `NoProof` where there is none of this rulebook."""
    book = _book(request)
    certificate = certificate_of(book)
    if certificate is None:
        raise NoProof(
            "This rulebook has no certificate that can be read: nobody has written one with rules prove --certify."
        )
    if not fits(book, certificate):
        raise NoProof(
            "The certificate is of another state of this rulebook, so it proves nothing of the rules that answer now."
        )
    return certificate


@get(
    "/v1/rules",
    operation_id="listRules",
    summary="List the rules",
    description="Every rule that runs, in the order of the plan, optionally by section, level or source.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 500, 503),
)
def list_rules(
    request: Request[None, None, State], section: _Section = None, level: _Level = None, source: _Source = None
) -> Rules:
    """Rules by section, level and source."""
    return Rules(
        rules=[
            summary(rule)
            for rule in _book(request).in_order()
            if section in (None, rule.section)
            and level in (None, rule.file.level)
            and (source is None or any(ref.source == source for ref in rule.file.sources))
        ]
    )


@get(
    "/v1/rules/{rule_id:str}",
    operation_id="getRule",
    summary="One rule",
    description="A rule with its rationale, conditions, sources and texts. Resting rules (draft, retired) are found too.",
    tags=["reference"],
    sync_to_thread=False,
    opt={"scope": "read"},
    responses=documented(PROBLEMS, 400, 404, 500, 503),
)
def get_rule(request: Request[None, None, State], rule_id: FromPath[str]) -> RuleDetail:
    """One rule by its id, running or resting. Raises `NotFoundException` where there is none."""
    book = _book(request)
    rule = book.rules.get(rule_id) or book.resting.get(rule_id)
    if rule is None:
        raise NotFoundException
    return edition_of(request).planner.reading.detail(rule)
