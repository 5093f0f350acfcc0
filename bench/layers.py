"""How long the layers of a plan are, for made-up patients who look like those of a clinic: words, actions and bytes.

python -m bench.layers          # 1,000 patients
python -m bench.layers 100
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping

import msgspec

from careplan.authoring.realistic_patients import realistic
from careplan.formats.json import document
from careplan.plan.card import words_on
from careplan.plan.front import words_in
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.rulebook.load import load, shipped

WORDS_A_MINUTE = 220
MOST: Mapping[str, int] = {"words of the front": 350, "words of the card": 400, "actions on the card": 5}
"""What nobody's plan may have more of."""


def measured(count: int) -> dict[str, list[int]]:
    """For each figure its value for each of so many patients."""
    book = load(shipped())
    planner = Planner(book)
    plans = [planner.plan(planner.intake.decode(msgspec.json.encode(body))) for body in realistic(book, count)]
    found: dict[str, list[int]] = {}
    for plan in plans:
        for name, value in _figures(plan).items():
            found.setdefault(name, []).append(value)
    planner.close()
    return found


def _figures(plan: CarePlan) -> dict[str, int]:
    lines = [line for _, found in plan.card.parts() for line in found]
    shown = [item for section in plan.sections for item in section.items if item.scope != "standing"]
    return {
        "words of the front": words_in(plan.front),
        "words of the card": words_on(plan.card),
        "actions on the card": sum(line.does for line in lines),
        "decisions on the front": len(plan.front.decisions),
        "items behind the front": len(plan.alerts) + len(shown),
        "bytes with detail=front": len(document(plan, "front")),
        "bytes with detail=standard": len(document(plan, "standard")),
        "bytes with detail=full": len(document(plan, "full")),
    }


def main(count: int) -> int:
    """Print the median and the most of each figure; 1 where a plan is longer than any may be."""
    found = measured(count)
    print(f"{'of ' + str(count) + ' patients':<28}{'median':>10}{'most':>10}")
    for name, values in found.items():
        print(f"{name:<28}{statistics.median(values):>10,.0f}{max(values):>10,}")
    minutes = statistics.median(found["words of the front"]) / WORDS_A_MINUTE
    print(f"Reading the front takes {minutes:.1f} minutes at {WORDS_A_MINUTE} words a minute.")
    return int(any(max(found[name]) > most for name, most in MOST.items()))


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
