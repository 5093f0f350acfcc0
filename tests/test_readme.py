"""What README.md shows of the service is what the service does."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from rich.console import Console

from careplan.formats.text import write
from careplan.planner import Planner

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
EXAMPLE = ROOT / "examples" / "signed-protocol-as-needed-lorazepam.json"
COLUMNS = 100
LEAFLET = "For the person who takes you home"


def front_page(planner: Planner) -> str:
    """The front page of the example as a terminal shows it, without the line of digests, which change with every rule."""
    return "".join(line for line in printed(planner, "clinician") if not line.startswith("Standing protocol "))


def card(planner: Planner) -> str:
    """The patient's card of the example, without the leaflet behind it."""
    lines = printed(planner, "patient")
    return "".join(lines[: next(at for at, line in enumerate(lines) if line.startswith(LEAFLET))])


def request(_planner: Planner) -> str:
    """The request of the example, one answer a line as far as that fits."""
    return "\n".join(laid_out(json.loads(EXAMPLE.read_bytes()))) + "\n"


def printed(planner: Planner, reader: Any) -> list[str]:
    patient = planner.intake.decode(EXAMPLE.read_bytes())
    out = io.StringIO()
    write(planner.plan(patient), patient, Console(file=out, width=COLUMNS), detail="front", reader=reader)
    return [f"{line.rstrip()}\n" for line in out.getvalue().splitlines()]


def laid_out(value: Any, before: str = "", depth: int = 0) -> list[str]:
    """JSON with each object and list on a line of its own where it fits and is not the whole."""
    short = f"{'  ' * depth}{before}{json.dumps(value)}"
    if depth and len(short) < COLUMNS:
        return [short]
    pairs = (
        [(f"{json.dumps(key)}: ", part) for key, part in value.items()]
        if isinstance(value, dict)
        else [("", part) for part in value]
    )
    opens, closes = "{}" if isinstance(value, dict) else "[]"
    lines = [f"{'  ' * depth}{before}{opens}"]
    for at, (name, part) in enumerate(pairs, 1):
        inner = laid_out(part, name, depth + 1)
        inner[-1] += "," if at < len(pairs) else ""
        lines += inner
    return [*lines, f"{'  ' * depth}{closes}"]


@pytest.mark.parametrize(
    ("name", "kind", "made"),
    [
        ("request of an example", "json", request),
        ("front page of an example", "text", front_page),
        ("card of an example", "text", card),
    ],
)
def test_what_the_readme_shows_of_the_example_is_what_the_service_makes_of_it(
    name: str, kind: str, made: Callable[[Planner], str], planner: Planner
) -> None:
    sample = re.compile(rf"(<!-- the {name} -->\n\n```{kind}\n)(.*?)(```\n)", re.DOTALL)
    shown, text = made(planner), README.read_text()
    if os.environ.get("CAREPLAN_WRITE_GOLDEN"):
        README.write_text(sample.sub(lambda found: found[1] + shown + found[3], text))
        return
    ((_, there, _),) = sample.findall(text)
    assert there == shown, "run this test with CAREPLAN_WRITE_GOLDEN=1 to write it again, and read it"


def test_the_request_in_the_readme_is_the_file_that_it_names() -> None:
    text = README.read_text()
    (shown,) = re.findall(r"<!-- the request of an example -->\n\n```json\n(.*?)```\n", text, re.DOTALL)
    assert json.loads(shown) == json.loads(EXAMPLE.read_bytes())
    assert f"examples/{EXAMPLE.name}" in text


def test_every_picture_that_is_shown_lies_where_it_is_said_to() -> None:
    for page in (README, *sorted((ROOT / "docs").glob("*.md"))):
        for name in re.findall(r"\]\(([^)]*\.png)\)", page.read_text()):
            assert (page.parent / name).read_bytes().startswith(b"\x89PNG"), (page, name)


@pytest.mark.long
def test_the_pictures_can_be_taken_anew_and_show_something(tmp_path: Path) -> None:
    subprocess.run([ROOT / "scripts" / "screenshots", tmp_path], cwd=ROOT, check=True, timeout=300)
    committed = {path.name for path in (ROOT / "docs" / "images").glob("*.png")}
    assert {path.name for path in tmp_path.iterdir()} == committed == {"front.png", "card.png", "try.png", "workbench.png"}
    for path in tmp_path.iterdir():
        with Image.open(path) as picture:
            width, height = picture.size
            colours = picture.convert("RGB").getcolors(1 << 16)
        assert 600 <= width <= 1_600, path.name
        assert 400 <= height <= 2_400, path.name
        assert 5_000 < path.stat().st_size < 150_000, path.name
        assert colours is not None
        assert 3 < len(colours) <= 16, path.name
