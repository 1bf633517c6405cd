"""Where sounds come from: paths beside a table, bytes in Parquet, a column of a hub dataset; nothing else is opened."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import data.sources.sound_tables as module
from data.errors import DataError
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.sources.raw import RawData
from data.stores.build_once import SharedCache
from tests.data.inputs.sounds import sound_file, sound_settings, tone, write_clips


def read(path: Path, **more: object) -> RawData:
    return read_raw(sound_settings(path, **more), SharedCache(path.parent / "cache"))


@pytest.mark.parametrize("name", ["../secret.wav", "{}/secret.wav", "wav/../../secret.wav", "link.wav"])
def test_a_path_outside_the_folder_of_the_table_is_refused(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    path = write_clips(folder)
    (tmp_path / "secret.wav").write_bytes(sound_file(tone(seconds=0.1)))
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    path.write_text(path.read_text().replace("wav/3.wav", name.format(tmp_path)))
    for missing in ("refuse", "drop"):
        with pytest.raises(DataError, match=r"row 5 names .* outside .*inner"):
            read(path, missing=missing)


def test_a_column_of_texts_is_refused_with_the_one_that_names_files(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 4, words=lambda index: f"a fine film {index}")
    with pytest.raises(DataError, match=r"'words' names no sound file .*'a fine film 0'.*Try: data.audio=path"):
        read(path, audio="words")


def test_cells_that_are_longer_than_any_name_are_no_files(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 4, words=lambda index: "a fine film " * 400)
    with pytest.raises(DataError, match=r"'words' names no sound file .*Try: data.audio=path"):
        read(path, audio="words")
    path.write_text(path.read_text().replace("wav/", "none/"))
    with pytest.raises(DataError, match=r"'path' names no sound file .*Try: paths as seen from"):
        read(path)


def test_a_misspelt_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 1)
    (tmp_path / "dog.wav").write_bytes(b"")
    path.write_text("path,kind\ndogs.wav,low\n")
    with pytest.raises(DataError, match=r"did you mean dog.wav\?"):
        read(path)


def test_a_table_without_the_column_or_without_rows_is_refused(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 2)
    with pytest.raises(DataError, match=r"data.audio='sound' is not in clips.csv .*Try: data.audio="):
        read(path, audio="sound")
    path.write_text("path,kind\n")
    with pytest.raises(DataError, match="no usable row"):
        read(path)


def test_parquet_may_hold_the_sounds_themselves(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    contents = [sound_file(tone(hertz, 0.1)) for hertz in (300, 500, 700, 900)]
    kinds = ["a", "b", "a", "b"]
    for cells in (contents, [{"bytes": content, "path": "x.wav"} for content in contents]):
        pq.write_table(pa.table({"path": cells, "kind": kinds}), tmp_path / "clips.parquet")
        raw = read(tmp_path / "clips.parquet")
        assert raw.splits["train"].read(np.array([2])) == {"sound": [contents[2]]}


def test_changed_files_are_read_again(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 4)
    before = read(path).splits["train"]
    (tmp_path / "wav" / "1.wav").write_bytes(sound_file(tone(200, 0.1)))
    after = read(path).splits["train"]
    assert before.read(np.array([0])) == after.read(np.array([0]))
    assert before.read(np.array([1])) != after.read(np.array([1]))


def test_a_table_read_with_other_quoting_is_another_table(tmp_path: Path) -> None:
    write_clips(tmp_path, 4)
    path = tmp_path / "quoted.tsv"
    path.write_text("path\tkind\tfold\n" + "".join(f'wav/{i}.wav\tk{i % 2}\t"f{i % 2}"\n' for i in range(4)))
    for quoting, first in (("none", '"f0"'), ("minimal", "f0")):
        table = read(path, fold_column="fold", quoting=quoting).splits["train"].table
        assert table["fold"].to_pylist()[0] == first


def test_lists_written_as_texts_are_sets_of_labels(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 4)
    names = [f"wav/{index}.wav" for index in range(4)]
    rows = [f"""{name},"{["a", "b"] if index % 2 else ["b"]}"\n""" for index, name in enumerate(names)]
    path.write_text("path,kind\n" + "".join(rows))
    raw = read(path)
    assert raw.target.names == ("a", "b") and raw.splits["train"].labels.values[:2].tolist() == [[0, 1], [1, 1]]


def hub_settings(monkeypatch: pytest.MonkeyPatch, **more: object) -> DataSettings:
    """The settings of a hub dataset that is made in memory, as its library gives it back."""
    import datasets

    rows = {
        "audio": [{"bytes": sound_file(tone(hertz, 0.1)), "path": f"{hertz}.wav"} for hertz in range(300, 320)],
        "label": [index % 2 for index in range(20)], "text": ["a text"] * 20,
        "part": [index % 5 + 1 for index in range(20)],
    }  # fmt: skip
    made = datasets.Dataset.from_dict(rows)
    made = made.cast_column("label", datasets.ClassLabel(names=["low", "high"]))
    made = made.cast_column("audio", datasets.Audio())
    monkeypatch.setattr(module, "load_hub_split", lambda settings, split: made)
    monkeypatch.setattr("data.sources.sounds.offline_if_unreachable", list)
    settings = {"source": "hub", "id": "a/b", "audio": "audio", "seconds": 0.1, "split": "train"}
    return DataSettings(**(settings | more))  # type: ignore[arg-type]


def test_sounds_of_the_hub_are_decoded_without_torchcodec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    raw = read_raw(hub_settings(monkeypatch), SharedCache(tmp_path))
    split = raw.splits["train"]
    assert raw.target.names == ("low", "high") and len(split) == 20
    assert split.read(np.array([3])) == {"sound": [sound_file(tone(303, 0.1))]}
    assert split.shown(np.array([3])) == {"sound": ["303.wav"]}


def test_another_column_of_the_hub_is_refused_with_the_one_of_sounds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for column, message in (("text", "holds string, not sounds. Try: data.audio=audio"), ("sound", "is not in a/b")):
        with pytest.raises(DataError, match=message):
            read_raw(hub_settings(monkeypatch, audio=column), SharedCache(tmp_path))
