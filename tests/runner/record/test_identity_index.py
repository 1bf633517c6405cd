"""Which identity a command had the last time, known without reading its data."""

from __future__ import annotations

from pathlib import Path

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.record.identity_index import key


def test_a_changed_file_is_looked_at_again_and_where_it_runs_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\na,1\n")
    words = ["data=files", f"data.path={path}", "data.text=text", "data.label=label", "model=dsn"]
    before = key(resolve(compose(words)))
    assert before == key(resolve(compose([*words, "train.threads=3", "paths.output=elsewhere"])))
    assert before != key(resolve(compose([*words, "seed=5"])))
    path.write_text("text,label\nab,1\n")
    assert before != key(resolve(compose(words)))
