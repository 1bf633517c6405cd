"""Mistakes in the words of `run blimp`: each is refused with what would do."""

from __future__ import annotations

from pathlib import Path

import pytest

from data.errors import DataError
from runner.commands.blimp import main
from runner.errors import ConfigError

WRONG = {
    "a misspelt paradigm": (["paradigms=[wh_iland]"], r"blimp has no 'wh_iland'; the nearest of its 67: wh_island"),
    "pairs that do not exist": (["data=turblim"], r"data=turblim: expected one of .*Try: data=turblimp"),
    "a score": (["score=ppl"], r"score=ppl: expected one of pll, word_l2r, word, mean. Try: score=pll"),
    "no pairs": (["max_pairs=0"], r"max_pairs=0: expected a whole number"),
    "a compression": (["compression=int9"], r"compression=int9: expected one of"),
    "no file": (["data=files"], r"which file\? Try: run blimp from=<id> data=files path=pairs.csv"),
    "a file of the hub's pairs": (["path=a.csv"], r"path=a.csv is for a file, but data=blimp is .*data=files"),
    "a quoting": (["data=files", "path=a.csv", "quoting=x"], r"quoting=x: expected one of auto, minimal, none"),
    "an option": (["scores=pll"], r"'scores=pll' is not one of its options"),
    "a run that is not there": ([], r"no recorded run in"),
}


@pytest.mark.parametrize(("words", "message"), WRONG.values(), ids=WRONG)
def test_a_mistake_is_refused(words: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, DataError), match=message):
        main(["from=abc", *words, f"paths.output={tmp_path}"])
    assert not list(tmp_path.iterdir())


def test_a_command_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="of which model"):
        main(["score=pll", f"paths.output={tmp_path}"])


def test_no_words_print_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("run blimp ID")


def test_groups_are_shown_of_two_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.commands.blimp.find_subjects", lambda names, output, check: [*names])
    with pytest.raises(ConfigError, match=r"by=paradigm: 3 models are compared by the mean over all pairs"):
        main(["from=[a,b,c]", "by=paradigm", f"paths.output={tmp_path}"])
