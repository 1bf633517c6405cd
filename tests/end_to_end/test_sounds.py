"""Sounds in whole runs: training from a table of files, reopening, comparing an export, and compression."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from data.load import load_splits
from models.checkpoints.open import load_model
from runner.commands import probe
from runner.config.compose import compose
from runner.config.from_run import expand_from
from runner.config.resolve import resolve
from runner.deploy.exported import find_model
from runner.deploy.parity import rows_to_compare
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from runner.experiment.run import run
from runner.record.record import RunRecord
from runner.training.inference import predict
from tests.data.inputs.sounds import write_clips


def words_of(folder: Path) -> list[str]:
    return [
        "data=files", f"data.path={folder / 'clips.csv'}", "data.audio=path", "data.label=kind", "data.seconds=0.25",
        "data.average_frames=1", "data.augment.mixup=0.4", "measure=off", "tracker=none", "device=cpu",
        f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}",
    ]  # fmt: skip


def trained(folder: Path, *words: str) -> RunRecord:
    words = (*words_of(folder), *words)
    outcome = run(resolve(compose(list(words))), list(words))
    assert outcome.record is not None and outcome.record.status == "done"
    return outcome.record


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("sounds")
    write_clips(found, 40)
    return found


@pytest.fixture(scope="module")
def tiny(folder: Path) -> RunRecord:
    begun = time.process_time()
    record = trained(folder, "model=tiny-sound", "train.epochs=25", "train.average=5")
    assert time.process_time() - begun < 10
    return record


def test_two_pitches_are_told_apart_by_a_transformer_of_6000_parameters(tiny: RunRecord) -> None:
    assert tiny.metrics["test/accuracy"] == 1.0 and tiny.metrics["cost/params"] < 6_500


@pytest.mark.parametrize("model", ["mfcc-cnn", "frames-lr", "conv-sound"])
def test_other_models_train_on_the_same_files(model: str, folder: Path) -> None:
    stacked = ["data.stack_frames=4"] if model == "conv-sound" else []
    record = trained(folder, f"model={model}", "train.epochs=2", "train.average=1", *stacked)
    assert record.metrics["test/accuracy"] >= 0.5
    assert (
        record.metrics["cost/params"]
        == {"mfcc-cnn": 23_520 + 65 * 2, "frames-lr": 129 * 2, "conv-sound": 6_082 - 8 * 33}[model]
    )


def test_a_saved_model_gives_the_logits_that_the_run_recorded(tiny: RunRecord, folder: Path) -> None:
    place = folder / "outputs" / tiny.identity
    data = resolve(compose(["model=tiny-sound", *words_of(folder)])).data
    splits = load_splits(
        data, tokenizer=str(place / "model"), vocab_size=0, special_tokens=False, cache=folder / "cache"
    )
    found = predict(
        load_model(place / "model"), splits.report[0], batch_size=3, device=torch.device("cpu"), precision="fp32"
    )  # fmt: skip
    recorded = pq.read_table(place / "predictions-test.parquet").to_pandas().filter(like="logit").to_numpy()
    np.testing.assert_allclose(found, recorded, atol=1e-5)


def test_an_export_is_compared_with_the_model_on_the_sounds_of_the_run(tiny: RunRecord, folder: Path) -> None:
    found = rows_to_compare(tiny, Predictor(find_model(tiny.identity, folder / "outputs", "torch")))
    assert found.source.endswith(", test") and len(found.split) == tiny.data.rows["test"]


@pytest.mark.parametrize("stage", ["int8", "int8_static", "magnitude"])
def test_a_finished_model_is_made_smaller(stage: str, tiny: RunRecord, folder: Path) -> None:
    words = [f"from={tiny.identity}", f"paths.output={folder / 'outputs'}", f"compression=[{stage}]", "measure=off"]
    words = expand_from([*words, "tracker=none", "device=cpu", "train.epochs=1"])
    record = run(resolve(compose(words)), words).record
    assert record is not None and record.status == "done", record
    assert record.metrics["test/accuracy"] >= 0.5
    load_model(folder / "outputs" / record.identity / "model")


def test_the_layers_of_a_model_of_sounds_are_probed_with_sounds_alone(
    folder: Path, tiny: RunRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    data = [word for word in words_of(folder) if word.startswith(("data", "paths"))]
    model = str(folder / "outputs" / tiny.identity / "model")
    words = [model, "seeds=0", "mdl=false", *(word for word in data if "augment" not in word)]
    assert probe.main(words) == 0
    shown = capsys.readouterr().out
    assert "no control task: its labels go by the first token, which sounds do not have" in " ".join(shown.split())
    with pytest.raises(ConfigError, match=r"reads sounds, but data=demo has texts\. Try: data of sounds"):
        probe.main([model, "data=demo", *data[-2:]])
