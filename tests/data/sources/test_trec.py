"""Files of test collections: every form that is read, and the lines that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from data.errors import DataError
from data.settings import DataSettings
from data.sources.trec import Line, read_candidates, read_judgements, read_texts, titled


def written(path: Path, *lines: str) -> str:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def candidates(path: Path, *lines: str) -> list[Line]:
    return read_candidates(DataSettings(candidates=written(path, *lines)))


def judgements(path: Path, *lines: str) -> list[Line]:
    return read_judgements(DataSettings(qrels=written(path, *lines)))


def test_candidates_have_three_four_or_six_columns(tmp_path: Path) -> None:
    path = tmp_path / "run.txt"
    six = candidates(path, "1 Q0 a 1 9.5 bm25", "1 Q0 b 2 7 bm25", "2 Q0 a 1 3.5 bm25")
    assert six == [Line(1, "1", "a", 9.5), Line(2, "1", "b", 7), Line(3, "2", "a", 3.5)]
    assert candidates(path, "1\ta\t1\t9.5", "1\tb\t2\t7", "2\ta\t1\t3.5") == six
    places = candidates(path, "1\ta\t1", "1\tb\t2", "2\ta\t1")  # as MS MARCO has them: the first is the best
    assert [line.value for line in places] == [-1, -2, -1]
    places = candidates(path, "1\ta\t0", "1\tb\t1", "1\tc\t2", "2\ta\t0")  # counted from 0
    assert [line.value for line in places] == [0, -1, -2, 0]
    assert [line.value for line in candidates(path, "1 a 9.5", "1 b 7")] == [9.5, 7]


@pytest.mark.parametrize("form", ["q Q0 {name} {rank} {score} bm25", "q {name} {rank} {score}"])
def test_scores_that_count_down_to_one_are_scores_where_there_is_a_rank_beside_them(tmp_path: Path, form: str) -> None:
    lines = [form.format(name=name, rank=rank, score=4 - rank) for rank, name in enumerate("abc", 1)]
    assert [(line.document, line.value) for line in candidates(tmp_path / "run.txt", *lines)] == [
        ("a", 3), ("b", 2), ("c", 1),
    ]  # fmt: skip


@pytest.mark.parametrize("line", ["1 a", "1 Q0 a 2 7", "1 a 1 7 x y z", "1 a nine", "1 Q0 a 1 inf bm25"])
def test_other_lines_are_refused_with_their_number(tmp_path: Path, line: str) -> None:
    with pytest.raises(DataError, match=r"run.txt line 2: query Q0 document"):
        candidates(tmp_path / "run.txt", "1 Q0 b 2 7 bm25", line)


def test_a_score_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run.txt line 1: 'nan' is not a number"):
        candidates(tmp_path / "run.txt", "1 Q0 b 2 nan bm25")


def test_a_document_twice_is_refused_with_both_lines(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'b' has two places for query '1' \(lines 1 and 3\)"):
        candidates(tmp_path / "run.txt", "1 Q0 b 2 7 x", "1 Q0 c 3 6 x", "1 Q0 b 4 5 x")
    with pytest.raises(DataError, match=r"'b' has two labels for query '1' \(lines 1 and 2\)"):
        judgements(tmp_path / "qrels.txt", "1 0 b 1", "1 0 b 0")


def test_ranks_with_gaps_are_not_taken_for_scores_of_the_opposite_order(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="rise from line to line, as ranks do, but are not 1, 2, 3"):
        candidates(tmp_path / "run.tsv", "1\ta\t1", "1\tb\t3", "2\ta\t2")
    scores = candidates(tmp_path / "run.tsv", "1\ta\t3", "1\tb\t1", "2\ta\t2")
    assert [line.value for line in scores] == [3, 1, 2]


def test_judgements_have_three_or_four_columns_and_perhaps_a_header(tmp_path: Path) -> None:
    path = tmp_path / "qrels.txt"
    assert judgements(path, "1 0 a 2", "1 0 b -1") == [Line(1, "1", "a", 2), Line(2, "1", "b", -1)]
    found = judgements(path, "query-id\tcorpus-id\tscore", "1\ta\t2", "", "1\tb\t0")
    assert found == [Line(2, "1", "a", 2), Line(4, "1", "b", 0)]


def test_texts_are_read_from_every_form_with_their_titles(tmp_path: Path) -> None:
    settings, wanted = DataSettings(), {"1": "wings in flight", "2": "heat"}
    tabs = written(tmp_path / "d.tsv", "1\twings\tin flight", "2\t\theat")
    assert read_texts(tabs, "data.corpus", settings) == wanted
    assert read_texts(written(tmp_path / "q.txt", "1\twings in flight", "2\theat"), "data.queries", settings) == wanted
    rows = [{"_id": "1", "title": "wings", "text": "in flight"}, {"_id": 2, "text": "heat"}]
    assert read_texts(written(tmp_path / "d.jsonl", *map(json.dumps, rows)), "data.corpus", settings) == wanted
    table = written(tmp_path / "d.csv", "id,title,text", '1,wings,"in flight"', "2,,heat")
    assert read_texts(table, "data.corpus", settings) == wanted
    assert titled("wings .", "wings . in flight") == "wings . in flight"  # as the abstracts of Cranfield are


def test_texts_without_an_id_or_with_two_texts_for_one_are_refused(tmp_path: Path) -> None:
    settings = DataSettings()
    with pytest.raises(DataError, match=r"line 2: an id, a tab and a text are needed, found 'heat'"):
        read_texts(written(tmp_path / "q.tsv", "1\twings", "heat"), "data.queries", settings)
    with pytest.raises(DataError, match=r"'1' has two texts \(lines 1 and 2\)"):
        read_texts(written(tmp_path / "q.tsv", "1\twings", "1\theat"), "data.queries", settings)
    with pytest.raises(DataError, match="a column _id is needed, found text"):
        read_texts(written(tmp_path / "q.jsonl", '{"text": "heat"}'), "data.queries", settings)
    with pytest.raises(DataError, match="lines of text are needed"):
        read_judgements(DataSettings(qrels=written(tmp_path / "qrels.jsonl", '{"a": 1}')))
    with pytest.raises(DataError, match="no such file"):
        read_texts(str(tmp_path / "none.tsv"), "data.queries", settings)
