"""Sounds for tests: tones as the content of files, and tables that name them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data.settings import DataSettings

RATE = 16000


def tone(hertz: float = 440.0, seconds: float = 1.0, rate: int = RATE, loud: float = 0.5) -> np.ndarray:
    """A sine, (n,) float64."""
    return loud * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def sound_file(samples: np.ndarray, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    """The content of a file with these samples, (n,) or (n, channels)."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def write_clips(folder: Path, clips: int = 8, table: str = "clips.csv", **columns: Callable[[int], object]) -> Path:
    """Write short tones of two pitches and a CSV with the columns path and kind; columns: further ones, by row."""
    lines = [",".join(["path", "kind", *columns])]
    (folder / "wav").mkdir(parents=True, exist_ok=True)
    for index in range(clips):
        content = sound_file(tone((440, 1760)[index % 2] * (1 + index / 1000), 0.25))
        (folder / "wav" / f"{index}.wav").write_bytes(content)
        more = [str(of(index)) for of in columns.values()]
        lines.append(",".join([f"wav/{index}.wav", ("low", "high")[index % 2], *more]))
    (folder / table).write_text("\n".join(lines) + "\n")
    return folder / table


def sound_settings(path: Path, **more: Any) -> DataSettings:
    """The settings with which these clips are read."""
    usual = {"name": "files", "source": "files", "path": str(path), "audio": "path", "label": "kind"}
    return DataSettings(**(usual | {"seconds": 0.25, "test_fraction": 0.25, "select_fraction": 0.25} | more))
