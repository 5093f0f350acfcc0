"""The texts of a rule file, split at their placeholders."""

from __future__ import annotations

from careplan.rulebook.model import RuleFile
from careplan.rulebook.text_template import Text
from careplan.rulebook.yaml_and_csv import Document


def texts_of(document: Document, file: RuleFile) -> tuple[Text, Text, Text, tuple[Text, ...]] | None:
    """Title, patient text, clinician text and tasks of a rule; None where braces cannot be read, which is noted."""
    sources = [
        (("title",), file.title),
        (("then", "patient"), file.then.patient),
        (("then", "clinician"), file.then.clinician),
        *((("then", "asks", at, "what"), ask.what) for at, ask in enumerate(file.then.asks)),
    ]
    parsed = []
    for path, source in sources:
        try:
            parsed.append(Text.parse(source))
        except ValueError as error:
            document.fault(
                path,
                f"The braces of this text cannot be read: {error}.",
                "Write {name} around a name to fill in.",
                code="braces",
            )
    if len(parsed) != len(sources):
        return None
    title, patient, clinician, *asks = parsed
    return title, patient, clinician, tuple(asks)
