"""Folds hold out every row once, keep groups whole and classes in their shares, and leave the reported split alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from data.errors import DataError
from data.folds import assign_folds, count_folds, take_fold
from data.groups import STAYS
from data.labels import Labels
from data.load import load_splits
from data.settings import ALL_FOLDS, DataSettings
from data.sources.raw import RawData, RawSplit
from data.splits import Splits
from data.stores.build_once import SharedCache
from data.targets.class_label import ClassLabel
from runner.config.compose import compose
from runner.config.conflicts import conflicts
from runner.config.resolve import resolve

LABELS = np.repeat([0, 1, 2], [131, 52, 7])


def test_single_rows_are_dealt_evenly_within_each_class() -> None:
    fold = assign_folds(np.arange(len(LABELS)), LABELS, 5, seed=0)
    shares = np.stack([np.bincount(LABELS[fold == number]) for number in range(5)])
    assert shares.sum() == len(LABELS)
    assert np.ptp(shares, axis=0).max() <= 1, "the classes of the folds differ by a row at most"
    assert np.array_equal(fold, assign_folds(np.arange(len(LABELS)), LABELS, 5, seed=0))
    assert not np.array_equal(fold, assign_folds(np.arange(len(LABELS)), LABELS, 5, seed=1))


def test_the_number_of_folds_is_known_to_those_who_load_the_rows(tmp_path: Path) -> None:
    texts, labels = [f"text {row}" for row in range(40)], [int(row < 3) for row in range(40)]
    assert cut(data_of(texts, labels), tmp_path, ALL_FOLDS).folds == 3, "as many as the rare class has rows"
    assert cut(data_of(texts, [row % 2 for row in range(40)]), tmp_path, "0").folds == 5


def test_groups_stay_whole_and_the_classes_near_their_shares() -> None:
    random = np.random.default_rng(0)
    groups, labels = random.integers(300, size=3000), random.choice(3, 3000, p=[0.7, 0.25, 0.05])
    fold = assign_folds(groups, labels, 5, seed=0)
    assert all(len(np.unique(fold[groups == group])) == 1 for group in range(300))
    shares = np.stack([np.bincount(labels[fold == number]) for number in range(5)]) / np.bincount(labels)
    assert np.abs(shares - 0.2).max() < 0.03


def test_rows_that_stay_in_train_are_in_no_fold_and_numbers_have_no_classes() -> None:
    groups = np.where(np.arange(40) < 10, STAYS, np.arange(40))
    fold = assign_folds(groups, None, 3, seed=0)
    assert (fold[:10] == STAYS).all() and np.bincount(fold[10:]).tolist() == [10, 10, 10]


def data_of(texts: list[str], labels: list[int]) -> RawData:
    rows = np.arange(len(texts))
    train = RawSplit(pa.table({"text": texts}), Labels(np.array(labels)), rows, rows + 2)
    return RawData(ClassLabel(("often", "rare")), {"train": train})


def cut(data: RawData, folder: Path, fold: str, folds: int = 5) -> RawData:
    take_fold(data, DataSettings(folds=folds, fold=fold), "val", SharedCache(folder))
    return data


def test_equal_texts_share_a_fold_and_every_row_is_held_out_once(tmp_path: Path) -> None:
    texts = [f"text {i % 30}" + "!" * (i // 30) for i in range(60)]
    labels = [int(i % 30 < 10) for i in range(60)]
    held = []
    for fold in range(5):
        data = cut(data_of(texts, labels), tmp_path, str(fold))
        train, val = data.splits["train"], data.splits["val"]
        assert not set(val.rows % 30) & set(train.rows % 30)
        assert len(train) + len(val) == 60 and np.bincount(val.labels.values).tolist() == [8, 4]
        held.extend(val.source_rows.tolist())
    assert sorted(held) == list(range(2, 62))
    whole = cut(data_of(texts, labels), tmp_path, ALL_FOLDS)
    assert len(whole.splits["train"]) == 60 and len(whole.splits["val"]) == 12


def test_a_class_in_few_groups_lowers_the_number_of_folds(tmp_path: Path) -> None:
    texts, labels = [f"text {i}" for i in range(40)] + ["a", "b", "c", "C."], [0] * 40 + [1] * 4
    data = cut(data_of(texts, labels), tmp_path, "0")
    assert "the rows of 'rare' form 3 groups, so there are 3 folds" in data.notes[0]
    assert len(data.splits["train"]) + len(data.splits["val"]) == 44 and len(data.splits["val"]) in (14, 15)
    assert not any("cannot learn" in note for note in data.notes), "each class is in train and in the fold"
    two = cut(data_of(texts[:42], labels[:42]), tmp_path, "1")
    assert two.folds == 2 and np.bincount(two.splits["train"].labels.values).tolist() == [20, 1]
    with pytest.raises(DataError, match=r"data.fold=3: .*'rare'.* Try: data.folds=3 data.fold=0,1,2"):
        cut(data_of(texts, labels), tmp_path, "3")
    with pytest.raises(DataError, match="the rows of 'rare' form one group"):
        cut(data_of(["a", "b", "c", "d", "D!"], [0, 0, 0, 1, 1]), tmp_path, "0", folds=2)


def test_a_class_with_a_row_that_always_trains_does_not_lower_the_number_of_folds() -> None:
    data, groups = data_of([f"text {i}" for i in range(44)], [0] * 40 + [1] * 4), np.arange(44)
    assert count_folds(data, DataSettings(folds=5), groups)[0] == 4
    groups[40:43] = STAYS
    assert count_folds(data, DataSettings(folds=5), groups) == (5, None)


def splits_of(folder: Path, *words: str) -> Splits:
    settings = resolve(compose(["model=ngram", "data=demo", "data.demo_rows=60", *words]))
    return load_splits(settings.data, tokenizer="words", vocab_size=100, cache=folder)


def test_the_reported_split_is_the_one_without_folds(tmp_path: Path) -> None:
    plain = splits_of(tmp_path)
    some, every = (splits_of(tmp_path, "data.folds=2", f"data.fold={fold}") for fold in ("1", "all"))
    assert plain.fingerprints["test"] == some.fingerprints["test"] == every.fingerprints["test"]
    assert len(some.train) + len(some.select) == len(every.train) == 60 and len(plain.train) == 60
    assert any("10 rows are not used" in note for note in some.notes)
    assert any("so scores on val mean nothing" in note for note in every.notes)
    assert not any("occur in train" in note for note in every.notes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["data.fold=0"], "needs the number of folds"),
        (["data.folds=5"], "needs the fold to select on"),
        (["data.folds=5", "data.fold=5"], "must be 0 to 4"),
        (["data.folds=5", "data.fold=-1"], "must be 0 to 4"),
        (["data.folds=5", "data.fold=all", "train.patience=2"], "which are needed to stop early"),
        (["data.folds=5", "data.fold=all", "schedule=plateau"], "which are needed to lower the rate"),
        (["data.folds=5", "data.fold=all", "train.recipe=auto"], "which are needed to choose a recipe"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(words: list[str], said: str) -> None:
    with pytest.raises(Exception, match=said):
        resolve(compose(["model=dsn", "data=demo", *words]))


def test_every_row_trains_without_a_best_epoch_and_the_fold_is_part_of_the_run() -> None:
    found = resolve(compose(["model=dsn", "data=demo", "data.folds=5", "data.fold=all"]))
    assert not found.train.keep_best and not conflicts(found)
    assert resolve(compose(["model=dsn", "data=demo", "data.folds=5", "data.fold=3"])).data.fold == "3"


def with_parts(folder: Path) -> Path:
    """A file of texts by 60 authors, each in one of five parts."""
    lines = [f"text {i},{'ab'[i % 2]},{i // 2},{i // 2 % 5 + 1}" for i in range(120)]
    (folder / "parts.csv").write_text("\n".join(["text,label,author,part", *lines]) + "\n")
    return folder / "parts.csv"


def own_fold(path: Path, fold: str, **more: object) -> Splits:
    usual = {"source": "files", "name": "files", "path": str(path), "fold_column": "part", "group": "author"}
    settings = DataSettings(**(usual | {"fold": fold} | more))  # type: ignore[arg-type]
    return load_splits(settings, tokenizer="words", vocab_size=0, cache=path.parent / "cache")


def test_the_folds_of_a_column_are_the_test_split_and_a_slice_by_groups_selects(tmp_path: Path) -> None:
    path, tested = with_parts(tmp_path), []
    for fold in "12345":
        splits = own_fold(path, fold)
        rows = {
            split.name: np.asarray(split.source_rows) - 2 for split in (splits.train, splits.select, *splits.report)
        }
        assert set(rows) == {"train", "val", "test"}
        assert set(rows["test"] // 2 % 5 + 1) == {int(fold)} and len(rows["test"]) == 24
        assert sum(map(len, rows.values())) == 120 and len(rows["val"]) == 10
        authors = {name: set((found // 2).tolist()) for name, found in rows.items()}
        assert not authors["train"] & authors["val"] and not authors["test"] & (authors["train"] | authors["val"])
        tested.extend(rows["test"].tolist())
    assert sorted(tested) == list(range(120)), "each row is tested once"


def test_a_fold_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = with_parts(tmp_path)
    with pytest.raises(
        DataError, match=r"data.fold=6: data.fold_column=part has the values 1, 2, 3, 4, 5. Try: data.fold=1"
    ):
        own_fold(path, "6")
    with pytest.raises(DataError, match=r"data.fold_column='parts' is not in"):
        own_fold(path, "1", fold_column="parts")


def test_a_column_that_parts_groups_is_told(tmp_path: Path) -> None:
    path = with_parts(tmp_path)
    path.write_text(path.read_text().replace("text 1,b,0,1", "text 1,b,0,2"))
    assert "1 group of data.group=author is in both test and train: data.fold_column=part splits them" in " ".join(
        own_fold(path, "1").notes
    )


def test_equal_texts_that_a_column_parts_are_told_by_the_setting_that_joined_them(tmp_path: Path) -> None:
    path = with_parts(tmp_path)
    path.write_text(path.read_text().replace("text 119,", "text 1,"))
    notes = " ".join(own_fold(path, "1", group=None, duplicates="group").notes)
    assert "1 group of data.duplicates=group is in both test and train" in notes
    assert "of data.group=author and data.duplicates=group is" in " ".join(
        own_fold(path, "1", duplicates="group").notes
    )


@pytest.mark.parametrize("fold", ["1", ALL_FOLDS])
def test_rows_without_a_fold_are_refused(fold: str, tmp_path: Path) -> None:
    path = with_parts(tmp_path)
    path.write_text(path.read_text().replace(",0,1\n", ",0, \n"))
    with pytest.raises(DataError, match=r"data.fold_column=part: 2 training rows have no value \(first: row 2\)"):
        own_fold(path, fold)


def test_with_all_of_its_own_folds_every_row_trains(tmp_path: Path) -> None:
    splits = own_fold(with_parts(tmp_path), ALL_FOLDS)
    assert (len(splits.train), len(splits.select), len(splits.report[0])) == (120, 24, 24)
    assert "scores on test and val mean nothing" in " ".join(splits.notes)
    assert "train+test/exact" not in splits.duplicates


def in_parts(folder: Path, labels: list[str]) -> Path:
    """A file with 20 rows in each of three parts; labels: of the rows of each part, repeated."""
    lines = [
        f"text {part}-{row},{labels[part][row % len(labels[part])]},{part + 1}"
        for part in range(3)
        for row in range(20)
    ]
    (folder / "parts.csv").write_text("\n".join(["text,label,part", *lines]) + "\n")
    return folder / "parts.csv"


def test_all_folds_have_the_same_positive_class(tmp_path: Path) -> None:
    path = in_parts(tmp_path, ["aaaaaaaaab", "ab", "abbbbbbbbb"])
    positives = {own_fold(path, fold, group=None).task.positive for fold in "123"}
    assert len(positives) == 1, "each fold alone has another class that is rarer"


def test_a_class_that_only_the_left_out_fold_has_is_told_and_a_single_class_refused(tmp_path: Path) -> None:
    path = in_parts(tmp_path, ["abc", "ab", "ab"])
    assert "data.fold=1: all training rows of 'c' are in this fold, so the model cannot learn it" in " ".join(
        own_fold(path, "1", group=None).notes
    )
    path = in_parts(tmp_path, ["ab", "a", "a"])
    with pytest.raises(DataError, match=r"all training labels are 'a'.*data\.fold=1"):
        own_fold(path, "1", group=None)


def test_only_the_training_file_needs_the_columns_of_groups_and_folds(tmp_path: Path) -> None:
    path = with_parts(tmp_path)
    other = tmp_path / "test.csv"
    other.write_text("text,label\n" + "\n".join(f"another {i},{'ab'[i % 2]}" for i in range(10)) + "\n")
    grouped = {"source": "files", "train_path": str(path), "test_path": str(other), "group": "author"}
    settings = DataSettings(**grouped)  # type: ignore[arg-type]
    splits = load_splits(settings, tokenizer="words", vocab_size=0, cache=tmp_path / "cache")
    assert len(splits.report[0]) == 10 and len(splits.train) + len(splits.select) == 120
    assert own_fold(path, "1", calibration=str(other)).calibration is not None
