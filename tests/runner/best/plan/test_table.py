from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.stores.build_once import SharedCache
from runner.best.plan.table import Table, read_table
from runner.best.types import Budget
from runner.errors import ConfigError
from tests.conftest import write_reviews
from tests.runner.best.conftest import settings_of


def read(folder: Path, rows: int, *more: str, budget: Budget | None = None) -> Table:
    write_reviews(folder / "reviews.csv")
    lines = (folder / "reviews.csv").read_text(encoding="utf-8").splitlines()
    copies = [line.replace("number ", f"number {copy}") for copy in range(rows // 120 + 1) for line in lines[1:]]
    (folder / "reviews.csv").write_text("\n".join([lines[0], *copies[:rows]]) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={folder / 'reviews.csv'}", "data.text=review", "data.label=stars", *more]
    return read_table(settings_of(*words), words, budget or Budget(), SharedCache(folder / "cache"))


def test_few_rows_are_selected_by_folds_and_all_of_them_train_in_the_end(tmp_path: Path) -> None:
    table = read(tmp_path, 500)
    assert table.folds == 5 and table.shared == () and table.words[-2:] == ("data.folds=5", "data.fold=all")
    assert table.facts.rows == table.facts.train_rows == 450 and table.facts.report_rows == 50
    assert table.facts.new_words > 0
    _, sizes = np.unique(table.rows.raw.splits["train"].labels.values, return_counts=True)
    assert table.facts.smallest_class == sizes.min() and table.facts.majority == sizes.max() / 450


def test_a_held_out_split_has_a_thousand_rows_or_a_tenth(tmp_path: Path) -> None:
    table = read(tmp_path, 3000)
    assert table.folds == 0 and table.shared == ("data.select_fraction=0.3704",)  # of 2,700
    assert table.facts.select_rows == 1000 and table.facts.rows == 2700 and table.facts.is_cut
    assert read(tmp_path, 3000, "data.select_fraction=0.2").shared == ()


def test_a_rare_class_lowers_the_number_of_folds_and_a_single_row_is_refused(tmp_path: Path) -> None:
    table = read(tmp_path, 500)
    path = tmp_path / "rare.csv"
    lines = (tmp_path / "reviews.csv").read_text(encoding="utf-8").splitlines()
    rare = [f'"a film of kind {number}, neither good nor bad",3' for number in range(4)]
    for count, folds in ((4, 3), (1, 0)):
        path.write_text("\n".join([*lines, *rare[:count]]) + "\n", encoding="utf-8")
        words = ["data=files", f"data.path={path}", "data.text=review", "data.label=stars"]
        if not folds:
            with pytest.raises(ConfigError, match="the class '3' has a single row"):
                read_table(settings_of(*words), words, Budget(), SharedCache(tmp_path / "cache"))
            continue
        table = read_table(settings_of(*words), words, Budget(), SharedCache(tmp_path / "cache"))
        assert table.folds == folds and any("folds" in note for note in table.facts.notes)


def test_the_goal_selects_epochs_too(tmp_path: Path) -> None:
    assert read(tmp_path, 500, budget=Budget(goal="macro_f1")).shared == ("data.metrics=[f1_macro,accuracy,f1]",)


@pytest.mark.parametrize(("rows", "folds"), [(10, 5), (20, 0)])
def test_many_classes_of_a_few_rows_need_no_other_fractions(tmp_path: Path, rows: int, folds: int) -> None:
    path = tmp_path / "intents.csv"
    lines = [f"question {row} about thing {intent},intent {intent}" for row in range(rows) for intent in range(150)]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={path}", "data.select_fraction=0.1"]
    table = read_table(settings_of(*words), words, Budget(), SharedCache(tmp_path / "cache"))
    assert table.folds == folds and table.facts.classes == 150
    assert bool(table.shared) == (not folds), "where a split is held out, it has a row of each class"
    assert not any("mean nothing" in note for note in table.facts.notes), "what is said of folds alone"
    with pytest.raises(DataError, match="are too few"):  # the command's own share
        read_table(settings_of(*words, "data.select_fraction=0.01"), words, Budget(), SharedCache(tmp_path / "cache"))


def test_what_is_odd_about_the_rows_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mails.csv"
    labels = ["Spam", "spam", "ham"]
    lines = [
        f"mail {number} about {'a prize' if number % 3 < 2 else 'lunch'},{labels[number % 3]}" for number in range(90)
    ]
    path.write_text("\n".join(["text,label", *lines, "no label,", ",ham"]) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={path}", "data.text=text", "data.label=label", "data.missing=drop"]
    notes = read_table(settings_of(*words), words, Budget(), SharedCache(tmp_path / "cache")).facts.notes
    assert "'Spam', 'spam' differ only in spelling" in notes[0]
    assert notes[1] == "rows left out: 2 (train: missing text or label)"
    assert not any("mean nothing" in note for note in notes), "what is said of folds alone"


def test_selection_rows_that_folds_replace_are_told(tmp_path: Path) -> None:
    paths = [f"data.{name}_path={tmp_path / name}.csv" for name in ("train", "val", "test")]
    for part, name in enumerate(("train", "val", "test")):
        lines = [
            f"mail {part} {number} about {'a prize' if number % 2 else 'lunch'},{number % 2}" for number in range(60)
        ]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    words = ["data=files", *paths, "data.text=text", "data.label=label"]
    table = read_table(settings_of(*words), words, Budget(), SharedCache(tmp_path / "cache"))
    assert table.folds == 5 and table.facts.rows == 60
    assert "val: its 60 rows are not used: the folds take their place" in table.facts.notes


def test_few_rows_with_folds_of_a_column_are_refused(tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "reviews.csv")
    first, *rows = path.read_text(encoding="utf-8").splitlines()
    lines = [f"{first},part", *(f"{row},{number % 3}" for number, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    words = ["data=files", f"data.path={path}", "data.text=review", "data.label=stars", "data.fold_column=part"]
    with pytest.raises(ConfigError, match=r"data.fold_column=part: .* Try: data.fold_column=null data.fold=null"):
        read_table(settings_of(*words, "data.fold=1"), [*words, "data.fold=1"], Budget(), SharedCache(tmp_path))


@pytest.mark.parametrize("verdict_is_last", [True, False])
def test_encoders_read_both_ends_of_long_texts_whose_verdict_is_at_the_end(
    tmp_path: Path, verdict_is_last: bool
) -> None:
    rng, lines = np.random.default_rng(0), ["review,stars"]
    for row in range(600):
        filler = " ".join(f"w{number}" for number in rng.integers(0, 300, 60))
        verdict = ("dreadful", "lovely")[row % 2]
        lines.append(f"{filler} {verdict},{row % 2}" if verdict_is_last else f"{verdict} {filler},{row % 2}")
    (tmp_path / "long.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def table(*more: str) -> Table:
        words = ["data=files", f"data.path={tmp_path / 'long.csv'}", "data.text=review", "data.label=stars", *more]
        return read_table(settings_of(*words), words, Budget(), SharedCache(tmp_path / "cache"))

    short, whole = table("data.max_length=24"), table()
    assert ("data.truncate=middle" in short.shared) == ("data.truncate=middle" in short.words) == verdict_is_last
    expected = "middle" if verdict_is_last else "end"
    assert short.settings.data.truncate == short.rows.raw.truncate == expected
    assert any("longer than the 24 tokens" in note for note in short.facts.notes) == verdict_is_last
    assert (short.facts.max_length, whole.facts.max_length) == (0, 128), "0: the command sets it"
    own = table("data.max_length=24", "data.truncate=end")
    assert own.shared == whole.shared == () and own.rows.raw.truncate == whole.rows.raw.truncate == "end"
