"""Datasets of words and tags from files, and built in: rows, tags as numbers, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.raw import RawData
from data.sources.tagged_splits import read_tagged
from data.stores.build_once import SharedCache
from data.targets.tags import Tags

CONLL = "-DOCSTART- -X- O\n\nEU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\nBlack NNP I-PER\n"
JSON_ROWS: list[dict[str, Any]] = [
    {"id": 1, "tokens": ["EU", "rejects"], "ner_tags": ["B-ORG", "O"], "pos": ["N", "V"]},
    {"id": 2, "tokens": ["Peter", "Black"], "ner_tags": ["B-PER", "I-PER"], "pos": ["N", "N"]},
]


def read(folder: Path, **settings: Any) -> RawData:
    wanted = {"source": "files", "task": "tags", "tokens": "tokens", "tags": ["ner_tags"]} | settings
    return read_tagged(DataSettings(**wanted), SharedCache(folder / "cache"))


def jsonl(folder: Path, rows: list[dict[str, Any]], name: str = "rows.jsonl") -> str:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def words(data: RawData, name: str = "train") -> list[list[str]]:
    return [row for columns, _ in data.splits[name].chunks() for row in columns["words"]]


def tags(data: RawData, name: str = "train") -> list[str]:
    return [data.target.names[value] for value in data.splits[name].labels.values]


def test_columns_of_a_conll_file_go_by_number_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "eng.train"
    path.write_text(CONLL, encoding="utf-8")
    data = read(tmp_path, path=str(path), tokens="0", tags=["-1"])
    assert words(data) == [["EU", "rejects"], ["Peter", "Black"]]
    assert tags(data) == ["B-ORG", "O", "B-PER", "I-PER"]
    assert data.target.names == ("O", "B-ORG", "I-ORG", "B-PER", "I-PER")
    assert data.splits["train"].source_rows.tolist() == [3, 6]
    assert data.notes == ["data.tags=-1 are IOB2"]


def test_json_lines_and_parquet_hold_lists(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(JSON_ROWS), path)
    found = [read(tmp_path, path=source) for source in (jsonl(tmp_path, JSON_ROWS), str(path))]
    assert words(found[0]) == words(found[1]) == [["EU", "rejects"], ["Peter", "Black"]]
    assert found[0].splits["train"].fingerprint() == found[1].splits["train"].fingerprint()


def test_two_labels_a_word(tmp_path: Path) -> None:
    data = read(tmp_path, path=jsonl(tmp_path, JSON_ROWS), tags=["ner_tags", "pos"])
    assert isinstance(data.target, Tags)
    assert data.target.columns == (5, 2)
    assert data.target.names[5:] == ("N", "V")
    assert data.splits["train"].labels.values.tolist() == [[1, 0], [0, 1], [3, 0], [4, 0]]


def test_a_tag_of_both_labels_has_two_names(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "b"], "one": ["O", "X"], "two": ["O", "Y"]}]
    data = read(tmp_path, path=jsonl(tmp_path, rows), tags=["one", "two"])
    assert data.target.names == ("O", "X", "second_O", "Y")
    assert isinstance(data.target, Tags)
    assert data.target.tags == [("O", "X"), ("O", "Y")]


def test_every_split_follows_the_training_rows(tmp_path: Path) -> None:
    rest = [{"tokens": ["Paris"], "ner_tags": ["B-PER"]}]
    train, test = jsonl(tmp_path, JSON_ROWS), jsonl(tmp_path, rest, "test.jsonl")
    data = read(tmp_path, train_path=train, test_path=test)
    assert tags(data, "test") == ["B-PER"]
    other = jsonl(tmp_path, [{"tokens": ["Paris", "is"], "ner_tags": ["B-LOC", "O"]}], "other.jsonl")
    with pytest.raises(DataError, match=r"other.jsonl: the tag 'B-LOC' .* occurs 1 times, first in row 1"):
        read(tmp_path, train_path=train, test_path=other)
    names = ["O", "B-ORG", "B-PER", "B-LOC"]
    assert tags(read(tmp_path, train_path=train, test_path=other, label_names=names), "test") == ["B-LOC", "O"]


def test_rows_without_words_are_dropped_and_counted(tmp_path: Path) -> None:
    data = read(tmp_path, path=jsonl(tmp_path, [*JSON_ROWS, {"tokens": [], "ner_tags": []}]))
    assert len(data.splits["train"]) == 2
    assert data.dropped == {"train: no words": 1}


def test_rows_may_be_joined(tmp_path: Path) -> None:
    data = read(tmp_path, path=jsonl(tmp_path, JSON_ROWS), join=3)
    assert words(data) == [["EU", "rejects", "Peter", "Black"]]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": ["a", "b"], "ner_tags": ["O"]}, r"row 3 has 2 words and 1 tags.*begins: 'a b'"),
        ({"tokens": "a b", "ner_tags": ["O", "O"]}, r"row 3 holds a text.*Try: data.text="),
        (
            {"tokens": ["a"], "ner_tags": "O"},
            r"row 3 holds 'O', not a list of tags. Try: data.tags=<a column of lists>",
        ),
        ({"tokens": ["a"], "ner_tags": None}, r"row 3 holds no tags.*Fix that row, or try: data.tags=<a column"),
        ({"tokens": ["a"], "ner_tags": ["person"]}, r"the tag 'person' .*in row 3\) fits no scheme of entities"),
    ],
)
def test_wrong_rows_are_refused_by_name(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, path=jsonl(tmp_path, [*JSON_ROWS, row]))


def test_columns_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.tokens='words' is not in rows.jsonl.*Try: data.tokens="):
        read(tmp_path, path=jsonl(tmp_path, JSON_ROWS), tokens="words")


def test_csv_has_no_lists(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("tokens,ner_tags\na b,O O\n")
    with pytest.raises(DataError, match="cells of CSV hold no lists of words"):
        read(tmp_path, path=str(path))


def test_columns_have_numbers_in_conll_files_and_names_in_others(tmp_path: Path) -> None:
    path = tmp_path / "ner.conll"
    path.write_text("Ada B-PER\n")
    with pytest.raises(DataError, match=r"of a CoNLL file have numbers\. Try: data.tokens=0 data.tags=-1"):
        read(tmp_path, path=str(path))
    with pytest.raises(DataError, match=r"Parquet have names\. Try: data.tokens=tokens data.tags=ner_tags"):
        read(tmp_path, path=jsonl(tmp_path, JSON_ROWS), tokens="0", tags=["-1"])


def test_plain_tags_are_said_to_be_scored_word_by_word(tmp_path: Path) -> None:
    data = read(tmp_path, path=jsonl(tmp_path, [{"tokens": ["a", "b"], "ner_tags": ["O", "PER"]}]))
    assert data.notes == ["data.tags=ner_tags have no B- or I- (PER): words are scored, not entities"]


def test_ids_of_tags_in_a_file_get_the_names_that_the_user_gives(tmp_path: Path) -> None:
    rows = [{"tokens": ["EU", "rejects", "Peter", "Blackburn"], "ner_tags": [3, 0, 1, 2]}] * 3
    path = jsonl(tmp_path, rows)
    data = read(tmp_path, path=path, label_names=["O", "B-PER", "I-PER", "B-ORG"])
    assert tags(data)[:4] == ["B-ORG", "O", "B-PER", "I-PER"] and "are IOB2" in "".join(data.notes)
    assert "If they are ids: 'data.label_names=[O,B-PER,I-PER]', by id" in "".join(read(tmp_path, path=path).notes)
    with pytest.raises(DataError, match=r"row 1 has the tag 3, but only 3 tags are named: O, B-PER, I-PER"):
        read(tmp_path, path=path, label_names=["O", "B-PER", "I-PER"])
    data = read(tmp_path, path=path, label_names=["3", "2", "1", "0"])
    assert tags(data)[:4] == ["3", "0", "1", "2"], "their own names, in another order"


def test_marks_need_a_language_and_words_that_do_not_show_them(tmp_path: Path) -> None:
    rows = [{"tokens": ["hello", "you"], "marks": ["COMMA", "QUESTION"]}]
    with pytest.raises(DataError, match=r"Try: data.language=en"):
        read(tmp_path, path=jsonl(tmp_path, rows), tags=["marks"])
    assert len(read(tmp_path, path=jsonl(tmp_path, rows), tags=["marks"], language="en").splits["train"]) == 1
    for word in ("Hello", "hello,"):
        shown = [{"tokens": [word, "you"], "marks": ["COMMA", "QUESTION"]}]
        with pytest.raises(DataError, match="1 of 2 words show what is to be restored"):
            read(tmp_path, path=jsonl(tmp_path, shown), tags=["marks"], language="en")


def test_the_built_in_set_shares_no_row_between_its_splits(tmp_path: Path) -> None:
    data = read(tmp_path, source="demo", demo_rows=60)
    texts = [" ".join(row) for name in data.splits for row in words(data, name)]
    assert len(set(texts)) == len(texts)
    assert data.target.names == ("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER")


@pytest.mark.hub
@pytest.mark.parametrize(
    ("settings", "entities", "rows"),
    [
        ({"id": "leondz/wnut_17", "config": "wnut_17"}, (1975, 836, 1079), (3394, 1009, 1287)),
        ({"id": "unimelb-nlp/wikiann", "config": "en"}, (27931, 14146, 13958), (20000, 10000, 10000)),
    ],
)
def test_sets_of_the_hub(
    tmp_path: Path, settings: dict[str, str], entities: tuple[int, ...], rows: tuple[int, ...]
) -> None:
    splits = {"select_split": "validation", "report_splits": {"test": "test"}}
    data = read(tmp_path, source="hub", **settings, **splits)
    begun = [i for i, name in enumerate(data.target.names) if name.startswith("B-")]
    for name, count, size in zip(("train", "val", "test"), entities, rows):
        assert sum((data.splits[name].labels.values == i).sum() for i in begun) == count
        assert len(data.splits[name]) == size


def test_an_entity_ends_with_its_row_where_rows_are_joined(tmp_path: Path) -> None:
    rows = [
        {"id": 1, "tokens": ["met", "Ann"], "ner_tags": ["O", "I-PER"]},
        {"id": 2, "tokens": ["Bob", "left"], "ner_tags": ["I-PER", "O"]},
    ]
    data = read(tmp_path, path=jsonl(tmp_path, rows), join=2)
    assert words(data) == [["met", "Ann", "Bob", "left"]]
    assert tags(data) == ["O", "B-PER", "B-PER", "O"]


def test_a_message_names_the_row_of_the_source_where_rows_are_joined(tmp_path: Path) -> None:
    more = [*JSON_ROWS, {"id": 3, "tokens": ["x"], "ner_tags": ["B-MISC"], "pos": ["N"]}]
    paths = {"train_path": jsonl(tmp_path, JSON_ROWS), "test_path": jsonl(tmp_path, more, "test.jsonl")}
    with pytest.raises(DataError, match=r"B-MISC.*first in row 3,"):
        read(tmp_path, **paths, join=3)
