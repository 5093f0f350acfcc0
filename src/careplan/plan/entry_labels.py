"""Which entry of the medicines something is about, in words."""

from __future__ import annotations

from careplan.plan.medicine_model import MedicineRead
from careplan.plan.model import CarePlan, Question
from careplan.request.patient import Patient


def medicine_words(read: MedicineRead, patient: Patient) -> str:
    """What an entry of the medicines was recognized as; of one that was not, what was sent."""
    if read.recognized_as:
        return read.recognized_as
    entry = (patient.medications or [])[read.index]
    sent = f"“{' '.join(entry.written.split())}”" if entry.written else f"RxNorm code {entry.rxcui}"
    return sent if read.recognition == "known" else f"{sent} (not recognized)"


def question_words(question: Question, plan: CarePlan, patient: Patient) -> str:
    """A question, with the medicine in brackets where it is about one."""
    kind, _, rest = question.pointer.strip("/").partition("/")
    index, _, field = rest.partition("/")
    if kind != "medications" or not field:
        return question.question
    return f"{question.question} [{medicine_words(plan.medications[int(index)], patient)}]"
