"""A split of sounds: read a few at a time, identified by the bytes of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from data.sources.choice import read_raw
from data.sources.raw import RawSplit
from data.sources.sound_split import CHUNK
from data.stores.build_once import SharedCache
from tests.data.inputs.sounds import sound_settings, write_clips


def split_of(path: Path, cache: Path, **more: object) -> RawSplit:
    return read_raw(sound_settings(path, **more), SharedCache(cache)).splits["train"]


def test_rows_have_the_bytes_of_their_files(tmp_path: Path) -> None:
    split = split_of(write_clips(tmp_path, CHUNK + 3), tmp_path / "cache")
    chunks = list(split.chunks())
    assert [len(labels) for _, labels in chunks] == [CHUNK, 3]
    assert chunks[1][0]["sound"][2] == (tmp_path / "wav" / f"{CHUNK + 2}.wav").read_bytes()
    taken = split.take(np.array([4, 1]))
    assert taken.read(np.array([0])) == split.read(np.array([4]))
    np.testing.assert_array_equal(taken.own_hashes(exact=True), split.own_hashes(exact=True)[[4, 1]])


def test_the_fingerprint_is_that_of_files_and_labels(tmp_path: Path) -> None:
    path = write_clips(tmp_path)
    first = split_of(path, tmp_path / "cache").fingerprint()
    assert split_of(path, tmp_path / "cache", rate=8000, seconds=0.1).fingerprint() == first
    moved = tmp_path / "moved"
    write_clips(moved)
    assert split_of(moved / "clips.csv", tmp_path / "cache").fingerprint() == first
    text = path.read_text()
    path.write_text(text.replace("0.wav,low", "0.wav,high"))
    assert split_of(path, tmp_path / "cache").fingerprint() != first
    path.write_text(text)
    (tmp_path / "wav" / "0.wav").write_bytes((tmp_path / "wav" / "2.wav").read_bytes())
    assert split_of(path, tmp_path / "cache").fingerprint() != first, "another file under the same name"
