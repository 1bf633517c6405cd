"""What is set once a process before arithmetic starts: the allocator and the fp32 matrix backend.

Each choice is measured or exact, and its facts go into the run record.
"""

from __future__ import annotations

import ctypes
import sys
import time
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from runner.schema import Settings

MOST_ERROR = 2e-6  # relative; fp32 products of this size are within 3e-7 (MKL) to 6e-7 (oneDNN), bf16 at 2e-3
LEAST_GAIN = 1.1  # the backend is changed only for a gain that noise does not explain
PRECISION = {"default": "highest", "onednn": "medium"}  # what torch calls them

# glibc's mallopt parameters (malloc.h)
TRIM_THRESHOLD, MMAP_MAX = -1, -4
LARGEST_INT = 2**31 - 1
SIZE, ROUNDS = 512, 5  # of the square products that are timed: 2 to 3 ms each on a slow core


def prepare(settings: Settings, device: torch.device) -> dict[str, Any]:
    """Set this process up for one run; answers the facts for the record.

    Raises ConfigError for a choice that would change results or has no effect here.
    """
    if settings.engine.compile and device.type != "cuda":
        raise ConfigError(
            "engine.compile=true is for CUDA: on a CPU a small encoder trains 0.86 to 1.05 times as fast after up to "
            "44 s of compiling. Try: engine.compile=false"
        )
    facts: dict[str, Any] = {"precision": settings.train.precision, "keeps_memory": keep_memory()}
    if device.type == "cuda":
        return facts | {"gemm": "cuda", "compiled": settings.engine.compile}
    return facts | choose_gemm(settings.engine.gemm, settings.train.precision)


def keep_memory() -> bool:
    """Let the C library keep freed memory for the next step; is that how it is now?

    Otherwise glibc hands large tensors back to the system each time and every page of the next is cleared and mapped
    anew: 1.08x on the steps of bert-tiny on short texts, 1.2x on long ones. Without glibc nothing is changed.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(MMAP_MAX, 0) and mallopt(TRIM_THRESHOLD, LARGEST_INT))


def choose_gemm(wanted: str, precision: str) -> dict[str, Any]:
    """Set the fp32 matrix backend and answer it with the measured rates (GFLOP/s) and relative errors.

    auto takes oneDNN where it is faster (processors on which MKL falls back to AVX2) and still fp32; with AMX it
    computes in bf16, which is train.precision=bf16 and never a quiet choice.
    """
    rates, errors = measure_gemm(["default", "onednn", *(["bf16"] if precision == "bf16" else [])])
    if wanted == "onednn" and errors["onednn"] > MOST_ERROR:
        raise ConfigError(
            f"engine.gemm=onednn: computes in bf16 on this processor (relative error {errors['onednn']:.0e}, fp32 has "
            f"{errors['default']:.0e}). Try: engine.gemm=default, or train.precision=bf16"
        )
    is_better = errors["onednn"] <= MOST_ERROR and rates["onednn"] > LEAST_GAIN * rates["default"]
    chosen = ("onednn" if is_better else "default") if wanted == "auto" else wanted
    _use(chosen)
    return {"gemm": chosen, "gemm_gflops": rates, "gemm_error": errors}


def measure_gemm(names: list[str]) -> tuple[dict[str, float], dict[str, float]]:
    """Rate (GFLOP/s, best of interleaved rounds) and relative error of a product by each way; about 40 ms.

    names: default and onednn (the backends of fp32) and bf16.
    """
    import torch

    kept = torch.get_float32_matmul_precision()
    generator = torch.Generator().manual_seed(0)  # the run's own random numbers stay untouched
    left, right = (torch.randn(SIZE, SIZE, generator=generator) for _ in range(2))
    exact = left.double() @ right.double()
    operands = {name: (left.bfloat16(), right.bfloat16()) if name == "bf16" else (left, right) for name in names}
    best, errors = dict.fromkeys(names, float("inf")), {}
    for _ in range(ROUNDS):
        for name, (one, other) in operands.items():
            _use(name)
            product = one @ other  # warm: each backend packs and plans on its first call
            begun = time.perf_counter()
            product = one @ other
            best[name] = min(best[name], time.perf_counter() - begun)
            errors[name] = float((product.double() - exact).norm() / exact.norm())
    torch.set_float32_matmul_precision(kept)
    return {name: round(2 * SIZE**3 / seconds / 1e9, 1) for name, seconds in best.items()}, errors


def _use(name: str) -> None:
    import torch

    torch.set_float32_matmul_precision(PRECISION.get(name, "highest"))
