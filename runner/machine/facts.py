"""Facts about the machine and the code, recorded beside every time so that a number can be judged later.

Nothing heavy is imported: versions come from package metadata, torch is asked only if it is loaded.
A fact that is unavailable is None, never a guess.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from data.json_types import JsonObject

PACKAGES = (
    "torch", "transformers", "tokenizers", "datasets", "safetensors", "huggingface_hub", "numpy", "scipy",
    "scikit-learn", "pandas", "pyarrow", "hydra-core", "mlflow", "onnxruntime",
)  # fmt: skip

_CHECKOUT = Path(__file__).resolve().parents[2]
SOURCES = ("conf/", "data/", "models/", "runner/", "sweeps/")  # what a run is made of


def machine_facts() -> JsonObject:
    """Return the facts as JSON-ready values: hardware, system, versions, load, torch's engine, code.

    Memory is in SI bytes; `cores` are those this process may use, `cores_total` those of the machine. `git_*` is the
    checkout of this code, `cwd_git_*` the working tree that the command was given in: configs and data may lie there.
    """
    commit, is_dirty = git_state(_CHECKOUT)
    here = work_tree(Path.cwd())
    own = (commit, is_dirty) if here == _CHECKOUT else git_state(here) if here else (None, None)
    return {
        "cpu": cpu_model(),
        "cores": usable_cores(),
        "cores_total": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "system": platform.platform(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "versions": package_versions(),
        "load_average": load_average(),
        "torch": torch_facts(),
        "git_commit": commit,
        "git_dirty": is_dirty,
        "cwd_git_commit": own[0],
        "cwd_git_dirty": own[1],
    }


def cpu_model() -> str | None:
    """Return the processor's name as the system gives it."""
    told = _cpuinfo()
    if name := told.get("model name") or told.get("Model"):
        return name
    if sys.platform == "darwin":
        return _output(["sysctl", "-n", "machdep.cpu.brand_string"])
    return platform.processor() or None


def cpu_features() -> tuple[str, frozenset[str]]:
    """Return the maker of the processor ("AuthenticAMD", "GenuineIntel") and its instruction sets ("avx512f", ...).

    ("", empty) if the system does not report them: only Linux on x86 does.
    """
    told = _cpuinfo()
    return told.get("vendor_id", ""), frozenset(told.get("flags", "").split())


@cache
def _cpuinfo() -> dict[str, str]:
    """Return the entries of /proc/cpuinfo for the first processor; empty if there is no such file."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines())
    found: dict[str, str] = {}
    for key, _, value in pairs:
        found.setdefault(key.strip(), value.strip())
    return found


def usable_cores() -> int:
    """Return the cores this process may run on (affinity; not the CPU quota of a container)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def load_average() -> list[float] | None:
    """Return the load averages of 1, 5 and 15 minutes; None if the system has none."""
    try:
        return list(os.getloadavg())
    except (AttributeError, OSError):
        return None


def memory_bytes() -> int | None:
    """Return the machine's physical memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def package_versions() -> dict[str, str | None]:
    """Return the installed version of each package that can change a result, None if it is missing."""
    return dict(_versions(PACKAGES))


@cache
def _versions(packages: tuple[str, ...]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def torch_facts() -> JsonObject | None:
    """Return threads, matrix engines and GPU of torch; None if torch is not loaded in this process."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    build = torch.__config__.show()
    has_gpu = torch.cuda.is_available()
    return {
        "threads": torch.get_num_threads(),
        "threads_between_operations": torch.get_num_interop_threads(),
        "blas": next(iter(re.findall(r"BLAS_INFO=(\w+)", build)), None),
        "libraries": re.findall(r"- (.*(?:Math Kernel Library|MKL-DNN|OpenMP).*)", build),
        "mkl": torch.backends.mkl.is_available(),
        "onednn": torch.backends.mkldnn.is_available() and torch.backends.mkldnn.enabled,
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "gpu": torch.cuda.get_device_name() if has_gpu else None,
        "cuda": torch.version.cuda if has_gpu else None,
    }


def git_state(folder: Path) -> tuple[str | None, bool | None]:
    """Return commit and dirty flag of the checkout whose root is `folder`.

    (None, None) for an installed package, without git, or before the first commit. Dirty are changed tracked files,
    and new ones where they would be imported, such as a method that is not committed yet.
    """
    if not (folder / ".git").exists():  # a virtual environment inside somebody's repository is not their commit
        return None, None
    found = _output(["git", "-C", str(folder), "status", "--porcelain=v2", "--branch"])
    lines = (found or "").splitlines()
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "(")
    if commit.startswith("("):  # (initial)
        return None, None
    changes = [line for line in lines if not line.startswith(("# ", "? "))]
    new = [line for line in lines if line.startswith("? ") and line[2:].startswith(SOURCES)]
    return commit, bool(changes or new)


def work_tree(folder: Path) -> Path | None:
    """Return the root of the git working tree that `folder` lies in."""
    return next((path for path in (folder, *folder.parents) if (path / ".git").exists()), None)


def _output(command: list[str]) -> str | None:
    """Return what a command prints, None when it is missing, fails or hangs."""
    try:
        # Never take git's index lock: another process may be committing.
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
