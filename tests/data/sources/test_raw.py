"""Raw splits: a choice of rows keeps everything of a row together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from data.labels import Labels
from data.sources.raw import CHUNK, RawSplit


def split_of(texts: list[str], pairs: list[str] | None = None) -> RawSplit:
    columns = {"text": texts} | ({"text_pair": pairs} if pairs else {})
    rows = np.arange(len(texts))
    return RawSplit(pa.table(columns), Labels(rows % 2), rows, rows + 1, groups=rows // 2)


def test_taking_rows_takes_their_labels_numbers_and_groups_too() -> None:
    some = split_of(["a", "b", "c", "d"]).take(np.array([3, 0])).take(np.array([0]))
    assert list(some.texts()) == ["d"] and len(some) == 1
    assert some.groups is not None
    assert (some.labels.values.tolist(), some.source_rows.tolist(), some.groups.tolist()) == ([1], [4], [1])


def test_chunks_are_the_rows_in_order() -> None:
    texts = [str(number) for number in range(CHUNK + 3)]
    chunks = list(split_of(texts, texts[::-1]).chunks())
    assert [len(chunk[1]) for chunk in chunks] == [CHUNK, 3]
    assert [text for columns, _ in chunks for text in columns["text"]] == texts
    assert [pair for columns, _ in chunks for pair in columns["text_pair"]] == texts[::-1]


def test_the_fingerprint_is_of_texts_and_labels_not_of_where_they_came_from() -> None:
    one, other = split_of(["a", "b", "c"]), split_of(["x", "a", "b", "c"])
    moved = other.take(np.array([1, 2, 3]))
    moved.labels = one.labels
    assert moved.fingerprint() == one.fingerprint() != other.fingerprint()
    assert split_of(["ab", "c"]).fingerprint() != split_of(["a", "bc"]).fingerprint()


def test_words_are_content_as_texts_are() -> None:
    def of(*rows: list[str], labels: list[int]) -> RawSplit:
        numbers, offsets = np.arange(len(rows)), np.cumsum([0, *map(len, rows)])
        return RawSplit(pa.table({"words": list(rows)}), Labels(np.array(labels), offsets), numbers, numbers + 1)

    split = of(["a", "b"], ["c"], labels=[0, 1, 0])
    assert list(split.texts()) == ["a b", "c"] and split.take(np.array([1])).labels.values.tolist() == [0]
    assert split.fingerprint() != of(["a"], ["b", "c"], labels=[0, 1, 0]).fingerprint()
    assert split.fingerprint() != of(["a", "b"], ["c"], labels=[0, 1, 1]).fingerprint()


def test_facts_beside_the_text_are_part_of_the_content_but_are_not_read_as_text() -> None:
    rows = np.arange(3)
    plain = split_of(["a", "b", "c"])
    golds = [["x"], [], ["y", "z"]]
    table = plain.table.append_column("_golds", pa.array(golds))
    split = RawSplit(table, plain.labels, rows, rows + 1)
    assert split.columns == ["text"] and list(split.texts()) == ["a", "b", "c"]
    assert split.take(np.array([2, 0])).facts(np.array([0])) == {"_golds": [["y", "z"]]}
    assert plain.facts(rows) == {}
    other = RawSplit(plain.table.append_column("_golds", pa.array([["x"], [], ["y"]])), plain.labels, rows, rows + 1)
    assert len({split.fingerprint(), other.fingerprint(), plain.fingerprint()}) == 3
