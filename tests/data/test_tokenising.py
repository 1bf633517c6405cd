"""Which input and which tokenizer the rows of a split have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.batch import collate
from data.errors import DataError
from data.inputs.sound import Sound
from data.inputs.sound_features import SoundFeatures
from data.load import load_splits
from data.sources.choice import read_raw
from data.stores.build_once import SharedCache
from data.tokenising import input_of, tokenise_split, tokenizer_of
from tests.data.inputs.sounds import sound_settings, write_clips


def test_sounds_have_features_in_the_place_of_a_tokenizer(tmp_path: Path) -> None:
    settings, cache = sound_settings(write_clips(tmp_path)), SharedCache(tmp_path / "cache")
    raw = read_raw(settings, cache)
    found = tokenizer_of(settings, "mfcc", 0, raw.splits["train"], "", cache, False, "auto")
    assert found == SoundFeatures("mfcc", 16000, 0.25, 4, special_tokens=False)
    own = input_of(raw, found)
    assert isinstance(own, Sound)
    split = tokenise_split(raw.splits["train"], "train", "key", own, raw.target, 40, cache)
    assert split.tokens.shape == (8 * 2, 40) and split.lengths.tolist() == [2] * 8


def test_a_saved_model_keeps_its_scaling_and_refuses_other_features(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 16)
    saved = SoundFeatures("log_mel", 16000, 0.25, mean=(1.0,) * 64, sd=(2.0,) * 64)
    saved.save(tmp_path / "model")
    source = str(tmp_path / "model")
    splits = load_splits(sound_settings(path), tokenizer=source, vocab_size=0, cache=tmp_path / "cache")
    assert splits.tokenizer == saved
    with pytest.raises(DataError, match=r"other features than these data: seconds 0\.25"):
        load_splits(sound_settings(path, seconds=0.1), tokenizer=source, vocab_size=0, cache=tmp_path / "cache")


def test_folds_share_nothing_but_the_facts_of_their_sounds(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 20, part=lambda index: index % 5)
    told: list[str] = []
    folds = [
        load_splits(
            sound_settings(path, fold_column="part", fold=str(fold)), tokenizer="log_mel", vocab_size=0,
            cache=tmp_path / "cache", notify=told.append,
        )
        for fold in range(5)
    ]  # fmt: skip
    assert sum("decoding" in line for line in told) == 1
    tested = np.concatenate([splits.report[0].source_rows for splits in folds])
    assert sorted(tested.tolist()) == list(range(2, 22)), "every row is tested once"


def test_training_sounds_alone_are_varied_by_the_seed_of_the_run(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 20)
    first, again, other = (
        load_splits(sound_settings(path), tokenizer="log_mel", vocab_size=0, cache=tmp_path / "cache", seed=seed)
        for seed in (0, 0, 1)
    )
    assert first.train.augment and not first.select.augment and not first.report[0].augment
    rows = np.arange(3)
    found = [collate(splits.train, rows, epoch=0).inputs["input_ids"] for splits in (first, again, other)]
    assert np.array_equal(found[0], found[1]) and not np.array_equal(found[0], found[2])
