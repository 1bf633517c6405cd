"""Words find their classes, and outputs their meaning, by name."""

from __future__ import annotations

import pytest

from runner.errors import ConfigError
from runner.zero_shot.labels import check_meaning, entailment_places, words_of_classes
from runner.zero_shot.scores import MULTI, SINGLE

TOPICS = ["entertainment", "geography", "health", "politics", "science/technology", "sports", "travel"]
ASKED = "[science,travel,politics,sports,health,entertainment,geography]"


def test_words_go_to_the_classes_of_their_names_whatever_the_order() -> None:
    words = words_of_classes(ASKED, TOPICS)
    assert words == ("entertainment", "geography", "health", "politics", "science", "sports", "travel")


def test_words_of_another_language_go_by_the_order_of_the_classes() -> None:
    assert words_of_classes("[olumsuz,olumlu]", ["negative", "positive"]) == ("olumsuz", "olumlu")
    assert words_of_classes("olumsuz, olumlu", ["negative", "positive"]) == ("olumsuz", "olumlu")


def test_a_word_may_be_named_for_each_class() -> None:
    found = words_of_classes("{positive: olumlu, negative: olumsuz}", ["negative", "positive"])
    assert found == ("olumsuz", "olumlu")


def test_quotes_are_no_part_of_a_word() -> None:
    for text in ("{negative: 'very bad', positive: \"good\"}", '{"negative": "very bad", "positive": "good"}'):
        assert words_of_classes(text, ["negative", "positive"]) == ("very bad", "good")


def test_without_labels_the_classes_name_themselves() -> None:
    assert words_of_classes("", ["very_good", "bad"]) == ("very good", "bad")


def test_classes_that_are_numbers_need_words_or_a_template() -> None:
    with pytest.raises(
        ConfigError, match=r"called 0, 1, 2, .* Try: 'labels=\{0: <a word>, 1: <a word>, 2: <a word>\}'"
    ):
        check_meaning(("0", "1", "2"), [])
    check_meaning(("0", "1", "2"), ["This review gives {} stars."])
    check_meaning(("world", "sports"), [])
    check_meaning(("dünya", "1"), [])
    check_meaning(("体育", "财经"), [])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("[a,b]", r"2 labels for 3 classes: labels are a, b; the classes of the data are x, y, z"),
        ("[x,x,y]", "'x' stands for two classes"),
        ("{x: 1, y: 2, z: 1}", "'1' stands for two classes: labels are x, y, z"),
        ("[x,b,c]", r"which label is for which class.*Try: 'labels=\{x: x, y: b, z: c\}'"),
        ("{x: 1, y: 2, w: 3}", "which label is for which class"),
        ("{x, y, z}", "expected class: word"),
        ("{x: 1, y: 2, z: ''}", "expected class: word"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_both_lists(labels: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        words_of_classes(labels, ["x", "y", "z"])


def test_outputs_are_found_by_name() -> None:
    assert entailment_places(["contradiction", "Entailment", "neutral"], "a", MULTI) == (1, 0)
    assert entailment_places(["entailment", "not_entailment"], "a", MULTI) == (0, 1)
    assert entailment_places(["entailment", "other"], "a", SINGLE) == (0, None)
    with pytest.raises(ConfigError, match="pos, neg, but zero-shot needs a class called entailment"):
        entailment_places(["pos", "neg"], "1f0c", SINGLE)
    with pytest.raises(ConfigError, match="no class called contradiction"):
        entailment_places(["entailment", "other"], "1f0c", MULTI)
