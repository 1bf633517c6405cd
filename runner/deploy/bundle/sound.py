"""Scores sounds (kind `sound`), given NumPy: reads a file, makes its features and asks the network over its frames.

WAV files of whole numbers are read with the standard library, others with the soundfile package where it is installed.
The features are those of training: log_mel.py is a copy of the file that computed them.
"""

from __future__ import annotations

import importlib
import io
import math
import os
import re
import wave
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

if __package__:
    from data.inputs.log_mel import STEP_S, features
    from runner.deploy.bundle.frame_network import FrameNetwork
else:  # copied into a bundle
    from frame_network import FrameNetwork  # type: ignore[import-not-found,no-redef]
    from log_mel import STEP_S, features  # type: ignore[import-not-found,no-redef]

Source = str | bytes | Path  # the path of a sound file, or its content
ENDLESS = 0x7FFF0000  # bytes in the header of a file that was written to a pipe, whose length was not known
MARGIN_S = 1.0  # read beyond what is needed of a sound that is resampled, for the filter at its end
# The limits of training, in data/inputs/sound_file.py: what no model was trained on has no answer either.
RATES, LOUDEST, SLACK = (4_000, 384_000), 16.0, 2 * 1152
DECLARED = re.compile(r"(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)")  # how libsndfile logs a wrong length
WAV_HEADER = 44  # bytes before the samples of a WAV file, at least
TRUNCATED = "is truncated: it ends before what its header promises"


