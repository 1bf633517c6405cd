"""Features of sounds: the numbers that librosa has, silence, and sounds of other lengths and rates."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.inputs import log_mel as module
from data.inputs.log_mel import average_frames, features, fit, log_mel, mel_filters, mfcc, stack_frames

RATE = 16000
TIME = np.arange(RATE, dtype=np.float32) / np.float32(RATE)  # phases rounded to float32 are a part of the golden sound
TONES = 0.5 * np.sin(np.float32(2 * np.pi) * 440 * TIME) + 0.1 * np.sin(np.float32(2 * np.pi) * 3000 * TIME)


def test_log_mel_has_the_values_of_librosa() -> None:
    found = log_mel(TONES, RATE)
    assert found.shape == (32, 64)
    golden = [-13.6188, -13.5158, -13.3125, -12.8441, -11.9294, -10.4388, -8.0937, -3.2033]
    np.testing.assert_allclose(found[10, :8], golden, atol=3e-4)  # they were computed in float32
    assert found[10].argmax() == 8
    assert found.mean() == pytest.approx(-11.52755, abs=1e-4)


def test_filters_are_those_of_slaney_and_none_is_empty() -> None:
    found = mel_filters(RATE, 1024)
    assert found.shape == (64, 513)
    assert found.sum() == pytest.approx(4.095880, abs=1e-6)
    for rate in (4000, 8000, 44100):
        assert (mel_filters(rate, 2 * round(0.032 * rate)).sum(axis=1) > 0).all()


def test_mfcc_is_the_orthonormal_cosine_transform() -> None:
    np.testing.assert_allclose(
        mfcc(log_mel(TONES, RATE))[10, :5], [-96.0069, 10.6447, 7.3705, 8.7386, -6.3687], atol=1e-4
    )


def test_silence_has_the_floor_everywhere() -> None:
    np.testing.assert_allclose(log_mel(np.zeros(RATE), RATE), np.log(1e-6))


def test_five_seconds_are_39_frames_of_64_bands_or_40_coefficients() -> None:
    assert features(TONES, "log_mel", rate=RATE, seconds=5.0, average=4).shape == (39, 64)
    assert features(TONES, "mfcc", rate=RATE, seconds=5.0, average=4).shape == (39, 40)
    assert features(TONES, "log_mel", rate=RATE, seconds=None, average=1).shape == (32, 64)


def test_a_sound_is_cut_or_followed_by_silence() -> None:
    assert fit(np.ones(5), 3).tolist() == [1, 1, 1]
    assert fit(np.ones(2), 3).tolist() == [1, 1, 0]
    np.testing.assert_array_equal(
        features(np.r_[TONES, TONES], "log_mel", rate=RATE, seconds=1.0, average=4),
        features(TONES, "log_mel", rate=RATE, seconds=1.0, average=4),
    )


def test_the_shortest_sound_has_one_frame() -> None:
    assert features(np.ones(1), "log_mel", rate=RATE, seconds=None, average=4).shape == (1, 64)


def test_neighbouring_frames_become_their_mean() -> None:
    assert average_frames(np.arange(5.0)[:, None], 2).tolist() == [[0.5], [2.5]]


def test_the_file_alone_computes_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys, hashlib, importlib.util as u, numpy as np\n"
        f"spec = u.spec_from_file_location('log_mel', {str(Path(module.__file__))!r})\n"
        "m = u.module_from_spec(spec); spec.loader.exec_module(m)\n"
        "x = np.random.default_rng(0).uniform(-1, 1, 48000)\n"
        "f = m.features(x, 'log_mel', rate=16000, seconds=5.0, average=4).astype(np.float16)\n"
        "assert not {'data', 'torch', 'scipy'} & set(sys.modules)\n"
        "print(hashlib.sha256(f.tobytes()).hexdigest())"
    )
    found = {subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(2)}
    assert len(found) == 1 and len(found.pop()) == 65


def test_stacked_frames_have_the_values_of_a_feature_side_by_side() -> None:
    frames = np.arange(10.0).reshape(5, 2)
    assert stack_frames(frames, 2).tolist() == [[0, 2, 1, 3], [4, 6, 5, 7]]
    assert stack_frames(frames[:1], 3).tolist() == [[0, 0, 0, 1, 1, 1]]
    noise = np.random.default_rng(0).uniform(-1, 1, 16000)
    stacked = features(noise, "log_mel", rate=16000, seconds=1.0, average=1, stack=4)
    means = features(noise, "log_mel", rate=16000, seconds=1.0, average=4)
    np.testing.assert_allclose(stacked.reshape(-1, 64, 4).mean(2), means)
