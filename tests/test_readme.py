"""What README.md shows of the service is what the service does."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

from rich.console import Console

from careplan.formats.text import write
from careplan.planner import Planner

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
EXAMPLE = ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json"
SAMPLE = re.compile(r"(<!-- the front page of an example -->\n\n```text\n)(.*?)(```\n)", re.DOTALL)
COLUMNS = 100


def front_page(planner: Planner) -> str:
    """The front page of the example as a terminal shows it, without the line of digests, which change with every rule."""
    patient = planner.intake.decode(EXAMPLE.read_bytes())
    printed = io.StringIO()
    write(planner.plan(patient), patient, Console(file=printed, width=COLUMNS), detail="front", reader="clinician")
    lines = [line.rstrip() for line in printed.getvalue().splitlines()]
    return "".join(f"{line}\n" for line in lines if not line.startswith("Standing protocol "))


def test_the_front_page_in_the_readme_is_the_one_of_the_example(planner: Planner) -> None:
    page, text = front_page(planner), README.read_text()
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        README.write_text(SAMPLE.sub(lambda found: found[1] + page + found[3], text))
        return
    (shown,) = SAMPLE.findall(text)
    assert shown[1] == page, "run this test with CAREPLAN_WRITE_GOLDEN=1 to write the page again, and read it"
