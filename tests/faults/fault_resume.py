"""Exact resume: twenty steps in one go against ten, SIGKILL and ten more, for every model and stage that trains."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
import torch
from transformers import RobertaConfig, RobertaModel

from data.inputs.tokenizer import train_tokenizer
from tests.faults.conftest import Row
from tests.faults.scene import DATA, Scene, results

TINY = (*DATA, "tracker=none", "train.steps=20")
FRESH = (*TINY, "model.pretrained=null")
BERT = (*FRESH, "model=bert-tiny", "model.layers=2", "model.hidden=32", "model.heads=2")
TEACHER = (
    "'model=bert-tiny model.pretrained=null model.layers=2 model.hidden=32 train.batch_size=8 train.epochs=12 "
    "optimizer.lr=0.003'"
)
MODELS = {
    "dsn": (*TINY, "model=dsn"),
    "dsn-bigram": (*TINY, "model=dsn-bigram", "model.embedding.buckets=500"),
    "bert-tiny": BERT,
    "average": (*BERT, "train.batch_size=20", "train.average=2"),
    "bermo": (*FRESH, "model=bermo", "model/backbone=bert-tiny", "model.readout.layer_dropout=0.3"),
    "eelbert": (*FRESH, "model=eelbert", "model/backbone=bert-tiny"),
    "uno-eelbert": (*FRESH, "model=uno-eelbert"),
    "bertvision": (*FRESH, "model=bertvision", "model/backbone=bert-tiny", "model.tune.epochs=2"),
    "parasite": (*FRESH, "model=bertvision", "model/backbone=bert-tiny", "model/readout=parasite",
                 "model.tune.epochs=0"),
    "auto": (*DATA[:4], *DATA[6:], "tracker=none", "train.steps=20", "model=auto", "model.pretrained=roberta",
             "data.max_length=32"),
    "mlm": (*DATA[:3], "tracker=none", "task=mlm", "model=bert-tiny", "model.layers=1", "model.hidden=32",
            "model.heads=2", "model.tokenizer=train", "model.vocab_size=120", "data.max_length=16",
            "train.batch_size=4", "train.steps=20", "train.threads=1"),
}  # fmt: skip
DENDRITES = ("epochs=2", "switch=fixed", "maximum=2", "tries=2", "attempts=2")
STAGES = {
    "distil": (f"teacher={TEACHER}", "phases.task.epochs=2"),
    "tinybert": (f"teacher={TEACHER}", "phases.inside.epochs=2", "phases.answers.epochs=2"),
    "tinybert_simplified": (f"teacher={TEACHER}", "phases.task.batch_size=8"),
    "ernie_tiny": (f"teacher={TEACHER}", "phases.adaptive.epochs=3"),
    "text_vectors": (f"teacher={TEACHER}", "phases.vectors.epochs=2", "phases.task.epochs=2"),
    "magnitude": ("density=0.3",),
    "movement": ("density=0.3",),
    "random_pruning": ("density=0.3",),
    "soft_movement": (),
    "l0": (),
    "ziplm_gradual": ("target.speedup=1.3", "recovery.epochs=2", "search.steps=2", "tolerance=0.9", "length=16"),
    "dendrites": ("mode=gd", *DENDRITES),
    "cascor": ("mode=cascor", "p_epochs=2", *DENDRITES),
    "restart": ("mode=restart", *DENDRITES),
}


def check(words: tuple[str, ...], tmp_path: Path, row: Row) -> None:
    """Check that a run ends with the same results, however often it was killed."""
    straight, broken = Scene(tmp_path / "straight", words), Scene(tmp_path / "broken", words, "tests.faults.killed")
    for scene in (straight, broken):
        save_roberta(scene.folder / "roberta")
    straight.finish()
    marks = tmp_path / "killed"
    marks.mkdir()
    broken.environment = {"KILLED": str(marks)}
    speeds = straight.folder / "cache" / "speed"
    if speeds.is_dir():  # times that were measured, which decide what is cut
        shutil.copytree(speeds, broken.folder / "cache" / "speed")
    while (code := broken.run("checkpoint.every_s=1e-9")[0]) == -signal.SIGKILL:
        row.tries += 1
    assert code == 0 and any(marks.iterdir())
    broken.check(results(straight.output))


def save_roberta(folder: Path) -> None:
    """Write an encoder of another library."""
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
    config = RobertaConfig(vocab_size=120, max_position_embeddings=42, pad_token_id=0, **shape)
    RobertaModel(config).save_pretrained(folder)
    train_tokenizer(["the fine, lovely, great, poor, awful, dull film"], 120).backend.save(
        str(folder / "tokenizer.json")
    )


@pytest.mark.parametrize("model", MODELS)
def test_a_model_that_is_killed_after_ten_steps_of_twenty(model: str, tmp_path: Path, row: Row) -> None:
    check(MODELS[model], tmp_path, row)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_killed_after_ten_steps_of_each_of_its_trainings(stage: str, tmp_path: Path, row: Row) -> None:
    name = stage if (Path(__file__).parents[2] / "conf/compression" / f"{stage}.yaml").exists() else "dendrites"
    options = [f"compression.{name}.{option}" for option in STAGES[stage]]
    check((*BERT, f"compression=[{name}]", *options), tmp_path, row)
