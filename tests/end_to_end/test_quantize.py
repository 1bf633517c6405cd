"""Quantization in whole runs: in a chain, on a finished run, and with every preset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from models.checkpoints.open import load_model
from models.compression.methods import make_stage
from models.compression.quantization.coded import CodedLinear, CodedTable
from runner.config.check import check_overrides
from runner.config.compose import compose, groups
from runner.config.from_run import expand_from
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.run import run
from runner.record.folder import read_all_records
from runner.record.record import RunRecord
from tests.conftest import run_cli
from tests.models.compression.row_context import Rows, answers, applied, reopened
from tests.models.helpers import small

WORDS = ("model=dsn", "model.tokenizer=train", "data=demo", "data.demo_rows=200")
QUIET = ("measure=off", "tracker=none", "train.epochs=1")
PRESETS = ("bf16", "int8", "int4", "int2", "int8_dynamic", "int8_static", "splitquant", "ternary", "pq")


def outputs(folder: Path) -> dict[str, RunRecord]:
    return {",".join(entry.name for entry in r.stages): r for r in read_all_records(folder / "outputs")[0]}


def logits(folder: Path, record: RunRecord) -> np.ndarray:
    table = pq.read_table(folder / "outputs" / record.identity / "predictions-test.parquet").to_pandas()
    return table.filter(like="logit").to_numpy()


def test_a_chain_ends_in_codes_and_its_numbers_are_those_of_the_stage_by_itself(tmp_path: Path) -> None:
    done = run_cli(*WORDS, *QUIET, "compression=[int8]", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "no kernel: computed in float32 on the decoded weights" in done.stdout + done.stderr
    first = outputs(tmp_path)["train,int8"]
    train, int8 = (entry.metrics for entry in first.stages)
    assert train["cost/params"] == int8["cost/params"] and int8["quantize/kernel"] == 0
    assert int8["cost/bytes_packed"] < 0.4 * train["cost/bytes_packed"]
    assert 0 <= int8["cost/bytes_file"] - int8["cost/bytes_packed"] < 4096
    model = load_model(tmp_path / "outputs" / first.identity / "model")
    assert isinstance(model.classifier, CodedLinear)
    assert isinstance(model.bert.embeddings.word_embeddings, CodedTable)  # type: ignore[union-attr]

    trained = load_model(tmp_path / "outputs" / outputs(tmp_path)["train"].identity / "model")
    again = applied(make_stage(resolve(compose(["compression=[int8]"])).compression["int8"]), trained)[0]
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_a_finished_run_is_rounded_without_training_and_not_rounded_twice(tmp_path: Path) -> None:
    outputs_word = f"paths.output={tmp_path / 'outputs'}"
    trained = run(resolve(compose([*WORDS, *QUIET, outputs_word])), [*WORDS, *QUIET]).record
    assert trained is not None
    words = expand_from([f"from={trained.identity}", "compression=[int8_static]", outputs_word])
    rounded = run(resolve(compose(words)), words).record
    assert rounded is not None
    assert [entry.name for entry in rounded.stages] == ["int8_static"]
    assert rounded.metrics["quantize/kernel"] == 1 and "train/steps" not in rounded.metrics
    assert np.abs(logits(tmp_path, rounded) - logits(tmp_path, trained)).max() < 0.1

    words = expand_from([f"from={rounded.identity}", "compression=[int4]", outputs_word])
    with pytest.raises(ConfigError, match="quantized already"):
        run(resolve(compose(words)), words)
    assert len(read_all_records(tmp_path / "outputs")[0]) == 2


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_rounds_a_model_that_opens_again(name: str, tmp_path: Path) -> None:
    options = resolve(compose([f"compression=[{name}]"])).compression[name]
    assert name in groups()["compression"] and options.phase == "quantize"
    model, rows = applied(make_stage(options), small(), Rows())
    assert torch.equal(answers(reopened(model, tmp_path / "model")), answers(model))
    assert rows.said


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("compression.int8.bits=9", "at most 8"),
        ("compression.int8.per=column", "must be one of tensor, row, group"),
        ("compression.int8.clip=60", "at most 25"),
        ("compression.int8.grup=16", "did you mean"),
    ],
)
def test_options_out_of_range_are_refused_with_a_cure(word: str, answer: str) -> None:
    (problem,) = check_overrides(["model=dsn", "compression=[int8]", word])
    assert answer in problem


def test_nothing_that_trains_may_follow_a_rounding_and_nothing_is_rounded_twice() -> None:
    (problem,) = check_overrides(["model=dsn", "compression=[int8,int4]"])
    assert "both quantize the same weights" in problem
