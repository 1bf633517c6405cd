"""Models of sounds want sounds, models of texts texts: told in one line before any data are read."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides
from runner.config.check_sound import column_of_sounds
from runner.config.compose import compose
from runner.config.resolve import resolve

SOUNDS = ["data=files", "data.path=clips.csv", "data.audio=path"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["model=tiny-sound", "data=demo"], "model=tiny-sound reads sounds, but data=demo has texts. Try: data=esc10"),
        (["model=mfcc-cnn", "data=demo"], "model=mfcc-cnn reads sounds"),
        (["model=bert-tiny", *SOUNDS], "data.audio=path gives sounds, but model=bert-tiny reads texts"),
        (["model=dsn", *SOUNDS], "Try: model=tiny-sound"),
        (["model=eelbert", *SOUNDS], "model=eelbert reads texts"),
        (
            ["model=tiny-sound", *SOUNDS, "model.tokenizer=auto"],
            "makes numbers of tokens",
        ),
        (["model=dsn", "model.tokenizer=log_mel", "data=demo"], "makes frames of sounds, which model=dsn cannot read"),
        (["model=tiny-sound", *SOUNDS, "model.vocabulary=80"], "model.tokenizer=log_mel has none"),
        (["model=tiny-sound", *SOUNDS, "task=mlm"], "task=mlm is for texts"),
        (
            ["model=bert-tiny", "model.segments=0", "data=demo"],
            "models of texts have one or two. Try: model.segments=2",
        ),
        (
            [
                "model=tiny-sound",
                *SOUNDS,
                "compression=[distil]",
                "compression.distil.teacher=x",
                "data.augment.mixup=0.2",
            ],
            "mixes them. Try: data.augment.mixup=0",
        ),
        (["model=mfcc-cnn", *SOUNDS, "model/readout=cls"], "model/readout=cls"),
    ],
)
def test_what_does_not_go_together_is_told_with_a_cure(words: list[str], message: str) -> None:
    problems = check_overrides(words)
    assert problems and message in "\n".join(problems) and all("Try: " in line for line in problems)


def test_sounds_are_cut_at_the_positions_of_a_model() -> None:
    assert resolve(compose(["model=tiny-sound", *SOUNDS])).data.max_length == 40
    assert resolve(compose(["model=mfcc-cnn", *SOUNDS])).data.max_length == 128


@pytest.mark.parametrize("model", ["tiny-sound", "conv-sound", "mfcc-cnn", "frames-lr", "mean-sound"])
def test_every_model_of_sounds_takes_sounds(model: str) -> None:
    assert check_overrides([f"model={model}", *SOUNDS]) == []


def test_the_column_of_sounds_is_known_from_the_words_about_data() -> None:
    assert column_of_sounds(SOUNDS) == "path" and column_of_sounds(["data=esc10", "max_kb=12"]) == "audio"
    assert column_of_sounds(["data=sst2"]) is None and column_of_sounds(["data=nothing-of-the-kind"]) is None
