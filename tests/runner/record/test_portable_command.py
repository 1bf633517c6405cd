"""The command on a model's card: it can be pasted, and names no folder of the machine that trained."""

from __future__ import annotations

import shlex

import pytest

from runner.record.portable_command import command_of
from tests.records import a_record


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("data.path=/home/ada/reviews.csv", "data.path=reviews.csv"),
        ('data.path="/home/ada/my data/a (1).csv"', 'data.path="a (1).csv"'),
        ("data.path=/home/ada/my data/all rows.csv", 'data.path="all rows.csv"'),
        ("data.train_path=[/home/ada/a.csv,'~/b c.csv']", 'data.train_path=[a.csv,"b c.csv"]'),
        ("model.pretrained=../outputs/1a2b3c/model/", "model.pretrained=model"),
        ("model.pretrained=prajjwal1/bert-tiny", "model.pretrained=prajjwal1/bert-tiny"),
        ('data.text="a/b/c"', 'data.text="a/b/c"'),
        ('data.label_separator="/"', 'data.label_separator="/"'),
        ("data.label_names=[n/a,/,x/y/z]", "data.label_names=[n/a,/,x/y/z]"),
        (
            'compression.distil.teacher="model=dsn data.path=/home/ada/a.csv paths.output=/mnt/x"',
            'compression.distil.teacher="model=dsn data.path=a.csv"',
        ),
    ],
)
def test_only_paths_lose_their_folders(word: str, shown: str) -> None:
    record = a_record(overrides=["data=files", word, "paths.output=/mnt/x", "tracker=none"])
    assert shlex.split(command_of(record)) == ["run", "data=files", shown]


def test_a_command_of_a_verb_is_shown_as_typed() -> None:
    record = a_record(overrides=["zero-shot", "aaaa", "template=A {}.", "data.test_path=/home/ada/a.csv"])
    assert command_of(record) == "run zero-shot aaaa 'template=A {}.' data.test_path=a.csv"
