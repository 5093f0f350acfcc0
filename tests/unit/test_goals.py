"""The verdicts on goals, with the shipped word lists: what is specific, what is small, what must never be missed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from careplan.goals import Category, GoalJudge, GoalJudgement, GoalWords, Topic
from careplan.rulebook.files import Document

FILE = Path(__file__).parents[2] / "rules" / "goals.yaml"
DATA: dict[str, Any] = Document(PurePosixPath("goals.yaml"), FILE.read_text(encoding="utf-8")).data
WORDS = msgspec.convert(DATA, GoalWords)
MEDICINES = [
    *("xanax", "alprazolam", "lamictal", "lamotrigine", "klonopin", "lexapro", "zoloft", "st johns wort", "sertraline"),
    *("clonazepam", "lorazepam", "ketamine", "esketamine", "caffeine", "alcohol", "toprol xl", "neo synephrine", "sonata"),
]
JUDGE = GoalJudge(WORDS, MEDICINES)
VAGUE = ("amount", "when_or_how_often", "clear_words")

GOALS_AND_WHAT_THEY_LACK = [
    ("I will take a 10-minute walk each day.", ()),
    ("I want to move more.", VAGUE),
    ("Walk 15 minutes after lunch on Mon, Wed and Fri for 2 weeks", ()),
    ("In bed with lights out by 22:30, 5 nights a week", ()),
    ("Call my sister every Sunday at 5 pm", ()),
    ("Meditate for 5 minutes every morning before coffee", ()),
    ("Eat one vegetable with dinner each day", ()),
    ("Write three lines in my journal within 24 hours of each infusion", ()),
    ("Attend therapy once a week until 30 June", ()),
    ("Text one friend twice a week", ()),
    ("Sleep better", VAGUE),
    ("Eat healthy", VAGUE),
    ("Be happy again", ("one_action", *VAGUE, "own_control")),
    ("Not be depressed by Friday", ("one_action", "amount", "own_control")),
    ("Meditate daily", ("amount",)),
    ("Walk 10 minutes", ("when_or_how_often",)),
    ("Try to see people more often", VAGUE),
    ("Work on my relationship", VAGUE),
    ("Run 10 km every day starting tomorrow", ("small",)),
    ("Get 150 minutes of activity a week, fix my diet and quit my job this month", ("one_action", "small")),
    ("My husband will take me for a walk every day", ("own_control",)),
]
BLOCKED_GOALS = [
    ("Stop my Xanax this week", "medicine_change"),
    ("Lose 10 pounds in 2 weeks", "body_weight"),
    ("Take a medication holiday from Lamictal every infusion day", "medicine_change"),
]


@pytest.mark.parametrize(("text", "missing"), GOALS_AND_WHAT_THEY_LACK)
def test_a_goal_lacks_exactly_what_a_clinician_would_find_missing(text: str, missing: tuple[str, ...]) -> None:
    verdict = JUDGE.judge(text)
    assert verdict.missing == missing
    assert verdict.specific == (not set(missing) - {"small"})


@pytest.mark.parametrize(("text", "category"), BLOCKED_GOALS)
def test_a_goal_that_only_a_human_may_take_up_is_blocked(text: str, category: str) -> None:
    assert JUDGE.judge(text).safety == category


@pytest.mark.parametrize(("text", "_"), GOALS_AND_WHAT_THEY_LACK[:-2])
def test_an_ordinary_goal_is_no_matter_of_safety(text: str, _: tuple[str, ...]) -> None:
    assert JUDGE.judge(text).safety == "none"


@pytest.mark.parametrize(
    "text",
    [
        "10-minute walk every day",
        "A short walk every day",
        "After lunch walk 15 minutes every weekday",
        "Walk for half an hour each day",
        "Walk ½ hour each evening",
        "WALK THE DOG FOR 20 MINUTES AFTER WORK!",
        "I'll stretch for 5 min at 7am",
        "Swim 20 laps twice a week",
        "Practice yoga for 15 minutes on Mon/Wed/Fri",
        "Go to bed at 22:30 every night",
        "Get up at 7 every day",
        "Read in bed for 10 minutes every night",
        "Put my phone away 30 minutes before bed every night",
        "Call or text one of my friends every Sunday",
        "Have coffee with a friend every other Friday",
        "See my therapist every Tuesday",
        "Write down how I feel every evening, one line",
        "List three things I am grateful for each night",
        "Eat 2 servings of vegetables at dinner on weekdays",
        "Eat more: one apple every morning",
        "Brush my teeth every night",
        "No caffeine after noon on weekdays",
        "Take my Lexapro every morning at 8 with breakfast",
        "Spend 15 minutes drawing every Sunday",
    ],
)
def test_a_goal_with_one_action_an_amount_and_a_time_is_specific_small_and_safe(text: str) -> None:
    verdict = JUDGE.judge(text)
    assert verdict.missing == ()
    assert verdict.specific
    assert verdict.small
    assert verdict.safety == "none"


@pytest.mark.parametrize(
    ("text", "test"),
    [
        ("Walk ten minutes for a week", "when_or_how_often"),
        ("Swim two laps", "when_or_how_often"),
        ("Stretch every now and then for 5 minutes", "when_or_how_often"),
        ("Exercise regularly", "amount"),
        ("Read every evening", "amount"),
        ("Meditate at 7 am", "amount"),
        ("More sleep", "clear_words"),
        ("Maybe go out soon", "clear_words"),
        ("Walk 10 minutes and call my mother every day", "one_action"),
        ("Read 5 pages, cook one meal and clean one room daily", "one_action"),
        ("Feel better by Friday", "own_control"),
        ("Stop being sad every morning", "own_control"),
        ("My kids should visit me every week", "own_control"),
        ("I want my boss to call me every Monday", "own_control"),
        ("Respond to treatment by June", "own_control"),
    ],
)
def test_a_goal_that_leaves_something_open_says_what(text: str, test: str) -> None:
    verdict = JUDGE.judge(text)
    assert test in verdict.missing
    assert test == "clear_words" or not verdict.specific


@pytest.mark.parametrize(
    ("text", "small"),
    [
        ("Walk 30 minutes every day", True),
        ("Walk 31 minutes every day", False),
        ("Walk 60 minutes on Saturday", True),
        ("Walk 61 minutes on Saturday", False),
        ("Walk 20 minutes twice a day", False),
        ("Walk 60 minutes on Mon, Tue and Wed", True),
        ("Walk 60 minutes 4 times a week", False),
        ("Walk 150 minutes a week", True),
        ("Walk 300 minutes a week", False),
        ("Walk two hours every Sunday", False),
        ("Run 5 km on Saturdays", True),
        ("Run 6 km on Saturdays", False),
        ("Walk 10,000 steps a day", False),
        ("Sleep 8 hours every night", True),
        ("Write one line within 24 hours of each session", True),
        ("Walk 10 minutes and swim 5 laps every day", False),
    ],
)
def test_a_first_step_is_small_up_to_its_limit(text: str, *, small: bool) -> None:
    assert JUDGE.judge(text).small is small


@pytest.mark.parametrize(
    "text",
    [
        *("I want to die", "I WANT TO DIE!!!", "i  want\tto\ndie", "end it", "I just want to end it all.", "suicide"),
        *("Not be here anymore", "I don't want to be here anymore", "I don’t really want to be here any more"),
        *("I wish I was dead", "Kill myself on Friday", "kill_myself", "s u i c i d e", "su\u00adicide", "ｓｕｉｃｉｄｅ"),
        *("Go to sleep and never wake up", "I do not want to wake up tomorrow", "take my own life", "no reason to live"),
        *("hurting myself less", "to disappear", "be gone", "Everyone is better off without me", "I can't go on"),
        *("I cannot do this anymore", "write goodbye letters to my kids", "I want the pain to stop forever", "unalive me"),
        *("Overdose", "be with my late husband", "quiero morir", "Walk 10 minutes daily until I die", "not exist"),
    ],
)
def test_words_of_suicide_or_self_harm_are_never_missed(text: str) -> None:
    assert JUDGE.judge(text).safety == "self_harm"


def test_a_false_alarm_about_self_harm_is_accepted_rather_than_a_miss() -> None:
    assert JUDGE.judge("I want to walk until my legs die").safety == "self_harm"


@pytest.mark.parametrize(
    "text",
    [
        *("Stop taking my medication by Friday", "come off LEXAPRO by summer", "Halve my lorazepam", "Get off all my meds"),
        *("I will skip my Klonopin the night before each session", "Take two Xanax before each session", "med-free by June"),
        *(
            "Take Lamictal every other day",
            "Start St. John's wort",
            "Sertraline only on weekends",
            "quit benzos",
            "no more pills",
        ),
        *(
            "Stop the Xanaxes",
            "Taper clonazepam by a quarter each week",
            "go cold turkey",
            "Quit drinking",
            "double my dose",
        ),
        *("live without toprol-xl", "more ketamine", "Lamictal"),
    ],
)
def test_a_goal_that_changes_a_medicine_is_seen_by_word_and_by_name(text: str) -> None:
    assert JUDGE.judge(text).safety == "medicine_change"


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Get to 130 pounds", "body_weight"),
        ("Eat 1200 calories a day", "body_weight"),
        ("gain 5 kg by June", "body_weight"),
        ("Skip dinner every day", "body_weight"),
        ("Fast for 3 days", "body_weight"),
        ("Stay away from everyone for a week", "isolation"),
        ("Never leave the house", "isolation"),
        ("Stop seeing my friends", "isolation"),
        ("Call my abusive ex every Sunday", "contact_with_abuser"),
        ("Forgive the man who hurt me and visit him", "contact_with_abuser"),
        ("Divorce my wife", "major_decision"),
        ("Sell my house by June", "major_decision"),
        ("Quit my job tomorrow", "major_decision"),
    ],
)
def test_each_category_of_safety_is_found(text: str, category: str) -> None:
    assert JUDGE.judge(text).safety == category


@pytest.mark.parametrize(
    "text",
    [
        *("Walk 5 kms every Saturday", "Do 10 dead bugs every morning", "Lift 10 pound weights 3 times a week"),
        *(
            "Don't miss my meds this week",
            "Call my doctor on Monday about my medication",
            "Journal after every ketamine session",
        ),
        *("I will not go on social media after 9 pm", "Drink one glass of water instead of wine every evening"),
        *(
            "Stay away from people who drink",
            "Ask about Lexapro on Friday",
            "Call Sue every Sunday",
            "My diet starts Monday",
        ),
        *(
            "Practice the sonata for 10 minutes daily",
            "No alcohol on treatment days",
            "Walk 10 minutes before my coffee daily",
        ),
    ],
)
def test_harmless_neighbors_of_dangerous_words_raise_no_alarm(text: str) -> None:
    assert JUDGE.judge(text).safety == "none"


def test_the_gravest_of_several_dangers_is_named() -> None:
    assert JUDGE.judge("Lose 10 pounds, stop my Xanax and kill myself").safety == "self_harm"
    assert JUDGE.judge("Lose 10 pounds and stop my Xanax").safety == "medicine_change"


def test_a_medicine_that_the_rulebook_does_not_know_by_name_is_seen_once_it_does() -> None:
    assert GoalJudge(WORDS, []).judge("Halve my Zyprexa").safety == "none"
    assert GoalJudge(WORDS, ["zyprexa"]).judge("Halve my Zyprexa").safety == "medicine_change"


@pytest.mark.parametrize("topic", get_args(Topic))
def test_the_example_of_each_topic_passes_every_test_itself(topic: Topic) -> None:
    verdict = JUDGE.judge(WORDS.topics[topic].example)
    assert verdict.missing == ()
    assert verdict.safety == "none"
    assert verdict.topic == topic


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("Walk 10 minutes after lunch", "movement"),
        ("Get more sleep", "sleep"),
        ("Breathe for 3 minutes", "calm"),
        ("Call my sister", "people"),
        ("Go to therapy", "therapy"),
        ("Cook one meal", "food"),
        ("Be happy", "mood"),
        ("Find a job", "work"),
        ("Something", "other"),
    ],
)
def test_a_goal_is_given_an_example_of_its_own_topic(text: str, topic: Topic) -> None:
    verdict = JUDGE.judge(text)
    assert verdict.topic == topic
    assert verdict.example == WORDS.topics[topic].example


@pytest.mark.parametrize("text", [" ", "…", "?!", "🙂", "\u200b", "...---...", "{}", "{medicine}", "{number} {clock}"])
def test_a_goal_without_words_is_not_specific_and_not_dangerous(text: str) -> None:
    verdict = JUDGE.judge(text)
    assert not verdict.specific
    assert verdict.missing[0] == "one_action"
    assert verdict.safety == "none"
    assert verdict.topic == "other"


ANY_WORD = st.one_of(
    st.text(max_size=12),
    st.sampled_from(sorted({word for text, _ in GOALS_AND_WHAT_THEY_LACK for word in text.split()} | set(MEDICINES))),
    st.sampled_from(
        ["stop", "not", "be", "here", "end", "it", "all", "my", "a", "of", "1/2", "22:30", "9" * 40, "6/30", "1.2.3", "፩"]
    ),
)
ANY_GOAL = st.one_of(st.text(max_size=500), st.lists(ANY_WORD, max_size=60).map(lambda words: " ".join(words)[:500]))


@given(ANY_GOAL)
@example("stop my xanax " * 35)
@example("not all of my own end of all my own it " * 12)
@example("9" * 500)
def test_any_text_gets_one_judgement_that_is_whole(text: str) -> None:
    verdict = JUDGE.judge(text)
    assert verdict == GoalJudge.judge(JUDGE, text)
    assert verdict.safety in ("none", *get_args(Category))
    assert verdict.topic in get_args(Topic)
    assert verdict.specific == (verdict.one_action and verdict.amount and verdict.when_or_how_often and verdict.own_control)
    tests = {"one_action", "amount", "when_or_how_often", "own_control", "small"}
    assert set(verdict.missing) - {"clear_words"} == {test for test in tests if not getattr(verdict, test)}


@given(
    ANY_GOAL,
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.sampled_from(["  ", "\n", " \t ", "\u00a0"]),
)
def test_case_and_spacing_do_not_change_a_judgement(text: str, case: Any, space: str) -> None:
    assert JUDGE.judge(case(space.join(["", *text.split(), ""]))) == JUDGE.judge(text)


def test_a_judgement_says_nothing_of_what_the_patient_wrote() -> None:
    verdict = JUDGE.judge("My secret is Rumpelstiltskin every day")
    assert "umpel" not in repr(verdict)
    assert isinstance(verdict, GoalJudgement)


def changed(**parts: Any) -> dict[str, Any]:
    return DATA | parts


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (changed(when=["on {wekday}"]), "no list {wekday}"),
        (changed(vague=["()"]), "has no words"),
        (changed(light_actions=["fly"]), "no action called fly"),
        (changed(lists=DATA["lists"] | {"a": ["{b}"], "b": ["{a}"]}), "go in circles"),
        (changed(safety={key: value for key, value in DATA["safety"].items() if key != "self_harm"}), "self_harm"),
        (changed(topics={key: value for key, value in DATA["topics"].items() if key != "other"}), "other"),
        (changed(vage=["more"]), "vage"),
    ],
)
def test_a_word_list_that_cannot_be_read_is_refused_by_name(data: dict[str, Any], words: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=words.replace("{", r"\{")):
        msgspec.convert(data, GoalWords)


@pytest.mark.parametrize(
    "data",
    [changed(when=["on {wekday}"]), changed(topics={}), changed(vage=[]), changed(safety=DATA["safety"] | {"slef": {}})],
)
def test_a_faulty_file_is_reported_as_a_fault_of_the_file(data: dict[str, Any]) -> None:
    document = Document(PurePosixPath("goals.yaml"), "")
    assert document.convert(GoalWords, data) is None
    assert document.faults
