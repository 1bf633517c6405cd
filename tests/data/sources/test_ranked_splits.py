"""Rankings from files: a collection of four, or rows that a column groups, whatever their order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from data.errors import DataError
from data.load import read_rows
from data.settings import DataSettings
from data.sources.choice import read_raw
from data.sources.raw import RawSplit
from data.stores.build_once import SharedCache
from data.targets.relevance import FIRST, GAIN, RETRIEVED, query_offsets
from runner.statistics.answers import Answers
from runner.statistics.rank_scores import RANK_SCORES

ROWS = [
    ("q1", "red wings", "wings are red", 1), ("q1", "red wings", "a blue sea", 0), ("q2", "hot", "cold", 0),
    ("q2", "hot", "very hot", 2), ("q3", "none", "nothing", 0), ("q1", "red wings", "red things", 0),
]  # fmt: skip


def read(folder: Path, **more: object) -> tuple[RawSplit, list[str]]:
    settings = DataSettings(source="files", task="rank", **more)  # type: ignore[arg-type]
    found = read_raw(settings, SharedCache(folder / "cache"), "relevance")
    return found.splits["train"], found.notes


def grouped(path: Path, rows: list[tuple[str, str, str, int]]) -> tuple[RawSplit, list[str]]:
    names = ("id", "query", "answer", "label")
    file = path / "rows.jsonl"
    file.write_text("".join(json.dumps(dict(zip(names, row))) + "\n" for row in rows), encoding="utf-8")
    return read(path, path=str(file), text="query", text_pair="answer", group="id")


def test_rows_of_a_query_are_together_and_in_an_order_of_their_own(tmp_path: Path) -> None:
    found, notes = grouped(tmp_path, ROWS)
    cells = found.read(np.arange(len(found)))
    assert cells["text_pair"] == ["wings are red", "red things", "a blue sea", "very hot", "cold"]
    assert found.labels.values[:, :2].tolist() == [[1, 1], [0, 1], [0, 1], [2, 1], [0, 1]]
    assert found.labels.values[:, 2].tolist() == pytest.approx([2, 1 - 2e-4, -1e-4, 1 - 1e-4, 0])
    assert found.labels.values[:, 3].tolist() == [0, 0, 0, 1, 1] and found.source_rows.tolist() == [1, 6, 2, 4, 3]
    assert len(notes) == 1 and notes[0].endswith("1 of 3 judged queries have no relevant document, and are left out")
    mixed, _ = grouped(tmp_path, [ROWS[i] for i in (5, 1, 0, 3, 4, 2)])
    assert mixed.read(np.arange(len(mixed))) == cells
    assert np.array_equal(mixed.labels.values[:, [0, 1, 3]], found.labels.values[:, [0, 1, 3]])


def test_labels_that_are_words_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"id": 1, "query": "a", "answer": "b", "label": "good"}\n', encoding="utf-8")
    with pytest.raises(
        DataError, match=r"label 'good' is not a number, which relevance needs. Write such labels as numbers"
    ):
        read(tmp_path, path=str(file), text="query", text_pair="answer", group="id")


def test_a_collection_of_four_files_is_read(tmp_path: Path) -> None:
    files = {
        "queries": "1\tred wings\n2\thot\n", "corpus": "a\twings are red\nb\ta blue sea\nc\tvery hot\n",
        "qrels": "1 0 a 3\n2 0 c 1\n", "candidates": "1 Q0 b 1 5 x\n1 Q0 a 2 4 x\n2 Q0 c 1 9 x\n2 Q0 a 2 8 x\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found, _ = read(tmp_path, text_pair="document", **{name: str(tmp_path / name) for name in files})
    assert found.read(np.arange(4)) == {
        "text": ["red wings", "red wings", "hot", "hot"],
        "text_pair": ["a blue sea", "wings are red", "very hot", "wings are red"],
    }
    assert found.labels.values.tolist() == [[0, 1, 5, 0], [3, 1, 4, 0], [1, 1, 9, 1], [0, 1, 8, 1]]


def test_queries_are_never_split_and_limits_keep_them_whole(tmp_path: Path) -> None:
    rows = [(f"q{i % 20}", f"query {i % 20}", f"text {i}", int(i < 20)) for i in range(100)]
    file = tmp_path / "rows.jsonl"
    names = ("id", "query", "answer", "label")
    file.write_text("".join(json.dumps(dict(zip(names, row))) + "\n" for row in rows), encoding="utf-8")
    settings = DataSettings(
        source="files", task="rank", path=str(file), text="query", text_pair="answer", group="id", max_rows=37,
        max_eval_rows=3,
    )  # fmt: skip
    found = read_rows(settings, SharedCache(tmp_path / "cache"), "relevance").raw.splits
    queries = {name: split.facts(np.arange(len(split)))["_query"] for name, split in found.items()}
    assert {name: len(ids) for name, ids in queries.items()} == {"train": 35, "val": 5, "test": 5}
    assert all(ids.count(one) == 5 for ids in queries.values() for one in set(ids))
    assert not set(queries["train"]) & set(queries["val"]) and not set(queries["val"]) & set(queries["test"])


def answers_of(split: RawSplit, scores: np.ndarray) -> Answers:
    values = split.labels.values
    columns = {
        "label": values[:, GAIN], "prediction": scores, "relevant": values[:, GAIN] >= 1,
        "retrieved": values[:, RETRIEVED] > 0,
    }  # fmt: skip
    return Answers(columns, query_offsets(values))


BM25 = {  # trec_eval on the test queries: NDCG@10, MRR@10, MAP@100, recall@100
    "cranfield": (71, 0.3473, 0.5257, 0.2861, 0.7071),
    "cisi": (24, 0.3072, 0.5240, 0.1112, 0.3522),
    "medline": (9, 0.6906, 1.0, 0.4703, 0.6768),
}


@pytest.mark.hub
@pytest.mark.parametrize("name", BM25)
def test_the_first_ranking_is_bm25s(name: str, tmp_path: Path) -> None:
    settings = DataSettings(
        name=name, source="hub", id=f"bertier/{name}", task="rank", queries="queries", corpus="corpus", qrels="default",
        candidates="bm25", report_splits={"test": "test"},
    )  # fmt: skip
    test = read_raw(settings, SharedCache(tmp_path), "relevance").splits["test"]
    found = answers_of(test, test.labels.values[:, FIRST])
    values = [round(RANK_SCORES[one].value(found), 4) for one in ("ndcg@10", "mrr@10", "map@100", "candidate_recall")]
    assert (len(found), *values) == BM25[name]


@pytest.mark.hub
def test_the_first_ranking_of_wikiqa_is_that_of_common_words_and_chance_is_below(tmp_path: Path) -> None:
    settings = DataSettings(
        source="hub", id="microsoft/wiki_qa", task="rank", text="question", text_pair="answer", group="question_id",
        select_split="validation", report_splits={"test": "test"},
    )  # fmt: skip
    splits = read_raw(settings, SharedCache(tmp_path), "relevance").splits
    for name, wanted in (("test", (243, 0.6856, 0.6971)), ("val", (126, 0.6667, 0.6726))):
        found = answers_of(splits[name], splits[name].labels.values[:, FIRST])
        assert (len(found), *(round(RANK_SCORES[one].value(found), 4) for one in ("map", "mrr"))) == wanted
    random, test = np.random.default_rng(0), splits["test"]
    drawn = [RANK_SCORES["map"].value(answers_of(test, random.random(len(test)))) for _ in range(30)]
    alone = RANK_SCORES["map"].value(answers_of(test, np.random.default_rng(7).random(len(test))))
    assert abs(alone - np.mean(drawn)) < 3 * np.std(drawn) and np.mean(drawn) < 0.5
