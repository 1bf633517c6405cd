"""Words and sentence frames of the built-in data: they are unambiguous, and few enough for a small vocabulary."""

from __future__ import annotations

import re
from itertools import chain, combinations
from string import Formatter

import pytest

from data.sources import demo_grammar as words
from data.sources.demo import generate_demo


def test_events_render_as_english() -> None:
    doctor, dogs = words.Party("doctor", trait="old"), words.Party("dog", number="three")
    event = words.Event(doctor, dogs, ("calmed", "calm"), place="in the park", denial="not")
    assert event.render() == "The old doctor did not calm three dogs in the park."
    passive = words.Event(doctor, dogs, ("calmed", "calm"), denial="never", is_passive=True)
    assert passive.render() == "Three dogs were never calmed by the old doctor."


def test_a_noun_has_its_plural_with_a_number_alone() -> None:
    assert words.Party("child").render() == "the child"
    assert words.Party("child", trait="happy", number="two").render() == "two happy children"
    assert [words.Party(noun, number="six").render() for noun in ("fox", "sheep", "cat")] == [
        "six foxes", "six sheep", "six cats"
    ]  # fmt: skip


def test_no_opinion_word_is_both_good_and_bad() -> None:
    good, bad = (
        {*words.ADJECTIVES[sign], *chain.from_iterable((*words.LIKING[sign], *words.MOVING[sign]))}
        for sign in (True, False)
    )
    assert not good & bad and len(words.ADJECTIVES[True]) == len(words.ADJECTIVES[False])


def test_a_noun_has_one_kind_and_a_word_one_opposite() -> None:
    assert sum(map(len, words.KINDS.values())) == len(words.HYPERNYM)
    for opposite in (words.OPPOSITE_VERB, words.OPPOSITE_TRAIT):
        assert all(opposite[opposite[word]] == word != opposite[word] for word in opposite)


def test_topics_share_no_thing() -> None:
    assert not any(set(one) & set(other) for one, other in combinations(words.TOPICS, 2))


@pytest.mark.parametrize(
    ("frames", "known"),
    [
        (words.REPORTS, {"who", "what", "word"}),
        (words.HYPOTHETICALS, {"what", "word"}),
        (words.NEGATED_BE, {"word"}),
        (words.NEGATED_DO, {"base", "past", "what"}),
        (words.NEUTRAL, {"day", "who", "count", "what", "plain"}),
    ],
)
def test_a_sentence_frame_has_known_placeholders_only(frames: tuple[str, ...], known: set[str]) -> None:
    assert {name for frame in frames for _, name, _, _ in Formatter().parse(frame) if name} <= known


def test_both_tasks_fit_into_a_vocabulary_of_a_thousand_pieces() -> None:
    texts = [
        text for task in ("sentiment", "entailment") for row in generate_demo(task, 4000, 0) for text in row[:2] if text
    ]
    found = set(re.findall(r"[a-z]+", " ".join(texts).lower()))
    assert 400 < len(found) < 900, "a WordPiece vocabulary also needs letters and marks"
