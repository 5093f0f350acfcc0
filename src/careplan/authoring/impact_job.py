"""The work of comparing two rulebooks, as workers are told it."""

from __future__ import annotations

import msgspec

from careplan.authoring.impact import Scale, Weighed
from careplan.batch.jobs import Files, Work, digest_of, unpacked
from careplan.batch.ndjson import Limits
from careplan.planner import Planner
from careplan.request.patient import ClinicDefaults
from careplan.rulebook.model import Rulebook


class WeighJob(msgspec.Struct, frozen=True):
    """Compare the plans of two rulebooks."""

    before: Files
    after: Files
    defaults: ClinicDefaults
    limits: Limits

    @property
    def name(self) -> str:
        """One name for equal jobs."""
        return digest_of(self)

    def start(self) -> Work[list[Weighed]]:
        """Read both rulebooks; gives what compares."""
        return weighing(unpacked(self.before), unpacked(self.after), self.defaults, limits=self.limits)


def weighing(before: Rulebook, after: Rulebook, defaults: ClinicDefaults, *, limits: Limits) -> Work[list[Weighed]]:
    """What compares the plans that two rulebooks make for each line.

    `defaults` are the clinic's, for lines that bring none; `limits` says how long a line may be.
    """
    planners = Planner(before), Planner(after)
    scale = Scale(*planners, defaults, limits=limits)
    return Work(lambda lines: [scale.weigh(line) for line in lines], planners)
