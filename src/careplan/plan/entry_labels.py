"""Which entry of the medicines something is about, in words."""

from __future__ import annotations

from careplan.plan.illness_model import IllnessEntryRead
from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import CarePlan, Question
from careplan.request.patient import Patient
from careplan.rulebook.text_template import in_words, one_line


def medicine_words(read: MedicineRead, patient: Patient) -> str:
    """What an entry of the medicines was recognized as; of one that was not, what was sent."""
    if read.recognized_as:
        return read.recognized_as
    entry = (patient.medications or [])[read.index]
    sent = f"“{one_line(entry.written)}”" if entry.written else f"RxNorm code {entry.rxcui}"
    return sent if read.recognition == "known" else f"{sent} (not recognized)"


def illness_words(read: IllnessEntryRead) -> str:
    """What an entry of the other conditions was read as, behind what was written."""
    written = f"“{one_line(read.written)}”"
    if read.recognition == "known":
        return f"{written}: known, no rule looks at it"
    said = in_words(read.recognized_as)
    if read.recognition == "unread":
        return f"{written}: {said}; the rest was not read" if said else f"{written} (not recognized)"
    return f"{written}: {said}" if said else f"{written}: nothing that rules look at"


def question_words(question: Question, plan: CarePlan, patient: Patient) -> str:
    """A question, with the medicine in brackets where it is about one."""
    kind, _, rest = question.pointer.strip("/").partition("/")
    index, _, field = rest.partition("/")
    if kind != "medications" or not field:
        return question.question
    return f"{question.question} [{medicine_words(plan.medications[int(index)], patient)}]"
