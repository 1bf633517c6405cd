"""Datasets of sounds from the first row to batches: two pitches, other rates, repeats, and models of texts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from data.batch import collate
from data.errors import DataError
from data.load import load_splits, read_rows
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.sources.sounds import check_reader
from data.splits import Splits
from data.stores.build_once import SharedCache
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from tests.conftest import REPO
from tests.data.inputs.sounds import sound_file, sound_settings, tone, write_clips


def load(settings: DataSettings, cache: Path, tokenizer: str = "log_mel") -> Splits:
    return load_splits(settings, tokenizer=tokenizer, vocab_size=0, cache=cache)


def test_sounds_become_batches_of_frames_scaled_by_the_training_rows(tmp_path: Path) -> None:
    splits = load(sound_settings(write_clips(tmp_path, 16)), tmp_path / "cache")
    assert splits.task.label_names == ("high", "low") and (len(splits.train), len(splits.select)) == (9, 3)
    frames = collate(splits.train, np.arange(9)).inputs["input_ids"]
    assert frames.shape == (9, 3, 64) and frames.dtype == np.float32
    np.testing.assert_allclose(frames[:, 1:].mean(axis=(0, 1)), 0, atol=1e-3)
    assert abs(collate(splits.report[0], np.arange(4)).inputs["input_ids"][:, 1:].mean()) > 1e-4
    labels = np.asarray(splits.train.labels.values)
    bands = frames[:, 1:].mean(axis=1)
    assert (bands[labels == 0].mean(axis=0) > bands[labels == 1].mean(axis=0))[30:].any(), "pitches are told apart"


def test_statistics_are_those_of_the_rows_in_use(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 16)
    whole = load(sound_settings(path), tmp_path / "cache").tokenizer
    some = load(sound_settings(path, max_rows=4), tmp_path / "cache").tokenizer
    assert whole.fingerprint == some.fingerprint and whole != some


def test_other_rates_and_several_channels_are_said_once(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 16)
    (tmp_path / "wav" / "3.wav").write_bytes(sound_file(tone(1760, 0.25, 44100), 44100))
    (tmp_path / "wav" / "4.wav").write_bytes(sound_file(np.stack([tone(440, 0.25)] * 2, axis=1)))
    (tmp_path / "wav" / "5.wav").write_bytes(sound_file(np.clip(9 * tone(1760, 0.25), -1, 1)))
    notes = load(sound_settings(path), tmp_path / "cache").notes
    assert [note for note in notes if "sounds" in note] == [
        "1 of 16 sounds have several channels, and the mean of the channels is used",
        "1 of 16 sounds have another rate (44,100 Hz) and are resampled to 16,000 Hz",
        "1 of 16 sounds are clipped: more than 0.1 % of their samples are at full scale",
    ]


def test_long_sounds_are_cut_counted_and_told(tmp_path: Path) -> None:
    splits = load(sound_settings(write_clips(tmp_path, 16), seconds=0.125), tmp_path / "cache")
    assert splits.train.truncated == 9
    assert "100.0% of the train sounds are longer than data.seconds=0.125" in " ".join(splits.notes)


def test_equal_sounds_are_counted_whatever_their_files_are(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 16)
    samples = (tone(440, 0.25) * 32767).astype(np.int16)
    for index, kind in ((0, "WAV"), (2, "WAV"), (4, "FLAC")):
        (tmp_path / "wav" / f"{index}.wav").write_bytes(sound_file(samples, kind=kind))
    found = load(sound_settings(path), tmp_path / "cache").duplicates
    both = {kind: sum(n for key, n in found.items() if key.endswith(kind)) for kind in ("exact", "normalised")}
    assert both["exact"] == 1 and both["normalised"] >= 2
    kept = load(sound_settings(path, duplicates="drop"), tmp_path / "cache")
    assert sum(kept.dropped.values()) == 2
    with pytest.raises(DataError, match=r"duplicates=refuse"):
        load(sound_settings(path, duplicates="refuse"), tmp_path / "cache")


def test_the_built_in_data_are_texts(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="data=demo has only texts"):
        load(DataSettings(audio="sound"), tmp_path)


def test_rules_for_texts_do_not_group_sounds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="these are sounds"):
        load(sound_settings(write_clips(tmp_path), group="shared_text"), tmp_path / "cache")


@pytest.mark.parametrize("speaker", ["", "null"])
def test_sounds_without_a_group_are_refused(speaker: str, tmp_path: Path) -> None:
    path = write_clips(tmp_path, 24, speaker=lambda index: f"s{index}" if index % 4 else speaker)
    if speaker:
        rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
        lines = [{"path": name, "kind": kind, "speaker": who if who != speaker else None} for name, kind, who in rows]
        path = tmp_path / "clips.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    with pytest.raises(DataError, match=r"data.group=speaker: 6 training rows have no value"):
        load(sound_settings(path, group="speaker"), tmp_path / "cache")


@pytest.mark.parametrize("tokenizer", ["train", "words", "auto", "google-bert/bert-base-uncased"])
def test_a_model_of_texts_is_refused_before_a_sound_is_read(tokenizer: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="these are sounds"):
        load(sound_settings(tmp_path / "no such.csv"), tmp_path / "cache", tokenizer)


def test_a_model_of_sounds_is_refused_on_texts() -> None:
    with pytest.raises(DataError, match="has texts"):
        check_reader(DataSettings(name="sst2"), "mfcc")


def test_two_processes_store_the_same_features(tmp_path: Path) -> None:
    path = write_clips(tmp_path)
    code = (
        "import sys, hashlib; from pathlib import Path\n"
        "from tests.data.inputs.sounds import sound_settings; from data.load import load_splits\n"
        "s = load_splits(sound_settings(Path(sys.argv[1])), tokenizer='mfcc', vocab_size=0, cache=Path(sys.argv[2]))\n"
        "print(hashlib.sha256(s.train.tokens.tobytes()).hexdigest(), s.fingerprint, s.tokenizer.mean[0])"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", code, str(path), str(tmp_path / cache)], capture_output=True, text=True, cwd=REPO
        )
        for cache in ("one", "two")
    ]
    assert found[0].stdout == found[1].stdout != "", found[0].stderr


def test_labels_may_be_numbers(tmp_path: Path) -> None:
    path = write_clips(tmp_path, 8, pitch=lambda index: index / 10 + 0.05)
    assert read_raw(sound_settings(path, label="pitch"), SharedCache(tmp_path)).target.name == "number"


def test_names_of_sound_files_are_no_texts(tmp_path: Path) -> None:
    settings = DataSettings(name="files", source="files", path=str(write_clips(tmp_path)), text="path", label="kind")
    with pytest.raises(DataError, match=r"the column names sound files .*Try: data.audio=path model=tiny-sound"):
        load(settings, tmp_path / "cache", "words")


def test_a_column_of_sounds_is_no_column_of_texts(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    cells = [{"bytes": sound_file(tone(seconds=0.1)), "path": "a.wav"}] * 4
    pq.write_table(pa.table({"audio": cells, "kind": ["a", "b"] * 2}), tmp_path / "a.parquet")
    settings = DataSettings(name="files", source="files", path=str(tmp_path / "a.parquet"), text="audio", label="kind")
    with pytest.raises(DataError, match=r"'audio' holds files, not text. Try, if they are sounds: data.audio=audio"):
        load(settings, tmp_path / "cache", "words")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["data.text_pair=words"], r"data.text_pair=words is for texts"),
        (["data.clean=tweets"], r"data.clean=tweets is for texts"),
        (["task=mlm"], r"task=mlm is for texts"),
        (["task=tags"], r"task=tags is for texts"),
        (["data.group=shared_text", "data.folds=3", "data.fold=3"], r"data.fold=3: must be 0 to 2"),
    ],
)
def test_settings_of_texts_are_refused_beside_sounds(words: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve(compose(["model=tiny-sound", "data=files", "data.path=a.csv", "data.audio=path", *words]))


def test_the_search_for_models_of_texts_is_refused_with_the_models_of_sounds() -> None:
    from runner.commands.best import command_of

    with pytest.raises(ConfigError, match="run best compares models of texts, but these are sounds"):
        command_of(["data=esc10", "max_kb=100"])


@pytest.mark.hub
def test_the_folds_of_esc10_test_each_clip_once_and_share_no_recording(tmp_path: Path) -> None:
    tested: list[int] = []
    for fold in "12345":
        settings = resolve(compose(["model=tiny-sound", "data=esc10", f"data.fold={fold}"])).data
        rows = read_rows(settings, SharedCache(tmp_path))
        raw, select, report = rows.raw, rows.select, rows.report
        sources = {name: set(of.table["group"].take(of.rows).to_pylist()) for name, of in raw.splits.items()}
        assert not sources["test"] & (sources["train"] | sources["val"]) and not sources["train"] & sources["val"]
        assert (select, report, len(raw.splits["test"])) == ("val", ("test",), 80)
        tested.extend(raw.splits["test"].source_rows.tolist())
    assert sorted(tested) == list(range(1, 401))
