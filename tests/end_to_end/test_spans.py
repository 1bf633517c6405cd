"""Question answering from files to finished runs: training, distillation and compression."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from models.heads.span import SpanClassifier
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.exported import model_of_run
from runner.deploy.predictor import Predictor
from runner.experiment.run import run
from runner.record.record import RunRecord

SMALL = [
    "task=span", "data=files", "data.max_length=24", "data.overlap=6", "model=bert-tiny", "model.pretrained=null",
    "model.tokenizer=train", "model.vocab_size=200", "model.dropout=0", "model.attention_dropout=0", "model.hidden=32",
    "model.heads=2", "model.intermediate=64", "model.positions=40", "optimizer.lr=5e-3", "train.batch_size=32",
    "train.epochs=3", "train.threads=1", "measure=off", "tracker=none",
]  # fmt: skip


def row(number: int, random: np.random.Generator) -> dict[str, object]:
    """A question whose answer follows the name in the question; some contexts are longer than a window."""
    name, key = f"n{random.integers(20)}", f"k{random.integers(30)}"
    lead, end = (" ".join(random.choice(["well", "so", "then"], int(random.integers(0, most)))) for most in (6, 14))
    context = f"{lead} the key of {name} is {key} , they say {end}"
    answers = {"text": [key], "answer_start": [context.index(key)]}
    return {"id": str(number), "question": f"the key of {name} ?", "context": context, "answers": answers}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made, random = tmp_path_factory.mktemp("spans"), np.random.default_rng(0)
    for name, count in (("train", 500), ("val", 60), ("test", 80)):
        rows = [json.dumps(row(number, random)) for number in range(count)]
        (made / f"{name}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return made


def finish(folder: Path, *words: str) -> tuple[RunRecord, Path]:
    """Run with these overrides; return the record and the folder of the finished run."""
    own = [*SMALL, *(f"data.{name}_path={folder / name}.jsonl" for name in ("train", "val", "test")), *words]
    own += [f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    record = run(resolve(compose(own)), own).record
    assert record is not None and record.status == "done", record and record.reason
    return record, folder / "outputs" / record.identity


@pytest.fixture(scope="module")
def trained(folder: Path) -> tuple[RunRecord, Path]:
    return finish(folder)


def test_two_layers_learn_from_500_rows_and_the_run_counts_windows(
    trained: tuple[RunRecord, Path],
) -> None:
    record, folder = trained
    assert record.data.rows == {"train": 500, "val": 60, "test": 80} and record.metrics["test/examples"] == 80
    assert any("were split into windows" in note and note.endswith("windows in all") for note in record.notes)
    assert record.metrics["test/exact_match"] > 0.9 and record.metrics["baseline/no_answer"] == 0.0
    stored = pq.read_table(folder / "predictions-test.parquet")
    assert len(stored) == 80 and {"question_id", "prediction", "start", "end", "score"} <= set(stored.column_names)


def test_a_student_learns_starts_and_ends_and_stays_a_model_of_spans_when_it_is_made_small(
    trained: tuple[RunRecord, Path], folder: Path
) -> None:
    teacher = trained[0].identity
    record, place = finish(
        folder, "compression=[distil,magnitude,int8]", f"compression.distil.teacher={teacher}", "model.layers=1",
        "compression.distil.phases.task.losses.hard=0", "density=0.5", "train.epochs=2",
    )  # fmt: skip
    assert record.metrics["test/exact_match"] > 0.6  # chance: 0.0
    predictor = Predictor(model_of_run(record, place))
    assert isinstance(predictor.model, SpanClassifier)
    (found,) = predictor(["the key of n3 ?"], ["so the key of n3 is k7 , they say then then then then so so so"])
    assert found["prediction"] == "k7" and found["spans"][0]["start"] == len("so the key of n3 is ")
