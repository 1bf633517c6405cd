"""Decodes WAV, FLAC, Ogg, Opus and MP3 files to samples with one channel and a given rate.

    sound = open_sound(path.read_bytes(), rate=16000, most=80000)   # the first five seconds

Only the needed part is decoded, so a small file that unpacks to hours does not fill the memory.
"""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.errors import DataError

if TYPE_CHECKING:
    from types import ModuleType

    from soundfile import SoundFile

RATES = (4_000, 384_000)  # Hz, of files
MOST_CHANNELS = 32
MARGIN_S = 0.01  # decoded beyond the needed part, since resampling looks this far ahead
FULL_SCALE, CLIPPED = 0.999, 0.001  # a sound is clipped if more than this share of its samples is at full scale
LOUDEST = 16.0  # some formats store samples above 1; a file with larger ones than this uses another scale
SLACK = 2 * 1152  # samples, i.e. two frames, by which an MP3 may fall short of its declared length
ENDLESS = 0x7FFF0000  # bytes: a WAV header declares at least this if the file was written to a pipe, length unknown
DECLARED = re.compile(r"(?:data|SSND)\s*:\s*(\d+) \(should be (\d+)\)")  # how libsndfile logs a wrong length


class SoundError(ValueError):
    """A sound that cannot be used; the message says what is wrong with it, without a subject: "has no samples"."""


@dataclass(frozen=True)
class Sound:
    """The beginning of a sound, and facts about its file."""

    samples: np.ndarray  # (n,) float32 from -1 to 1, the mean of the channels, at the requested rate
    rate: int  # of the file, Hz
    channels: int
    seconds: float  # of the whole file
    is_clipped: bool


def soundfile() -> ModuleType:
    """Return the decoding library; DataError, with how to install it, if it is missing."""
    try:
        import soundfile as library
    except (ImportError, OSError) as error:  # OSError: without libsndfile
        raise DataError("reading sounds needs the package soundfile. Try: pip install 'bertier[audio]'") from error
    return library


def open_sound(content: bytes, *, rate: int, most: int | None = None) -> Sound:
    """Decode the beginning of a sound file.

    rate: of the returned samples, Hz; most: their maximum number. Raises SoundError for content that is not a complete,
    valid sound.
    """
    if not content:
        raise SoundError("is empty")
    library = soundfile()
    try:
        with library.SoundFile(_Stream(content)) as file:
            return _read(file, content, rate, most)
    except library.LibsndfileError as error:
        reason = error.error_string.strip().rstrip(".")
        raise SoundError(f"is not a complete sound file that libsndfile can read ({reason})") from error


class _Stream(io.BytesIO):
    """A byte stream that clamps seeks before its start to 0: libmpg123 seeks there, which would print a traceback."""

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: self.getbuffer().nbytes}[whence]
        return super().seek(max(0, start + offset))


def _read(file: SoundFile, content: bytes, rate: int, most: int | None) -> Sound:
    """Decode the samples of an open file and check them."""
    found = int(file.samplerate)
    if not RATES[0] <= found <= RATES[1]:
        raise SoundError(f"has a sampling rate of {found:,} Hz; {RATES[0]:,} to {RATES[1]:,} can be read")
    if file.channels > MOST_CHANNELS:
        raise SoundError(f"has {file.channels} channels; at most {MOST_CHANNELS} can be read")
    wanted = file.frames if most is None else min(file.frames, math.ceil((most / rate + MARGIN_S) * found))
    samples = file.read(wanted, dtype="float32", always_2d=True)
    if _is_truncated(file, content) or len(samples) < wanted - SLACK:
        raise SoundError("is truncated: it ends before what its header promises")
    if not len(samples):
        raise SoundError("has no samples")
    if not np.isfinite(samples).all():
        raise SoundError("has samples that are not numbers (NaN or infinite)")
    loudest = np.abs(samples)
    if loudest.max() > LOUDEST:
        raise SoundError(f"has samples up to {loudest.max():,.6g}; -1 to 1 is expected")
    mono = resample(samples.mean(axis=1), found, rate)
    is_clipped = bool((loudest >= FULL_SCALE).mean() > CLIPPED)
    return Sound(mono[:most], found, file.channels, file.frames / found, is_clipped)


def _is_truncated(file: SoundFile, content: bytes) -> bool:
    """Does a file end before its declared length (WAV, AIFF) or within a page (Ogg)? FLAC would fail to decode."""
    if file.format == "OGG":
        start = content.rfind(b"OggS")
        segments = content[start + 27 : start + 27 + content[start + 26]] if len(content) > start + 26 else b""
        return not segments or len(content) < start + 27 + len(segments) + sum(segments)
    declared = DECLARED.search(file.extra_info)
    return declared is not None and int(declared[2]) < int(declared[1]) < ENDLESS


def resample(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Resample samples (n,) from one rate to another with a polyphase filter; return float32."""
    if rate == wanted:
        return samples
    from scipy.signal import resample_poly

    shared = math.gcd(rate, wanted)
    return np.asarray(resample_poly(samples, wanted // shared, rate // shared), np.float32)
