"""From settings to ready splits: who selects and reports, what is shared between runs, what the user is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from data.batch import collate
from data.errors import DataError
from data.load import load_splits, read_rows
from data.settings import DataSettings, TaskSettings
from data.splits import DataTask, Splits
from data.stores.build_once import SharedCache

ROWS = 60


def load(
    cache: Path, *, task: TaskSettings | None = None, seed: int = 0, told: list[str] | None = None, **settings: Any
) -> Splits:
    wanted = DataSettings(**({"demo_rows": ROWS} | settings))
    notify = None if told is None else told.append
    return load_splits(wanted, tokenizer="train", vocab_size=200, cache=cache, notify=notify, task=task, seed=seed)


def test_the_split_that_selects_is_never_one_that_is_reported(tmp_path: Path) -> None:
    splits = load(tmp_path)
    assert (splits.train.name, splits.select.name) == ("train", "val")
    assert [split.name for split in splits.report] == ["test"]
    assert set(splits.fingerprints) == {"train", "val", "test"} and set(splits.text_hashes) == {"test"}
    assert splits.task.target == "class_label" and splits.task.label_names == ("negative", "positive")


def test_a_second_run_tokenises_nothing_and_sees_the_same(tmp_path: Path) -> None:
    first, second = list[str](), list[str]()
    splits, again = load(tmp_path, told=first), load(tmp_path, told=second)
    assert [line for line in first if line.startswith("tokenising")] and not second
    assert splits.fingerprint == again.fingerprint and splits.train.fingerprint == again.train.fingerprint
    assert splits.tokenizer.fingerprint == again.tokenizer.fingerprint


def test_the_vocabulary_depends_on_the_training_rows_in_use(tmp_path: Path) -> None:
    assert load(tmp_path).tokenizer.fingerprint != load(tmp_path, max_rows=20).tokenizer.fingerprint
    other = load(tmp_path, max_eval_rows=5)
    assert load(tmp_path).tokenizer.fingerprint == other.tokenizer.fingerprint and len(other.report[0]) == 5


def test_texts_that_are_cut_are_counted_and_told(tmp_path: Path) -> None:
    splits = load(tmp_path, max_length=8)
    assert splits.train.truncated == sum(load(tmp_path).train.lengths > 8) > 0
    assert any("longer than data.max_length=8 and were cut" in note for note in splits.notes)


def test_masked_words_are_blocks_and_only_those_of_training_follow_the_seed(tmp_path: Path) -> None:
    one, other = (load(tmp_path, task=TaskSettings("mlm"), label=None, max_length=16, seed=seed) for seed in (1, 2))
    assert set(one.train.lengths.tolist()) == {16} and one.task.target == "masked_words"

    def masked(splits: Splits, name: str) -> np.ndarray:
        return collate(splits.train if name == "train" else splits.select, np.arange(2)).inputs["places"]

    assert masked(one, "train").tolist() != masked(other, "train").tolist()
    assert masked(one, "val").tolist() == masked(other, "val").tolist()


def test_who_waits_for_another_process_enters_the_hook(tmp_path: Path) -> None:
    entered = []
    splits = load(tmp_path)
    (store,) = [path for path in tmp_path.glob("tokens/*") if _is_of(path, len(splits.train))]
    held = FileLock(store.with_name(f"{store.name}.lock"))
    held.acquire()

    @contextmanager
    def waiting() -> Iterator[None]:
        entered.append(True)
        held.release()
        yield

    load_splits(DataSettings(demo_rows=ROWS), tokenizer="train", vocab_size=200, cache=tmp_path, waiting=waiting)
    assert entered == [True]


def _is_of(path: Path, rows: int) -> bool:
    return path.is_dir() and (path / "labels").stat().st_size == 8 * rows


def test_labels_that_a_run_cannot_use_are_refused_before_anything_is_tokenised(tmp_path: Path) -> None:
    def refuse(labels: DataTask) -> None:
        raise DataError(f"{labels.label_names} are not wanted")

    with pytest.raises(DataError, match="not wanted"):
        load_splits(DataSettings(demo_rows=ROWS), tokenizer="train", vocab_size=200, cache=tmp_path, check=refuse)
    assert not list(tmp_path.glob("tokens/*"))


def test_queries_that_a_limit_leaves_without_a_choice_are_refused(tmp_path: Path) -> None:
    lines = ["query,document,label,of", "shoes 8,a shop of hats,0,8", "shoes 8,a shop of tea,0,8"]
    lines += [f"shoes {query},shop {query} of shoes,1,{query}" for query in range(40)]
    for name in ("train", "val", "test"):
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    words: dict[str, Any] = {f"{name}_path": str(tmp_path / f"{name}.csv") for name in ("train", "val", "test")}
    words |= {"source": "files", "name": "files", "task": "rank", "group": "of", "text": "query"}
    words |= {"text_pair": "document", "label": "label"}
    cache = SharedCache(tmp_path / "cache")
    assert len(read_rows(DataSettings(**words), cache, "relevance").raw.splits["train"]) == 42
    refused = r"one that is not relevant .*among the 6 rows left for training \(data\.max_rows=6\)"
    with pytest.raises(DataError, match=refused + r"\. Try: a larger data\.max_rows"):
        read_rows(DataSettings(**words, max_rows=6), cache, "relevance")


def test_a_fold_that_takes_all_rows_of_a_class_is_refused(tmp_path: Path) -> None:
    lines = [f"{word} {row},{word},{part}" for row, (word, part) in enumerate([("good", "a"), ("bad", "b")] * 40)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,label,part", *lines]) + "\n", encoding="utf-8")
    path = str(tmp_path / "rows.csv")
    with pytest.raises(DataError, match=r"all training labels are 'bad'.*\(data\.fold=a\)\. Try: another data\.fold"):
        load(tmp_path, source="files", name="files", path=path, fold_column="part", fold="a")
