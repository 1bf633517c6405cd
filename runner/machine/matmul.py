"""The allocator and the fp32 matrix backend, set once a process before arithmetic starts.

No timing decides anything here: the same command uses the same kernels however busy the machine is, and a resumed run
uses the kernels it began with. The facts go into the run record.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from data.json_types import JsonObject
from runner.errors import ConfigError
from runner.machine.allocator import keep_memory
from runner.machine.facts import cpu_features
from runner.schema import EngineSettings

if TYPE_CHECKING:
    import torch

ONEDNN = ("AuthenticAMD", "avx512f")  # maker and instructions of the processors that oneDNN is faster on, see below
MOST_ERROR = 2e-6  # relative; fp32 products of this size are within 3e-7 (MKL) to 6e-7 (oneDNN), bf16 at 2e-3
PRECISION = {"default": "highest", "onednn": "medium"}  # torch's names for them

SIZE, ROUNDS = 512, 5  # of the square products that are timed: 2 to 3 ms each on a slow core


def prepare_arithmetic(engine: EngineSettings, precision: str, device: torch.device) -> JsonObject:
    """Set the allocator and the matrix backend of this process, and return the facts for the record.

    precision: train.precision. Raises ConfigError for a choice that would change results or has no effect here.
    """
    if engine.compile and device.type != "cuda":
        raise ConfigError(
            "engine.compile=true is for CUDA: on a CPU a small encoder trains 0.86 to 1.05 times as fast after up to "
            "44 s of compiling. Try: engine.compile=false"
        )
    facts: JsonObject = {"precision": precision, "keeps_memory": keep_memory()}
    if device.type == "cuda":
        use_exact_convolutions()
        return facts | {"gemm": "cuda", "compiled": engine.compile}
    return facts | choose_gemm(engine.gemm, precision)


def use_exact_convolutions() -> None:
    """Let CUDA convolve in float32, as it multiplies matrices, and with kernels that repeat bit for bit.

    torch's default is TF32, with 10 bits of mantissa: the readout xception's logits then differ by 6e-4 from a CPU's.
    """
    import torch

    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


def choose_gemm(wanted: str, precision: str) -> JsonObject:
    """Set the fp32 matrix backend and return it with the relative errors of its products.

    auto takes oneDNN on AMD processors with AVX-512, where MKL falls back to AVX2 (1.1 to 1.5 times the rate), and
    torch's own elsewhere. With AMX, oneDNN computes in bf16. That is what train.precision=bf16 is for, so it is never
    chosen silently: the error of a product reveals it. Raises ConfigError if that contradicts `wanted`.
    """
    errors = gemm_errors(["default", "onednn", *(["bf16"] if precision == "bf16" else [])])
    if wanted == "onednn" and errors["onednn"] > MOST_ERROR:
        raise ConfigError(
            f"engine.gemm=onednn: computes in bf16 on this processor (relative error {errors['onednn']:.0e}, fp32 has "
            f"{errors['default']:.0e}). Try: engine.gemm=default, or train.precision=bf16"
        )
    chosen = automatic_gemm(errors["onednn"]) if wanted == "auto" else wanted
    use_gemm(chosen)
    return {"gemm": chosen, "gemm_error": errors}


def automatic_gemm(onednn_error: float) -> str:
    """Return the backend that engine.gemm=auto selects on this processor.

    onednn_error: relative error of oneDNN's products here.
    """
    maker, instructions = cpu_features()
    is_better = maker == ONEDNN[0] and ONEDNN[1] in instructions and onednn_error <= MOST_ERROR
    return "onednn" if is_better else "default"


def matmul_in_use() -> JsonObject:
    """Matrix backend and threads of this process: a checkpoint holds them, so that a resumed run uses the same."""
    import torch

    backend = "onednn" if torch.get_float32_matmul_precision() == PRECISION["onednn"] else "default"
    return {"gemm": backend, "threads": torch.get_num_threads()}


def resume_matmul(kept: JsonObject, wanted: str, precision: str) -> JsonObject:
    """Take the matrix backend of a checkpoint, as `matmul_in_use` wrote it; returns the changed facts.

    wanted: engine.gemm; precision: train.precision.
    Raises ConfigError if the command asks for another one, or if it would be another precision here.
    """
    gemm = kept.get("gemm")
    if gemm is None or gemm == matmul_in_use()["gemm"]:
        return {}
    if wanted not in ("auto", gemm):
        raise ConfigError(
            f"engine.gemm={wanted}: the interrupted run computed with {gemm}, so its results would differ. "
            f"Try: engine.gemm={gemm}, or resume=never to start again"
        )
    try:
        return choose_gemm(gemm, precision)
    except ConfigError as error:
        raise ConfigError(
            f"the interrupted run computed with engine.gemm={gemm}, on another processor; on this one that is bf16. "
            "Try: resume=never to start again, or resume it on the machine where it began"
        ) from error


def gemm_errors(names: list[str]) -> dict[str, float]:
    """Relative error of a product with each backend; a few ms, and the same at every start on one processor.

    names: default and onednn (the backends of fp32) and bf16. The backend and the random numbers stay as they are.
    """
    return dict(_errors(tuple(names)))


@cache
def _errors(names: tuple[str, ...]) -> dict[str, float]:
    return {name: error for name, error, _ in _products(list(names), rounds=1)}


def measure_gemm(names: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Rate (GFLOP/s, best of interleaved rounds) and relative error of a product with each backend, as `gemm_errors`.

    For people and benchmarks only; about 40 ms.
    """
    best, errors = dict.fromkeys(names, float("inf")), {}
    for name, error, seconds in _products(names, rounds=ROUNDS):
        best[name], errors[name] = min(best[name], seconds), error
    return {name: round(2 * SIZE**3 / seconds / 1e9, 1) for name, seconds in best.items()}, errors


def _products(names: list[str], rounds: int) -> Iterator[tuple[str, float, float]]:
    """Name, relative error and seconds of a product with each backend, in turn."""
    import torch

    kept = torch.get_float32_matmul_precision()
    generator = torch.Generator().manual_seed(0)  # the run's own random numbers stay untouched
    left, right = (torch.randn(SIZE, SIZE, generator=generator) for _ in range(2))
    exact = left.double() @ right.double()
    operands = {name: (left.bfloat16(), right.bfloat16()) if name == "bf16" else (left, right) for name in names}
    for _ in range(rounds):
        for name, (one, other) in operands.items():
            use_gemm(name)
            product = one @ other  # warm-up: each backend packs and plans on its first call
            begun = time.perf_counter()
            product = one @ other
            seconds = time.perf_counter() - begun
            yield name, float((product.double() - exact).norm() / exact.norm()), seconds
    torch.set_float32_matmul_precision(kept)


def use_gemm(name: str) -> None:
    """Compute the fp32 products of this process with the named backend: default or onednn."""
    import torch

    torch.set_float32_matmul_precision(PRECISION.get(name, "highest"))
