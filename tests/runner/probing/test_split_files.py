"""Three splits of a folder's files, or of one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.probing.split_files import cut_in_three, files_of_splits, limited_by_words, name_of_files


def test_the_names_of_files_say_which_split_they_are(tmp_path: Path) -> None:
    for name in ("srl.train.json", "srl.development.json", "srl.test.json", "srl-dev.txt"):
        (tmp_path / name).touch()
    with pytest.raises(ConfigError, match=r"edge=.* the word dev or val or validation is needed, but there are 0"):
        files_of_splits(tmp_path, (".json",), "edge")
    (tmp_path / "srl.dev.json").touch()
    found = files_of_splits(tmp_path, (".json",), "edge")
    assert [found[which].name for which in ("train", "select", "report")] == [
        "srl.train.json",
        "srl.dev.json",
        "srl.test.json",
    ]
    assert name_of_files(found["train"]) == "srl"


def test_a_cut_loses_nothing_and_a_limit_keeps_the_order() -> None:
    sentences = [(number,) * 3 for number in range(40)]
    splits = cut_in_three(sentences, "a", "edge")
    assert {which: len(found) for which, found in splits.items()} == {"train": 32, "select": 4, "report": 4}
    assert sorted(one for found in splits.values() for one in found) == sentences
    few = limited_by_words(splits, 12)
    assert [len(few[which]) for which in ("train", "select", "report")] == [4, 2, 2]
    assert few["train"] == sorted(few["train"])
    with pytest.raises(ConfigError, match="edge=a has 9 sentences, but at least 10 are needed"):
        cut_in_three(sentences[:9], "a", "edge")
