"""The mistakes of a model of tags."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import numpy as np
from rich.console import Console

from runner.mistakes.plain import plain_page, print_plain
from runner.mistakes.tags import analyse_tags
from runner.statistics.answers import Answers
from tests.runner.mistakes.cases import write_case


def test_tags_and_the_worst_sentences_are_shown(tmp_path: Path) -> None:
    columns = {"label": np.array([0, 1, 0, 2, 2]), "prediction": np.array([0, 2, 0, 1, 1])}
    answers = Answers(columns, np.array([0, 2, 2, 5]), names=("O", "B-PER", "I-PER"))
    answered = dataclasses.replace(write_case(tmp_path), answers=answers, probabilities=None)
    found = analyse_tags(answered, None)
    assert found.lead == "3 of 5 words of test are tagged wrongly"
    assert [line[3:7] for line in found.lines] == [
        (3, None, 2, "word 2: I-PER answered B-PER; word 3: I-PER answered B-PER"),
        (1, None, 1, "word 2: B-PER answered I-PER"),
    ]
    assert found.sentences[0] == "I-PER: F1 0.000 on 2 words; most often answered with B-PER (2)."
    assert 'id="confusion"' in plain_page(found, "0123456789")
    stream = io.StringIO()
    print_plain(found, Console(file=stream, width=80, force_terminal=True, color_system=None))
    assert "most often answered with" in stream.getvalue() and max(map(len, stream.getvalue().splitlines())) <= 80


def test_second_tags_are_not_passed_over(tmp_path: Path) -> None:
    columns = {"label": np.array([0, 1]), "prediction": np.array([0, 1])}
    columns |= {"second_label": np.array([0, 1]), "second_prediction": np.array([1, 1])}
    answers = Answers(columns, np.array([0, 2]), names=("O", "COMMA"), second_names=("LOWER", "UPPER"))
    found = analyse_tags(dataclasses.replace(write_case(tmp_path), answers=answers, probabilities=None), None)
    assert found.lead.startswith("0 of 2 words")
    assert found.sentences == [
        "All of this is about the first tag of a word; the second is wrong for 1 of 2 words, which are not shown."
    ]
