"""Signing a plan: whatever was changed or left out is noticed, and nobody gets the card of a blocked plan."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from careplan.authoring.realistic_patients import realistic
from careplan.canonical import canonical, digest_of
from careplan.cli.main import main
from careplan.decision_record import parsed, record
from careplan.errors import Fault, InvalidSettings, InvalidSigning
from careplan.plan.card import MOST_WORDS, words_on
from careplan.plan.card_model import Card
from careplan.plan.model import items_of
from careplan.planner import Planner
from careplan.rulebook.load import shipped
from careplan.rulebook.model import Rulebook
from careplan.signing.keys import SigningKey, new_pair, read_public_keys, read_signing_key
from careplan.signing.read import brought
from careplan.signing.sign import signed_plan
from careplan.signing.verify import verified
from tests.everyday import one_in
from tests.plans import items_in_json
from tests.sizes import cases

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
AT, LATER = "2026-03-01T09:30:00Z", "2026-03-01T10:00:00-05:00"
BY = "Dr. A. Example, MD"
PAIR = new_pair()
KEY = SigningKey(PAIR.private)
PUBLIC = read_public_keys(PAIR.public)


def made(planner: Planner, example: str, language: str = "en") -> Json:
    patient = planner.intake.decode((EXAMPLES / f"{example}.json").read_bytes())
    found: Json = msgspec.json.decode(msgspec.json.encode(record(planner, patient, AT, language)))
    return found


def choices_of(recorded: Json) -> list[Json]:
    """The first option of every decision. Where a line of the front page has none, of its level."""
    first = {"stop": "assessed", "hold": "agreed"}
    return [
        {"items": row["items"], "option": next((one["value"] for one in row.get("options", ())), first[row["level"]])}
        for row in recorded["plan"]["front"]["decisions"]
    ]


def to_sign(recorded: Json, **other: object) -> Json:
    return {"record": recorded, "by": BY, "at": LATER, "choices": choices_of(recorded)} | other


def signed(planner: Planner, body: Json) -> Json:
    """The signed plan as it goes over a wire."""
    found: Json = msgspec.json.decode(msgspec.json.encode(signed_plan(planner, brought(body), KEY)))
    return found


def refused(planner: Planner, body: object) -> dict[str, str]:
    with pytest.raises(InvalidSigning) as caught:
        signed_plan(planner, brought(body))
    return {fault.pointer: fault.detail for fault in caught.value.faults}


def redone(recorded: Json) -> Json:
    """A record with a digest that fits what it holds now, as anybody can make one."""
    return recorded | {"digest": digest_of(recorded)}


@pytest.fixture
def ready(planner: Planner) -> Json:
    return made(planner, "daily-benzodiazepine")


@pytest.fixture
def blocked(planner: Planner) -> Json:
    return made(planner, "crisis")


# What comes back.


def test_a_signed_plan_holds_the_record_as_it_was_and_a_card_that_names_who_signed_it(planner: Planner, ready: Json) -> None:
    found = signed(planner, to_sign(ready))
    assert found["record"] == ready
    assert found["signed"] == {"by": BY, "at": LATER, "choices": choices_of(ready)}
    assert found["card"] == ready["plan"]["card"] | {"notice": f"Signed by {BY} on Sunday, March 1."}
    assert found["reproduced"] is True


def test_a_card_in_another_language_is_signed_in_it(planner: Planner) -> None:
    found = signed(planner, to_sign(made(planner, "daily-benzodiazepine", "es")))
    assert found["card"]["notice"] == f"Firmada por {BY} el domingo 1 de marzo."


def test_the_day_of_the_signature_is_that_of_the_clinic(planner: Planner) -> None:
    patient = planner.intake.decode(b'{"clinic": {"zone": "America/New_York"}}')
    recorded = msgspec.json.decode(msgspec.json.encode(record(planner, patient, AT)))
    found = signed(planner, to_sign(recorded, at="2026-03-02T03:00:00Z"))
    assert found["card"]["notice"].endswith("on Sunday, March 1.")


def test_a_note_stays_with_its_choice_and_off_the_card(planner: Planner, ready: Json) -> None:
    noted = [one | {"note": "Zyxwvut"} for one in choices_of(ready)]
    found = signed(planner, to_sign(ready, choices=noted))
    assert found["signed"]["choices"] == noted
    assert "Zyxwvut" not in json.dumps(found["card"])


def test_the_same_signature_twice_gives_the_same_bytes(planner: Planner, ready: Json) -> None:
    assert signed_plan(planner, brought(to_sign(ready)), KEY) == signed_plan(planner, brought(to_sign(ready)), KEY)


def test_a_service_without_a_key_gives_a_digest_alone(planner: Planner, ready: Json) -> None:
    found = signed_plan(planner, brought(to_sign(ready)))
    assert "signature" not in found
    assert found["digest"] == digest_of(found)


@pytest.mark.long
def test_realistic_patients_can_be_signed_once_each_stop_and_hold_has_a_choice(planner: Planner) -> None:
    for body in realistic(planner.book, 30, 21):
        patient = planner.intake.convert(body)
        recorded = msgspec.json.decode(msgspec.json.encode(record(planner, patient, AT)))
        found = signed(planner, to_sign(recorded))
        assert verified(planner, found, PUBLIC).trusted
        card = msgspec.convert(found["card"], Card)
        stops = any(item["level"] == "stop" for item in items_in_json(recorded["plan"]))
        assert (BY in card.notice) is (not stops)
        assert not stops or found["card"] == recorded["plan"]["card"]
        assert words_on(card) <= MOST_WORDS
        to_decide = {item["id"] for item in items_in_json(recorded["plan"]) if item["level"] in ("stop", "hold")}
        assert to_decide <= {id_ for one in found["signed"]["choices"] for id_ in one["items"]}
        if to_decide:
            without = [{"item": id_, "option": "postponed"} for id_ in sorted(to_decide)[1:]]
            assert len(refused(planner, to_sign(recorded, choices=without))) == 1


# A blocked plan.


def test_the_card_of_a_blocked_plan_stays_one_of_whom_to_call(planner: Planner, blocked: Json) -> None:
    found = signed(planner, to_sign(blocked))
    assert found["card"] == blocked["plan"]["card"]
    assert set(found["card"]) == {"title", "notice", "titles", "call", "crisis"}
    assert BY not in json.dumps(found["card"])


def test_a_record_that_hides_its_alert_gets_no_card_either(planner: Planner, blocked: Json, ready: Json) -> None:
    forged = json.loads(json.dumps(blocked))
    forged["plan"] |= {"status": "draft", "card": ready["plan"]["card"]}
    for book in (forged["rulebook"], forged["plan"]["rulebook"]):
        book["digest"] = "0" * 64
    found = signed(planner, to_sign(redone(forged)))
    assert found["reproduced"] is False
    assert set(found["card"]) == {"title", "notice", "titles", "call", "crisis"}
    assert all("item" not in line for line in found["card"]["call"])
    assert found["card"]["notice"] == blocked["plan"]["card"]["notice"]


def test_a_record_without_its_alerts_gets_no_card_where_todays_rulebook_has_one(
    planner: Planner, blocked: Json, ready: Json
) -> None:
    for forged in (ready | {"input": blocked["input"]}, ready | {"input": {"conditions": ["zzz"]}}):
        plan = ready["plan"] | {"rulebook": ready["rulebook"] | {"digest": "0" * 64}}
        found = signed(planner, to_sign(redone(forged | {"plan": plan, "rulebook": plan["rulebook"]})))
        assert found["reproduced"] is False
        assert set(found["card"]) == {"title", "notice", "titles", "call", "crisis"}


@pytest.mark.parametrize("option", ["agreed", "changed", "yes"])
def test_an_alert_is_signed_with_an_option_of_alerts_only(planner: Planner, blocked: Json, option: str) -> None:
    choices = choices_of(blocked)
    choices[0]["option"] = option
    assert set(refused(planner, to_sign(blocked, choices=choices))) == {"/choices/0/option"}


def test_what_stands_behind_a_decision_is_ticked_with_its_options_too(planner: Planner, blocked: Json) -> None:
    first, behind = blocked["plan"]["front"]["decisions"][0]["items"]
    others = choices_of(blocked)[1:]
    apart = [{"item": first, "option": "assessed"}, {"item": behind, "option": "declined"}]
    assert signed(planner, to_sign(blocked, choices=[*apart, *others]))
    apart[1]["option"] = "agreed"
    assert set(refused(planner, to_sign(blocked, choices=[*apart, *others]))) == {"/choices/1/option"}


# What is refused.

Change = Callable[[Json], object]


@pytest.mark.parametrize(
    ("change", "pointer", "mend"),
    [
        (lambda body: body["choices"].clear(), "/record/plan/front/decisions/0/items/0", "agreed, changed or postponed"),
        (lambda body: body["choices"][0].update(option="assessed"), "/choices/0/option", "agreed, changed or postponed"),
        (lambda body: body["choices"].append(body["choices"][0]), "/choices/1/items/0", "by /choices/0 already"),
        (lambda body: body["choices"][0]["items"].append(body["choices"][0]["items"][0]), "/choices/0/items/1", "in this"),
        (lambda body: body["choices"].append({"item": "zzz", "option": "agreed"}), "/choices/1/item", "take it out"),
        (lambda body: body["choices"].append({"option": "agreed"}), "/choices/1", "needs item or items"),
        (lambda body: body["choices"][0].update(item="a"), "/choices/0", "one of the two only"),
        (lambda body: body["choices"][0].update(nope=1), "/choices/0/nope", "did you mean note?"),
        (lambda body: body["choices"][0].update(note=" "), "/choices/0/note", "must not be blank"),
        (lambda body: body.update(choices={}), "/choices", "must be a list"),
        (lambda body: body.pop("choices"), "/choices", "is required here"),
        (lambda body: body.pop("record"), "/record", "is required here"),
        (lambda body: body.update(record=[]), "/record", "must be an object"),
        (lambda body: body.update(extra=1), "/extra", "is not a field"),
        (lambda body: body.update(by="Dr. N. N."), "/by", "the name of the clinician"),
        (lambda body: body.update(by=7), "/by", "must be a text"),
        (lambda body: body.update(at="2026-02-31T09:30:00Z"), "/at", "must be a time such as"),
        (lambda body: body.update(at="0001-01-01T00:00:00Z"), "/at", "must be a time such as"),
        (lambda body: body.update(at="2026-03-01T09:29:59Z"), "/at", "is before the time of the record"),
        (lambda body: body["record"].pop("digest"), "/record/digest", "is missing"),
        (lambda body: body["record"].update(digest="0" * 64), "/record/digest", "does not fit"),
        (lambda body: body["record"]["plan"].update(crisis="Walk."), "/record/digest", "does not fit"),
        (lambda body: body["record"].update(extra=1), "/record", "is no decision record"),
        (lambda body: body["record"]["plan"].pop("card"), "/record/plan", "is not as a record has it"),
        (lambda body: body["record"]["facts"][0].update(id=7), "/record/facts/0/id", "is not as a record has it"),
    ],
)
def test_each_fault_is_named_by_pointer_with_how_to_mend_it(
    planner: Planner, ready: Json, change: Change, pointer: str, mend: str
) -> None:
    body = to_sign(ready)
    change(body)
    found = refused(planner, body)
    assert mend in found[pointer], found


@pytest.mark.parametrize("body", [None, [], "x", 7, {}])
def test_what_is_no_request_to_sign_is_refused(planner: Planner, body: object) -> None:
    assert refused(planner, body)


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made["plan"]["card"]["sessions"].clear(),
        lambda made: made["plan"]["front"].update(decisions=[]),
        lambda made: items_in_json(made["plan"])[0].update(patient_text="Walk."),
        lambda made: made["plan"].update(crisis="Walk."),
        lambda made: made["input"].update(age_years=15),
        lambda made: made["findings"].pop(),
    ],
)
def test_a_plan_that_the_same_rulebook_does_not_make_is_refused_whatever_its_digest(
    planner: Planner, ready: Json, change: Change
) -> None:
    change(ready)
    assert "/record/plan" in refused(planner, to_sign(redone(ready)))


def test_a_forged_name_of_a_rulebook_with_the_digest_of_ours_is_refused(planner: Planner, ready: Json) -> None:
    for book in (ready["rulebook"], ready["plan"]["rulebook"]):
        book["version"] = "1999.1.0"
    assert "/record/plan" in refused(planner, to_sign(redone(ready)))


def test_an_input_that_is_not_taken_is_refused_where_it_stands(planner: Planner, ready: Json) -> None:
    ready["input"]["conditions"] = ["zzz"]
    assert "/record/input/conditions/0" in refused(planner, to_sign(redone(ready)))


def test_a_front_page_that_hides_a_decision_is_refused_under_any_rulebook(planner: Planner, ready: Json) -> None:
    for book in (ready["rulebook"], ready["plan"]["rulebook"]):
        book["digest"] = "0" * 64
    ready["plan"]["front"]["decisions"] = []
    assert set(refused(planner, to_sign(redone(ready)))) == {"/record/plan/front/decisions"}


def test_a_record_of_another_rulebook_is_signed_where_it_is_whole_and_that_is_said(planner: Planner, ready: Json) -> None:
    for book in (ready["rulebook"], ready["plan"]["rulebook"]):
        book["digest"] = "0" * 64
    assert set(refused(planner, to_sign(ready))) == {"/record/digest"}
    found = signed(planner, to_sign(redone(ready)))
    assert found["reproduced"] is False
    assert verified(planner, found, PUBLIC).trusted


@pytest.mark.long
@given(st.data())
def test_a_fault_repeats_nothing_that_was_sent(planner: Planner, data: st.DataObject) -> None:
    body = to_sign(made(planner, "daily-benzodiazepine"))
    places = list(leaves(body))
    for _ in range(3):
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(st.sampled_from(["Zyxwvut", ["Zyxwvut"], {"Zyxwvut": "Zyxwvut"}]))
    with pytest.raises(InvalidSigning) as caught:
        signed_plan(planner, brought(body))
    assert "Zyxwvut" not in str([(fault.pointer, fault.detail) for fault in caught.value.faults])


def leaves(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a body that holds a plain value, as the object or list around it with the key."""
    found: list[tuple[Any, Any]] = []
    for key in value if isinstance(value, dict) else range(len(value)):
        found += leaves(value[key]) if isinstance(value[key], dict | list) else [(value, key)]
    return found


