"""The rules that the structure keeps: imports run down the flow, and each outside thing is known in one place only."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "careplan"
_DOTTED = re.compile(r"\bcareplan(?:\.[a-z_]\w*)+")


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


PATHS = {name_of(path): path for path in sorted(SOURCE.rglob("*.py"))}
MODULES = sorted(name for name, path in PATHS.items() if path.stem != "__init__")

BASE = frozenset(
    {
        "errors",
        "zones",
        "hardening",
        "media_types",
        "no_collection",
        "canonical",
        "near_values",
        "clinic_logo",
        "whole_patterns",
    }
)
"""What everything may know, and what knows nothing of ours."""
FLOW = ("request", "recognition", "rulebook", "facts", "inference", "plan", "explain")
"""The way of a request, each stage with all before it."""
FORM = frozenset({"request", "recognition", "rulebook", "plan"})
"""What another form of a plan or of a patient is made of: nothing of how a plan comes about."""
ANSWER = FORM | {"explain", "planner", "decision_record", "fhir.read", "fhir.write"}
"""What answers are made of, whoever asks: neither facts nor what is concluded from them."""

MAY_IMPORT: Mapping[str, Set[str]] = {
    **{name: frozenset() for name in sorted(BASE)},
    **{package: frozenset(FLOW[:at]) for at, package in enumerate(FLOW)},
    "planner": frozenset(FLOW),
    "setting_words": frozenset(),
    "settings": frozenset({"request", "rulebook", "setting_words"}),
    "settings_files": frozenset({"rulebook", "settings"}),
    "clinic_settings": frozenset({"request", "settings", "settings_files"}),
    "formats": FORM,
    "fhir.read": FORM | {"facts"},  # which of a record's words a person reads first
    "fhir.write": FORM | {"fhir.read"},
    "fhir.cds_hooks": FORM | {"fhir.read", "fhir.write"},
    "representations": FORM | {"formats", "fhir.read", "fhir.write"},
    "decision_record": frozenset({*FLOW, "planner", "fhir.read"}),
    "signing": FORM | {"explain", "planner", "decision_record"},
    "batch": ANSWER - {"decision_record"},
    "authoring": frozenset({*FLOW, "planner", "fhir.read", "batch"}),
    "authoring.proof": frozenset({"request", "recognition", "rulebook", "facts", "planner"}),
    "web.pages": frozenset(),
    "web.examples": frozenset(),
    "web.problem_responses": frozenset(),
    "web.exhaustion": frozenset(),
    "web.deprecations": frozenset(),
    "web.telemetry": frozenset({"rulebook", "web.exhaustion"}),
    "web.query_words": frozenset({"request"}),
    "web.methods": frozenset(),
    "web.problems": frozenset({"fhir.write", "representations", "web.exhaustion", "web.query_words", "web.telemetry"}),
    "web.edition": FORM | {"planner", "fhir.read", "web.deprecations", "web.pages"},
    "web.security": frozenset({"settings", "settings_files"}),
    "web.process": frozenset({"rulebook", "formats", "representations", "web.edition", "web.exhaustion"}),
    "web.acceptance": frozenset(
        {"clinic_settings", "request", "rulebook", "settings", "settings_files", "signing", "authoring"}
    )
    | {"web.telemetry", "web.security", "web.process"},
    "web.negotiation": frozenset({"plan", "representations", "web.process"}),
    "web.limits": frozenset({"settings", "web.process", "web.security", "web.telemetry"}),
    "web.routes": ANSWER
    | {"fhir.cds_hooks", "signing", "batch", "authoring", "formats", "representations"}
    | {"web.pages", "web.examples", "web.problem_responses", "web.edition", "web.exhaustion", "web.negotiation"}
    | {"web.telemetry", "web.security", "web.process", "web.limits"},
    "web.openapi": ANSWER
    | {"fhir.cds_hooks", "representations", "signing"}
    | {"web.deprecations", "web.examples", "web.problem_responses", "web.routes"},
    "web.app": frozenset({"clinic_settings", "request", "rulebook", "planner", "settings", "settings_files", "authoring"})
    | {"signing"}
    | {"web.acceptance", "web.deprecations", "web.edition", "web.methods", "web.negotiation", "web.problems"}
    | {"web.telemetry", "web.security", "web.process", "web.limits", "web.routes", "web.openapi"},
    "web.samples": frozenset({"rulebook", "planner", "fhir.cds_hooks", "settings", "web.app", "web.edition", "web.examples"})
    | {"web.limits", "web.openapi", "web.security"},
    "cli": ANSWER
    | {
        "settings",
        "settings_files",
        "clinic_settings",
        "formats",
        "representations",
        "signing",
        "batch",
        "authoring",
        "authoring.proof",
    }
    | {"web.acceptance", "web.app", "web.openapi", "web.process", "web.samples", "web.security", "web.telemetry"},
}
"""Of each package (a module that stands alone is one) what it may import besides itself and the base: at the start of a
module, inside of a function, for types only, or by a name in a string. What may be imported stands above in this table."""


def package_of(module: str) -> str:
    """The package of the table that a module belongs to: the longest that fits."""
    fitting = [name for name in MAY_IMPORT if module == name or module.startswith(f"{name}.")]
    assert fitting, f"{module} belongs to no package: say in MAY_IMPORT what it may import"
    return max(fitting, key=len)


@cache
def imports_of(module: str) -> set[str]:
    """All that a module imports anywhere in it, our own modules also by strings."""
    found: set[str] = set()
    tree = ast.parse(PATHS[module].read_text())
    documents = {id(text) for text in docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert not node.level, "imports are written whole"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
            found |= set(_DOTTED.findall(node.value))
    return found


def docstrings(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def own_imports_of(module: str) -> set[str]:
    """Our own modules that a module names."""
    named = {name.removeprefix("careplan.") for name in imports_of(module) if name.startswith("careplan.")}
    return named.intersection(MODULES) - {module}


@pytest.fixture(scope="module")
def imports() -> Mapping[str, Set[str]]:
    """Of each module, our own modules that it names."""
    return {module: own_imports_of(module) for module in MODULES}


def test_a_module_imports_only_what_its_package_may(imports: Mapping[str, Set[str]]) -> None:
    wrong = set()
    for module, names in imports.items():
        own = package_of(module)
        allowed = MAY_IMPORT[own] | (frozenset() if own in BASE else BASE) | {own}
        wrong |= {(module, name) for name in names if package_of(name) not in allowed}
    assert wrong == set()


def test_the_table_itself_runs_one_way() -> None:
    order = list(MAY_IMPORT)
    back = {(package, name) for at, package in enumerate(order) for name in MAY_IMPORT[package] - set(order[:at])}
    assert back == set()


def test_no_modules_import_each_other_in_a_circle(imports: Mapping[str, Set[str]]) -> None:
    assert circle_in(imports) is None


def test_no_packages_import_each_other_in_a_circle(imports: Mapping[str, Set[str]]) -> None:
    packages: dict[str, set[str]] = {}
    for module, names in imports.items():
        own = package_of(module)
        packages.setdefault(own, set()).update(package_of(name) for name in names if package_of(name) != own)
    assert circle_in(packages) is None


def circle_in(graph: Mapping[str, Set[str]]) -> object:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_a_circle_would_be_found() -> None:
    assert circle_in({"one": {"two"}, "two": {"three"}, "three": {"one"}})


def test_only_start_reload_and_pages_of_the_service_know_what_owners_of_rules_need(imports: Mapping[str, Set[str]]) -> None:
    """Comparison, lint, SARIF, git history, handbook, schema and coverage take no part in answering a request."""
    users = {module for module, names in imports.items() if any(name.startswith("authoring.") for name in names)}
    users = {name for name in users if not name.startswith(("authoring.", "cli."))}
    assert users == {"web.app", "web.acceptance", "web.routes.handbook"}
    assert {name for name in imports["web.acceptance"] if name.startswith("authoring.")} == {"authoring.rehearsal"}


@pytest.mark.parametrize(
    ("package", "home"),
    [
        ("durable_rules_engine", {"inference.durable_rules"}),
        ("litestar", {"web"}),
        ("granian", {"cli.running", "web.process.supervisor", "web.process.worker"}),
        ("prometheus_client", {"web.telemetry.metrics", "web.telemetry.shared_counts", "web.app"}),
        ("opentelemetry", {"web.telemetry.tracing"}),
        ("limits", {"web.security.access"}),
        ("yaml", {"rulebook.yaml_and_csv"}),
        ("rich", {"cli", "formats.text"}),
        ("jsonschema", {"request.schema_faults", "rulebook.yaml_and_csv"}),
        ("jiter", {"request.decode"}),
        ("rfc8785", {"canonical"}),
        ("jinja2", {"formats", "authoring.handbook"}),
        ("typst", {"formats.typesetting"}),
        ("cryptography", {"signing.keys", "web.security"}),
        ("icalendar", {"formats.calendar", "formats.calendar_zones"}),
        ("werkzeug", {"web"}),
        ("jwt", {"web.security"}),
        (
            "subprocess",
            {"authoring.git_history", "authoring.workbench.proving", "recognition.units", "web.process.candidate"},
        ),
        ("distributed", {"batch.dask_cluster"}),
        ("zstandard", {"batch.resumable_file", "batch.byte_sources", "web.process.accepted"}),
        ("z3", {"authoring.proof", "cli.proving"}),
    ],
)
def test_a_library_is_known_in_one_place(package: str, home: set[str]) -> None:
    users = {module for module in MODULES if any(name.split(".")[0] == package for name in imports_of(module))}
    assert users, f"nothing uses {package}"
    assert {name for name in users if not any(name == one or name.startswith(f"{one}.") for one in home)} == set()


NOT_AT_THE_START = {
    *("cryptography", "icalendar", "jinja2", "jsonschema", "jwt", "limits", "pydantic", "typst"),
    *("distributed", "opentelemetry.sdk", "z3"),
    *("careplan.cli.batching", "careplan.cli.interviewing", "careplan.formats.html", "careplan.authoring.proof"),
    *("careplan.authoring.compare_rulebooks", "careplan.authoring.lint", "careplan.authoring.sarif"),
    *("careplan.authoring.coverage", "careplan.authoring.editor_schema", "careplan.authoring.handbook"),
}
"""What a service needs only with some settings, or after its start: it would cost each start time, and workers memory."""


def test_what_is_not_wanted_at_the_start_exists() -> None:
    ours = {name.removeprefix("careplan.") for name in NOT_AT_THE_START if name.startswith("careplan.")}
    assert ours <= set(PATHS)


def test_a_start_imports_nothing_that_no_plan_needs() -> None:
    start = """
