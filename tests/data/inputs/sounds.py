"""Sounds for tests: tones as the content of files."""

from __future__ import annotations

import io

import numpy as np

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