# What is noticed afterwards.


def looks_whole(planner: Planner, content: bytes) -> bool:
    try:
        return verified(planner, parsed(content), PUBLIC).trusted
    except ValueError:
        return False


@pytest.mark.long
@pytest.mark.parametrize("example", one_in(2, ["daily-benzodiazepine", "crisis"]))
def test_one_changed_byte_anywhere_in_a_signed_plan_is_noticed(planner: Planner, example: str) -> None:
    whole = msgspec.json.encode(signed_plan(planner, brought(to_sign(made(planner, example))), KEY))
    assert looks_whole(planner, whole)
    chance = random.Random(21)  # noqa: S311 - no secret
    behind = whole.index(b'"signed":')  # What is not the record is small: each part of it is tried.
    for at in [
        *chance.sample(range(behind), cases(20)),
        *chance.sample(range(behind, len(whole)), cases(20)),
        len(whole) - 4,
    ]:
        changed = bytearray(whole)
        changed[at] = chance.choice([byte for byte in b' 0123456789abcxyzABC{}[]",:.-_' if byte != whole[at]])
        try:
            same = canonical(parsed(bytes(changed))) == canonical(parsed(whole))
        except ValueError:
            same = False
        assert same or not looks_whole(planner, bytes(changed)), (at, whole[at - 20 : at + 20])


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made["card"].update(notice="Draft."),
        lambda made: made["card"]["sessions"].pop(),
        lambda made: made["signed"].update(by="Dr. B. Example, MD"),
        lambda made: made["signed"]["choices"][0].update(option="postponed"),
        lambda made: made["record"].update(at="2026-03-01T09:30:01Z"),
        lambda made: made.update(reproduced=False),
        lambda made: made.pop("signature"),
        lambda made: made["signature"].update(kid="A" * 43),
    ],
)
def test_who_makes_the_digest_anew_is_still_noticed_by_the_signature(planner: Planner, ready: Json, change: Change) -> None:
    found = signed(planner, to_sign(ready))
    change(found)
    found["digest"] = digest_of({name: value for name, value in found.items() if name != "signature"})
    seen = verified(planner, found, PUBLIC)
    assert seen.signature == "wrong"
    assert not seen.trusted


