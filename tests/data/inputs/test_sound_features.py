"""Features as the tokenizer of sounds: frames, scaling by the training rows, saved and opened again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.sound_features import SOUND_FILE, SoundFeatures, features_of
from data.inputs.tokenizer import load_tokenizer
from data.settings import DataSettings

FEATURES = SoundFeatures("log_mel", 16000, 1.0)
NOISE = np.random.default_rng(0).uniform(-1, 1, 24000)


def test_a_row_begins_with_a_frame_of_zeros_unless_the_model_wants_none() -> None:
    row = FEATURES.frames(NOISE, 40)
    assert row.shape == (9, 64) and row.dtype == np.float16
    assert not row[0].any() and row[1:].all()
    assert SoundFeatures("mfcc", 16000, 1.0, special_tokens=False).frames(NOISE, 40).shape == (8, 40)


def test_rows_have_at_most_as_many_frames_as_the_model_reads() -> None:
    assert len(FEATURES.frames(NOISE, 5)) == 5
    whole = SoundFeatures("log_mel", 16000)
    for length in (5, 12):
        read = whole.longest(length)
        assert read < len(NOISE) and len(whole.frames(NOISE[:read], length)) == length
        np.testing.assert_array_equal(whole.frames(NOISE[:read], length), whole.frames(NOISE, length))


def test_scaling_is_that_of_the_frames_of_the_training_rows() -> None:
    random = np.random.default_rng(1)
    frames = random.normal(-10, 3, (200_000, 64)).astype(np.float16)
    frames[::100] = 0
    frames[:, 5] = -13.8
    found = FEATURES.fitted(frames, np.arange(0, 200_001, 100))
    kept = np.delete(frames, np.s_[::100], axis=0).astype(np.float64)
    np.testing.assert_allclose(found.mean, kept.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(np.delete(found.sd, 5), np.delete(kept.std(axis=0), 5), rtol=1e-9)
    assert found.sd[5] == 1.0, "a constant feature is not blown up"
    assert found.fingerprint == FEATURES.fingerprint, "folds share the stored frames"


def test_features_are_opened_as_they_were_saved(tmp_path: Path) -> None:
    fitted = FEATURES.fitted(FEATURES.frames(NOISE, 40), np.array([0, 9]))
    fitted.save(tmp_path)
    assert load_tokenizer(str(tmp_path)) == fitted


def test_stacked_frames_are_read_saved_and_opened_as_wide_ones(tmp_path: Path) -> None:
    stacked = SoundFeatures("log_mel", 16000, 1.0, 1, special_tokens=False, stack=4)
    row = stacked.frames(NOISE, 40)
    assert row.shape == (8, stacked.vocab_size) == (8, 256) and stacked.count(16000) == 8
    assert stacked.longest(3) == SoundFeatures("log_mel", 16000, 1.0, 4, special_tokens=False).longest(3)
    fitted = stacked.fitted(row, np.array([0, 8]))
    fitted.save(tmp_path)
    assert load_tokenizer(str(tmp_path)) == fitted and fitted.fingerprint != FEATURES.fingerprint
    assert "stack" not in FEATURES.facts, "models from before have other files"
    asked = DataSettings(name="files", seconds=1.0, average_frames=1, stack_frames=4)
    assert features_of(str(tmp_path), asked, special_tokens=False) == fitted
    with pytest.raises(DataError, match="other features than these data: stack 4"):
        features_of(str(tmp_path), replace(asked, stack_frames=1), special_tokens=False)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"floor": 1e-10}, "features that this version cannot compute"),
        ({"features": "words"}, "features that this version cannot compute"),
        ({"mean": [0.0]}, "for each of 64"),
        ({"sd": [0.0] * 64}, "for each of 64"),
        ({"sd": [float("nan")] * 64}, "for each of 64"),
        ({"rate": None}, "NoneType"),
    ],
)
def test_a_file_of_other_features_is_refused(change: dict[str, object], message: str, tmp_path: Path) -> None:
    FEATURES.fitted(FEATURES.frames(NOISE, 40), np.array([0, 9])).save(tmp_path)
    facts = json.loads((tmp_path / SOUND_FILE).read_text())
    (tmp_path / SOUND_FILE).write_text(json.dumps(facts | change))
    with pytest.raises(DataError, match=message):
        load_tokenizer(str(tmp_path))


def test_texts_are_refused_and_rows_are_counted() -> None:
    for ask in (FEATURES.tokens, lambda: FEATURES.encode(["a"], None, 5)):
        with pytest.raises(DataError, match="is for sounds"):
            ask()
    with pytest.raises(DataError, match=r"data\.clean=null"):
        FEATURES.cleaned_by(("tweets",))
    assert FEATURES.decode([0] * 39) == "39 frames of 64 features"
