"""Where things stand in a rule's text, what can be written there, and which words of the prose a value makes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from careplan.authoring.workbench.completion import Completion, Offers
from careplan.authoring.workbench.prose_values import values_of
from careplan.authoring.workbench.rule_text import cursor, scalars
from careplan.rulebook.conditions import Reader
from careplan.rulebook.conditions_in_words import Prose
from careplan.rulebook.load import shipped
from careplan.rulebook.model import Rule, Rulebook

FILES = sorted(path for path in shipped().glob("*/*.yaml") if path.parent.name in ("aftercare", "medications", "screening"))
SLEEP = (shipped() / "aftercare" / "sleep-under-five-hours.yaml").read_text()


@pytest.fixture(scope="module")
def completion(book: Rulebook) -> Completion:
    return Completion(book)


def leaves(node: yaml.Node | None, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], int, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from leaves(value, (*path, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for at, value in enumerate(node.value):
            yield from leaves(value, (*path, at))
    elif isinstance(node, yaml.ScalarNode) and node.style is None:
        yield path, node.start_mark.index, node.end_mark.index


def test_plain_values_stand_where_the_reader_of_yaml_finds_them() -> None:
    for path in FILES[::23]:
        text = path.read_text()
        about = ("when", "level", "status", "sources", "examples")
        wanted = {leaf for leaf in leaves(yaml.compose(text)) if leaf[0][0] in about}
        assert {tuple(one) for one in scalars(text) if one.path[0] in about} == wanted, path


def offered(completion: Completion, text: str) -> Offers:
    at = text.index("|@")
    return completion.at(text.replace("|@", ""), at)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("level: caution", "level: |@", {"stop", "hold", "caution", "note"}),
        ("topic: sleep", "topic: slee|@", {"sleep"}),
        ("  lifestyle:\n", "  lifest|@\n", {"lifestyle"}),
        ("{less_than: 5}", "{|@}", {"at_least", "at_most", "less_than", "more_than", "not"}),
        ("- indication: unknown", "- indication: bip|@", {"bipolar_depression"}),
        ("{source: founding,", "{source: aasm-2|@,", {"aasm-2015"}),
        ("has: {not: bipolar_disorder}", "has: [sleep_a|@", {"sleep_apnea"}),
        ("patient: {lifestyle: {sleep", "patient: {lifestyle: {nutri|@: poor, sleep", {"nutrition"}),
        ("slot: afterwards", "slot: way_h|@", {"way_home"}),
    ],
)
def test_what_the_schema_allows_is_offered_at_the_caret(old: str, new: str, names: set[str], completion: Completion) -> None:
    found = {one.name for one in offered(completion, SLEEP.replace(old, new, 1)).offers}
    assert names <= found
    assert len(found) <= len(names) + 3


def test_a_class_is_found_by_the_words_of_its_label_and_a_key_that_stands_there_is_not_offered_again(
    completion: Completion,
) -> None:
    found = offered(completion, SLEEP.replace("when:\n", "when:\n  medicine:\n    class: benz|@\n"))
    assert found.offers[0].name == "benzodiazepine"
    names = {one.name for one in offered(completion, SLEEP.replace("version: 3\n", "version: 3\n|@\n")).offers}
    assert "valid_from" in names
    assert names.isdisjoint({"id", "version", "level", "when"})


def test_the_places_of_the_source_named_beside_are_offered_with_what_they_say(
    completion: Completion, book: Rulebook
) -> None:
    found = offered(completion, SLEEP.replace("place: seven or more hours for adults", "place: seven|@", 1))
    assert [one.name for one in found.offers] == ["seven or more hours for adults"]
    assert found.offers[0].says == book.sources["aasm-2015"].passage("seven or more hours for adults")
    advice = offered(completion, SLEEP.replace('place: "2.2"', "place: 2.2|@", 1))
    assert '"2.2"' in {one.text for one in advice.offers}


@pytest.mark.parametrize(
    ("old", "new"),
    [("You told us", "You |@"), ("title: Very short sleep", "title: Very sh|@"), ("id: sleep", "# i|@\nid: sleep")],
)
def test_in_sentences_and_comments_nothing_is_offered(old: str, new: str, completion: Completion) -> None:
    assert offered(completion, SLEEP.replace(old, new, 1)).offers == []


def test_any_place_of_a_text_can_be_asked_about_and_what_is_replaced_is_the_word_there() -> None:
    for at in range(0, len(SLEEP), 13):
        place = cursor(SLEEP, at)
        if place is not None:
            assert place.start <= at <= place.end
            assert not {" ", "\n", "{", ","} & set(SLEEP[place.start : place.end])


def numbers(book: Rulebook) -> Iterator[Rule]:
    found = (rule for rule in book.in_order() if rule.place.endswith(".yaml") and "than" in str(rule.file.when))
    yield from list(found)[::12]


def test_another_number_in_the_text_stands_in_the_prose_where_it_was_said_to(book: Rulebook, completion: Completion) -> None:
    prose, tried = Prose(book), 0
    for rule in numbers(book):
        text = (shipped() / rule.place).read_text()
        before = prose.when(rule.when)
        for value in values_of(text, rule, book, completion):
            if value.kind != "number" or value.at < 0:
                continue
            data = yaml.safe_load(text[: value.start] + "7777" + text[value.end :])
            reader = Reader(book.classes, book.catalogue.ingredients, book.conditions, book.kinds)
            after = prose.when(reader.when(data["when"]))
            assert after == before[: value.at] + "7777" + before[value.until :], rule.id
            tried += 1
    assert tried >= 4


def test_a_token_has_the_tokens_of_its_field_to_choose_from_and_stands_where_it_is_written(
    book: Rulebook, completion: Completion
) -> None:
    rule = book.rules["sleep-under-five-hours"]
    found = values_of(SLEEP, rule, book, completion)
    assert [SLEEP[one.start : one.end] for one in found] == [one.written for one in found]
    disorder = next(one for one in found if one.written == "bipolar_disorder")
    assert {"sleep_apnea", "bipolar_disorder"} <= {one.value for one in disorder.choices}
    assert Prose(book).when(rule.when)[disorder.at : disorder.until] == "bipolar disorder"
