"""The verdicts on goals, with the shipped word lists: what is specific, what is small, what must never be missed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from careplan.recognition.goal_judge import GoalJudge, GoalJudgement
from careplan.recognition.goal_lexicon import Category, GoalWords, Topic
from careplan.rulebook.yaml_and_csv import Document

FILE = Path(__file__).parents[2] / "rules" / "goals.yaml"
DATA: dict[str, Any] = Document(PurePosixPath("goals.yaml"), FILE.read_text(encoding="utf-8")).data
WORDS = msgspec.convert(DATA, GoalWords)
MEDICINES = [
    *("xanax", "alprazolam", "lamictal", "lamotrigine", "klonopin", "lexapro", "zoloft", "st johns wort", "sertraline"),
    *("clonazepam", "lorazepam", "ketamine", "esketamine", "caffeine", "alcohol", "toprol xl", "neo synephrine", "sonata"),
]
CLASSES = {
    "benzodiazepine": ("xanax", "alprazolam", "klonopin", "clonazepam", "lorazepam"),
    "antidepressant_ssri": ("lexapro", "zoloft", "sertraline"),
    "lamotrigine": ("lamictal", "lamotrigine"),
}
JUDGE = GoalJudge(WORDS, {name: [kind for kind, names in CLASSES.items() if name in names] for name in MEDICINES})
VAGUE = ("amount", "when_or_how_often", "clear_words")

GOALS_AND_WHAT_THEY_LACK = [
    ("I will take a 10-minute walk each day.", ()),
    ("I want to move more.", VAGUE),
    ("be able to play with my kids 10 minutes a day", ()),
    ("be able to read to my kids", ("amount", "when_or_how_often")),
    ("be able to feel joy", ("one_action", "amount", "when_or_how_often", "own_control")),
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


@pytest.mark.parametrize(
    "text",
    [
        "join my husband in heaven",
        "go to sleep for ever",
        "finish it",
        "Quiero morirme",
        "i wanna dissapear forever",
        "kil myself",
        "i want to dye",
        "I want out of this life",
        "OD",
        "dormir y no despertar",
        "no despertar",
        "desaparecer para siempre",
        "acabar con todo",
        "lastimarme",
        "cortarme",
        "tirarme del puente",
        "je veux mourir",
        "ich will sterben",
        "quero morrer",
        "starve myself",
        "take the whole bottle",
        "k1ll myself",
        "su*c*de",
        "walk into the lake at midnight",
        "finish my life",
        "buy a rope",
        "get my affairs in order",
        "No more tomorrow",
    ],
)
def test_death_in_other_words_in_misspellings_and_in_other_languages_is_heard(text: str) -> None:
    assert JUDGE.judge(text).safety == "self_harm"


@pytest.mark.parametrize(
    "text",
    [
        "see my mother again",
        "go home for good",
        "be with my son",
        "rest at last",
        "leave a letter for my kids",
        "do it on Friday",
        "I want to \N{PISTOL} myself",
        "walk to the bridge",
        "have a last dinner with my family",
        "go",
        "leave",
        "be at peace",
        "make everyone happy by going away",
        "take a long sleep",
        "put an end to it",
        "buy 50 pills",
        "write letters to my children",
        "say goodbye to my dog",
        "my kids will be free of me",
        "be reunited with my dad",
        "Caminar 10 minutos cada d\u00eda",
        "Zehn Minuten laufen",
        "Order in my life",
    ],
)
def test_what_no_list_can_read_is_not_understood(text: str) -> None:
    assert not JUDGE.judge(text).understood


EVERYDAY = [
    "Go for a 20 minute bike ride on Saturday mornings",
    "Play guitar for 15 minutes after dinner",
    "Cook a healthy meal at home three nights a week",
    "Spend half an hour with my kids without my phone each evening",
    "Finish one chapter of my novel every week",
    "Get out of bed by 8 am on weekdays",
    "Drink eight glasses of water a day",
    "Take the dog to the park every morning",
    "Call my mom twice a week",
    "Reconnect with two old friends this month",
    "Do 10 push-ups before my shower each day",
    "Write in my gratitude journal every night before bed",
    "Go back to church on Sundays",
    "Learn Spanish for 10 minutes a day with an app",
    "Apply to two jobs a week",
    "Clean the kitchen every Sunday afternoon",
    "Limit social media to 30 minutes a day",
    "Practice deep breathing for five minutes when I feel anxious",
    "Have dinner with my wife once a week without screens",
    "Attend one yoga class per week",
    "Be more present with my family",
    "Read a bedtime story to my daughter every night",
    "Have more energy",
    "Sleep 8 hours a night",
    "Reduce my stress at work",
    "Get back to painting, one hour on Saturdays",
    "Enjoy my hobbies again",
    "Improve my relationship with my partner",
    "Be able to go grocery shopping by myself",
    "Return to work part time by March",
    "Walk to the mailbox and back every day",
    "Stretch my back for 5 minutes after I wake up",
    "Less anxiety in social situations",
    "I'd like to laugh more with my friends",
    "Go outside for at least ten minutes every day",
    "Join a book club by the end of the month",
    "Start therapy homework on Monday evenings",
    "Feel like myself again",
    "Plan one fun activity with my husband every weekend",
    "Eat breakfast every day",
    "Put my phone in another room at 10 pm",
    "Swim at the community pool on Tuesdays and Thursdays",
    "Volunteer at the animal shelter once a month",
    "Meditate with an app for 10 minutes each morning",
    "Make my bed every morning",
    "Tidy my desk for five minutes before I start work",
    "Listen to one podcast episode while walking on Mondays",
    "Cut back on coffee to one cup a day",
    "Take a warm bath on Sunday evenings",
    "Garden for 20 minutes on weekends",
    "Save 50 dollars a month",
    "Do one load of laundry every Wednesday",
    "Knit for 15 minutes in the evening",
    "Take a photo of something beautiful each day",
    "Get my driver's license renewed this month",
    "Go to bed before midnight",
    "Text my brother on his birthday",
    "Have coffee with my neighbor every other week",
    "Try one new recipe each week",
    "Be kinder to myself",
    "Set boundaries with my coworkers",
    "Manage my anger better",
    "Get through the day without crying",
    "Shower every other day",
    "Answer my emails within two days",
    "Practice the piano for twenty minutes on weekdays",
    "Ride my horse once a week",
    "Walk around the block every evening after dinner",
    "Spend 10 minutes outside in the sun each morning",
    "Get back into running, 2 miles twice a week",
    "Write one page of my memoir every Sunday",
    "Eat lunch away from my desk on weekdays",
    "Turn off the TV by 10 pm",
    "Take my son to the playground on Saturdays",
    "Finish my resume by Friday",
    "Sit on the porch with a cup of tea every afternoon",
    "Make one phone call to a relative each week",
    "Practice saying no at work",
    "Do the dishes right after dinner",
    "Wake up at the same time every day",
    "Keep a mood diary every evening",
    "Read for 20 minutes instead of scrolling before bed",
    "Try a new hobby this month",
    "Work out at the gym three times per week",
    "Have a better relationship with my mother",
    "Be less irritable with my kids",
    "Feel more connected to other people",
    "Paint one small watercolor each weekend",
    "Go hiking with my sister once a month",
    "Eat two pieces of fruit every day",
    "Ask my boss for one afternoon off each month",
    "Put on real clothes every morning",
    "Clean out one drawer a week",
    "Get a haircut next week",
    "Bake bread on Sundays",
    "Go to an AA meeting every Thursday night",
    "Drink no soda on weekdays",
    "Check the news only once a day",
    "Sleep through the night",
    "Concentrate at work for 25 minutes at a time",
    "Journal after each ketamine session",
    "Take three slow breaths before each meal",
    "Say one kind thing to myself in the mirror every morning",
    "Send a birthday card to my aunt in May",
    "Play chess with my dad on Wednesdays",
    "Start each day with a glass of water",
    "Do a 15 minute yoga video before work",
    "Walk my neighbor's dog twice a week",
    "Stop checking my phone in bed",
]


def test_nearly_all_everyday_goals_are_understood() -> None:
    verdicts = {text: JUDGE.judge(text) for text in EVERYDAY}
    assert {text for text, verdict in verdicts.items() if verdict.safety != "none"} == set()
    unread = [text for text, verdict in verdicts.items() if not verdict.understood]
    assert len(unread) <= 0.05 * len(EVERYDAY), unread


@pytest.mark.parametrize("text", [text for text, _ in GOALS_AND_WHAT_THEY_LACK[:-2]])
def test_a_goal_that_is_judged_is_one_that_was_understood(text: str) -> None:
    assert JUDGE.judge(text).understood


@pytest.mark.parametrize("text", ["Walk 10 minutes every day", "Be happy again", "Call my sister every Sunday at 5 pm"])
@given(word=st.text("abcdefghijklmnopqrstuvwxyz", min_size=6, max_size=12), at=st.integers(0, 5))
def test_one_word_that_stands_in_no_list_is_enough_not_to_understand(text: str, word: str, at: int) -> None:
    words = text.split()
    assume(not JUDGE.judge(f"{word} walk").understood)
    assert not JUDGE.judge(" ".join([*words[:at], word, *words[at:]])).understood


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
            "be off all benzos by summer",
            "dejar mis medicinas",
            "dejar la pastilla",
            "no more pills",
        ),
        *(
            "Stop the Xanaxes",
            "Taper clonazepam by a quarter each week",
            "go cold turkey",
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
        ("volver con mi ex que me pega", "contact_with_abuser"),
        ("matar a mi jefe", "harm_to_others"),
        ("Divorce my wife", "major_decision"),
        ("Sell my house by June", "major_decision"),
        ("Quit my job tomorrow", "major_decision"),
        ("Quit drinking", "alcohol_change"),
        ("cut my drinking to weekends", "alcohol_change"),
        ("no more than 2 drinks on fri", "alcohol_change"),
        ("I want to want to live", "self_harm"),
        ("Stop going to therapy", "treatment_end"),
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
            "limit drinking water at night",
            "cut my drinking of soda",
            "no more than 2 coffee drinks a day",
            "be able to read to my kids",
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
    assert JUDGE.judge("Stop my Xanax and hit my boss").safety == "harm_to_others"


def test_a_medicine_that_the_rulebook_does_not_know_by_name_is_seen_once_it_does() -> None:
    assert GoalJudge(WORDS, {}).judge("Halve my Zyprexa").safety == "none"
    assert GoalJudge(WORDS, {"zyprexa": ["antipsychotic"]}).judge("Halve my Zyprexa").safety == "medicine_change"


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
