"""Each call that a document shows is answered as it stands there, from a folder with the examples."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"^ +(?:\| )?(curl (?:[^\\\n]|\\[^\n]|\\\n)*)", re.MULTILINE)
ADDRESS = re.compile(r"(?:http://)?(?:127\.0\.0\.1|localhost):8000")
ENDS = {">", "|"}


def calls() -> list[tuple[str, list[str]]]:
    """Every `curl` of a document, with its name and its words up to where another program goes on."""
    found = []
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for at, shown in enumerate(SHOWN.findall(page.read_text())):
            words = shlex.split(shown.replace("\\\n", " "), comments=True)
            end = next((place for place, word in enumerate(words) if word in ENDS), len(words))
            if ADDRESS.search(shown) and "@-" not in words:
                found.append((f"{page.stem} {at + 1}", words[:end]))
    return found


CALLS = calls()


def test_documents_show_calls() -> None:
    assert len(CALLS) > 6


@pytest.mark.parametrize("words", [pytest.param(words, id=name) for name, words in CALLS])
def test_a_call_that_a_document_shows_is_answered(address: str, tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "patients.ndjson").write_text("{}\n")
    called = [ADDRESS.sub(address, word) for word in words]
    told = ["--write-out", "\n%{http_code}", "--max-time", "100"]
    done = subprocess.run([*called, *told], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("\n200"), done.stdout[-600:]
