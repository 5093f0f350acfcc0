"""One spelling for what people send."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careplan.recognition.spelling import plain_text, unmasked


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("I don&#39;t", "I don't"),
        ("I don&#x27;t", "I don't"),
        ("I don&apos;t", "I don't"),
        ("I don&rsquo;t", "I don't"),
        ("I don&amp;#39;t", "I don't"),
        ("I don\u2019t", "I don't"),
        ("I don\u02bct", "I don't"),
        ("I don`t", "I don't"),
        ("I don\u00b4t", "I don't"),
        ("I don\uff07t", "I don't"),
        ("cook &amp; eat", "cook & eat"),
        ("sui\u00adcide", "suicide"),
        ("sui&shy;cide", "suicide"),
        ("Xan\u200bax", "Xanax"),
        ("\ufeffXanax\u2060", "Xanax"),
        ("\uff38\uff41\uff4e\uff41\uff58", "Xanax"),
        ("R&D and AT&T", "R&D and AT&T"),
        ("walk & run", "walk & run"),
    ],
)
def test_what_means_the_same_is_spelled_the_same(sent: str, meant: str) -> None:
    assert plain_text(sent) == meant


@given(st.text(max_size=200))
def test_nothing_invisible_and_one_apostrophe_are_left_in_any_text(text: str) -> None:
    plain = plain_text(text)
    assert not any(unicodedata.category(char) == "Cf" for char in plain)
    assert not set(plain) & set("‘’ʼ`´")


@given(st.text("abc &#;1x'", max_size=80))
def test_decoding_ends_for_any_text(text: str) -> None:
    assert len(plain_text(text)) <= len(text)


@pytest.mark.parametrize(
    ("masked", "meant"),
    [
        ("k1ll myself", "kill myself"),
        ("su*cide", "suicide"),
        ("d!e", "die"),
        ("b0mb", "bomb"),
        ("kill my$elf", "kill myself"),
    ],
)
def test_letters_hidden_behind_signs_are_read(masked: str, meant: str) -> None:
    assert meant in unmasked(masked)


@pytest.mark.parametrize("text", ["Run a 5k", "Walk 3x a week", "5 * 3", "Drink 2 cups!", "22:30", "R&D", ""])
def test_figures_and_marks_between_words_hide_no_letters(text: str) -> None:
    assert unmasked(text) == ()
