"""Refusals of a second view that need data and model."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import ConfigError
from tests.runner.experiment.second_view.pairs import made, write_pairs


def test_too_few_pairs_to_correlate_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    write_pairs(tmp_path, rows=100)
    with pytest.raises(
        ConfigError, match=r"100 training rows have a text and codes, but 256 are needed.*method=distil"
    ):
        made(tmp_path, "view=codes", "view.method=dcca")
    assert not (tmp_path / "outputs").exists()


def test_validation_rows_without_codes_are_refused_for_a_correlation(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    lines = (tmp_path / "val.csv").read_text(encoding="utf-8").splitlines()
    texts = (line.split(",") for line in lines[1:])
    emptied = [",".join((text, "" if row >= 20 else code, label)) for row, (text, code, label) in enumerate(texts)]
    (tmp_path / "val.csv").write_text("\n".join([lines[0], *emptied]) + "\n", encoding="utf-8")
    for method in ("dcca", "both"):
        with pytest.raises(ConfigError, match=r"20 val rows have codes, but 64 are needed.*Try: view\.method=distil"):
            made(tmp_path, "view=codes", f"view.method={method}")
    assert not (tmp_path / "outputs").exists()


def test_narrow_vectors_have_fewer_correlations_and_the_run_says_so(tmp_path: Path) -> None:
    write_pairs(tmp_path)
    words = ("view=codes", "view.method=dcca", "view.epochs=1", "train.epochs=1", "model.width=0.0625")
    record = made(tmp_path, *words).record
    assert record and record.metrics["view/corr_val"] <= 8
    assert "8 correlations instead of view.k=20: the vectors of the texts have no more dimensions" in record.notes
