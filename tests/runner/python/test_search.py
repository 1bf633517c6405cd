"""The words of a search from Python, and the table of what it tried."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import runner.python as bertier
from runner.best.types import Budget, Candidate, Done, Facts, LeftOut, Plan, Result, Step
from runner.commands.best import SearchFailed
from runner.errors import ConfigError
from runner.python.search import candidate_table, data_words

CANDIDATES = (
    Candidate("ngram", "ngram", ("model=ngram",), 900, 11.0, 3.0),
    Candidate("dsn", "dsn", ("model=dsn",), 4000, None, 9.0),
)
PLAN = Plan(
    "0123456789", Budget(max_kb=10), Facts(), CANDIDATES, (LeftOut("large", "large", "needs 90,000 KB"),),
    (Step(0, "ngram"), Step(1, "dsn", "third"), Step(2, "dsn", "rest")),
)  # fmt: skip
JOURNAL = [
    Done(0, "done", "aaaa", None, 0.8, 1000, 12.0, 2.0), Done(1, "done", "bbbb", score=0.5, seconds=3.0),
    Done(2, "failed", "bbbb", "out of memory", seconds=4.0),
]  # fmt: skip


def test_each_candidate_has_a_row_with_its_last_step() -> None:
    table = candidate_table(PLAN, JOURNAL, "ngram").set_index("name")
    assert table.loc["ngram", ["kb", "us", "selection_score", "status", "run"]].tolist() == [1, 12, 0.8, "done", "aaaa"]
    assert table.loc["dsn", ["kb", "status", "reason", "seconds"]].tolist() == [4, "failed", "out of memory", 7]
    assert table.loc["large", ["status", "reason"]].tolist() == ["left out", "needs 90,000 KB"]
    assert pd.isna(table.loc["dsn", "selection_score"]), "a third of its steps has no score yet"
    folds = replace(PLAN, steps=tuple(Step(place, "ngram", "fold", place, 0) for place in range(2)))
    ends = [Done(0, "done", score=0.7), Done(1, "done", score=0.8), Done(2, "done", score=1.0, candidate="ngram")]
    assert candidate_table(folds, ends, "ngram")["selection_score"][0] == pytest.approx(0.75)
    assert table["is_winner"].tolist() == [True, False, False]


def test_a_search_gets_the_words_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, asked = tmp_path / "out" / "sweeps" / PLAN.key, list[list[str]]()
    folder.mkdir(parents=True)
    (folder / "plan.json").write_text(json.dumps(PLAN.to_json()), encoding="utf-8")
    (folder / "journal.jsonl").write_text("".join(json.dumps(one.to_json()) + "\n" for one in JOURNAL))
    result = Result(
        PLAN.key,
        "done",
        None,
        "ngram",
        "aaaa",
        folder=str(folder),
        bundle=str(folder / "bundle"),
        metrics={"cost/bytes_deployed": 2500.0},
    )

    def search(words: list[str]) -> Result:
        asked.append(words)
        return result

    monkeypatch.setattr("runner.python.search.search", search)
    monkeypatch.setenv("BERTIER_CACHE", str(tmp_path / "cache"))
    frame = pd.DataFrame({"note": ["a", "b"], "kind": ["x", "y"]})
    found = bertier.best(
        frame, text="note", label="kind", max_kb=100, minutes=5, steps=None, unlabelled=frame[["note"]], words="seed=1"
    )
    words = asked[0]
    assert words[0] == "data=files" and words[1].startswith(f"data.path={tmp_path / 'cache'}")
    assert words[2:6] == ["data.text=note", "data.label=kind", "max_kb=100", "minutes=5"] and words[-1] == "seed=1"
    assert words[6].startswith("unlabelled=") and Path(words[6].partition("=")[2]).is_file()
    assert found.path == folder / "bundle" and found.table["kb"].tolist()[:2] == [2.5, 4.0]
    assert repr(found) == f"<bertier search {PLAN.key}: ngram, {folder / 'bundle'}>"
    bertier.best("sst2", max_kb=10)
    assert asked[1] == ["data=sst2", "max_kb=10"]


@pytest.mark.parametrize(("code", "expected"), [(1, bertier.RunFailed), (130, KeyboardInterrupt)])
def test_a_search_without_a_result_is_an_exception(
    code: int, expected: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    def search(words: list[str]) -> Result:
        raise SearchFailed(code)

    monkeypatch.setattr("runner.python.search.search", search)
    with pytest.raises(expected):
        bertier.best("sst2", max_kb=10)


def test_data_that_are_not_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    assert data_words(tmp_path / "t.csv", "a", None, [])[0] == [
        "data=files", f"data.path={tmp_path / 't.csv'}", "data.text=a",
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="neither a file nor a data set"):
        data_words("nothing.csv", None, None, [])


def test_columns_that_the_words_name_are_written_for_texts_without_labels_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()

    def search(words: list[str]) -> Result:
        asked.extend(words)
        raise SearchFailed(1)

    monkeypatch.setattr("runner.python.search.search", search)
    frame = pd.DataFrame({"message": ["a", "b"], "reply": ["c", "d"], "category": ["x", "y"], "customer": [1, 2]})
    words = ["data.group=customer", "data.text_pair=reply", f"paths.cache={tmp_path}"]
    with pytest.raises(bertier.RunFailed):
        bertier.best(frame, text="message", label="category", words=words, unlabelled=frame)
    files = {key: value for key, _, value in (word.partition("=") for word in asked)}
    assert pd.read_parquet(files["data.path"]).columns.tolist() == ["message", "reply", "category", "customer"]
    assert pd.read_parquet(files["unlabelled"]).columns.tolist() == ["message", "reply"]
