"""Regression targets of any scale are learned equally well, and every saved form predicts in their unit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from transformers import BertForSequenceClassification

from data.load import load_splits
from data.settings import DataSettings
from data.splits import Splits
from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.heads.target_scale import Unstandardise, standardise_targets
from models.onnx.graph import OnnxModel
from models.onnx.int8 import quantize_graph
from models.settings import ModelSettings
from runner.commands.answers import number_text
from runner.commands.predict import main
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.deploy.export import export_run
from runner.deploy.exported import model_of_run
from runner.deploy.parity import tolerated_difference
from runner.deploy.predictor import Predictor
from runner.errors import ConfigError
from runner.experiment.prepare import prepare_run
from runner.experiment.prepared import InitialWeights
from runner.experiment.progress import Terminal
from runner.experiment.recipe import recipe_of
from runner.experiment.teacher import KeptTeacher
from runner.machine.exclusive import Exclusive
from runner.record.identity import identify
from runner.record.record import RunRecord
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints
from runner.training.inference import predict, score
from runner.training.loop import fit
from tests.conftest import run_cli

WORDS = ["awful", "dull", "plain", "fine", "lovely"]
TEXTS = [f"the {WORDS[i % 5]} film, number {i} of the year" for i in range(160)]
VALUES = np.array([(i % 5) + 0.1 * np.sin(i) for i in range(160)])  # 0 to 4, mean 2, standard deviation 1.4
CPU = torch.device("cpu")


def write(path: Path, values: np.ndarray) -> Path:
    lines = [f'"{text}",{value:.10g}' for text, value in zip(TEXTS, values)]
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return path


def loaded(folder: Path, values: np.ndarray, **options: Any) -> Splits:
    path = write(folder / "d.csv", values)
    settings = DataSettings(source="files", path=str(path), task="regression", **options)
    return load_splits(settings, tokenizer="train", vocab_size=200, cache=folder / "cache")


class Stop(Exception):
    pass


def trained(splits: Splits, folder: Path, stop_at: int = 0, **train: Any) -> tuple[torch.nn.Module, dict[str, float]]:
    """The model after two epochs, and the last logged values; with stop_at, Stop is raised after that step."""
    settings, last = Settings(model=ModelSettings(layers=1, hidden=16, heads=2)), dict[str, float]()
    settings.optimizer.lr, settings.train.epochs, settings.train.batch_size = 5e-3, 2, 8
    for name, value in train.items():
        setattr(settings.train, name, value)
    torch.manual_seed(0)
    dropout_generator.seed(0)
    model, _ = build(settings.model, head=HeadSpec(outputs=1), vocab_size=splits.tokenizer.vocab_size)
    if splits.task.target_scale:
        standardise_targets(model, splits.task.target_scale.mean, splits.task.target_scale.sd, is_fresh=True)

    def on_point(position: Any, values: dict[str, float]) -> None:
        last.update(values)
        if position.step == stop_at:
            raise Stop

    checkpoints = Checkpoints(folder, "run", 1e-9 if stop_at else 1e9)
    fit(model, splits, task_of(splits, settings), recipe_of(settings), device=CPU, checkpoints=checkpoints,
        on_point=on_point, on_epoch=lambda _, values: last.update(values))  # fmt: skip
    return model.eval(), last


def answers(model: torch.nn.Module, splits: Splits) -> np.ndarray:
    return predict(model, splits.train, batch_size=32, device=CPU, precision="fp32")[:, 0]


@pytest.mark.parametrize(("mean", "width"), [(250_000.0, 50_000.0), (0.0015, 0.0005), (-2e5, 30.0)])
def test_training_is_the_same_in_any_unit(tmp_path: Path, mean: float, width: float) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    usual = loaded(tmp_path / "a", VALUES, standardize="always")
    other = loaded(tmp_path / "b", mean + width * VALUES)
    (one, logged), (two, also) = trained(usual, tmp_path / "a"), trained(other, tmp_path / "b")
    tolerance = 0.02 + 0.001 * abs(mean) / width / 60  # rounding of the targets
    np.testing.assert_allclose((answers(two, other) - mean) / width, answers(one, usual), rtol=0, atol=tolerance)
    assert also["train/loss"] == pytest.approx(logged["train/loss"], rel=0.1) and 0 < also["val/loss"] < 5


def test_the_loss_is_of_standardised_targets_and_the_scores_are_in_their_unit(tmp_path: Path) -> None:
    splits = loaded(tmp_path, 1000 + 100 * VALUES, metrics=["mse"])
    labels = np.asarray(splits.select.labels.values)
    settings = Settings(data=DataSettings(metrics=["mse"]))
    found = score(task_of(splits, settings), splits.select, labels[:, None] + np.float32(splits.task.scale))
    assert found["val/loss"] == pytest.approx(1.0, rel=1e-5)
    assert found["val/mse"] == pytest.approx(splits.task.scale**2, rel=1e-5)


def test_a_training_that_goes_on_ends_in_the_same_bits(tmp_path: Path) -> None:
    splits = loaded(tmp_path, 250_000 + 50_000 * VALUES)
    whole, _ = trained(splits, tmp_path / "whole", log_every=1)
    with pytest.raises(Stop):
        trained(splits, tmp_path / "cut", stop_at=9, log_every=1)
    again, _ = trained(splits, tmp_path / "cut", log_every=1)
    assert all(torch.equal(one, other) for one, other in zip(whole.state_dict().values(), again.state_dict().values()))


def test_only_a_run_that_standardises_gets_another_name(tmp_path: Path) -> None:
    def name(values: np.ndarray, how: str) -> str:
        path = write(tmp_path / "d.csv", values)
        words = [f"data.path={path}", f"paths.cache={tmp_path}/cache", f"data.standardize={how}"]
        settings = resolve(compose(["data=files", "model=dsn", "model.tokenizer=train", *words]))
        started = prepare_run(settings, tmp_path, Terminal().say, InitialWeights(), Exclusive())
        assert isinstance(started.model.unstandardise, Unstandardise) == (started.splits.task.target_scale is not None)
        tokenizer = started.splits.tokenizer.fingerprint
        plain = identify(replace(settings, data=DataSettings(**vars(settings.data) | {"standardize": "auto"})),
                         started.splits.fingerprint, tokenizer, "")  # fmt: skip
        assert (started.identity == plain) == (how == "auto" and started.splits.task.target_scale is None)
        return started.identity

    assert len({name(VALUES, how) for how in ("auto", "never", "always")}) == 3
    assert name(VALUES, "auto") == "08ddee4f6b"
    assert name(1000 * VALUES, "auto") == name(1000 * VALUES, "always") != name(1000 * VALUES, "never")


def test_a_teacher_of_tiny_numbers_is_compared_with_the_mean_in_their_scale(tmp_path: Path) -> None:
    splits = loaded(tmp_path, 0.0015 + 0.0005 * VALUES, metrics=["mse"])
    teacher = KeptTeacher.__new__(KeptTeacher)
    teacher.splits, teacher.named = splits, "compression.distil.teacher=x"
    teacher.task = task_of(splits, Settings(data=DataSettings(metrics=["mse"])))
    labels = np.asarray(splits.select.labels.values)[:, None]
    teacher.logits = lambda split: labels + np.float32(0.1 * splits.task.scale)  # type: ignore[method-assign]
    teacher._check_score()
    teacher.logits = lambda split: np.full_like(labels, labels.mean())  # type: ignore[method-assign]
    with pytest.raises(ConfigError, match="it was not trained for this task"):
        teacher._check_score()


def test_how_far_an_export_may_be_off_is_a_share_of_the_targets_spread() -> None:
    assert tolerated_difference(None) == 1e-4
    assert tolerated_difference({"mean": 250_000.0, "sd": 50_000.0}) == pytest.approx(5.25)
    assert tolerated_difference({"mean": 0.0, "sd": 5e-4}) == pytest.approx(5e-8)


@pytest.mark.parametrize(
    ("value", "shown"), [(250481.9133, "250481.9133"), (3.1, "3.1000"), (0.00150262, "0.001503"), (0, "0")]
)
def test_an_answer_is_shown_with_the_digits_that_tell_it_from_others(value: float, shown: str) -> None:
    assert number_text(value) == shown


def test_every_way_to_answer_gives_numbers_in_the_unit_of_the_targets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After one training: torch, both graphs, the stock class, `run predict`, and a later compression stage."""
    write(tmp_path / "d.csv", 200_000 + 25_000 * VALUES)
    words = [
        "data=files", "data.path=d.csv", "model=bert-tiny", "model.pretrained=null", "model.tokenizer=train",
        "model.layers=1", "model.hidden=32", "train.epochs=10", "train.batch_size=8", "optimizer.lr=1e-3",
        "train.keep_best=false", "measure=off", "tracker=none", "train.threads=1",
    ]  # fmt: skip
    done = run_cli(*words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("targets are standardised (mean 2") == 1
    (path,) = tmp_path.glob("outputs/*/record.json")
    record = json.loads(path.read_text())
    targets = record["data"]["targets"]
    near: dict[str, Any] = {"rtol": 0, "atol": 1e-4 * targets["sd"]}
    typed = RunRecord.from_json(record)
    predictor = Predictor(model_of_run(typed, path.parent))
    texts = TEXTS[100:105]
    found = np.array([answer["prediction"] for answer in predictor(texts)])
    assert spearmanr(found, range(5)).statistic > 0.9 and 150_000 < found.min() < found.max() < 350_000
    graph = Predictor(export_run(typed, path.parent, "onnx", False, tmp_path / "export")[0])
    np.testing.assert_allclose([answer["prediction"] for answer in graph(texts)], found, **near)
    quantize_graph(tmp_path / "export/model.onnx", tmp_path / "int8.onnx", predictor.model)
    graph.model = OnnxModel(tmp_path / "int8.onnx", 1)
    np.testing.assert_allclose(graph.logits(graph.ask(texts).split, 8)[:, 0], found, rtol=0, atol=0.1 * targets["sd"])
    stock = BertForSequenceClassification.from_pretrained(path.parent / "model").eval()
    for text, wanted in zip(texts, found):
        ids = torch.from_numpy(predictor.ask([text]).split.tokens.astype(np.int64))[None]
        np.testing.assert_allclose(stock(input_ids=ids).logits.item(), wanted, **near)
    capsys.readouterr()
    assert main([record["identity"], texts[4], f"paths.output={tmp_path}/outputs"]) == 0
    assert float(capsys.readouterr().out) == pytest.approx(found[4], abs=1e-3)
    on = run_cli(*words, f"from={record['identity']}", "compression=[magnitude]", "density=0.9", cwd=tmp_path)
    assert on.returncode == 0, on.stderr
    (other,) = set(tmp_path.glob("outputs/*/record.json")) - {path}
    assert json.loads(other.read_text())["metrics"]["test/spearman"] > 0.5
