"""The command of a run, to paste into a shell; older records of a verb have quoted words."""

from __future__ import annotations

import pytest

from runner.record.command import command_line, is_of_verb, make_model
from runner.record.model_card import model_card
from tests.records import a_record

WORDS = ["data=files", "data.metrics=[f1]", 'data.text="the message"']
TYPED = "run data=files 'data.metrics=[f1]' 'data.text=\"the message\"'"


def test_a_command_can_be_pasted_into_a_shell() -> None:
    record = a_record(overrides=WORDS)
    assert command_line(record) == TYPED and command_line(record, "out=a b") == f"{TYPED} 'out=a b'"
    assert f"Reproduce it with `{TYPED}`" in model_card(record, "AutoModel")
    assert not is_of_verb(record)


@pytest.mark.parametrize("kept", ["template=It's {}.", "'template=It'\"'\"'s {}.'"])
def test_words_of_a_verb_are_quoted_once_in_older_records_too(kept: str) -> None:
    record = a_record(overrides=["zero-shot", "aaaa", "data=demo", kept])
    assert command_line(record) == "run zero-shot aaaa data=demo 'template=It'\"'\"'s {}.'"
    assert is_of_verb(record)


def test_the_result_of_a_verb_is_not_made_again_for_a_model_that_it_never_has() -> None:
    config = a_record().config
    answers = a_record(overrides=["zero-shot", "aaaa", "data=demo"], config=config | {"zero_shot": {"from": "aaaa"}})
    assert make_model(answers) == "It holds answers, made by run zero-shot, which trains no model. Try: aaaa"
    both = a_record(overrides=["cascade", "small=a", "large=b"], config=config | {"cascade": {"large": "bbbb"}})
    assert make_model(both).endswith("made by run cascade, which trains no model. Try: bbbb")
    assert make_model(a_record(overrides=WORDS)).startswith("Make it again: run data=files ")
