"""Hub datasets: the split rule, label names, rows without a gold label, and a hub that does not answer."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from datasets.exceptions import DatasetGenerationError

from data.errors import DataError
from data.inputs.tokenizer import load_tokenizer
from data.load import load_splits
from data.settings import DataSettings
from data.sources.hub import read_hub
from data.sources.raw import RawData
from models.checkpoints.hub import fetch_file
from models.errors import ModelError
from runner.config.compose import compose
from runner.config.resolve import resolve
from tests.conftest import REPO


def settings(name: str, *more: str):  # type: ignore[no-untyped-def]
    return resolve(compose([f"data={name}", "model=dsn", *more])).data


LABELS = {
    "cola": ("unacceptable", "acceptable"),
    "sst2": ("negative", "positive"),
    "mrpc": ("not_equivalent", "equivalent"),
    "qqp": ("not_duplicate", "duplicate"),
    "rte": ("entailment", "not_entailment"),
    "wnli": ("not_entailment", "entailment"),
    "mnli": ("entailment", "neutral", "contradiction"),
    "snli": ("entailment", "neutral", "contradiction"),
    "imdb": ("neg", "pos"),
    "stsb": (),
}


@pytest.mark.hub
@pytest.mark.parametrize("name", LABELS)
def test_datasets_load_with_their_published_labels(name: str) -> None:
    raw = read_hub(settings(name))
    assert raw.target.names == LABELS[name]
    for split in raw.splits.values():
        assert len(split) > 50 and len(split.labels) == len(split)
        if raw.target.names:
            assert set(np.unique(split.labels.values)) == set(range(len(raw.target.names)))


@pytest.mark.hub
def test_glue_selects_on_a_slice_of_train_and_reports_validation(tmp_path: Path) -> None:
    splits = load_splits(
        settings("rte", "data.max_rows=200"),
        tokenizer="google-bert/bert-base-uncased",
        vocab_size=0,
        cache=tmp_path,
    )
    assert [(s.name, len(s)) for s in (splits.train, splits.select, *splits.report)] == [
        ("train", 200), ("tune", 250), ("val", 277),
    ]  # fmt: skip
    assert splits.task.is_pair and splits.tokenizer.vocab_size == 30522


@pytest.mark.hub
def test_mnli_reports_both_validation_sets(tmp_path: Path) -> None:
    chosen = settings("mnli", "data.max_rows=100", "data.max_eval_rows=100")
    splits = load_splits(chosen, tokenizer="google-bert/bert-base-uncased", vocab_size=0, cache=tmp_path)
    assert [s.name for s in splits.report] == ["val", "val_mm"]


@pytest.mark.hub
def test_snli_drops_rows_without_a_gold_label_and_says_how_many() -> None:
    raw = read_hub(settings("snli"))
    assert (len(raw.splits["val"]), len(raw.splits["test"])) == (9842, 9824)
    assert raw.dropped == {"val: no gold label": 158, "test: no gold label": 176}
    with pytest.raises(DataError, match=r"data\.unlabelled=drop"):
        read_hub(settings("snli", "data.unlabelled=refuse"))


@pytest.mark.hub
def test_unknown_ids_splits_and_columns_say_how_to_go_on() -> None:
    with pytest.raises(DataError, match=r"data=demo"):
        read_hub(settings("imdb", "data.id=nobody/never-was"))
    with pytest.raises(DataError, match=r"no split 'training'"):
        read_hub(settings("imdb", "data.train_split=training"))
    with pytest.raises(DataError, match=r"Try: data\.text=text"):
        read_hub(settings("imdb", "data.text=txt"))


def test_a_dataset_with_several_configurations_names_them(tmp_path: Path) -> None:
    """The library lists them below the first line of its message."""
    names = ("main", "long")
    for name in names:
        (tmp_path / f"{name}.csv").write_text("text,label\na,0\nb,1\n")
    parts = "".join(f"- config_name: {name}\n  data_files: {name}.csv\n" for name in names)
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{parts}---\n")
    own = DataSettings(name="own", source="hub", id=str(tmp_path))
    with pytest.raises(DataError, match=r"several configurations \(main, long\).*Try: data\.config=main$"):
        read_hub(own)
    with pytest.raises(DataError, match=r"no such configuration \(main, long\)\. Try: long instead"):
        read_hub(replace(own, config="lang"))
    assert len(read_hub(replace(own, config="long")).splits["train"]) == 2


def test_a_folder_whose_readme_lists_its_files_is_read_again_after_a_change(tmp_path: Path) -> None:
    """The library would show the cached rows: it compares the README only."""
    (tmp_path / "README.md").write_text("---\nconfigs:\n- config_name: default\n  data_files: rows.csv\n---\n")
    own, found = DataSettings(name="own", source="hub", id=str(tmp_path)), []
    for text in ("before", "afterwards"):
        (tmp_path / "rows.csv").write_text(f"text,label\n{text},0\nb,1\n")
        found += read_hub(own).splits["train"].read(np.arange(1))["text"]
    assert found == ["before", "afterwards"]


def test_a_hub_that_does_not_answer_is_one_message_within_seconds(tmp_path: Path) -> None:
    script = """
