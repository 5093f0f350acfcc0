"""The service with its planner replaced by plans that were made before: the ceiling of what the service can reach.

python -m bench.served serve --port 0
"""

from __future__ import annotations

from itertools import cycle

import msgspec

from bench.measure import NeverSeen
from careplan.cli.main import main
from careplan.planner import Planner
from careplan.request.patient import Patient
from careplan.rulebook.load import load, shipped

PLANS = 60

if __name__ == "__main__":
    _planner = Planner(load(shipped()))
    _plans = cycle([_planner.plan(_planner.intake.decode(body)) for body in NeverSeen(2, _planner.book).some(PLANS)])
    _encode = msgspec.json.Encoder().encode

    def constant(_: Planner, _patient: Patient) -> bytes:
        """A plan made before; encoded now, as a planner that costs nothing would have it encoded."""
        return _encode(next(_plans))

    Planner.encoded = constant  # type: ignore[assignment, method-assign]
    main()
