"""Parts of speech and relations: rows, control types by word, what a treebank lacks, and the whole command."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.commands.probe import main
from runner.errors import ConfigError
from runner.probing import probe
from runner.probing.probed import Models, Probed
from runner.probing.results import read_report, read_right
from runner.probing.treebanks.treebank import Treebank
from runner.probing.treebanks.words import word_task


def test_every_word_is_a_row_and_the_control_goes_by_word(
    treebank: Treebank, probed: Probed, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = word_task("dependency", treebank)
    assert task.names == ("amod", "det", "nsubj", "obj", "punct", "root")
    rows, types = task.rows(probed, probed.network), task.types(probed)
    words = [word for one in treebank.splits["train"] for word in one.words]
    assert rows["train"].vectors.shape == (len(words), 3, 16)
    assert len(set(types["train"].tolist())) == len(set(words))
    monkeypatch.setattr(probe, "EVALUATIONS", 10)
    with_mix = replace(probed, wanted=replace(probed.wanted, has_mix=True))
    report, right = task.probe(Models(with_mix, None, None))
    assert [mix.layers for mix in report.mixes] == [[0, 1, 2]] and report.notes[-1].startswith(
        "the mix over layers, word"
    )
    assert max(line.accuracy for line in report.lines) > 0.6 > report.majority
    assert report.lines[0].control is not None
    assert np.mean(right["word_2"]) == pytest.approx(report.lines[2].accuracy)
    assert len(right["word_2"]) == len(treebank.splits["report"]), "one number a sentence"


def test_a_treebank_without_the_column_is_refused(treebank: Treebank) -> None:
    bare = {name: [replace(one, upos=("_",) * len(one)) for one in found] for name, found in treebank.splits.items()}
    with pytest.raises(ConfigError, match=r"UPOS is empty in the train sentences .*Try: .* tasks=dependency"):
        word_task("pos", replace(treebank, splits=bare))


def test_a_run_and_a_folder_give_a_table_by_layer(
    place: Path, run_id: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "EVALUATIONS", 5)
    words = [f"treebank={folder}", "tasks=pos", "max_words=100", "seeds=0", f"paths.output={place / 'outputs'}"]
    words += [f"paths.cache={place / 'cache'}", "mdl=false", "control=false"]
    assert main([run_id, *words]) == 0
    shown = capsys.readouterr().out
    assert "en_made-linear" in shown and "pos" in shown and "words: " in shown
    found = next((place / "outputs" / run_id / "probing").glob("en_made-linear-*.json"))
    report = read_report(found.parent, found.stem)
    assert report is not None and read_right(found.parent, report) is not None
    assert [line.name for line in report.tasks[0].lines] == ["word_0", "word_1", "word_2"]
    assert report.tasks[0].best.random is not None and report.tasks[0].best.information is not None
