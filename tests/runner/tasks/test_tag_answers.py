"""Answers of tagging models: entities with their places, restored texts."""

from __future__ import annotations

import numpy as np

from data.inputs.split_text import split_bare, split_words
from runner.tasks.tag_answers import entity_spans, with_entities, with_marks, with_tags

NAMES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


def test_entities_have_their_places_in_the_text() -> None:
    text = "Ada  Lovelace saw (London)."
    words, places = split_words(text)
    assert words == ["Ada", "Lovelace", "saw", "(", "London", ")", "."]
    shares = np.array([0.5, 1, 1, 1, 0.25, 1, 1], np.float32)
    spans = entity_spans(np.array([1, 2, 0, 0, 4, 0, 0]), shares, NAMES, text, places)
    assert spans == [
        {"type": "PER", "text": "Ada  Lovelace", "start": 0, "end": 13, "score": 0.75},
        {"type": "LOC", "text": "London", "start": 19, "end": 25, "score": 0.25},
    ]
    assert with_entities(text, spans) == "[Ada  Lovelace](PER) saw ([London](LOC))."
    assert with_entities("nobody", []) == "nobody"


def test_a_text_without_words_has_no_entities() -> None:
    assert entity_spans(np.zeros(0, np.int64), np.zeros(0), NAMES, " ", np.zeros((0, 2), np.int64)) == []


def test_types_without_a_name_are_called_by_their_tag() -> None:
    spans = entity_spans(np.array([1]), np.ones(1), ("O", "B", "I"), "x", np.array([[0, 1]]))
    assert spans[0]["type"] == "B"


def test_a_restored_text() -> None:
    words, places = split_bare("hayır izmir'de ışık var mı", "tr")
    assert len(places) == 5
    marks, cases = ["COMMA", "O", "O", "O", "QUESTION"], ["CAP", "CAP", "UPPER", "LOWER", "LOWER"]
    names = [("O", "COMMA", "QUESTION"), ("LOWER", "CAP", "UPPER")]
    assert with_marks(words, [marks, cases], names, "tr") == "Hayır, İzmir'de IŞIK var mı?"
    assert with_marks(words, [cases, marks], names[::-1], "tr") == "Hayır, İzmir'de IŞIK var mı?"
    assert with_marks(words, [marks], names[:1], "tr") == "hayır, izmir'de ışık var mı?"


def test_plain_tags_stand_behind_their_words() -> None:
    assert with_tags(["the", "dog", "ran"], ["O", "NOUN", "VERB"]) == "the dog/NOUN ran/VERB"
