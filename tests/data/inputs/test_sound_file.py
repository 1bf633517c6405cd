"""Sound files of all kinds as samples; everything that is no whole, sensible sound is refused with its reason."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from data.errors import DataError
from data.inputs.sound_file import SoundError, open_sound
from tests.data.inputs.sounds import RATE, sound_file, tone


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", None), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", None)],
)
def test_files_of_each_kind_are_read_and_truncated_ones_are_refused(kind: str, subtype: str | None) -> None:
    content = sound_file(tone(seconds=2), kind=kind, subtype=subtype)
    found = open_sound(content, rate=RATE)
    assert (found.rate, found.channels, found.is_clipped) == (RATE, 1, False)
    assert found.seconds == pytest.approx(2, abs=0.1)
    error = np.abs(found.samples[4000:28000] - tone(seconds=2)[4000:28000])
    assert error.max() < (0.1 if subtype == "OPUS" else 0.02)
    with pytest.raises(SoundError, match=r"truncated|complete sound"):
        open_sound(content[: len(content) * 3 // 5], rate=RATE)


def test_channels_become_their_mean() -> None:
    both = np.stack([tone(), -0.5 * tone()], axis=1)
    found = open_sound(sound_file(both), rate=RATE)
    assert found.channels == 2
    np.testing.assert_allclose(found.samples, 0.25 * tone(), atol=1e-4)


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000])
def test_other_rates_are_resampled(rate: int) -> None:
    found = open_sound(sound_file(tone(rate=rate), rate), rate=RATE)
    assert found.rate == rate and len(found.samples) == RATE
    np.testing.assert_allclose(found.samples[500:-500], tone()[500:-500], atol=2e-3)


@pytest.mark.parametrize("rate", [RATE, 44100])
def test_only_the_beginning_is_decoded_where_only_that_is_wanted(rate: int) -> None:
    content = sound_file(tone(seconds=3, rate=rate), rate)
    found = open_sound(content, rate=RATE, most=RATE)
    assert found.seconds == 3 and len(found.samples) == RATE
    np.testing.assert_allclose(found.samples, open_sound(content, rate=RATE).samples[:RATE], atol=1e-6)


def test_clipped_sounds_are_told() -> None:
    assert open_sound(sound_file(np.clip(4 * tone(), -1, 1)), rate=RATE).is_clipped


def with_rate(content: bytes, rate: int) -> bytes:
    """A WAV file whose header has another rate."""
    return content[:24] + rate.to_bytes(4, "little") + content[28:]


WAV = sound_file(tone())
WITH_NAN = np.where(np.arange(RATE) == 7, np.nan, tone())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"not a sound at all" * 100, "not a complete sound file"),
        (sound_file(np.zeros(0)), "no samples"),
        (sound_file(WITH_NAN, subtype="FLOAT"), "not numbers"),
        (sound_file(3000 * tone(), subtype="FLOAT"), "-1 to 1 is expected"),
        (sound_file(tone(rate=2000), 2000), "2,000 Hz"),
        (with_rate(WAV, 0), r"rate|complete sound"),
        (with_rate(WAV, 2_000_000_000), "Hz"),
        (sound_file(np.zeros((100, 40))), "40 channels"),
        (WAV[:30], "not a complete sound file"),
    ],
)
def test_what_is_no_sensible_sound_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(SoundError, match=message):
        open_sound(content, rate=RATE)


def test_a_wav_file_that_was_written_to_a_pipe_is_whole() -> None:
    endless = WAV[:4] + b"\xff\xff\xff\xff" + WAV[8:40] + b"\xff\xff\xff\xff" + WAV[44:]
    assert len(open_sound(endless, rate=RATE).samples) == RATE


def test_a_missing_library_is_told_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(DataError, match=r"pip install 'bertier\[audio\]'"):
        open_sound(WAV, rate=RATE)
