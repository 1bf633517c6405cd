"""Rows that a rule joins stay in one split; the rules find them exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data import groups
from data.errors import DataError
from data.groups import STAYS, by_contained_text, by_shared_text, row_groups
from data.labels import Labels
from data.load import load_splits
from data.settings import DataSettings
from data.sources.demo_splits import read_demo
from data.sources.hub import read_hub
from data.sources.raw import RawData, RawSplit
from data.splits import Splits
from data.splitting import apply_split_rule, cut_rows
from data.stores.build_once import SharedCache
from data.targets.class_label import ClassLabel
from data.targets.relevance import QUERY, Relevance
from runner.config.compose import compose
from runner.config.resolve import resolve


def split_of(texts: list[str], pairs: list[str] | None = None, labels: list[int] | None = None) -> RawSplit:
    table = pa.table({"text": texts} | ({"text_pair": pairs} if pairs else {}))
    rows = np.arange(len(texts))
    return RawSplit(table, Labels(np.array(labels or rows % 2)), rows, rows + 1)


def partition(found: np.ndarray) -> list[int]:
    """Groups numbered in the order of their first rows; rows that stay in train as -1."""
    numbers: dict[int, int] = {}
    return [-1 if one == STAYS else numbers.setdefault(int(one), len(numbers)) for one in found]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["a film", "a good film", "good film", "bad"], [0, 1, 1, 2]),
        (["a good film", "good", "a good", "so good"], [0, -1, 0, 1]),
        (["the plot", "Plot!", "THE  PLOT ,"], [0, 0, 0]),
        (["art", "a party", "par"], [0, 1, 2]),
        (["b c", "a b c d", "c", "x b c d y"], [-1, 0, -1, 1]),
        (["one two", "two three", "one two three"], [0, 0, 0]),
        (["it's fine", "s fine", "its"], [0, 0, 1]),
        (["Größe zählt", "GRÖSSE", "größe"], [0, 1, 0]),
        (["...", "!", "wait ... what", ". . ."], [0, 1, 2, 3]),
        (["a b a b", "b a", "a b"], [0, 0, 0]),
        (["same", "same"], [0, 0]),
    ],
)
def test_phrases_belong_to_the_one_longest_text_that_contains_them(texts: list[str], expected: list[int]) -> None:
    assert partition(by_contained_text(split_of(texts))) == expected


def test_contained_texts_are_those_that_a_plain_search_finds() -> None:
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(list("abcdef"), random.integers(1, 9))) for _ in range(400)]
    found = by_contained_text(split_of(texts))
    padded = [f" {text} " for text in texts]
    longest = {text for text in padded if not any(text != other and text in other for other in padded)}
    holders = [{other for other in longest if text in other} for text in padded]
    assert [one == STAYS for one in found] == [len(some) > 1 for some in holders]
    sure = [(int(one), *some) for one, some in zip(found, holders) if len(some) == 1]
    assert len(set(sure)) == len({group for group, _ in sure}) == len({text for _, text in sure})


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (["a", "b", "c", "d"], ["x", "y", "A!", "z"], [0, 1, 0, 2]),
        (["a", "b", "c"], ["b", "c", "d"], [0, 0, 0]),
        (["a", "b", "c"], ["", "", "c"], [0, 1, 2]),
        (["a b", "ab", "a-b"], ["1", "2", "3"], [0, 0, 0]),
        (["a", "b"], ["ab", "a b c"], [0, 1]),
    ],
)
def test_pairs_that_share_a_text_are_one_group(first: list[str], second: list[str], expected: list[int]) -> None:
    assert partition(by_shared_text(split_of(first, second))) == expected


def test_single_texts_share_a_text_if_they_are_equal() -> None:
    assert partition(by_shared_text(split_of(["a", "b", "A."]))) == [0, 1, 0]


def test_rows_of_words_are_joined_as_their_texts() -> None:
    split = split_of(["", "", ""])
    split.table = pa.table({"words": [["New", "York", "."], ["york"], ["York", ","]]})
    assert partition(by_contained_text(split)) == [0, 0, 0] and partition(by_shared_text(split)) == [0, 1, 1]


def test_only_the_rows_in_use_are_joined() -> None:
    split = split_of(["a b", "b", "b c", "c"])
    assert partition(by_contained_text(split)) == [0, -1, 1, 1]
    assert partition(by_contained_text(split.take(np.array([0, 1, 3])))) == [0, 0, 1]


def test_rows_that_stay_are_never_cut_off_and_the_classes_keep_their_shares() -> None:
    labels = np.arange(300) % 3
    grouped = np.where(np.arange(300) < 102, STAYS, (np.arange(300) - 102) // 6)
    kept, taken = cut_rows(300, 60, seed=0, strata=labels, groups=grouped)
    assert taken.min() >= 102 and np.bincount(labels[taken]).tolist() == [20, 20, 20]
    assert not set(grouped[kept]) & set(grouped[taken])


def groups_of(split: RawSplit, tmp_path: Path, **options: Any) -> np.ndarray:
    data = RawData(ClassLabel(("no", "yes")), {"train": split})
    found = row_groups(data, DataSettings(**options), SharedCache(tmp_path))
    assert found is not None
    return found


def test_documents_of_one_query_stay_together_and_with_the_queries_that_share_a_text(tmp_path: Path) -> None:
    values = np.zeros((6, 4), np.float32)
    values[:, QUERY] = [0, 0, 1, 1, 2, 2]
    rows, texts = np.arange(6), ["what", "what", "who", "who", "where", "where"]
    table = pa.table({"text": texts, "text_pair": ["a", "b", "c", "d", "e", "B!"]})
    data = RawData(Relevance(DataSettings()), {"train": RawSplit(table, Labels(values), rows, rows)})
    for options, expected in (({}, [0, 0, 1, 1, 2, 2]), ({"group": "shared_text"}, [0, 0, 1, 1, 0, 0])):
        found = row_groups(data, DataSettings(**options), SharedCache(tmp_path))
        assert found is not None and partition(found) == expected


def test_a_rule_and_equal_texts_hold_together_and_keep_what_stays(tmp_path: Path) -> None:
    split = split_of(["it's late", "its late", "so late", "late", "new", "so-late"])
    assert partition(groups_of(split, tmp_path, group="contained_text")) == [0, 1, 2, -1, 3, 2]
    assert partition(groups_of(split, tmp_path, group="contained_text", duplicates="group")) == [0, 0, 1, -1, 2, 1]
    dont = split_of(["I don't", "dont", "you don't", "don't"])  # the second is equal to one that stays
    assert partition(groups_of(dont, tmp_path, group="contained_text", duplicates="group")) == [0, -1, 1, -1]


def test_the_groups_of_a_rule_are_kept_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = split_of(["a film", "film", "b"])
    first = groups_of(split, tmp_path, group="contained_text")
    monkeypatch.setitem(groups.RULES, "contained_text", lambda _: pytest.fail("joined twice"))
    assert np.array_equal(groups_of(split, tmp_path, group="contained_text"), first)


SENTENCES = [[f"film{i}", "is", "really", ("bad", "good")[i % 2], f"end{i}"] for i in range(60)]
PHRASES = [" ".join(words[first:]) for words in SENTENCES for first in (0, 3, 4)]


def read(path: Path, **options: Any) -> Splits:
    settings = DataSettings(**({"source": "files", "path": str(path)} | options))
    return load_splits(settings, tokenizer="train", vocab_size=300, cache=path.parent / "cache")


def write(path: Path, **columns: list[Any]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_phrases_stay_with_their_sentence_when_files_are_cut(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", text=PHRASES, label=[i // 3 % 2 for i in range(180)])
    splits = read(file, group="contained_text")
    parts = [
        {(int(row) - 1) // 3 for row in part.source_rows} for part in (splits.train, splits.select, *splits.report)
    ]
    assert sum(map(len, parts)) == len(set.union(*parts)) == 60
    assert [len(part) for part in (splits.train, splits.select, *splits.report)] == [144, 18, 18]
    assert (
        np.bincount(splits.select.labels.values).tolist()
        == np.bincount(splits.report[0].labels.values).tolist()
        == [9, 9]
    )
    rows = read(file)
    assert {(int(row) - 1) // 3 for row in rows.select.source_rows} & {
        (int(row) - 1) // 3 for row in rows.train.source_rows
    }


@pytest.mark.parametrize("suffix", ["parquet", "csv", "jsonl"])
def test_a_column_named_like_a_rule_is_refused(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"d.{suffix}"
    if suffix == "parquet":
        write(file, text=["a", "b"], label=[0, 1], shared_text=[1, 2])
    else:
        lines = {"csv": "text,label,shared_text\na,0,1\n", "jsonl": '{"text": "a", "label": 0, "shared_text": 1}\n'}
        file.write_text(lines[suffix])
    with pytest.raises(DataError, match=rf"shared_text is a rule, but d\.{suffix} has a column of that name. Rename"):
        read(file, group="shared_text")


def test_mistakes_in_groups_name_the_way_out(tmp_path: Path) -> None:
    file = write(tmp_path / "d.parquet", text=PHRASES, label=[i // 3 % 2 for i in range(180)], other=["x"] * 180)
    with pytest.raises(DataError, match=r"Try: data\.group=contained_text"):
        read(file, group="contained_texts")
    with pytest.raises(DataError, match=r"is for single texts, but these are pairs\. Try: data\.group=shared_text"):
        read(file, group="contained_text", text_pair="other")
    with pytest.raises(DataError, match=r"each group is too large .* Try: data\.group=null; or more rows, or files"):
        read(file, group="shared_text", text_pair="other")


def test_a_cut_that_large_groups_make_small_is_said() -> None:
    split = split_of([f"text {i}" for i in range(100)])
    split.groups = np.minimum(np.arange(100), 12)
    data = RawData(ClassLabel(("no", "yes")), {"train": split})
    apply_split_rule(data, DataSettings(source="files", group="author"))
    assert "val has 2 rows, fewer than the 9 wanted" in data.notes[0] and "data.group=null" in data.notes[0]


def test_a_rule_needs_no_column_in_the_built_in_data() -> None:
    assert len(read_demo(DataSettings(group="contained_text", demo_rows=40)).splits["train"]) > 30


GROUPED = {"sst2": 6856, "rte": 2019, "stsb": 4855, "mrpc": 3382, "wnli": 300}


@pytest.mark.hub
@pytest.mark.parametrize("name", GROUPED)
def test_glue_is_cut_by_groups(name: str, tmp_path: Path) -> None:
    settings = resolve(compose([f"data={name}", "model=dsn"])).data
    raw = read_hub(settings)
    found = row_groups(raw, settings, SharedCache(tmp_path))
    assert found is not None and len(np.unique(found[found != STAYS])) == GROUPED[name]
    raw.splits["train"].groups = found
    apply_split_rule(raw, settings)
    left, cut = raw.splits["train"].groups, raw.splits["tune"].groups
    assert left is not None and cut is not None and not np.isin(cut, left).any()
    assert abs(len(cut) - min(5000, len(found) / 10)) < 60


@pytest.mark.parametrize("values", [["a", "", None, "b"], [1, None, 2, None], ["a", " ", "\t", "b"]])
def test_rows_without_a_group_are_refused_since_they_would_form_one(values: list[Any], tmp_path: Path) -> None:
    split = split_of(["one", "two", "three", "four"])
    split.table = split.table.append_column("group", pa.array(values))
    data = RawData(ClassLabel(("n", "y")), {"train": split})
    with pytest.raises(DataError, match=r"data.group=author: 2 training rows have no value. Try: another column"):
        row_groups(data, DataSettings(group="author"), SharedCache(tmp_path))
