"""Optional dependencies, checked before any work starts, so that nothing fails half-way."""

from __future__ import annotations

from importlib.util import find_spec

from runner.errors import ConfigError

MODULES = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "serve": ("fastapi", "uvicorn"),
    "audio": ("soundfile",),
}


def missing_extra(extra: str) -> str | None:
    """Return one line with the cure if a module of the extra is not installed, else None."""
    absent = [module for module in MODULES[extra] if find_spec(module) is None]
    if not absent:
        return None
    return (
        f"{', '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed. Try: pip install 'bertier[{extra}]'"
    )


def require_extra(extra: str, wanted: str) -> None:
    """ConfigError unless all of the extra is installed; wanted: what the user asked for."""
    if problem := missing_extra(extra):
        raise ConfigError(f"{wanted}: {problem}")
