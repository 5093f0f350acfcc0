"""Faults of a rulebook as machines read them: plain JSON, and SARIF 2.1.0 for editors and code hosts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from careplan.errors import RuleFault

Json = dict[str, Any]


def as_sarif(faults: Sequence[RuleFault], warnings: Sequence[RuleFault], version: str) -> Json:
    """The SARIF log of one check. Paths are relative to the folder of the rulebook."""
    codes = sorted({fault.code for fault in (*faults, *warnings)})
    results = [_result(fault, "error") for fault in faults] + [_result(fault, "warning") for fault in warnings]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "careplan",
                        "version": version,
                        "rules": [{"id": code, "name": code.title().replace("-", "")} for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _result(fault: RuleFault, level: str) -> Json:
    where = f"{fault.field}: " if fault.field else ""
    return {
        "ruleId": fault.code,
        "level": level,
        "message": {"text": f"{where}{fault.problem} {fault.mend}".strip()},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": fault.file},
                    "region": {"startLine": fault.line},
                }
            }
        ],
    }
