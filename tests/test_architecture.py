"""The rules that the structure keeps: imports go one way, and each outside thing is known in one place only."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "careplan"
MODULES = sorted(SOURCE.rglob("*.py"))

LAYERS = [
    {"plain_text"},
    {"errors", "texts", "phrases", "zones", "memo", "pool", "partfile", "hardening", "interrupts", "sources"},
    {"lines"},
    {"patient", "goalwords"},
    {"fields", "medicine_rows", "hold_windows"},
    {"medications", "goals"},
    {"rulebook.conditions", "rulebook.entries", "rulebook.known_conditions"},
    {"rulebook.codes"},
    {"rulebook.model", "rulebook.files", "rulebook.wording", "rulebook.revisions"},
    {"rulebook.presumption", "unread_entries"},
    {"rulebook.lock", "rulebook.soundness", "rulebook.coverage", "rulebook.prose", "rulebook.schema", "rulebook.report"},
    {"rulebook.advice", "rulebook.comparison", "rulebook.belonging"},
    {"rulebook.load", "recall", "holds", "plausible", "likeness", "rulesets", "tested", "hold_sentences"},
    {"gaps"},
    {"facts", "intake", "cohort"},
    {"settings", "inquiry"},
    {"engine", "certainty", "plan"},
    {"turns", "relevance", "unread_words"},
    {"openness", "words", "reading", "difference", "timeline", "languages", "subject", "nearness", "standing"},
    {"reasons", "gate_words"},
    {"questions", "explain", "counterfactual"},
    {"ownwords", "consequences"},
    {"items"},
    {"clearances"},
    {"assembly", "formats.sheet", "formats.drawing"},
    {"formats"},
    {"planner", "trials", "fhir.element", "fhir.outcome"},
    {"fhir.coding"},
    {"fhir.moments", "fhir.days", "fhir.members", "fhir.references", "fhir.completeness"},
    {"fhir.absence", "fhir.claims", "fhir.standing", "fhir.versions", "fhir.people"},
    {"fhir.gathering", "fhir.dosage"},
    {"fhir.products", "fhir.illnesses", "fhir.observations", "fhir.unread"},
    {"fhir.medicines", "fhir.values"},
    {"fhir.form"},
    {"fhir.answers"},
    {"fhir.mapping"},
    {"fhir.reading", "fhir.prefetch", "fhir.particulars"},
    {"fhir.writing", "fhir.parameters"},
    {"fhir.knowledge", "fhir.cards"},
    {"fhir.hook"},
    {"rehearsal", "record", "batch"},
    {"impact"},
    {"jobs"},
    {"cluster"},
    {"proof.answers", "proof.report"},
    {"proof.goal_symbols"},
    {"proof.symbols", "proof.invariants"},
    {"proof.formulas", "proof.witness"},
    {"proof.search"},
    {"proof.prover"},
    {"web.logs", "web.keyring", "web.tracing", "web.metrics", "web.life", "web.shares", "web.listening"},
    {"web.access", "web.tokens", "web.usedtokens", "web.supervisor", "web.bodies"},
    {"web.trust"},
    {"web.problems", "web.cds_contract", "web.queries"},
    {"web.state", "web.contract", "web.examples", "web.journal", "web.gate"},
    {"web.reload", "web.views", "web.later"},
    {"web.plans"},
    {"web.fhir", "web.reference", "web.health", "web.handbook", "web.whatif", "web.hooks", "web.batch", "web.assets"},
    {"web.app"},
    {"commands.common", "commands.output", "commands.progress", "commands.answering"},
    {"commands.batchfiles", "commands.pooling"},
    {"commands"},
    {"cli"},
    {"start"},
]
"""From the bottom up; a module imports from lower layers only."""


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def layer_of(name: str) -> int:
    if name.startswith("formats.") and name not in {"formats.sheet", "formats.drawing"}:
        name = "formats"
    if name.startswith("commands.") and name not in {name for names in LAYERS for name in names}:
        name = "commands"
    return next(at for at, names in enumerate(LAYERS) if name in names)


def imports_of(path: Path, *, deferred: bool = True) -> set[str]:
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if deferred else ast.iter_child_nodes(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


PACKAGES = {"", "careplan", "fhir", "rulebook", "web", "formats", "commands", "proof", "__init__"}


@pytest.mark.parametrize("path", [path for path in MODULES if name_of(path) not in PACKAGES], ids=name_of)
def test_a_module_imports_only_from_layers_below_it(path: Path) -> None:
    own = layer_of(name_of(path))
    modules = {name_of(other) for other in MODULES} - PACKAGES
    used = {name.removeprefix("careplan.") for name in imports_of(path, deferred=False)} & modules
    assert {name for name in used if layer_of(name) >= own} == set()


@pytest.mark.parametrize(
    ("package", "home"),
    [
        ("durable_rules_engine", {"engine"}),
        ("litestar", {"web"}),
        ("granian", {"commands.running", "web.supervisor", "web.life"}),
        ("prometheus_client", {"web.metrics"}),
        ("opentelemetry", {"web.tracing"}),
        ("limits", {"web.access"}),
        ("yaml", {"rulebook.files"}),
        ("rich", {"commands", "formats.text"}),
        ("jsonschema", {"intake", "rulebook.files"}),
        ("jiter", {"intake"}),
        ("jinja2", {"formats"}),
        ("typst", {"formats.paper"}),
        ("icalendar", {"formats.calendar"}),
        ("werkzeug", {"web"}),
        ("jwt", {"web.keyring", "web.tokens", "web.trust"}),
        ("watchfiles", {"web.reload"}),
        ("subprocess", {"rulebook.revisions", "rehearsal"}),
        ("distributed", {"cluster"}),
        ("zstandard", {"partfile", "sources"}),
        ("z3", {"proof", "commands.proving"}),
    ],
)
def test_a_library_is_known_in_one_place(package: str, home: set[str]) -> None:
    users = {name_of(path) for path in MODULES if any(name.split(".")[0] == package for name in imports_of(path))}
    assert users, f"nothing uses {package}"
    assert {name for name in users if name not in home and name.split(".")[0] not in home} == set()


NOT_AT_THE_START = {
    *("cryptography", "icalendar", "jinja2", "jsonschema", "jwt", "limits", "pydantic", "typst"),
    *("distributed", "opentelemetry.sdk", "z3"),
    *("careplan.commands.batching", "careplan.commands.interviewing", "careplan.formats.page", "careplan.proof"),
}
"""What a service needs only with some settings, or after its start: it would cost each start time, and workers memory."""


def test_a_start_imports_nothing_that_no_plan_needs() -> None:
    start = """
import sys
from careplan.cli import main
from careplan.commands import running
from careplan.rulebook.load import load, shipped
from careplan.settings import Settings
from careplan.web import app, supervisor
book = load(shipped())
app.check(book, Settings())
app.build(book, Settings())
print(*sys.modules)
"""
    tree = os.environ | {"PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, check=True, text=True, env=tree)
    assert NOT_AT_THE_START & set(done.stdout.split()) == set()


def test_settings_are_known_to_the_composition_root_the_doors_and_the_command_line_only() -> None:
    users = {name_of(path) for path in MODULES if any(name.startswith("careplan.settings") for name in imports_of(path))}
    assert users == {
        "web.app",
        "web.access",
        "web.gate",
        "commands.common",
        "commands.interviewing",
        "commands.running",
    }


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_stays_small(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 360
