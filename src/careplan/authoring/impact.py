"""What a change of the rulebook does to many patients: whose plans differ, in what, and because of which rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec

from careplan.batch.answer_lines import Reader
from careplan.batch.ndjson import NORMAL, Limits, Line
from careplan.errors import InvalidPatient
from careplan.explain.plan_diff import Difference, difference
from careplan.fhir.read.bundle import with_unmapped
from careplan.plan.model import CarePlan
from careplan.planner import Planner
from careplan.request.patient import NO_DEFAULTS, ClinicDefaults


class RuleImpact(msgspec.Struct, frozen=True, kw_only=True):
    """In how many plans items of one rule are new, gone or changed."""

    rule: str
    new: int
    gone: int
    changed: int


class Sample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One patient, by the number of their line, whose plan differs, and how; of several files, in which."""

    file: str = ""
    patient: int
    difference: Difference


class Refused(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line that is no patient for the older or the newer rulebook, and why."""

    file: str = ""
    patient: int
    by: str
    faults: list[str]


class Impact(msgspec.Struct, frozen=True, kw_only=True):
    """The effect on a whole cohort. `statuses` counts by status before and after, such as "draft to blocked"."""

    patients: int
    differing: int
    statuses: dict[str, int]
    rules: list[RuleImpact]
    decisions: dict[str, int]
    samples: list[Sample]
    refused: list[Refused]


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """One line under both rulebooks: how the plans differ, or who refuses the patient and why."""

    number: int
    difference: Difference | None
    refused: list[tuple[str, list[str]]] = []


class Scale:
    """Plans for one patient after the other with two rulebooks."""

    def __init__(
        self, before: Planner, after: Planner, defaults: ClinicDefaults = NO_DEFAULTS, *, limits: Limits = NORMAL
    ) -> None:
        self._sides = [
            (name, planner, Reader(planner, defaults, limits)) for name, planner in (("before", before), ("after", after))
        ]

    def weigh(self, line: Line) -> Weighed:
        """Compare the plans for one line."""
        plans: list[CarePlan] = []
        refused: list[tuple[str, list[str]]] = []
        for by, planner, reader in self._sides:
            try:
                body = reader.parse(line)
                reader.key(body)
                patient, read = reader.patient(body)
            except InvalidPatient as error:
                refused.append((by, [f"{fault.pointer or '(the line)'}: {fault.detail}" for fault in error.faults]))
            else:
                plans.append(with_unmapped(planner.plan(patient), read))
        if refused:
            return Weighed(number=line.number, difference=None, refused=refused)
        return Weighed(number=line.number, difference=difference(*plans))


class Weighing:
    """Sums up what was found of one patient after the other."""

    def __init__(self, *, samples: int = 5) -> None:
        self._wanted = samples
        self._patients = self._differing = 0
        self._statuses: Counter[str] = Counter()
        self._decisions: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._gone: Counter[str] = Counter()
        self._changed: Counter[str] = Counter()
        self._samples: list[Sample] = []
        self._refused: list[Refused] = []

    def add(self, weighed: Weighed, file: str = "") -> None:
        """Take note of what differs for the next patient."""
        self._patients += 1
        number = weighed.number
        self._refused += [Refused(file=file, patient=number, by=by, faults=faults) for by, faults in weighed.refused]
        found = weighed.difference
        if found is None:
            return
        self._statuses[f"{found.status.before} to {found.status.after}"] += 1
        if found.same:
            return
        self._differing += 1
        for subject, turn in found.decisions.items():
            self._decisions[f"{subject}: {turn.before} to {turn.after}"] += 1
        self._new.update({item.rule for item in found.added})
        self._gone.update({item.rule for item in found.removed})
        self._changed.update({change.item.rule for change in found.changed})
        if len(self._samples) < self._wanted:
            self._samples.append(Sample(file=file, patient=number, difference=found))

    def impact(self) -> Impact:
        """What was found so far; rules with the most effect first."""
        rules = [
            RuleImpact(rule=rule, new=self._new[rule], gone=self._gone[rule], changed=self._changed[rule])
            for rule in {*self._new, *self._gone, *self._changed}
        ]
        rules.sort(key=lambda entry: (-(entry.new + entry.gone + entry.changed), entry.rule))
        return Impact(
            patients=self._patients,
            differing=self._differing,
            statuses=_sorted(self._statuses.items()),
            rules=rules,
            decisions=_sorted(self._decisions.items()),
            samples=self._samples,
            refused=self._refused,
        )


def _sorted(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    return dict(sorted(counts, key=lambda pair: (-pair[1], pair[0])))