class Sound:
    """Scores sounds by their spectrograms."""

    def __init__(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        """header, arrays: as models/packed/sound.py writes them. Raises ValueError for arrays that do not fit."""
        facts = header["sound"]
        self.kind, self.rate, self.average = str(facts["features"]), int(facts["rate"]), int(facts["average"])
        self.seconds = None if facts["seconds"] is None else float(facts["seconds"])
        self.stack = int(facts.get("stack", 1))
        self.has_first, self.most = bool(facts["first"]), int(header["max_length"])
        self.mean, self.sd = arrays["mean"], arrays["sd"]
        self.network = FrameNetwork(facts, arrays)

    def score(self, sound: Source) -> list[float]:
        """Return the logits of a sound."""
        return self.network.logits(self.frames(read_sound(sound, self.rate, self.needed)))

    def length(self, sound: Source) -> int:
        """Return the frames of a sound, before any are cut."""
        return self.count(len(read_sound(sound, self.rate)))

    def count(self, samples: int) -> int:
        """Return the number of frames of a sound with that many samples, before any are cut.

        A sound shorter than one frame is padded with silence.
        """
        least = 0 if self.seconds is None else round(self.seconds * self.rate)
        windows = 1 + max(samples, least) // round(STEP_S * self.rate)
        return max(1, windows // self.average // self.stack) + self.has_first

    @property
    def needed(self) -> int:
        """The samples of a sound that are read: those of the frames that the network takes."""
        room = (self.most - self.has_first) * self.average * self.stack * round(STEP_S * self.rate)
        return room + 2 * round(STEP_S * self.rate) if self.seconds is None else round(self.seconds * self.rate)

    def frames(self, samples: np.ndarray) -> np.ndarray:
        """The frames that the network reads, (T, F) float32 and scaled, of samples (n,) from -1 to 1 at its rate."""
        found = features(
            samples, self.kind, rate=self.rate, seconds=self.seconds, average=self.average, stack=self.stack
        )
        if self.has_first:
            found = np.pad(found, ((1, 0), (0, 0)))
        stored = found[: self.most].astype(np.float16)  # as the rows of training were stored
        return np.asarray((stored.astype(np.float32) - self.mean) / self.sd)


def read_sound(sound: Source, rate: int, most: int | None = None) -> np.ndarray:
    """Return the first `most` samples of a sound, (n,) float64 from -1 to 1, as one channel at `rate`.

    Raises ValueError for none.

    sound: the path of a file, or its content; most: None for all. Another rate needs the scipy package.
    """
    name = "the sound" if isinstance(sound, bytes) else os.fspath(sound)
    if not isinstance(sound, bytes) and not Path(sound).is_file():
        raise ValueError(f"{name}: {'is a folder, but a file is needed' if Path(sound).is_dir() else 'no such file'}")
    content = sound if isinstance(sound, bytes) else Path(sound).read_bytes()
    try:
        samples, own = read_wav(content, name, rate, most)
    except (wave.Error, EOFError):
        samples, own = read_other(content, name, rate, most)
    if not RATES[0] <= own <= RATES[1]:
        raise ValueError(f"{name}: has a sampling rate of {own:,} Hz; {RATES[0]:,} to {RATES[1]:,} can be read")
    if not len(samples) or not np.isfinite(samples).all():
        raise ValueError(f"{name}: has {'no samples' if not len(samples) else 'samples that are not numbers'}")
    if (loudest := np.abs(samples).max()) > LOUDEST:
        raise ValueError(f"{name}: has samples up to {loudest:,.6g}; -1 to 1 is expected")
    mono = samples.mean(axis=1)
    return (mono if own == rate else resample(mono, own, rate, name))[:most]


def wanted(own: int, rate: int, most: int | None) -> int:
    """Return how many samples to read of a file with its own rate; -1 for all."""
    return -1 if most is None else most if own == rate else math.ceil(most / rate * own + MARGIN_S * own)


def read_wav(content: bytes, name: str, rate: int, most: int | None) -> tuple[np.ndarray, int]:
    """Samples (n, channels) of a WAV file of whole numbers, and its rate.

    Raises wave.Error for another file, ValueError for one that ends before its header says so.
    """
    with closing(wave.open(io.BytesIO(content), "rb")) as file:
        size, channels, own = file.getsampwidth(), file.getnchannels(), file.getframerate()
        if not 1 <= size <= 4 or own < 1:
            raise wave.Error(f"{size} bytes a sample, {own} Hz")
        promised, count = file.getnframes(), wanted(own, rate, most)
        count = promised if count < 0 else min(count, promised)
        raw = file.readframes(count)
    declared = promised * size * channels
    is_cut = len(raw) < count * size * channels or len(content) < WAV_HEADER + declared
    if is_cut and declared < ENDLESS:
        raise ValueError(f"{name}: {TRUNCATED}")
    whole = np.frombuffer(raw[: len(raw) // (size * channels) * size * channels], np.uint8).reshape(-1, size)
    padded = np.zeros((len(whole), 4), np.uint8)
    padded[:, 4 - size :] = whole ^ np.uint8(128) if size == 1 else whole  # one byte alone has no sign
    return padded.view("<i4").reshape(-1, channels) / 2.0**31, own


def read_other(content: bytes, name: str, rate: int, most: int | None) -> tuple[np.ndarray, int]:
    """Samples (n, channels) of a file in another format, and its rate; raise ValueError where it cannot be read."""
    try:
        soundfile = importlib.import_module("soundfile")
    except ImportError as error:
        raise ValueError(
            f"{name}: is not a WAV file of whole numbers. Try: pip install soundfile, which reads FLAC, Ogg and MP3 too"
        ) from error
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            own, log = int(file.samplerate), str(file.extra_info)
            promised, count = int(file.frames), wanted(own, rate, most)
            count = promised if count < 0 else min(count, promised)
            samples = np.asarray(file.read(count, dtype="float64", always_2d=True))
    except soundfile.LibsndfileError as error:  # whose text would name the stream, not the file
        raise ValueError(f"{name}: cannot be read as a sound ({error.error_string.strip().rstrip('.')})") from error
    except RuntimeError as error:
        raise ValueError(f"{name}: cannot be read as a sound ({error})") from error
    if ends_early(content, log) or len(samples) < count - SLACK:
        raise ValueError(f"{name}: {TRUNCATED}")
    return samples, own


def ends_early(content: bytes, log: str) -> bool:
    """Does a file end before its declared length (WAV, AIFF) or within a page (Ogg)? log: of libsndfile, about it."""
    if content.startswith(b"OggS"):
        start = content.rfind(b"OggS")
        segments = content[start + 27 : start + 27 + content[start + 26]] if len(content) > start + 26 else b""
        return not segments or len(content) < start + 27 + len(segments) + sum(segments)
    declared = DECLARED.search(log)
    return declared is not None and int(declared[2]) < int(declared[1]) < ENDLESS


def resample(samples: np.ndarray, own: int, rate: int, name: str) -> np.ndarray:
    """Samples (n,) at another rate."""
    try:
        signal = importlib.import_module("scipy.signal")
    except ImportError as error:
        raise ValueError(
            f"{name}: has {own:,} Hz, but this model reads {rate:,}. Try: pip install scipy, which resamples it"
        ) from error
    common = math.gcd(own, rate)
    return np.asarray(signal.resample_poly(samples, rate // common, own // common))
