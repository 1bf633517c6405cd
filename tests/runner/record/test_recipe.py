"""The choice of train.recipe=auto in a record and in its notes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.record.recipe import ChosenRecipe, TriedRecipe
from runner.record.record import RecordError, RunRecord
from tests.records import a_record

TRIED = [TriedRecipe("model.width=1", 0.7, 0.75), TriedRecipe("model.width=0.5", 0.6), TriedRecipe("optimizer.lr=9")]
FOUND = ChosenRecipe("model.width=1", "val/accuracy", 250, TRIED)


def test_every_setting_is_told_with_its_scores() -> None:
    chosen, tried = FOUND.notes()
    assert chosen.startswith("train.recipe=auto chose model.width=1: val/accuracy 0.7500 on 250 rows, the best of 3")
    assert "model.width=0.5 (0.6000, left out)" in tried and "optimizer.lr=9 (not finite, left out)" in tried


def test_a_record_holds_it_only_where_something_was_chosen() -> None:
    record = a_record()
    assert "recipe" not in record.to_json()
    found = RunRecord.from_json(replace(record, recipe=FOUND).to_json())
    assert found.recipe == FOUND
    written = record.to_json() | {"recipe": {"chosen": "a=1", "metric": "val/accuracy", "rows": 9, "tried": []}}
    older = RunRecord.from_json(written).recipe
    assert older and older.units == "rows"
    with pytest.raises(RecordError, match="recipe"):
        RunRecord.from_json(record.to_json() | {"recipe": {"chosen": 1}})
