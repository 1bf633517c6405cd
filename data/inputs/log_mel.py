"""Audio features: log-mel spectrograms and MFCCs, (frames, features).

    frames = features(samples, "log_mel", rate=16000, seconds=5.0, average=4)   # (39, 64) of 80,000 samples

Uses only NumPy and no other module of this project, because models without torch are deployed with this file. Equal to
librosa 0.11 (`pad_mode="constant"`) up to 4e-6 of the power. Windows of 64 ms start every 32 ms, so at 16 kHz they have
1,024 samples and are 512 apart. Windows are centred, and the sound is padded with silence on both sides.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LOG_MEL, MFCC = KINDS = ("log_mel", "mfcc")
STEP_S = 0.032  # from one window to the next: half a window
BANDS, COEFFICIENTS = 64, 40
FLOOR = 1e-6  # added to the power; without it, the logarithm of padded silence would dominate the variance
LINEAR_HZ, PER_MEL, OCTAVE = 1000.0, 200.0 / 3.0, np.log(6.4) / 27.0  # Slaney's scale: linear, then logarithmic


def features(
    samples: np.ndarray, name: str, *, rate: int, seconds: float | None, average: int, stack: int = 1
) -> np.ndarray:
    """Return the features of a sound, (frames, width(name) x stack) float64.

    samples: (n,) from -1 to 1. rate: of the samples, in Hz. seconds: the sound is cut or padded with silence at its end
    to this length; None: its length is kept. average: number of neighbouring frames replaced by their mean. stack:
    number of neighbouring means combined into one frame.
    """
    if seconds is not None:
        samples = fit(samples, round(seconds * rate))
    found = average_frames(log_mel(samples, rate), average)
    return stack_frames(mfcc(found) if name == MFCC else found, stack)


def width(name: str) -> int:
    """Return the number of features of a frame."""
    return COEFFICIENTS if name == MFCC else BANDS


def fit(samples: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` samples, padded with silence at the end if there are fewer."""
    return np.pad(samples[:count], (0, max(0, count - len(samples))))


def log_mel(samples: np.ndarray, rate: int) -> np.ndarray:
    """Return the natural logarithm of the power in each mel band, (1 + n // step, BANDS) float64, for samples (n,)."""
    step = round(STEP_S * rate)
    size = 2 * step
    padded = np.pad(np.asarray(samples, np.float64), step)
    windows = np.lib.stride_tricks.sliding_window_view(padded, size)[::step]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    spectrum = np.fft.rfft(windows * hann)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(np.log(power @ mel_filters(rate, size).T + FLOOR))


@lru_cache(8)
def mel_filters(rate: int, size: int) -> np.ndarray:
    """Return the weight of each frequency in each band, (BANDS, size // 2 + 1): triangles of equal area up to rate / 2.

    Source: Slaney's Auditory Toolbox (1998), as librosa.filters.mel computes it.
    """
    corners = _hertz(np.linspace(0.0, _mel(rate / 2), BANDS + 2))
    distance = corners[:, None] - np.linspace(0.0, rate / 2, size // 2 + 1)
    widths = np.diff(corners)
    rising, falling = -distance[:-2] / widths[:-1, None], distance[2:] / widths[1:, None]
    area = 2.0 / (corners[2:] - corners[:-2])
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * area[:, None])


def _mel(hertz: float) -> float:
    """Return a frequency on Slaney's mel scale."""
    return float(hertz / PER_MEL if hertz < LINEAR_HZ else LINEAR_HZ / PER_MEL + np.log(hertz / LINEAR_HZ) / OCTAVE)


def _hertz(mels: np.ndarray) -> np.ndarray:
    """Return the frequencies of values on Slaney's mel scale."""
    knee = LINEAR_HZ / PER_MEL
    return np.where(mels < knee, mels * PER_MEL, LINEAR_HZ * np.exp(OCTAVE * (np.maximum(mels, knee) - knee)))


def average_frames(frames: np.ndarray, count: int) -> np.ndarray:
    """Return the mean of each `count` neighbouring frames; an incomplete group at the end is dropped.

    If there are fewer than `count` frames in all, they become one frame.
    """
    whole = len(frames) // count
    if not whole:
        return np.asarray(frames.mean(axis=0, keepdims=True))
    return np.asarray(frames[: whole * count].reshape(whole, count, -1).mean(axis=1))


def stack_frames(frames: np.ndarray, count: int) -> np.ndarray:
    """Combine each `count` neighbouring frames (T, F) into one, (T // count, F x count), a feature's values adjacent.

    An incomplete group at the end is dropped. Fewer than `count` frames in all become one, with the last one repeated.
    Source of stacked frames: Sak et al. 2015, arXiv 1507.06947.
    """
    if len(frames) < count:
        frames = np.pad(frames, ((0, count - len(frames)), (0, 0)), mode="edge")
    whole = len(frames) // count
    return frames[: whole * count].reshape(whole, count, -1).swapaxes(1, 2).reshape(whole, -1)


def mfcc(frames: np.ndarray) -> np.ndarray:
    """Return the first COEFFICIENTS of the orthonormal DCT-II of log-mel frames, (T, COEFFICIENTS)."""
    return frames @ _cosines(frames.shape[1])[:COEFFICIENTS].T


@lru_cache(2)
def _cosines(bands: int) -> np.ndarray:
    """Return the orthonormal DCT-II as a matrix, (bands, bands)."""
    order = np.arange(bands)
    found = np.cos(np.pi / bands * (order[None] + 0.5) * order[:, None]) * np.sqrt(2.0 / bands)
    found[0] *= np.sqrt(0.5)
    return found