def test_a_card_that_nobody_signed_is_noticed_without_any_key(planner: Planner, ready: Json) -> None:
    found = signed(planner, to_sign(ready))
    found["card"]["sessions"].pop()
    found["digest"] = digest_of({name: value for name, value in found.items() if name != "signature"})
    seen = verified(planner, found)
    assert seen.intact
    assert seen.faults == [Fault(pointer="/card", detail="is not the card that signing this record gives")]


def test_another_key_is_told_apart(planner: Planner, ready: Json) -> None:
    found = signed(planner, to_sign(ready))
    assert verified(planner, found, PUBLIC).signature == "genuine"
    assert verified(planner, found, read_public_keys(new_pair().public)).signature == "wrong"
    assert verified(planner, found).signature == "unchecked"


def test_the_last_letter_of_a_signature_cannot_be_another_that_says_the_same(planner: Planner, ready: Json) -> None:
    found = signed(planner, to_sign(ready))
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = alphabet.index(found["signature"]["value"][-1])
    found["signature"]["value"] = found["signature"]["value"][:-1] + alphabet[last + 1]
    assert verified(planner, found, PUBLIC).signature == "wrong"


# Keys.


def test_a_key_in_a_file_that_is_none_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "none").write_text("nothing")
    for file, reason in ((tmp_path / "none", "no private key"), (tmp_path / "missing", "cannot be read")):
        with pytest.raises(InvalidSettings, match=reason):
            read_signing_key(str(file))


