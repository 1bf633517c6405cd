from __future__ import annotations

import pytest

from runner.best.tasks import check_named_task, check_task
from runner.errors import ConfigError
from runner.tasks.classification import Classification
from runner.tasks.mlm import MaskedWords
from runner.tasks.span import Span


def test_answers_that_are_read_from_tokens_have_no_candidates() -> None:
    check_task(Classification())
    with pytest.raises(ConfigError, match=r"a model of spans answers for its tokens \(task=span\). Try: run -m model="):
        check_task(Span())


def test_a_model_without_answers_has_no_candidates() -> None:
    wrong = r"does not search for a masked language model \(task=mlm\)\. Try: run -m task=mlm model=bert-tiny"
    with pytest.raises(ConfigError, match=wrong):
        check_task(MaskedWords)


@pytest.mark.parametrize("words", [["data=squad"], ["data=wnut17"], ["data=demo", "task=mlm"], ["data.task=tags"]])
def test_a_task_without_candidates_is_refused_before_the_data_are_read(words: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"Try: run -m .*model=bert-tiny,bert-mini, then run compare"):
        check_named_task(words)


def test_other_tasks_and_words_that_do_not_compose_are_let_through() -> None:
    for words in (["data=demo"], ["data=wikiqa"], ["task=rank"], ["data=nonsense"]):
        check_named_task(words)
