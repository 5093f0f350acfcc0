"""Reading words out of a text and finding phrases among them."""

from __future__ import annotations

import pytest

from careplan.recognition.phrase_tree import PhraseTree, Span, longest, pairs, places, spellings, uncovered, valued, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop", ["dont", "stop"]),
        ("10-minute WALK, daily", ["10", "minute", "walk", ",", "daily"]),
        ("at 22:30 or 5pm", ["at", "22:30", "or", "5", "pm"]),
        ("Café İstanbul ıssız", ["cafe", "istanbul", "issiz"]),
        ("zero\u200bwidth soft\u00adhyphen", ["zerowidth", "softhyphen"]),
        ("½ hour", ["1/2", "hour"]),
        ("  ", []),
    ],
)
def test_words_are_read_without_case_accents_and_invisible_characters(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("word", "sign"),
    [
        ("10", ("{number}", 10.0)),
        ("1.5", ("{number}", 1.5)),
        ("1,5", ("{number}", 1.5)),
        ("10,000", ("{number}", 10_000.0)),
        ("1/2", ("{number}", 0.5)),
        ("ten", ("{number}", 10.0)),
        ("22:30", ("{time}", 0.0)),
        ("6/30", ("{date}", 0.0)),
        ("1.2.3", ("{number}", 1.0)),
        ("walk", ("walk", 0.0)),
    ],
)
def test_a_number_is_told_from_a_time_and_a_date(word: str, sign: tuple[str, float]) -> None:
    assert valued(word, {"ten": 10}) == sign


def test_a_list_in_braces_stands_for_each_of_its_entries_also_in_the_plural() -> None:
    assert set(spellings("on {day}", {}, {"day": ["monday", "good friday"]}, {})) == {
        ("on", "monday"),
        ("on", "mondays"),
        ("on", "good", "friday"),
        ("on", "goods", "friday"),
    }


def test_an_empty_list_is_no_list_to_name() -> None:
    with pytest.raises(ValueError, match=r"the list \{day\}, which the phrase “on \{day\}” names, is empty"):
        places("on {day}", {}, {"day": []}, {})


def test_all_phrases_with_one_of_the_rows_of_each_place_are_found_once_in_each_list() -> None:
    tree = PhraseTree()
    tree.add_all([[("a",), ("a", "b")], [("b", "c"), ("c",)]], "one")
    tree.add_all([[("a",)], [("c",)]], "two")
    tree.add(("a", "c", "d"), "three")
    assert tree.find(["a", "b", "c"]) == {"one": [Span(0, 3)]}
    assert tree.find(["a", "b", "b", "c"]) == {"one": [Span(0, 4)]}
    assert tree.find(["a", "c", "d"]) == {"one": [Span(0, 2)], "two": [Span(0, 2)], "three": [Span(0, 3)]}
    assert tree.find(["b", "c"]) == {}


def test_the_first_word_of_a_phrase_takes_its_endings() -> None:
    assert {("stopping", "it"), ("stops", "it"), ("stopped", "it"), ("stop", "it")} <= set(spellings("stop it", {}, {}, {}))
    assert {("dying",), ("died",)} <= set(spellings("die", {}, {}, {}))
    assert {("tries",), ("tried",), ("trying",)} <= set(spellings("try", {}, {}, {}))


def test_a_phrase_is_found_across_fillers_but_not_across_other_words() -> None:
    tree = PhraseTree()
    tree.add(("end", "it"), "sign", "x")
    fillers = frozenset({"all", "of"})
    assert tree.find(["end", "all", "of", "it"], fillers) == {"sign": [Span(0, 4, "x")]}
    assert tree.find(["end", "all", "of", "all", "it"], fillers) == {}
    assert tree.find(["end", "with", "it"], fillers) == {}


def test_a_span_inside_a_cover_is_taken_back_and_one_that_reaches_out_is_not() -> None:
    covers = [Span(2, 5), Span(0, 1)]
    assert uncovered([Span(2, 4), Span(2, 5), Span(2, 6), Span(1, 3), Span(0, 1)], covers) == [Span(2, 6), Span(1, 3)]


def test_of_overlapping_spans_the_longest_from_the_left_is_kept() -> None:
    assert longest([Span(1, 2), Span(0, 1), Span(0, 3), Span(3, 4)]) == [Span(0, 3), Span(3, 4)]


@pytest.mark.parametrize(
    ("these", "near", "found"),
    [
        (Span(0, 1), Span(3, 4), [Span(0, 4)]),
        (Span(0, 1), Span(4, 5), []),
        (Span(3, 4), Span(1, 2), [Span(1, 4)]),
        (Span(4, 5), Span(1, 2), []),
    ],
)
def test_two_signs_count_together_only_where_they_stand_close(these: Span, near: Span, found: list[Span]) -> None:
    assert list(pairs([these], [near], before=3, after=2)) == found
