"""What makes a rule fit to run, beyond the form of its file: sources, texts, asks, and the floors of `wording`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from careplan.rulebook import forbidden_wording
from careplan.rulebook.codes import Codes, DiagnosisCode, ObservationCode
from careplan.rulebook.conditions import Group, Path, Pattern, Test, tests_of
from careplan.rulebook.courses import check_courses
from careplan.rulebook.dated_texts import Under
from careplan.rulebook.derived import Derived, asserted, known_with
from careplan.rulebook.factors import KINDS
from careplan.rulebook.layer_checks import cards_of, check_layers, check_layers_of_all
from careplan.rulebook.model import Condition, Rule, Rulebook
from careplan.rulebook.presumption import FaultList, check_certainty
from careplan.rulebook.reviews import check_active, standing_of
from careplan.rulebook.source_checks import check_exemption
from careplan.rulebook.text_template import Text

HUMANS_OF_THE_CLINIC = frozenset({"clinic", "clinician", "on_call_clinician"})
AT_ONCE = frozenset({"now", "same_day"})
EVERYWHERE = frozenset({"crisis", "emergency"})
"""What any text may fill in: the crisis line and the emergency number of where the clinic is."""
SLOTS: Mapping[str, tuple[str, ...]] = {
    "medicine": ("medicine", "ingredient", "class"),
    "shared_class": ("class", "medicines", "shared_class.count"),
    "medicine_check": ("entry", "suggestions", "fields_and_text"),
    "condition": ("condition", "which_medicine"),
    "goal": ("goal", "goal_example"),
    "protocol": ("approved_by", "doubtful"),
    "entries": ("unread", "known", "contradicted", "danger", "grave"),
    "measure_check": ("measure", "reading", "plausible"),
}
"""The words a text may fill in, by the kind of fact that brings them."""


def check_rule(book: Rulebook, rule: Rule, note: FaultList, ids: frozenset[str]) -> None:
    """Note every fault of one rule. `ids` are those of all rule files, also of files that cannot be read."""
    _check_sources(book, rule, note, ids)
    check_active(rule, standing_of(rule, book), note)
    check_exemption(rule.file, note)
    _check_asks(rule, note)
    _check_reach(rule, note)
    _check_slots(book, rule, note)
    check_certainty(rule, book.derived, note)
    check_layers(book, rule, note)
    _check_wording(book, rule, note)
    for at, of_some_days in enumerate(rule.by_day):
        under = Under(note, at)
        _check_slots(book, of_some_days, under)
        check_layers(book, of_some_days, under)
        _check_wording(book, of_some_days, under)


def check_rulebook(book: Rulebook, notes: Mapping[str, FaultList]) -> None:
    """Note what only the whole rulebook can show: rules that say the same, and fields without words."""
    check_layers_of_all(book, notes)
    for kind, described in book.kinds.items():
        for field in described.fields:
            if f"{kind}.{field}" not in book.vocabulary.fields:
                raise_to = next(iter(notes.values()), None)
                if raise_to is not None:
                    raise_to.fault(
                        (),
                        f"vocabulary.yaml has no words for {kind}.{field}.",
                        "Add an entry under fields.",
                        code="no-words",
                    )


def check_codes(codes: Codes, conditions: Mapping[str, Condition] | None, note: FaultList) -> None:
    """Note every code that leads to a factor or an answer that no request has."""
    if conditions is not None:
        check_courses(codes, conditions, note)
    reasons = KINDS["medicine"].fields["indication"].tokens
    for name in codes.indications.keys() - set(reasons):
        mend = f"Use one of {', '.join(reasons)}."
        note.fault(("indications", name), f"No request can say that a medicine is for {name}.", mend, code="unknown-token")
    for at, diagnosis in enumerate(codes.diagnoses):
        _check_code(diagnosis, ("diagnoses", at, "factor"), note)
    for at, observation in enumerate(codes.observations):
        _check_code(observation, ("observations", at, "factor"), note)
    treatment = KINDS["treatment"].fields
    said = (("routes", codes.routes, "preferred_route"), ("treatments", codes.treatments.values(), "product"))
    for part, found, field in said:
        for token in set(found) - set(treatment[field].tokens):
            mend = f"Use one of {', '.join(treatment[field].tokens)}."
            note.fault((part,), f"No request has {token} as treatment.{field}.", mend, code="unknown-token")


def _check_code(entry: DiagnosisCode | ObservationCode, place: Path, note: FaultList) -> None:
    kind, _, field = entry.factor.rpartition(".")
    described = KINDS[kind or "patient"].fields.get(field) if (kind or "patient") in KINDS else None
    if described is None or not described.sent:
        note.fault(place, f"No request has {entry.factor}.", "Name a factor of the request.", code="unknown-field")
    elif (described.type == "number") == bool(entry.values) or entry.values.keys() - set(described.tokens):
        mend = "Give units for a number, and for a choice only the answers it has."
        note.fault(place, f"These answers do not fit {entry.factor}.", mend, code="unknown-token")
    elif isinstance(entry, ObservationCode) and described.type == "number" and entry.units.keys() != set(entry.loinc):
        mend = "Give the units of each LOINC code, and of no other."
        note.fault(place, f"The units do not fit the codes of {entry.factor}.", mend, code="unknown-token")


def requires(group: Group, kind: str, field: str, *values: str | bool) -> bool:
    """True when every match of `group` has a fact of `kind` whose `field` is known to be one of `values`."""
    return any(
        isinstance(test, Test) and test.field == field and test.operation == "one_of" and set(test.values) <= set(values)
        for pattern in group
        if pattern.kind == kind
        for test in pattern.tests.parts
    )


def concerns(rule: Rule, token: str, derived: Mapping[str, Derived]) -> bool:
    """True when the rule is about medicines of the class or ingredient `token`, also by what it says of derived facts."""
    return any(
        token in test.values and test.operation in ("has_any", "has_all", "one_of")
        for group in rule.when
        for tested in group
        for pattern in (tested, *(part for one in asserted(derived, tested) if one.when for part in one.patterns))
        if pattern.kind in ("medicine", "shared_class")
        for test in tests_of(pattern.tests)
        if test.field in ("class", "ingredient")
    ) or any(requires(group, "goal", f"names_{token}", True) for group in rule.when)  # noqa: FBT003


def _check_sources(book: Rulebook, rule: Rule, note: FaultList, ids: frozenset[str]) -> None:
    for at, ref in enumerate(rule.file.sources):
        source = book.sources.get(ref.source)
        if source is None:
            note.fault(
                ("sources", at, "source"),
                f"There is no source {ref.source}.",
                "Add it to sources.yaml or correct the id.",
                code="unknown-source",
            )
        elif source.advice and ref.place not in source.advice:
            note.fault(
                ("sources", at, "place"),
                f"{ref.source} has no place {ref.place}.",
                "See its list of advice in sources.yaml.",
                code="unknown-place",
            )
    for at, other in enumerate(rule.file.related):
        if other not in ids:
            note.fault(("related", at), f"There is no rule {other}.", "Correct the id or take it out.", code="unknown-rule")


def _check_asks(rule: Rule, note: FaultList) -> None:
    asks = rule.file.then.asks
    if rule.file.level in ("stop", "hold") and not asks:
        note.fault(("then",), f"A rule of level {rule.file.level} must say who does what.", "Add asks.", code="asks")
    if rule.file.level == "stop" and not any(ask.who in HUMANS_OF_THE_CLINIC and ask.by in AT_ONCE for ask in asks):
        note.fault(
            ("then", "asks"),
            "A stop needs a human of the clinic who acts now or the same day.",
            "Add such an ask.",
            code="asks",
        )


def _check_reach(rule: Rule, note: FaultList) -> None:
    for_all = any(pattern.kind == "everyone" for group in rule.when for pattern in group)
    if for_all and not rule.file.for_everyone:
        note.fault(("when",), "A rule for every patient must say why.", "Add for_everyone with the reason.", code="everyone")
    if rule.file.for_everyone and not for_all:
        note.fault(("for_everyone",), "Only a rule with `when: everyone` has this field.", "Take it out.", code="everyone")
    if not for_all and not rule.file.examples.silent:
        note.fault(
            ("examples",),
            "A rule with conditions needs a patient for whom it stays silent.",
            "Add examples.silent.",
            code="no-silent-example",
        )


def _check_slots(book: Rulebook, rule: Rule, note: FaultList) -> None:
    offered = set(EVERYWHERE)
    for at, group in enumerate(rule.when):
        here = set(EVERYWHERE)
        for pattern in group:
            here.update(SLOTS.get(pattern.kind, ()))
            here.update(_known_fields(pattern))
            here.update(known_with(book.derived, pattern))
        if requires(group, "medicine", "hold_question", "open"):
            here.add("hold")
        if any(pattern.kind == "medicine" for pattern in group):
            here.add("hold_gate")
        if requires(group, "medicine", "gap_too_long", *_TRUE):
            here |= {"gap", "gap_limit"}
        offered = here if at == 0 else offered & here
    texts = [
        (("title",), rule.title),
        (("then", "patient"), rule.patient),
        (("then", "clinician"), rule.clinician),
        (("line",), rule.line),
        *cards_of(rule),
        *((("then", "asks", at, "what"), text) for at, (_, text) in enumerate(rule.asks)),
    ]
    for path, text in texts:
        quotes_hold = path in (("then", "patient"), ("then", "clinician"))
        here = offered if quotes_hold else offered - {"hold"}
        if path not in (("then", "clinician"), ("line",)):
            here = {name for name in here if name not in _FOR_CLINICIANS and not is_a_dose(name)}
        for name in sorted(text.names - here):
            if name in _FOR_CLINICIANS & offered:
                problem = f"{{{name}}} names what only a clinician may read."
                note.fault(path, problem, "Say it in the clinician's text.", code="hours")
            elif name == "hold":
                note.fault(
                    path,
                    "{hold} may stand only where hold_question is known to be open.",
                    "Test hold_question: open.",
                    code="slot",
                )
            else:
                note.fault(
                    path,
                    f"{{{name}}} is not known whenever this rule holds.",
                    f"There is {', '.join(sorted(offered))}.",
                    code="slot",
                )


_TRUE = (True,)
_FOR_CLINICIANS = frozenset({"hold_gate", "gap", "gap_limit", "fields_and_text"})
"""Names that are filled in with hours or doses, whether or not a patient may read them."""


def is_a_dose(name: str) -> bool:
    """Whether a placeholder is filled in with a dose, which no patient reads."""
    kind, _, field = name.partition(".")
    return kind in KINDS and field in KINDS[kind].fields and KINDS[kind].fields[field].between


def _check_translation(language: str, text: str, note: FaultList) -> None:
    """A translation fills in nothing but whom to call: what else is filled in is English. The nevers hold in it as well."""
    path: Path = ("then", "in_languages", language, "patient")
    try:
        names = Text.parse(text).names
    except ValueError as error:
        note.fault(path, f"The braces of this text cannot be read: {error}.", "Write {crisis}.", code="braces")
        return
    if names - EVERYWHERE:
        problem = "A translation can fill in {crisis} and {emergency} only."
        note.fault(path, problem, "Say it without the other names.", code="slot")
    if forbidden_wording.orders_a_change_in(language, text):
        note.fault(path, "This reads as an order to change a medicine.", "Say who decides.", code="order-to-patient")
    if forbidden_wording.names_a_dose(text):
        note.fault(path, "This names a dose.", "A plan never gives a dose; take it out.", code="dose")


def _known_fields(pattern: Pattern) -> Iterator[str]:
    for test in pattern.tests.parts:
        if not isinstance(test, Test) or test.operation in ("unknown", "one_of_or_unknown"):
            continue
        if KINDS[pattern.kind].field(test.field).type != "tokens":
            yield f"{pattern.kind}.{test.field}"


def _check_wording(book: Rulebook, rule: Rule, note: FaultList) -> None:
    then = rule.file.then
    patient_path: Path = ("then", "patient")
    texts: tuple[tuple[Path, str], ...] = ((patient_path, then.patient), (("then", "clinician"), then.clinician))
    _check_patient_wording(rule, then.patient, patient_path, note)
    for path, text in texts:
        for word in forbidden_wording.oversells(text):
            note.fault(
                path,
                f"The word {word} sells an estimate as a fact.",
                "Name its author, and the published range next to it.",
                code="oversold",
            )
        if forbidden_wording.names_a_ketamine_dose(text):
            note.fault(path, "This names a dose by weight.", "A plan never gives a dose; take it out.", code="dose")
    for language, translation in then.in_languages.items():
        if translation.patient is not None:
            _check_translation(language, translation.patient, note)
    for token, warns, what in (
        ("benzodiazepine", forbidden_wording.warns_of_withdrawal, "withdrawal, including seizures"),
        ("lamotrigine", forbidden_wording.warns_of_rash, "missed doses and the risk of a rash"),
    ):
        if not concerns(rule, token, book.derived):
            continue
        for path, text in texts:
            if not warns(text):
                note.fault(path, f"A rule about {token} must warn of {what}.", "Add the warning.", code="warning")
            if "prescriber" not in text.lower() or "clinic" not in text.lower():
                note.fault(
                    path, f"A rule about {token} must name the prescriber and the clinic.", "Name both.", code="warning"
                )


def _check_patient_wording(rule: Rule, patient: str, patient_path: Path, note: FaultList) -> None:
    """What the patient reads orders no change of a medicine, names no dose, and no hours beside a medicine."""
    if sentence := forbidden_wording.orders_a_change(patient):
        note.fault(
            patient_path,
            f"This reads as an order to change a medicine: {sentence}",
            "Say what to discuss, and with whom.",
            code="order-to-patient",
        )
    if forbidden_wording.names_a_dose(patient):
        note.fault(patient_path, "This names a dose.", "A plan never gives a dose; take it out.", code="dose")
    tests_hold = any(
        test.field == "hold_question" for group in rule.when for pattern in group for test in tests_of(pattern.tests)
    )
    if tests_hold and forbidden_wording.names_hours(patient):
        note.fault(
            patient_path,
            "This names hours beside a medicine.",
            "Only {hold} may, from the clinic's signed protocol.",
            code="hours",
        )