from data.errors import DataError
from data.sources.hub import read_hub
from data.sources.raw import RawData
from data.settings import DataSettings
try:
    read_hub(DataSettings(source="hub", id="stanfordnlp/imdb", report_splits={"test": "test"}))
except DataError as error:
    print(error)
"""
    environment = os.environ | {
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HOME": str(tmp_path),
        "HF_HUB_OFFLINE": "",
    }
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=REPO, env=environment, capture_output=True, text=True, timeout=20
    )
    assert "is unavailable from http://127.0.0.1:9" in done.stdout and "data=demo" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("said", ["the server closed the connection", ""])
def test_a_connection_that_breaks_off_is_one_message(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise httpx2.RemoteProtocolError(said)

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # nobody is asked whether there is a hub
    monkeypatch.setattr("datasets.load_dataset", broken)
    with pytest.raises(DataError, match=f"is unavailable from .*: {said or 'RemoteProtocolError'}. Go on with"):
        read_hub(DataSettings(source="hub", id="stanfordnlp/imdb", report_splits={"test": "test"}))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", broken)
    with pytest.raises(DataError, match=f"is unavailable from .*: {said or 'RemoteProtocolError'}. "):
        load_tokenizer("somebody/tokenizer")
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda *_, **__: None)
    with pytest.raises(ModelError, match=f"refused: {said or 'RemoteProtocolError'}"):
        fetch_file("somebody/encoder", "config.json")


def test_a_cache_that_cannot_be_written_is_not_blamed_on_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: Any, **__: Any) -> Any:
        raise OSError(errno.EROFS, "Read-only file system", "/home/hub")

    def wrapped(*_: Any, **__: Any) -> Any:
        try:
            refused()
        except OSError as error:
            raise DatasetGenerationError("An error occurred while generating the dataset") from error

    said = r"cannot be cached: Read-only file system \(/home/hub\)\. Try: HF_HOME=<a folder with room"
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")  # nobody is asked whether there is a hub
    for failing in (refused, wrapped):
        monkeypatch.setattr("datasets.load_dataset", failing)
        with pytest.raises(DataError, match=said):
            read_hub(DataSettings(source="hub", id="stanfordnlp/imdb", report_splits={"test": "test"}))
    monkeypatch.setattr("huggingface_hub.hf_hub_download", refused)
    with pytest.raises(DataError, match=f"special_tokens_map.json of somebody/tokenizer {said}"):
        load_tokenizer("somebody/tokenizer")
    monkeypatch.setattr("huggingface_hub.get_hf_file_metadata", lambda *_, **__: None)
    with pytest.raises(ModelError, match=f"config.json {said}"):
        fetch_file("somebody/encoder", "config.json")


@pytest.mark.hub
def test_texts_without_labels_are_cut_from_one_split(tmp_path: Path) -> None:
    words = ["task=mlm", "model=bert-tiny", "data.split=unsupervised", "data.max_rows=100", "data.max_eval_rows=20"]
    found = resolve(compose(["data=imdb", *words]))
    splits = load_splits(
        found.data, tokenizer="google-bert/bert-base-uncased", vocab_size=0, cache=tmp_path, task=found.task
    )  # fmt: skip
    assert [split.name for split in (splits.train, splits.select, *splits.report)] == ["train", "val", "test"]
    assert splits.task.target == "masked_words" and 100 < len(splits.train) < 500 and set(splits.train.lengths) == {128}
    assert splits.fingerprint != load_splits(
        resolve(compose(["data=imdb", *words[:2], *words[3:]])).data,
        tokenizer="google-bert/bert-base-uncased", vocab_size=0, cache=tmp_path, task=found.task,
    ).fingerprint  # fmt: skip


def made(patch: pytest.MonkeyPatch, labels: list[Any], feature: Any = None, **options: Any) -> RawData:
    """A hub dataset of these labels, read; feature: their kind, as its library declares it."""
    import datasets

    rows = datasets.Dataset.from_dict({"text": [f"text {number}" for number in range(len(labels))], "label": labels})
    if feature is not None:
        rows = rows.cast(datasets.Features({"text": datasets.Value("string"), "label": feature}))
    patch.setenv("HF_HUB_OFFLINE", "1")
    patch.setattr("datasets.load_dataset", lambda *_args, **_options: rows)
    return read_hub(DataSettings(source="hub", id="some/data", split="train", **options))


def test_lists_written_as_texts_are_sets_as_they_are_in_files(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = ["['anger', 'joy']", "['joy']", "[]"] * 4
    raw = made(monkeypatch, labels)
    assert (raw.target.name, raw.target.names) == ("label_set", ("anger", "joy"))
    assert raw.splits["train"].labels.values[:3].tolist() == [[1, 1], [0, 1], [0, 0]]
    assert made(monkeypatch, labels, task="multilabel").target.names == ("anger", "joy")
    assert made(monkeypatch, labels, task="classification").target.names == ("['anger', 'joy']", "['joy']", "[]")


def test_names_of_classes_are_read_as_other_labels_are(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    raw = made(monkeypatch, [0, 1, 2, 1] * 4, datasets.ClassLabel(names=[" no", "cafe\u0301 ", "yes"]))
    assert raw.target.names == ("no", "caf\u00e9", "yes")
    assert raw.splits["train"].labels.values[:4].tolist() == [0, 1, 2, 1]
    same = made(monkeypatch, [0, 1, 2, 1] * 4, datasets.ClassLabel(names=["no", "yes ", "yes"]))
    assert same.target.names == ("no", "yes") and same.splits["train"].labels.values[:3].tolist() == [0, 1, 1]


def test_a_set_of_classes_may_have_ids_that_mark_a_missing_label(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    raw = made(monkeypatch, [[0, -1], [1], [-1], [1, None]] * 4, datasets.List(datasets.ClassLabel(names=["a", "b"])))
    assert raw.splits["train"].labels.values[:4].tolist() == [[1, 0], [0, 1], [0, 0], [0, 1]]


def test_a_class_that_the_dataset_does_not_name_is_refused_with_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets
    import pyarrow as pa

    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])})
    table = pa.table({"text": ["one", "two", "three"], "label": [0, 5, 1]})
    rows = datasets.Dataset(table, info=datasets.DatasetInfo(features=features))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("datasets.load_dataset", lambda *_args, **_options: rows)
    with pytest.raises(DataError, match=r"some/data train row 2 has the class 5, but the dataset names 2 classes"):
        read_hub(DataSettings(source="hub", id="some/data", split="train"))
