"""CUDA results equal the CPU's up to rounding, and repeated runs give identical results."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.backbones.dropout import dropout_generator
from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings
from runner.machine.matmul import prepare_arithmetic
from runner.schema import EngineSettings
from tests.conftest import run_cli

READOUTS = [{"name": "cls"}, {"name": "mean"}, {"name": "xception", "kind": "residual"}]


def test_convolutions_are_as_exact_as_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    assert prepare_arithmetic(EngineSettings(), "fp32", torch.device("cuda"))["gemm"] == "cuda"
    assert not torch.backends.cudnn.allow_tf32 and torch.backends.cudnn.deterministic


@pytest.mark.gpu
@pytest.mark.parametrize("readout", READOUTS, ids=lambda options: options["name"])
def test_logits_are_those_of_a_cpu(readout: dict[str, object]) -> None:
    prepare_arithmetic(EngineSettings(), "fp32", torch.device("cuda"))
    torch.manual_seed(0)
    dropout_generator.seed(0)
    settings = ModelSettings(layers=4, hidden=64, heads=4, readout=readout)
    model = build(settings, head=HeadSpec(outputs=3), vocab_size=200)[0].eval()
    ids = torch.randint(5, 200, (8, 24))
    mask = torch.ones_like(ids)
    mask[:4, 9:] = 0
    with torch.no_grad():
        expected = model(ids, mask)
        found = model.cuda()(ids.cuda(), mask.cuda()).cpu()
    assert float((found - expected).abs().max()) < 1e-5 * float(expected.abs().max())


@pytest.mark.gpu
@pytest.mark.slow
@pytest.mark.parametrize("words", [["model=bert-tiny"], ["task=mlm"], ["model=dsn", "optimizer=sgd"]], ids=" ".join)
def test_a_run_repeats_bit_for_bit(words: list[str], tmp_path: Path) -> None:
    done = run_cli("doctor", "--determinism", "device=cuda", *words, cwd=tmp_path)
    assert done.returncode == 0 and "determinism: pass" in done.stdout, done.stdout + done.stderr


@pytest.mark.gpu
@pytest.mark.parametrize("model", ["ngram", "ngram-vectors", "static"])
def test_models_that_are_made_on_the_cpu_run_and_answer(model: str, tmp_path: Path) -> None:
    words = [f"model={model}", "data=demo", "data.demo_rows=400", "measure=off", "tracker=none", "device=cuda"]
    done = run_cli(*words, *(["model.init=random"] if model == "static" else []), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    answered = run_cli("predict", "latest", "a fine film", cwd=tmp_path)
    assert answered.returncode == 0 and "pos" in answered.stdout, answered.stdout + answered.stderr
