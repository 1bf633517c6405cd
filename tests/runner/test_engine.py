"""The engine's choices: what is refused, what is measured, what the record says, and what a start imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from runner import engine
from runner.errors import ConfigError
from tests.conftest import REPO, run_cli

QUICK = ("model=dsn", "data.demo_rows=600", "measure=off", "tracker=none", "train.epochs=0.1")
HEAVY = ("transformers", "datasets", "mlflow", "sklearn", "matplotlib", "torch._dynamo")
FIRST_STEP = f"""
import sys
import runner.train
step = runner.train.Loop.step
def stop(*arguments):
    step(*arguments)
    print("loaded:", *[name for name in {HEAVY} if name in sys.modules])
    raise SystemExit(0)
runner.train.Loop.step = stop
sys.argv = ["run", *sys.argv[1:]]
from runner.cli import main
main()
"""


@pytest.fixture(autouse=True)
def restored_precision() -> object:
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


def measured(monkeypatch: pytest.MonkeyPatch, rates: dict[str, float], errors: dict[str, float]) -> None:
    monkeypatch.setattr(engine, "measure_gemm", lambda _names: (rates, errors))


@pytest.mark.parametrize(
    ("rate", "error", "chosen"),
    [(200.0, 3e-7, "onednn"), (104.0, 3e-7, "default"), (900.0, 2e-3, "default")],
    ids=["faster and exact", "no gain beyond noise", "faster in bf16"],
)
def test_auto_takes_onednn_only_where_it_is_faster_and_still_fp32(
    rate: float, error: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured(monkeypatch, {"default": 100.0, "onednn": rate}, {"default": 2e-7, "onednn": error})
    facts = engine.choose_gemm("auto", "fp32")
    assert facts["gemm"] == chosen and facts["gemm_error"]["onednn"] == error
    assert torch.get_float32_matmul_precision() == {"onednn": "medium", "default": "highest"}[chosen]


def test_a_backend_that_computes_in_bf16_is_refused_for_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    measured(monkeypatch, {"default": 100.0, "onednn": 900.0}, {"default": 2e-7, "onednn": 2e-3})
    with pytest.raises(ConfigError, match=r"engine\.gemm=default"):
        engine.choose_gemm("onednn", "fp32")


def test_the_measurement_finds_rates_and_errors_and_leaves_the_backend_and_random_numbers_alone() -> None:
    torch.set_float32_matmul_precision("high")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    rates, errors = engine.measure_gemm(["default", "bf16"])
    assert min(rates.values()) > 0 and errors["default"] < engine.MOST_ERROR < errors["bf16"] < 1e-2
    assert torch.get_float32_matmul_precision() == "high" and torch.equal(torch.rand(3), expected)


def test_the_record_says_what_was_used(tmp_path: Path) -> None:
    done = run_cli(*QUICK, "train.precision=bf16", "engine.compact_vocabulary=always", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("outputs/*/record.json")
    environment = json.loads(path.read_text())["environment"]
    assert environment["torch"]["threads"] == 1 and environment["torch"]["blas"] and environment["versions"]["numpy"]
    assert {"git_commit", "git_dirty", "cwd_git_commit", "cwd_git_dirty"} <= environment.keys()
    facts = environment["engine"]
    assert facts["precision"] == "bf16" and facts["gemm"] in ("default", "onednn") and environment["threads"] == 1
    assert facts["gemm_gflops"].keys() == facts["gemm_error"].keys() == {"default", "onednn", "bf16"}
    used, whole = facts["compact_vocabulary"].removesuffix(" rows").split(" of ")
    assert 10 < int(used) <= int(whole)


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (["engine.compile=true"], "engine.compile=false"),
        (
            ["engine.compact_vocabulary=always", "optimizer=sgd", "optimizer.weight_decay=0.1"],
            "compact_vocabulary=auto",
        ),
        (["engine.gemm=mkl"], "onednn"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_cure(words: list[str], cure: str, tmp_path: Path) -> None:
    done = run_cli(*QUICK, *words, cwd=tmp_path)
    assert done.returncode == 2 and cure in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("outputs/*/record.json"))


@pytest.mark.parametrize("model", ["dsn", "bert-tiny"])
def test_the_first_step_needs_no_heavy_library(model: str, tmp_path: Path) -> None:
    words = [*QUICK[1:], f"model={model}", f"paths.output={tmp_path}"]
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEP, *words], cwd=REPO, capture_output=True, text=True, timeout=120
    )
    assert "loaded:" in done.stdout, done.stderr
    assert done.stdout.split("loaded:")[1].split() == []
