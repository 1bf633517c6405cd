"""Values that Hydra would refuse or change stay what was typed."""

from __future__ import annotations

import pytest

from models.compression.settings.learn import Distil
from runner.config.compose import compose
from runner.config.quotes import add_quotes
from runner.config.resolve import resolve

BERT = ["model=bert-tiny", "data=demo"]


@pytest.mark.parametrize("text", ["318296e039", "0123456789", "1e3", "1_000", "7", "4ad09bb9b5"])
def test_a_text_stays_what_was_typed(text: str) -> None:
    words = [*BERT, "compression=[distil]", f"compression.distil.teacher={text}", f"model.tokenizer={text}"]
    settings = resolve(compose(add_quotes(words)))
    stage = settings.compression["distil"]
    assert isinstance(stage, Distil) and (stage.teacher, settings.model.tokenizer) == (text, text)


def test_each_text_of_a_sweep_is_quoted_where_it_must_be() -> None:
    key = "compression.distil.teacher"
    assert add_quotes([f"{key}=318296e039,abc,12"]) == [f'{key}="318296e039",abc,12']


@pytest.mark.parametrize(
    "word",
    [
        "optimizer.lr=1e-3", "optimizer.lr=1e-3,5e-3", "data.path=007.csv", "seed=007", 'data.text="007"', "-m",
        "density=1e-1", "data.no_such=1e3", "compression=[int8]", "data.tags=-1", "model=dsn", "a text",
        "model.init_from=null",
    ],
)  # fmt: skip
def test_other_words_stay_as_they_are(word: str) -> None:
    assert add_quotes([word]) == [word]


def test_values_that_hydra_refuses_are_quoted_too() -> None:
    assert add_quotes(["data.text=görüş", "paths.output=çıktı,007"]) == [
        'data.text="görüş"',
        'paths.output="çıktı","007"',
    ]
