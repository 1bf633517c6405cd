"""Arcs of a treebank and labelled spans of a file, from their vectors to a table; and the whole command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from runner.commands.probe import main
from runner.errors import ConfigError
from runner.probing.edges import edge_probe
from runner.probing.edges.edge_task import EdgeTask, expected_layer
from runner.probing.edges.labelled import arcs_of
from runner.probing.probed import Models, Probed
from runner.probing.results import read_report, read_right
from runner.probing.treebanks.treebank import Treebank


@pytest.fixture(autouse=True)
def few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A probe is fitted in a moment."""
    monkeypatch.setattr(edge_probe, "PLAN", replace(edge_probe.PLAN, evaluations=3))
    monkeypatch.setattr(edge_probe, "RATE", 0.01)


def test_arcs_have_lines_controls_a_mix_and_a_score_by_sentence(treebank: Treebank, probed: Probed) -> None:
    task = EdgeTask(arcs_of(treebank.splits))
    mixed = replace(probed, wanted=replace(probed.wanted, has_mix=True))
    report, right = task.probe(Models(mixed, probed.network, None))
    assert report.name == "dependency_arcs" and report.score == "micro F1" and report.classes == 5
    assert report.rows["train"] == sum(len(one) - 1 for one in treebank.splits["train"]), "all words but the roots"
    assert [line.name for line in report.lines] == ["span_0", "span_1", "span_2"] == [*right]
    assert report.best.accuracy > 0.9 > 0.5 > report.majority
    assert report.best.random == pytest.approx(report.best.accuracy, abs=0.03), "the same network as its own twin"
    assert report.best.selectivity is not None and report.best.selectivity > 0.03
    assert all(np.mean(right[line.name]) == pytest.approx(line.accuracy) for line in report.lines)
    assert len(right["span_0"]) == 25
    assert [mix.layers for mix in report.mixes] == [[0, 1, 2]] and sum(report.mixes[0].weights) == pytest.approx(1)
    assert "expected layer" in report.notes[-1] and "micro F1" in report.notes[0]


def test_the_expected_layer_is_where_scores_rise() -> None:
    assert expected_layer(np.array([0.5, 0.6, 0.9]), [0, 1, 2]) == pytest.approx((0.1 + 0.3 * 2) / 0.4)
    assert np.isnan(expected_layer(np.array([0.5, 0.5]), [0, 1]))
    assert np.isnan(expected_layer(np.array([0.5, 0.6, 0.4]), [0, 1, 2])), "3 is no layer of these"


def test_edges_of_words_that_no_model_reads_are_refused(treebank: Treebank, probed: Probed) -> None:
    odd = {
        which: [replace(one, words=("\u200b",) * len(one)) for one in found] for which, found in treebank.splits.items()
    }
    with pytest.raises(ConfigError, match=r"a split has no edge whose words tiny reads"):
        EdgeTask(arcs_of(odd)).probe(Models(probed, None, None))


def test_a_file_of_spans_gives_a_table_and_a_report(
    place: Path, run_id: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (("good", "film"), ("bad", "story"))
    lines = [
        {"text": f"a {a} {b} .", "targets": [{"span1": [1, 3], "label": a}, {"span1": [0, 1], "label": "det"}]}
        for a, b in words * 20
    ]
    (tmp_path / "names.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    where = [f"paths.output={place / 'outputs'}", f"paths.cache={place / 'cache'}"]
    assert main([run_id, f"edge={tmp_path / 'names.jsonl'}", "seeds=0", "probe=mlp", "random=false", *where]) == 0
    shown = capsys.readouterr().out
    assert "names" in shown and "micro F1" in shown
    folder = place / "outputs" / run_id / "probing"
    report = read_report(folder, "names-mlp")
    assert report is not None and read_right(folder, report) is not None
    assert report.tasks[0].rows == {"train": 64, "select": 8, "report": 8}
    with pytest.raises(ConfigError, match=r"edge=.*names.jsonl is one task\. Leave tasks= out"):
        main([run_id, f"edge={tmp_path / 'names.jsonl'}", "tasks=pos", *where])
    with pytest.raises(ConfigError, match="no grid of options"):
        main([run_id, f"edge={tmp_path / 'names.jsonl'}", "grid=senteval", *where])
