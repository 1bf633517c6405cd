"""Training rows as pairs of a text and its codes: from files to arrays, with the rows that keep their labels first."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.errors import DataError
from data.load import load_splits
from data.settings import DataSettings
from data.splits import PairedRows, Splits, TokenSplit
from runner.config.compose import compose
from runner.config.resolve import resolve

TREE = ["code,parent", "root,", "A,root", "B,root", *(f"{letter}{n},{letter}" for letter in "AB" for n in range(10))]


def row(number: int) -> dict[str, Any]:
    letter = "AB"[number % 2]
    return {"text": f"text {number} of kind {letter}", "label": letter, "icd": [f"{letter}{number % 10}"]}


def files(folder: Path, rows: list[dict[str, Any]], tree: list[str] = TREE) -> DataSettings:
    paths = {name: folder / f"{name}.jsonl" for name in ("train", "val", "test")}
    for name, path in paths.items():
        some = rows if name == "train" else [row(number) for number in range(100, 110)]
        path.write_text("".join(json.dumps(one) + "\n" for one in some))
    (folder / "tree.csv").write_text("\n".join(tree) + "\n")
    train, val, test = map(str, paths.values())
    return DataSettings(
        name="files", source="files", train_path=train, val_path=val, test_path=test, codes="icd",
        tree=str(folder / "tree.csv"),
    )  # fmt: skip


def load(settings: DataSettings, folder: Path, *, codes: bool = True) -> Splits:
    return load_splits(settings, tokenizer="train", vocab_size=80, cache=folder / "cache", codes=codes)


def paired(splits: Splits) -> PairedRows:
    assert splits.paired is not None
    return splits.paired


def tokens(split: TokenSplit, number: int) -> list[int]:
    return [int(token) for token in split.tokens[split.offsets[number] : split.offsets[number + 1]]]


def test_every_training_row_is_paired_and_the_rows_with_labels_come_first(tmp_path: Path) -> None:
    splits = load(replace(files(tmp_path, [row(number) for number in range(40)]), labelled_rows=6), tmp_path)
    pairs = paired(splits)
    assert len(splits.train) == 6 and np.bincount(splits.train.labels.values).tolist() == [3, 3]
    assert len(pairs.texts) == len(pairs.codes) == 40 and pairs.labelled.tolist() == list(range(6))
    for number in range(6):
        assert tokens(pairs.texts, number) == tokens(splits.train, number)
    assert len({tuple(tokens(pairs.texts, number)) for number in range(40)}) == 40
    assert splits.train.texts is not None and pairs.texts.texts is not None
    letters = [text.split()[-1] for text in pairs.texts.texts.read(np.arange(40))["text"]]
    names = ["root", "A", "B", *(line.split(",")[0] for line in TREE[4:])]
    assert [names[node] for node in pairs.codes.nodes[::2]] == letters  # a path is its letter and the root
    assert not np.asarray(pairs.texts.labels.values).any()  # labels that are not kept are not there to be read
    assert {name: len(found) for name, found in pairs.held_out.items()} == {"val": 10, "test": 10}


def test_rows_without_a_code_are_skipped_and_said(tmp_path: Path) -> None:
    rows = [row(number) | ({"icd": []} if number in (1, 5) else {}) for number in range(20)]
    splits = load(files(tmp_path, rows), tmp_path)
    pairs = paired(splits)
    assert len(splits.train) == 20 and len(pairs.texts) == 18
    assert pairs.labelled.tolist() == [number for number in range(20) if number not in (1, 5)]
    assert len(pairs.train) == 20 and np.flatnonzero(~pairs.train.has_codes).tolist() == [1, 5]
    assert "2 training rows without a code are not in the view of codes" in splits.notes


def test_unknown_codes_are_counted_and_said(tmp_path: Path) -> None:
    rows = [row(number) | ({"icd": ["A12", "?"]} if number < 3 else {}) for number in range(20)]
    splits = load(files(tmp_path, rows), tmp_path)
    (note,) = (note for note in splits.notes if "not in the tree" in note)
    assert note.startswith("6 codes of training rows are not in the tree (A12, ?); 3 of them are left out, and the")
    assert np.diff(paired(splits).codes.offsets)[:3].tolist() == [3, 3, 3]  # A1, A and the root


def test_codes_that_are_of_another_tree_are_refused(tmp_path: Path) -> None:
    other = files(tmp_path, [row(number) for number in range(20)], ["code,parent", "x,", "x1,x"])
    with pytest.raises(DataError, match=r"no code of the training rows \(A0, B1, .*\), nor a prefix of one"):
        load(other, tmp_path)
    without = files(tmp_path, [row(number) | {"icd": None} for number in range(20)])
    with pytest.raises(DataError, match="no training row has a code"):
        load(without, tmp_path)


def test_a_column_with_one_code_a_row_is_read_from_csv(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label,icd\n" + "".join(f"text {n},{n % 2},A{n % 10}\n" for n in range(60)))
    (tmp_path / "tree.csv").write_text("\n".join(TREE) + "\n")
    settings = DataSettings(
        name="files", source="files", path=str(tmp_path / "rows.csv"), codes="icd", tree=str(tmp_path / "tree.csv")
    )
    splits = load(settings, tmp_path)
    assert np.diff(paired(splits).codes.code_offsets).tolist() == [1] * len(splits.train)
    with pytest.raises(DataError, match=r"data.codes='idc' is not in rows.csv .* Try: data.codes=icd"):
        load(replace(settings, codes="idc"), tmp_path)


def test_codes_change_no_content_unless_they_are_learnt_from(tmp_path: Path) -> None:
    settings = files(tmp_path, [row(number) for number in range(20)])
    plain = load(replace(settings, codes=None, tree=None), tmp_path, codes=False)
    beside, both = load(settings, tmp_path, codes=False), load(settings, tmp_path)
    assert beside.paired is None and plain.paired is None
    assert plain.fingerprint == beside.fingerprint == both.fingerprint
    (tmp_path / "tree.csv").write_text("\n".join([*TREE, "C,root"]) + "\n")
    assert paired(load(settings, tmp_path)).fingerprint != paired(both).fingerprint


def test_a_trained_vocabulary_knows_the_texts_whose_labels_are_not_kept(tmp_path: Path) -> None:
    settings = files(tmp_path, [row(number) for number in range(40)])
    whole, few = (load(replace(settings, labelled_rows=n), tmp_path, codes=False) for n in (None, 4))
    assert few.paired is None and len(few.train) == 4
    assert (
        few.tokenizer.tokens() == whole.tokenizer.tokens() and few.tokenizer.fingerprint == whole.tokenizer.fingerprint
    )
    assert few.fingerprints["train"] != whole.fingerprints["train"] and set(few.fingerprints) == {
        "train",
        "val",
        "test",
    }


def test_a_trimmed_vocabulary_keeps_what_those_texts_need(tmp_path: Path) -> None:
    rows = [row(number) | ({"text": f"rare{number} words"} if number > 30 else {}) for number in range(40)]
    settings = replace(files(tmp_path, rows), labelled_rows=4)
    trained = load(settings, tmp_path).tokenizer
    folder = tmp_path / "tokenizer"
    folder.mkdir()
    trained.save(folder)
    trimmed = load_splits(
        settings, tokenizer=str(folder), vocab_size=0, vocabulary="task", cache=tmp_path / "cache", codes=True
    )
    unknown = trimmed.tokenizer.tokens().index("[UNK]")
    assert unknown not in paired(trimmed).texts.tokens


@pytest.mark.hub
def test_the_preset_pairs_all_training_rows_and_cuts_500_labels(tmp_path: Path) -> None:
    data = resolve(compose(["data=icd10-severity", "data.labelled_rows=500"])).data
    splits = load(data, tmp_path)
    assert [(split.name, len(split)) for split in splits.report] == [("test", 2134), ("test_unseen", 2092)]
    assert splits.task.label_names == ("none", "cc", "mcc") and len(splits.select) == 1026
    assert np.bincount(splits.train.labels.values).tolist() == [328, 134, 38]
    pairs = paired(splits)
    assert len(pairs.texts) == 7366 and pairs.codes.num_nodes == 21403 and pairs.codes.has_codes.all()
    seen = set(pairs.codes.nodes.tolist())
    unseen = pairs.held_out["test_unseen"]
    parents = unseen.nodes[unseen.offsets[:-1]]  # the first node above each code
    assert np.mean([node in seen for node in parents]) < 0.1 and np.mean([node in seen for node in unseen.nodes]) > 0.3