import sys
from careplan.cli.main import main
from careplan.cli import running
from careplan.rulebook.load import load, shipped
from careplan.settings import Settings
from careplan.web import acceptance, app
from careplan.web.process import supervisor
book = load(shipped())
acceptance.check(book, Settings(), {})
app.build(book, Settings())
print(*sys.modules)
"""
    tree = os.environ | {"PYTHONPATH": str(SOURCE.parent)}
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, check=True, text=True, env=tree)
    assert NOT_AT_THE_START & set(done.stdout.split()) == set()


def test_settings_are_known_to_the_composition_root_the_doors_and_the_command_line_only(
    imports: Mapping[str, Set[str]],
) -> None:
    assert {module for module, names in imports.items() if "settings" in names} == {
        "web.acceptance",
        "web.app",
        "settings_files",
        "web.security.access",
        "web.limits.gate",
        "cli.common",
        "clinic_settings",
        "cli.contract",
        "cli.running",
        "web.samples.collecting",
    }


def test_modules_stay_small() -> None:
    lines = {module: len(path.read_text().splitlines()) for module, path in PATHS.items()}
    assert {module: count for module, count in lines.items() if count > 360} == {}


def unsaying(tree: ast.AST) -> Iterator[str]:
    """Parameters, and variables that live for more than a few lines, whose names do not say what they hold."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = function.args
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if argument.arg in SAY_NOTHING:
                yield f"{function.name}, line {argument.lineno}: the parameter {argument.arg}"
        for node in ast.walk(function):
            end = (node.end_lineno if isinstance(node, ast.For) else function.end_lineno) or 0
            targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, _BINDING) else []
            for name in (name for target in targets for name in ast.walk(target)):
                if isinstance(name, ast.Name) and name.id in SAY_NOTHING and end - name.lineno > _FEW_LINES:
                    yield f"{function.name}, line {name.lineno}: {name.id}"


SAY_NOTHING = frozenset({"it", "made", "mine", "obj", "one", "stuff", "that", "thing", "this", "tmp", "two"})
"""Names that would fit anything. In a comprehension the eye has what it goes through; over many lines it has not."""
_BINDING = (ast.For, ast.AnnAssign)
_FEW_LINES = 5


@pytest.mark.long
def test_names_of_parameters_and_of_what_lives_long_say_what_they_hold() -> None:
    found = {module: list(unsaying(ast.parse(path.read_text()))) for module, path in PATHS.items()}
    assert {module: names for module, names in found.items() if names} == {}


def test_a_name_that_says_nothing_would_be_found() -> None:
    loop = "def add(one):\n    for one in []:\n" + "        pass\n" * 6
    assert list(unsaying(ast.parse(loop))) == ["add, line 1: the parameter one", "add, line 2: one"]
    assert not list(unsaying(ast.parse("def add(row):\n    for one in row:\n        pass\n")))
