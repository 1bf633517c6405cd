"""A classifier of codes as a teacher: it answers for all pairs, and is recorded as one."""

from __future__ import annotations

from pathlib import Path

from runner.record.learning_curve import points
from tests.runner.experiment.second_view.pairs import made, write_pairs


def test_the_teacher_answers_for_every_pair_and_its_scores_are_the_views(tmp_path: Path) -> None:
    write_pairs(tmp_path, rows=60)
    record = made(tmp_path, "view=codes", "view.epochs=15", "train.epochs=1").record
    assert record
    found = record.metrics
    assert found["distil/rows_added"] == 40 and found["distil/teacher_rows"] == 60
    assert found["distil/teacher_score"] > 0.8 and 0 < found["distil/retained"] <= 1.2
    folder = tmp_path / "outputs" / record.identity
    assert len(points(folder, "view/accuracy")) == 15 and len(points(folder, "val/accuracy")) == 1
