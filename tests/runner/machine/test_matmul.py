"""The engine's choices: what is refused, what is measured, what the record says, and what a start imports."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from runner.errors import ConfigError
from runner.machine import matmul as engine
from runner.schema import Settings
from tests.conftest import REPO, run_cli

QUICK = ("model=dsn", "data.demo_rows=600", "measure=off", "tracker=none", "train.epochs=0.1")
HEAVY = ("transformers", "datasets", "mlflow", "sklearn", "matplotlib", "torch._dynamo")
# A fork for each command, of a process that has imported what all of them start with.
FIRST_STEP = f"""
import json, os, sys, traceback
import torch, tokenizers, hydra.main
import runner.training.trainer
step = runner.training.trainer.Trainer.step
def stop(*arguments):
    step(*arguments)
    print("loaded:", *[name for name in {HEAVY} if name in sys.modules])
    raise SystemExit(0)
runner.training.trainer.Trainer.step = stop
from runner.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv[1:] = words
    if os.fork() == 0:
        try:
            main()
        except Exception:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(0)
    os.wait()
"""


@pytest.fixture(autouse=True)
def restored_precision() -> object:
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


AMD, INTEL, AVX512 = "AuthenticAMD", "GenuineIntel", frozenset({"avx2", "avx512f", "avx512_bf16"})


def on(monkeypatch: pytest.MonkeyPatch, maker: str = AMD, told: frozenset[str] = AVX512, error: float = 3e-7) -> None:
    """A processor, and the error that oneDNN's products have on it."""
    monkeypatch.setattr(engine, "cpu_features", lambda: (maker, told))
    monkeypatch.setattr(engine, "gemm_errors", lambda _names: {"default": 2e-7, "onednn": error})


@pytest.mark.parametrize(
    ("maker", "told", "error", "chosen"),
    [
        (AMD, AVX512, 3e-7, "onednn"),
        (AMD, AVX512, 2e-3, "default"),
        (AMD, frozenset({"avx2"}), 3e-7, "default"),
        (INTEL, AVX512, 3e-7, "default"),
        (INTEL, AVX512 | {"amx_tile", "amx_bf16"}, 2e-3, "default"),
        ("", frozenset(), 3e-7, "default"),
    ],
    ids=["AMD with AVX-512", "computes in bf16", "AMD without", "Intel", "Intel with AMX", "unknown"],
)
def test_auto_is_decided_by_the_processor(
    maker: str, told: frozenset[str], error: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(monkeypatch, maker, told, error)
    monkeypatch.setattr(engine.time, "perf_counter", lambda: pytest.fail("a clock was asked"))
    facts = engine.choose_gemm("auto", "fp32")
    assert facts == {"gemm": chosen, "gemm_error": {"default": 2e-7, "onednn": error}}
    assert torch.get_float32_matmul_precision() == {"onednn": "medium", "default": "highest"}[chosen]


def test_a_backend_that_computes_in_bf16_is_refused_for_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, error=2e-3)
    with pytest.raises(ConfigError, match=r"engine\.gemm=default"):
        engine.choose_gemm("onednn", "fp32")


def test_a_run_that_goes_on_takes_the_backend_it_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, INTEL)
    settings = Settings()
    engine.choose_gemm("auto", "fp32")
    assert (
        engine.resume_matmul({"gemm": "default", "threads": 1}, settings.engine.gemm, "fp32")
        == {}
        == engine.resume_matmul({}, settings.engine.gemm, "fp32")
    )
    assert engine.resume_matmul({"gemm": "onednn", "threads": 1}, settings.engine.gemm, "fp32")["gemm"] == "onednn"
    assert engine.matmul_in_use()["gemm"] == "onednn"
    settings.engine.gemm = "default"
    engine.use_gemm("default")
    with pytest.raises(ConfigError, match=r"engine\.gemm=onednn, or resume=never"):
        engine.resume_matmul({"gemm": "onednn"}, settings.engine.gemm, "fp32")
    settings.engine.gemm = "auto"
    on(monkeypatch, INTEL, error=2e-3)
    with pytest.raises(ConfigError, match="another processor; on this one that is bf16"):
        engine.resume_matmul({"gemm": "onednn"}, settings.engine.gemm, "fp32")


def test_errors_of_products_are_the_same_at_every_start() -> None:
    first = engine.gemm_errors(["default", "onednn"])
    engine._errors.cache_clear()
    assert engine.gemm_errors(["default", "onednn"]) == first


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
    assert facts["gemm_error"].keys() == {"default", "onednn", "bf16"} and "gemm_gflops" not in facts
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


def test_the_first_step_needs_no_heavy_library(tmp_path: Path) -> None:
    commands = [[*QUICK[1:], f"model={model}", f"paths.output={tmp_path}"] for model in ("dsn", "bert-tiny")]
    done = subprocess.run(
        [sys.executable, "-c", FIRST_STEP, json.dumps(commands)], cwd=REPO, capture_output=True, text=True, timeout=120
    )
    assert [line for line in done.stdout.splitlines() if line.startswith("loaded:")] == ["loaded:"] * 2, done.stderr