@pytest.mark.parametrize("content", [b"", b"nothing", b"{}", b'{"keys": [{"x": "A"}]}', PAIR.private])
def test_what_is_no_public_key_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_public_keys(content)


# On the command line.


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def test_the_commands_make_a_key_sign_with_it_and_check_by_it(ready: Json, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps(ready))
    key = tmp_path / "signing.pem"
    assert run("signing-key", key).exit_code == 0
    assert key.stat().st_mode & 0o777 == 0o600
    assert run("signing-key", key).exit_code == 2
    item = ready["plan"]["front"]["decisions"][0]["items"][0]
    arguments = ["sign", tmp_path / "record.json", "--by", BY, "--at", LATER, "--signing-key", key]
    done = run(*arguments, "--choice", f"{item}=changed", "--note", f"{item}=Lower by spring")
    assert done.exit_code == 0, done.output
    (tmp_path / "signed.json").write_text(done.stdout)
    seen = run("replay", tmp_path / "signed.json", "--public-key", f"{key}.pub")
    assert seen.exit_code == 0, seen.output
    assert f"Signed by {BY} at {LATER}\n  changed: {item} (Lower by spring)\n" in seen.output
    assert "The signature is that of the given key." in seen.output
    found = json.loads(run("replay", tmp_path / "signed.json", "--format", "json").output)
    assert found["signed_plan"]["signature"] == "unchecked"
    assert found["reproduced"] is True
    (tmp_path / "signed.json").write_text(done.stdout.replace("Lower by", "Raise by"))
    seen = run("replay", tmp_path / "signed.json", "--public-key", f"{key}.pub")
    assert seen.exit_code == 4
    assert "its digest does not fit" in seen.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "is not decided"),
        (["--choice", "zzz"], "write it as --choice ITEM=OPTION"),
        (["--choice", "zzz=agreed"], "/choices/0/item: is no item"),
        (["--note", "zzz=x"], "a note without a choice"),
        (["--signing-key", "missing.pem"], "signing_key cannot be read"),
    ],
)
def test_a_command_that_cannot_sign_says_why(ready: Json, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "record.json").write_text(json.dumps(ready))
    done = run("sign", tmp_path / "record.json", "--by", BY, "--at", LATER, *arguments)
    assert done.exit_code == 2
    assert said in done.output


