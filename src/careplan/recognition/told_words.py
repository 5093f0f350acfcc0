"""Words by which lines tell that a medicine ended, and what else they tell of the patient (`list_words.yaml`)."""

from __future__ import annotations

import msgspec

from careplan.recognition.times_ago import TimeWords


class EndWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words by which lines tell when and how a medicine ended, or that a part of it did (`in_part`, `goes_on`).

    Behind `until` the end of a time stands, unless that is `until_now`. Years up to `years_over` are over where a request
    names no day; no file says it, it follows from when the rulebook was last looked at.
    """

    years_over: int = 0
    until: tuple[str, ...] = ()
    until_now: tuple[str, ...] = ()
    at_a_time: tuple[str, ...] = ()
    out_of: tuple[str, ...] = ()
    weekdays: tuple[str, ...] = ()
    last_taken: tuple[str, ...] = ()
    years_ago: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    only_once: tuple[str, ...] = ()
    lately: tuple[str, ...] = ()
    long_ago: tuple[str, ...] = ()
    suddenly: tuple[str, ...] = ()
    in_part: tuple[str, ...] = ()
    goes_on: tuple[str, ...] = ()
    times: TimeWords = TimeWords()


class ToldWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Words in the line of a medicine of one of these classes or ingredients, and of none in `but`, that tell of a problem.

    With `sudden` these are also the words of a sudden end. Beside words of `unless` it is advice or of an earlier time.
    """

    of: tuple[str, ...]
    words: tuple[str, ...] = ()
    but: tuple[str, ...] = ()
    sudden: bool = False
    unless: tuple[str, ...] = ()
