"""`run export` says how good an export is, and marks a run that has learned nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.commands.export import show_export
from runner.deploy.exported import ExportedModel
from runner.deploy.parity import Parity
from tests.records import a_record


@pytest.mark.parametrize(("low", "mark"), [(0.4, " (at baseline)"), (0.6, "")])
def test_the_scores_of_a_run_at_baseline_are_marked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], low: float, mark: str
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"0" * 1000)
    exported = ExportedModel(tmp_path, "onnx", "0" * 10, "x", "classification", ("a", "b"), ("text",), 16, "")
    parity = Parity(8, "demo, test", 1e-6, scored=8, metric="accuracy", trained=0.625, exported=0.625, agreement=1.0)
    metrics = {"test/accuracy": 0.65, "test/accuracy_low": low, "test/accuracy_high": 0.7, "baseline/majority": 0.5}
    show_export(exported, parity, "onnx", a_record(metrics=metrics))
    wanted = f"accuracy on 8 rows: 0.6250 as trained, 0.6250 exported{mark}, 100.00% the same answers"
    assert wanted in capsys.readouterr().out


def test_a_zip_for_a_container_is_unpacked_before_it_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "my model.zip"
    place.write_bytes(b"0" * 1000)
    exported = ExportedModel(place, "numpy", "1f0c", "x", "classification", ("a", "b"), ("text",), 16, "")
    show_export(exported, None, "docker", a_record())
    assert f"Try: unzip '{place}' -d 1f0c && docker build -t 1f0c 1f0c\n" in capsys.readouterr().out
