"""Which model a word names: a run or its folder, if it predicts masked words."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from runner.minimal_pairs.subject import check_words
from runner.record.subject import find_subject, find_subjects
from tests.runner.compare.folders import write_run


def test_a_run_is_found_by_its_beginning_and_by_its_folder(output: Path, run_id: str) -> None:
    for name in (run_id, run_id[:4], str(output / run_id), str(output / run_id / "model")):
        found = find_subject(name, output, check_words)
        assert (found.identity, found.source) == (run_id, str(output / run_id / "model"))
    assert len(find_subjects([run_id, run_id[:4]], output, check_words)) == 1


def test_a_run_that_predicts_no_masked_words_is_refused(tmp_path: Path) -> None:
    record = write_run(tmp_path, "model=dsn")
    with pytest.raises(
        ConfigError, match=r"has no head for masked words. Try: run task=mlm .*, then: run blimp from=<its id>"
    ):
        find_subject(str(record["identity"]), tmp_path, check_words)
