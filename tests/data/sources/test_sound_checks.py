"""Sounds that cannot be used are refused with their rows, or dropped; what is done to the others is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.sources.choice import read_raw
from data.sources.sound_checks import FACTS, longest, sound_facts
from data.stores.build_once import SharedCache
from tests.data.inputs.sounds import RATE, sound_file, sound_settings, tone, write_clips

WITH_NAN = np.where(np.arange(RATE) == 7, np.nan, tone())
BAD = {
    "is empty": b"",
    "is not a complete sound file": b"<html>404</html>" * 100,
    "has no samples": sound_file(np.zeros(0)),
    "not numbers": sound_file(WITH_NAN, subtype="FLOAT"),
    "is truncated": sound_file(tone())[:20000],
    "1,000 Hz": sound_file(tone(rate=1000), 1000),
}


@pytest.mark.parametrize(("message", "content"), BAD.items())
def test_a_bad_sound_is_refused_with_its_row_or_dropped(message: str, content: bytes, tmp_path: Path) -> None:
    path = write_clips(tmp_path)
    (tmp_path / "wav" / "5.wav").write_bytes(content)
    with pytest.raises(DataError, match=rf"1 of 8 rows .*row 7: 5.wav .*{message}.*Try: data.missing=drop"):
        read_raw(sound_settings(path), SharedCache(tmp_path))
    raw = read_raw(sound_settings(path, missing="drop"), SharedCache(tmp_path))
    assert raw.dropped == {"train: no sound that can be used": 1}
    assert raw.splits["train"].source_rows.tolist() == [2, 3, 4, 5, 6, 8, 9]


def test_missing_and_large_files_are_named_together(tmp_path: Path) -> None:
    path = write_clips(tmp_path)
    (tmp_path / "wav" / "1.wav").unlink()
    (tmp_path / "wav" / "2.wav").write_bytes(sound_file(tone(seconds=4)))
    settings = sound_settings(path, max_mb=0.05)
    with pytest.raises(DataError, match=r"row 3: 1.wav is missing; row 4: 2.wav is 0.1 MB, but data.max_mb=0.05"):
        read_raw(settings, SharedCache(tmp_path))


def test_where_no_sound_can_be_used_dropping_is_no_way_out(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 2)
    for index in range(2):
        (tmp_path / "wav" / f"{index}.wav").write_bytes(b"text")
    with pytest.raises(DataError, match=r"2 of 2 rows .*Try: another column"):
        read_raw(sound_settings(path, missing="drop"), SharedCache(tmp_path))


def test_sounds_are_decoded_once_and_again_where_the_store_is_damaged(tmp_path: Path) -> None:
    told: list[str] = []
    cache = SharedCache(tmp_path, told.append)
    digests = np.zeros((1, 32), np.uint8)

    def times_decoded() -> int:
        found = sound_facts([sound_file(tone(seconds=0.1))], digests, sound_settings(tmp_path), "train", cache)
        assert found.problems.tolist() == [""] and found.rates.tolist() == [RATE]
        return sum("decoding 1 sound " in line for line in told)

    assert [times_decoded(), times_decoded()] == [1, 1]
    next(tmp_path.rglob(FACTS)).write_bytes(b"damaged")
    assert times_decoded() == 2


def test_no_more_is_decoded_than_a_model_reads() -> None:
    assert longest(sound_settings(Path("a.csv"), seconds=5.0, max_length=40)) == 80000
    assert longest(sound_settings(Path("a.csv"), seconds=None, max_length=40)) == (40 * 4 + 1) * 512
