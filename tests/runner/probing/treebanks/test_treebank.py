"""A treebank is a folder of three files, or one file that is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.probing.treebanks.treebank import read_treebank
from tests.runner.probing.treebanks.made import write_treebank


def test_a_folder_has_the_three_splits_and_limits_are_drawn_by_sentence(tmp_path: Path) -> None:
    found = read_treebank(str(write_treebank(tmp_path / "ud")))
    assert (found.name, found.short_name) == ("en_made", "made")
    assert {split: len(one) for split, one in found.splits.items()} == {"train": 60, "select": 25, "report": 25}
    few = found.limited(50)
    assert 44 <= sum(map(len, few.splits["train"])) <= 50 and sum(map(len, few.splits["report"])) <= 25
    assert few.fingerprints == found.limited(50).fingerprints != found.fingerprints


def test_one_file_is_cut_and_no_sentence_is_lost(tmp_path: Path) -> None:
    path = write_treebank(tmp_path) / "en_made-ud-train.conllu"
    found = read_treebank(str(path))
    assert {split: len(one) for split, one in found.splits.items()} == {"train": 48, "select": 6, "report": 6}
    assert len({one.line for part in found.splits.values() for one in part}) == 60


def test_what_is_no_treebank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or folder"):
        read_treebank(str(tmp_path / "none"))
    (write_treebank(tmp_path / "ud", 5, 5) / "en_made-ud-dev.conllu").unlink()
    with pytest.raises(ConfigError, match="the word dev or val or validation is needed, but there are 0"):
        read_treebank(str(tmp_path / "ud"))
    with pytest.raises(ConfigError, match="5 sentences, but at least 10 are needed"):
        read_treebank(str(tmp_path / "ud" / "en_made-ud-train.conllu"))
