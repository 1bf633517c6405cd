"""Sounds as the input of a row: scaled and padded batches, examples, questions to a deployed model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.questions import INPUTS
from data.inputs.sound import Sound
from data.inputs.sound_features import SoundFeatures
from data.splits import TokenSplit
from tests.data.inputs.sounds import sound_file, tone

CLIPS = [sound_file(tone(hertz, seconds)) for hertz, seconds in ((440, 1.0), (880, 0.5), (660, 2.0))]


def made(seconds: float | None = None, special_tokens: bool = True) -> tuple[Sound, TokenSplit]:
    """An input with the scaling of three clips, and their split."""
    features = SoundFeatures("log_mel", 16000, seconds, 4, special_tokens)
    first = Sound(features).ask([CLIPS], 40).split
    own = Sound(features.fitted(first.tokens, first.offsets))
    return own, own.ask([CLIPS], 40).split


def test_a_batch_has_scaled_frames_and_zeros_where_there_is_no_sound() -> None:
    own, split = made()
    assert split.lengths.tolist() == [9, 5, 16] and split.tokens.dtype == np.float16
    inputs = own.collate(split, np.array([1, 0, 2]))
    frames, mask = inputs["input_ids"], inputs["attention_mask"]
    assert frames.shape == (3, 16, 64) and frames.dtype == np.float32
    assert mask.sum(axis=1).tolist() == [5, 9, 16]
    assert not frames[mask == 0].any(), "padding"
    assert not frames[:, 0].any(), "the place of the learned vector"
    real = np.concatenate([frames[0, 1:5], frames[1, 1:9], frames[2, 1:]])
    np.testing.assert_allclose(real.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(real.std(axis=0), 1, atol=1e-3)


def test_a_row_alone_is_the_row_of_a_batch() -> None:
    own, split = made()
    batch = own.collate(split, np.array([0, 1, 2]))["input_ids"]
    for row, length in enumerate(split.lengths):
        alone = own.collate(split, np.array([row]))
        assert "attention_mask" not in alone
        np.testing.assert_array_equal(alone["input_ids"][0], batch[row, :length])


def test_rows_without_a_learned_vector_begin_with_the_sound() -> None:
    own, split = made(special_tokens=False)
    assert split.lengths.tolist() == [8, 4, 15]
    assert own.collate(split, np.array([0]))["input_ids"][0, 0].any()


def test_an_example_has_the_shape_that_is_asked_for() -> None:
    own, split = made()
    inputs = own.example(split, 2, 40, seed=1)
    assert inputs["input_ids"].shape == (2, 40, 64) and inputs["attention_mask"].shape == (2, 40)
    assert not inputs["input_ids"][:, 0].any()


def test_sounds_longer_than_data_seconds_are_cut_and_reported() -> None:
    own, split = made(seconds=1.0)
    assert split.lengths.tolist() == [9, 9, 9] and split.truncated == 1
    assert own.ask([CLIPS], 40).is_cut.tolist() == [False, False, True]
    assert own.ask([CLIPS], 40).lengths.tolist() == [9, 9, 16]
    assert own.ask([CLIPS], 6).is_cut.tolist() == [True, False, True]


def test_a_question_is_a_path_or_the_content_of_a_file(tmp_path: Path) -> None:
    own, split = made()
    (tmp_path / "a.wav").write_bytes(CLIPS[0])
    for sound in (tmp_path / "a.wav", str(tmp_path / "a.wav"), CLIPS[0]):
        np.testing.assert_array_equal(own.ask([[sound]], 40).split.tokens, split.tokens[:9])
    assert [field.type for field in own.request()] == ["sound"]


def test_questions_that_are_no_sounds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    own = INPUTS["sound"].for_questions(made()[0].tokenizer, ("audio",), {"max_mb": 0.02})
    for question, message in (
        (tmp_path / "b.wav", "no such file"),
        (tmp_path / "a.txt", "a.txt is not a complete sound file"),
        (CLIPS[0], "up to 0.02 MB"),
    ):
        with pytest.raises(DataError, match=message):
            own.ask([[question]], 40)


def test_a_tokenizer_of_texts_is_refused() -> None:
    from data.inputs.hashed_words import HashedWords

    with pytest.raises(DataError, match="is for texts"):
        Sound.for_questions(HashedWords(), ("audio",), {})
