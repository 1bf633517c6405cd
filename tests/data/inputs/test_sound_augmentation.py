"""Training sounds are varied by seed, epoch and row alone, and only where training asks for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.batch import collate
from data.inputs.sound import Sound
from data.inputs.sound_augmentation import AugmentedSounds
from data.inputs.sound_features import SoundFeatures
from data.labels import Labels
from data.settings import SoundAugmentation
from data.splits import TokenSplit
from data.targets.class_label import ClassLabel

OFF = SoundAugmentation(shift=False, gain=0.0, noise=0.0, time_mask=0.0, band_mask=0.0, mixup=0.0)
WIDTH = 64


def sounds(settings: SoundAugmentation, *lengths: int, seed: int = 0) -> TokenSplit:
    tokens = np.random.default_rng(1).normal(size=(sum(lengths), WIDTH)).astype(np.float16)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    features = SoundFeatures("log_mel", 16000, mean=(0.0,) * WIDTH, sd=(1.0,) * WIDTH)
    augment = AugmentedSounds(settings, seed=seed, classes=3, has_first=True)
    labels = Labels(np.arange(len(lengths)) % 3)
    return TokenSplit(
        "train", tokens, offsets, np.array(lengths), labels, 0, Sound(features), ClassLabel(("a", "b", "c")),
        augment=augment,
    )  # fmt: skip


def rows_of(split: TokenSplit, *rows: int, epoch: int | None = 0) -> np.ndarray:
    return np.asarray(collate(split, np.array(rows), epoch=epoch).inputs["input_ids"])


def test_a_row_depends_on_seed_epoch_and_row_and_not_on_its_batch() -> None:
    split = sounds(SoundAugmentation(mixup=0.3), 9, 9, 9, 9)
    batch = rows_of(split, 0, 1, 2, 3)
    assert np.array_equal(batch[1:2], rows_of(split, 1)) and np.array_equal(batch[[2, 0]], rows_of(split, 2, 0))
    assert not np.array_equal(batch, rows_of(split, 0, 1, 2, 3, epoch=1))
    assert not np.array_equal(batch, rows_of(sounds(SoundAugmentation(mixup=0.3), 9, 9, 9, 9, seed=1), 0, 1, 2, 3))


def test_outside_training_and_with_everything_off_rows_stay_as_they_are() -> None:
    plain = rows_of(sounds(OFF, 9, 5), 0, 1)
    assert np.array_equal(plain, rows_of(sounds(SoundAugmentation(mixup=0.3), 9, 5), 0, 1, epoch=None))
    assert np.array_equal(plain, rows_of(replace(sounds(OFF, 9, 5), augment=None), 0, 1))


def test_each_setting_does_what_it_says_and_leaves_the_first_frame_and_padding_alone() -> None:
    plain = rows_of(sounds(OFF, 21, 11), 0, 1)
    shifted = rows_of(sounds(replace(OFF, shift=True), 21, 11), 0, 1)
    assert not np.array_equal(shifted, plain)
    assert np.array_equal(np.sort(shifted[0, 1:], axis=0), np.sort(plain[0, 1:], axis=0))
    louder = rows_of(sounds(replace(OFF, gain=1.0), 21, 11), 0, 1) - plain
    assert np.ptp(louder[0, 1:]) < 1e-5 and abs(louder[0, 1, 0]) > 1e-3
    noise = rows_of(sounds(replace(OFF, noise=0.1), 21, 11), 0, 1) - plain
    assert 0.08 < noise[0, 1:].std() < 0.12
    whole = replace(OFF, time_mask=0.9, band_mask=0.9)
    gaps = [rows_of(sounds(whole, 21, 11), 0, 1, epoch=epoch) == 0 for epoch in range(20)]
    assert any(gap[0, 1:].all(axis=1).any() for gap in gaps) and any(gap[0, 1:].all(axis=0).any() for gap in gaps)
    for found in (shifted, plain + louder, plain + noise):
        assert not found[:, 0].any() and not found[1, 11:].any()


def test_mixed_sounds_have_mixed_labels_and_the_mask_of_the_longer() -> None:
    split = sounds(replace(OFF, mixup=1.0), 21, 5, 21)
    batch = collate(split, np.array([1, 0, 2]), epoch=0)
    labels = batch.targets["labels"]
    assert labels.shape == (3, 3) and labels.dtype == np.float32
    np.testing.assert_allclose(labels.sum(axis=1), 1.0, rtol=1e-6)
    assert ((labels > 0).sum(axis=1) <= 2).all() and ((labels > 0) & (labels < 1)).any()
    alone = collate(split, np.array([1]), epoch=0)
    width = alone.inputs["input_ids"].shape[1]
    np.testing.assert_array_equal(alone.inputs["input_ids"][0], batch.inputs["input_ids"][0, :width])