def test_a_public_key_is_for_a_signed_plan(ready: Json, tmp_path: Path) -> None:
    (tmp_path / "record.json").write_text(json.dumps(ready))
    (tmp_path / "key").write_bytes(PAIR.public)
    assert run("replay", tmp_path / "record.json", "--public-key", tmp_path / "key").exit_code == 2
    (tmp_path / "signed.json").write_text('{"format": "careplan-signed/1"}')
    assert run("replay", tmp_path / "signed.json").exit_code == 2


def test_a_signed_plan_of_an_older_rulebook_is_as_it_was_signed_though_today_plans_otherwise(
    planner: Planner, ready: Json, tmp_path: Path
) -> None:
    (tmp_path / "signed.json").write_bytes(msgspec.json.encode(signed_plan(planner, brought(to_sign(ready)), KEY)))
    folder = Path(shutil.copytree(shipped(), tmp_path / "rules"))
    for rule in (folder / "day_of_treatment").glob("driving-*.yaml"):
        rule.unlink()
    (tmp_path / "key").write_bytes(PAIR.public)
    seen = run("replay", tmp_path / "signed.json", "--public-key", tmp_path / "key", "--rules", folder)
    assert seen.exit_code == 1, seen.output
    assert "The signature is that of the given key." in seen.output
    assert "The plan is not the same." in seen.output


def test_every_level_that_is_decided_has_options_to_choose_from(book: Rulebook, planner: Planner) -> None:
    levels = book.vocabulary.levels
    assert all(levels[level].options for level in ("stop", "hold"))
    assert not set(levels["stop"].options) & {"agreed", "changed"}
    assert items_of(planner.plan(planner.intake.decode(b"{}")))
