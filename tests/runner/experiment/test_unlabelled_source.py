"""Texts without labels that a command names."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.experiment.unlabelled_source import unlabelled_source
from runner.schema import Settings


@pytest.mark.parametrize(
    ("text", "message"),
    [("imdb", "neither a file nor <data>:<split>"), ("demo:train", "data=demo is not on the hub"),
     ("qnli:test", "data=qnli has a different number of texts per row")],
)  # fmt: skip
def test_texts_that_are_not_there_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        unlabelled_source("compression.distil.unlabelled", text, Settings().data)


def test_a_file_of_texts_is_read_with_the_columns_and_the_length_of_the_run(tmp_path: Path) -> None:
    path = tmp_path / "more.csv"
    path.write_text("text\na film\n", encoding="utf-8")
    data = Settings().data
    found = unlabelled_source("compression.distil.unlabelled", str(path), data)
    assert (found.source, found.path, found.text, found.max_length) == ("files", str(path), data.text, data.max_length)
