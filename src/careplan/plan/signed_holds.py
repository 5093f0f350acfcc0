"""The clinic's signed holds for the medicines of one patient: which one concerns a medicine, and what a plan says of it."""

from __future__ import annotations

from careplan.facts.case import Case, Fact
from careplan.facts.hold_question import hold_for
from careplan.facts.hold_windows import Window, longest, misses_no_dose
from careplan.plan.hold_sentences import HoldSentences
from careplan.plan.model import SignedHold
from careplan.recognition.medicine_catalogue import Resolved
from careplan.request.patient import Hold
from careplan.rulebook.text_template import hours, one_line


class SignedHolds:
    """The holds of the protocol that came with a request, for the medicines of its patient."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def of(self, fact: Fact) -> Hold | None:
        """The hold for a medicine, whether or not a plan may speak of it."""
        protocol = self._case.patient.protocol
        return hold_for(fact.ingredient, protocol.holds) if protocol and fact.ingredient else None

    def is_doubtful(self, hold: Hold) -> bool:
        """Whether a hold lies outside of what the rulebook takes for plausible."""
        protocol = self._case.patient.protocol
        if protocol is None or not self._case.doubts:
            return False
        pointer = f"/protocol/holds/{protocol.holds.index(hold)}"
        return any(doubt.pointer == pointer for doubt in self._case.doubts)

    def shown(self, fact: Fact) -> SignedHold | None:
        """The hold for a medicine, only where the plan may speak of one."""
        if fact.kind != "medicine" or fact.properties.get("hold_question") != "open":
            return None
        hold = self.of(fact)
        if hold is None or self.is_doubtful(hold):
            return None
        return SignedHold(
            drug_class=hold.drug_class,
            before_hours=hold.before_hours,
            after_hours=hold.after_hours,
            approved_by=hold.approved_by,
        )

    def sentences(self, fact: Fact, sentences: HoldSentences) -> tuple[str, str]:
        """What the plan says of a hold to patient and clinician: the signed one quoted, or that it is undecided.

        A signed one that lies between two doses of a medicine taken once a day misses none, and says so.
        """
        hold = self.of(fact)
        if hold is None:
            return sentences.undecided
        words = {
            "approved_by": one_line(hold.approved_by),
            "before": hours(hold.before_hours),
            "after": hours(hold.after_hours),
        }
        if self.is_doubtful(hold):
            return sentences.undecided[0], sentences.doubtful.fill(words)
        patient, clinician = sentences.between_doses if self.lies_between_doses(fact, hold) else sentences.signed
        for_patient, for_clinician = patient.fill(words), clinician.fill(words)
        if window := self.joining(hold):
            for_patient = f"{for_patient} {sentences.joined[0]}"
            for_clinician = f"{for_clinician} {sentences.joined[1].fill({'joined': hours(window.hours)})}"
        return for_patient, for_clinician

    def joining(self, hold: Hold) -> Window | None:
        """The longest time that the windows around several sessions join to; None where none of them touch."""
        window = longest(hold, self._case.patient.treatment.session_times or ())
        return window if window and window.hours > hold.before_hours + hold.after_hours else None

    def lies_between_doses(self, fact: Fact, hold: Hold) -> bool:
        """Whether the time of a hold lies between two doses of a medicine that is taken every day.

        It does not where an entry tells of more than one dose a day, or where several entries name the medicine.
        """
        entries = [
            one for one in self._case.medicines if one.taken and one.match and fact.ingredient in one.match.ingredients
        ]
        if fact.properties.get("schedule") != "daily" or len(entries) > 1 or any(map(_more_than_once_a_day, entries)):
            return False
        return misses_no_dose(hold, self._case.patient.treatment.session_times or ())


def _more_than_once_a_day(entry: Resolved) -> bool:
    """Whether a text of an entry tells of more than one dose a day, or does not say of how many."""
    told = (listed for said in entry.said for listed in said.medicines if listed.frequencies_of_taking)
    return any(listed.times_a_day is None or listed.times_a_day > 1 for listed in told)
