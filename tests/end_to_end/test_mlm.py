"""Masked-language-model runs: exact resume, what is refused, the record, and starting other runs from their models."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from data.load import load_splits
from data.settings import DataSettings, TaskSettings
from data.splits import Splits
from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.recipe import recipe_of
from runner.schema import Settings
from runner.tasks.make import task_of
from runner.training.checkpoint import Checkpoints, clear_checkpoints
from runner.training.loop import fit
from runner.training.plan import BatchPlan
from runner.training.state import TrainingResult, TrainingState
from runner.training.trainer import Trainer
from tests.conftest import run_cli
from tests.records import records

CPU = torch.device("cpu")
WORDS = "bert.embeddings.word_embeddings.weight"
TINY = [
    "task=mlm", "model=bert-tiny", "model.layers=1", "model.hidden=32", "model.heads=2", "data=demo",
    "data.demo_rows=300", "model.vocab_size=300", "data.max_length=32", "train.batch_size=8", "tracker=none",
]  # fmt: skip


class Stop(Exception):
    pass


@pytest.fixture
def splits(reviews: Path, tmp_path: Path) -> Splits:
    settings = DataSettings(source="files", path=str(reviews), text="review", label=None, max_length=16)
    return load_splits(settings, tokenizer="train", vocab_size=120, cache=tmp_path / "cache", task=TaskSettings("mlm"))


def configured(**train: Any) -> Settings:
    settings = Settings(model=ModelSettings(layers=2, hidden=16, heads=2), task=TaskSettings("mlm"))
    settings.optimizer.lr = 1e-2
    settings.train.epochs, settings.train.batch_size = 3, 8
    for name, value in train.items():
        setattr(settings.train, name, value)
    return settings


def model_of(settings: Settings, splits: Splits) -> torch.nn.Module:
    torch.manual_seed(settings.seed)
    dropout_generator.seed(settings.seed)
    tokens = splits.tokenizer
    return build(
        settings.model, vocab_size=tokens.vocab_size, pad_id=tokens.pad_id, head=HeadSpec("words", output="tied")
    )[0]


def train(
    settings: Settings, splits: Splits, folder: Path, stop_at: int | None = None
) -> tuple[dict[str, torch.Tensor], list[float], TrainingResult | None]:
    """The state dict, the logged losses, and the result, which is None if training stopped at `stop_at`."""
    model, losses = model_of(settings, splits), list[float]()

    def on_point(position: TrainingState, values: dict[str, float]) -> None:
        losses.append(values["train/loss"])
        if position.step == stop_at:
            raise Stop

    try:
        done = fit(
            model, splits, task_of(splits, settings), recipe_of(settings),
            device=CPU, on_point=on_point, on_epoch=lambda *_: None,
            checkpoints=Checkpoints(folder, "test", every_s=1e-9 if stop_at else 1e9),
        )  # fmt: skip
        clear_checkpoints(folder)  # as a finished run does
    except Stop:
        done = None
    return model.state_dict(), losses, done


@pytest.mark.parametrize("stop_at", [3, 8, 9])
def test_resume_is_exact(splits: Splits, tmp_path: Path, stop_at: int) -> None:
    settings = configured()
    straight, losses, _ = train(settings, splits, tmp_path / "a")
    (tmp_path / "b").mkdir()
    _, before, done = train(settings, splits, tmp_path / "b", stop_at)
    assert done is None and before == losses[:stop_at]
    resumed, after, done = train(settings, splits, tmp_path / "b")
    assert done is not None and 0 < done.resumed_from < stop_at
    assert all(torch.equal(straight[name], resumed[name]) for name in straight)
    assert after == losses[done.resumed_from :]


def test_accumulation_masks_the_same_words(splits: Splits, tmp_path: Path) -> None:
    settings = configured()
    settings.model.dropout = settings.model.attention_dropout = 0.0
    whole, losses, _ = train(settings, splits, tmp_path)
    settings.train.accumulate = 3
    parts, again, _ = train(settings, splits, tmp_path)
    assert losses == pytest.approx(again, abs=1e-4)
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, atol=2e-3, rtol=0, msg=name)


def test_the_loss_starts_at_chance_and_falls(splits: Splits, tmp_path: Path) -> None:
    _, losses, _ = train(configured(epochs=25), splits, tmp_path)
    assert losses[0] == pytest.approx(math.log(splits.tokenizer.vocab_size), abs=0.1)
    assert losses[-1] < 0.8 * losses[0]


def test_the_word_table_is_never_compact(splits: Splits) -> None:
    settings = configured()
    loop = Trainer(model_of(settings, splits), splits, task_of(splits, settings), recipe_of(settings), CPU)
    assert loop.table is None and "masking puts any word" in loop.engine_facts["compact_vocabulary"]


def test_steps_take_the_place_of_epochs(splits: Splits, tmp_path: Path) -> None:
    settings = configured(steps=10)
    plan = BatchPlan(splits.train.lengths, settings.train, 0)
    assert plan.total == 10 and sum(len(plan.batches(epoch)) for epoch in range(plan.epochs)) == 10
    _, losses, done = train(settings, splits, tmp_path)
    assert done is not None and done.steps == len(losses) == 10


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "has no encoder"),
        (["data.class_weights=balanced"], "no classes"),
        (["task.masked=0.9", "task.random=0.2"], "add up to more than 1"),
        (["data.label=label"], "only from the words"),
        (["model=auto"], "backbone=auto needs an encoder"),
        (["model=bertvision"], "are for heads on a finished one"),
        (["model.pretrained=0123456789"], "looks like the id of a run"),
        (["data.split=unsupervised"], "names a split of a hub dataset"),
        (["task.share=0"], "more than 0"),
        (["task=auto", "task.share=0.2"], "not a setting of task=auto, but of task=mlm"),
        (["task=auto", "data.label=null"], "are for task=mlm"),
        (["engine.compact_vocabulary=always"], "masking puts any word"),
        (["data.max_length=600"], "more than the 512 positions"),
    ],
)
def test_impossible_settings_are_refused_before_training(words: list[str], reason: str, tmp_path: Path) -> None:
    model = [] if any(word.startswith("model=") for word in words) or not words else ["model=bert-tiny"]
    done = run_cli("task=mlm", *model, "data=demo", "data.demo_rows=300", *words, cwd=tmp_path)
    assert done.returncode == 2 and reason in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("outputs/*/record.json"))


def test_the_task_and_its_settings_name_the_run() -> None:
    from runner.record.identity import identify

    def name(*words: str) -> str:
        return identify(resolve(compose(["model=bert-tiny", "data=demo", *words])), "", "", "")

    names = [
        name("task=mlm"), name("task=mlm", "task.share=0.2"), name("task=mlm", "task.output=own"),
        name("task=mlm", "train.steps=5"), name(),
    ]  # fmt: skip
    assert len(set(names)) == len(names)


def test_a_run_pretrains_and_another_starts_from_its_id(tmp_path: Path) -> None:
    done = run_cli(*TINY, "train.epochs=2", "checkpoint.every_s=1e-9", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path / "outputs")
    metrics, folder = record["metrics"], tmp_path / "outputs" / record["identity"]
    assert record["data"]["task"] == "mlm" and record["data"]["primary"] == "test/perplexity"
    assert metrics["test/perplexity"] == pytest.approx(math.exp(metrics["test/loss"]))
    assert metrics["test/perplexity_low"] < metrics["test/perplexity"] < metrics["test/perplexity_high"]
    assert 0.0 < metrics["test/masked_accuracy"] < 1.0 and metrics["train/tokens_per_s"] > 0
    assert 50 < metrics["baseline/majority"] < 300, "the words' frequencies tell more than nothing"
    assert "test/constant_predictions" not in metrics
    assert (folder / "predictions-test.parquet").is_file()
    assert json.loads((folder / "model/config.json").read_text())["architectures"] == ["BertForMaskedLM"]

    def classify(source: str, cwd: Path) -> dict[str, Any]:
        words = [word for word in TINY if word not in ("task=mlm", "model.vocab_size=300")]
        run = run_cli(*words, f"model.pretrained={source}", "train.epochs=1", "measure=off",
                      "optimizer.lr=1e-30", "optimizer.weight_decay=0", cwd=cwd)  # fmt: skip
        assert run.returncode == 0, run.stderr
        return next(r for r in records(cwd / "outputs") if r["data"]["task"] == "classification")

    found = classify(record["identity"], tmp_path)
    assert found["weights"]["source"] == str(Path("outputs") / record["identity"] / "model")
    pretrained = load_file(folder / "model/model.safetensors")
    kept = load_file(tmp_path / "outputs" / found["identity"] / "model/model.safetensors")
    encoder = [name for name in pretrained if name.startswith("bert.")]
    assert len(encoder) > 15 and all(torch.equal(pretrained[name], kept[name]) for name in encoder)
    other = tmp_path / "elsewhere"
    other.mkdir()
    moved = (folder / "model").rename(other / "mine")
    assert classify(str(moved), other)["identity"] == found["identity"], "what lies in a folder names it, not its place"


def test_word_vectors_are_pretrained_alone_for_a_bag_of_words_and_for_an_encoder(tmp_path: Path) -> None:
    bag = ["model=dsn", "model.width=0.25", "model.norm=none", "model.positional=false"]
    shared = ["data=demo", "data.demo_rows=300", "data.max_length=32", "train.batch_size=8", "tracker=none"]
    pretraining = ["task=mlm", *bag, *shared, "model.vocab_size=300", "task.output=own", "train.epochs=1"]
    done = run_cli(*pretraining, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (record,) = records(tmp_path / "outputs")
    known = {record["identity"]}
    assert f"next: run {' '.join(bag)} model.init=slice model.init_from={record['identity']} data=sst2" in done.stdout
    table = load_file(tmp_path / "outputs" / record["identity"] / "model/model.safetensors")[WORDS]

    still = ["train.epochs=1", "measure=off", "optimizer.lr=1e-30", "optimizer.weight_decay=0"]
    encoder = ["model=bert-tiny", "model.layers=1", "model.hidden=32", "model.heads=2", "model.carry=word_vectors"]
    command = " ".join(word for word in pretraining if word != "tracker=none")
    for model, start in (([*bag, "model.init=slice"], record["identity"]), (encoder, f"'{command}'")):
        run = run_cli(*model, f"model.init_from={start}", *shared, *still, cwd=tmp_path)
        assert run.returncode == 0, run.stderr
        (found,) = [one for one in records(tmp_path / "outputs") if one["identity"] not in known]
        known.add(found["identity"])  # so nothing was pretrained again
        kept = load_file(tmp_path / "outputs" / found["identity"] / "model/model.safetensors")
        assert found["weights"]["loaded"] == 1 and torch.equal(kept[WORDS], table)


def test_a_missing_run_is_said_with_the_folder_looked_for() -> None:
    with pytest.raises(ConfigError, match=r"there is no .*/ffffffffff/model"):
        resolve(compose(["model=bert-tiny", "data=demo", "model.pretrained=ffffffffff", "paths.output=/nowhere"]))


def test_bf16_learns_what_fp32_learns(splits: Splits, tmp_path: Path) -> None:
    settings = configured(epochs=10)
    settings.model.dropout = settings.model.attention_dropout = 0.0
    _, exact, _ = train(settings, splits, tmp_path)
    settings.train.precision = "bf16"
    _, losses, _ = train(settings, splits, tmp_path)
    assert losses[-1] == pytest.approx(exact[-1], abs=0.1) and losses[-1] < 0.9 * losses[0]
