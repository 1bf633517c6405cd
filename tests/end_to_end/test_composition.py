"""Choosing a model's parts on the command line, in real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import run_cli

SMALL = [
    "data=demo", "data.demo_rows=200", "model.tokenizer=train", "model.vocab_size=300", "model.hidden=32",
    "tracker=none", "train.epochs=1", "measure=quick", "measure.min_time_s=0.02", "baseline.ngram=off",
]  # fmt: skip
ENCODER = ["model.pretrained=null", "model.layers=1", "model.heads=2"]


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(folder.glob("outputs/*/record.json")).read_text())
    return found


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["model=dsn", "model/embedding=hash"], ("none", "hash", "mean")),
        (["model=bermo", "model.backbone=bert-mini", "model.embedding=hash", *ENCODER],
         ("bert-mini", "hash", "scalar_mix")),
    ],
)  # fmt: skip
def test_a_composed_model_trains_saves_and_is_measured(
    tmp_path: Path, words: list[str], parts: tuple[str, ...]
) -> None:
    done = run_cli(*words, *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = record(tmp_path)
    model, metrics = found["config"]["model"], found["metrics"]
    assert (model["backbone"], model["embedding"]["name"], model["readout"]["name"]) == parts
    assert all(f"speed/{mode}_ms_p50_b1_s128" in metrics for mode in ("unique", "on_the_fly"))
    assert "speed/latency_ms_p50_b1_s128" in metrics
    assert metrics["cost/bytes_deployed"] > metrics["cost/bytes_file"], "the vocabulary counts"
    assert 0 < metrics["speed/answer_us_p50"] <= metrics["speed/answer_us_p90"] and metrics["speed/answer_texts"] >= 3
    assert metrics["speed/load_ms"] > 0 < metrics["speed/answers_per_s"]
    assert metrics["cost/bytes_ram"] == metrics["cost/bytes_packed"] + metrics["cost/bytes_regenerable_cached"]
    assert metrics["cost/bytes_regenerable_cached"] > 0 < metrics["cost/bytes_regenerable_unique"]
    assert 0 < metrics["hash/unique_rows"] <= found["tokenizer"]["vocab_size"]
    assert found["environment"]["engine"]["compact_vocabulary"].startswith("the model has no table")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["model=dsn", "model/readout=scalar_mix"], "model/backbone=none has no encoder"),
        (["model=eelbert", "engine.compact_vocabulary=always"], "model/embedding=hash has none"),
        (["model=eelbert", "model.embedding.align=linear", "data=demo"], "model.pretrained names none"),
        (["model=eelbert", "model.embedding.mode=fast", *SMALL], "one of cached, unique, on_the_fly"),
    ],
)
def test_what_makes_no_model_is_refused_before_anything_is_written(
    tmp_path: Path, words: list[str], reason: str
) -> None:
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 2 and reason in done.stderr and "Try: " in done.stderr
    assert "Traceback" not in done.stderr and not list(tmp_path.glob("outputs/*"))
