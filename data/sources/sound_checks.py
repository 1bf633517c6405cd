"""Decodes every sound once before use; rows with unusable sounds are refused or dropped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.inputs.log_mel import LOG_MEL
from data.inputs.sound_features import SoundFeatures
from data.inputs.sound_file import SoundError, open_sound
from data.settings import DataSettings
from data.stores.build_once import SharedCache, checksum

FORMAT = 2  # raise when sounds are decoded or checked in another way
FACTS, CHECKSUM = "facts.npz", "sha256"
SHOWN = 5  # rows in a message


@dataclass(frozen=True)
class SoundFacts:
    """Facts about sounds found by decoding, in arrays with one value per row."""

    problems: np.ndarray  # text: what is wrong with it; "": nothing
    rates: np.ndarray  # int64, Hz, of the file
    channels: np.ndarray  # int64
    clipped: np.ndarray  # bool
    seconds: np.ndarray  # float64, of the whole file
    samples: np.ndarray  # uint64: hash of the samples that are read


FIELDS = tuple(field.name for field in fields(SoundFacts))


def longest(settings: DataSettings) -> int:
    """Return the maximum number of samples that a model reads of a sound with these settings."""
    joined = settings.average_frames * settings.stack_frames
    features = SoundFeatures(LOG_MEL, settings.rate, settings.seconds, joined, special_tokens=False)
    return features.longest(settings.max_length)


def sound_facts(
    contents: Iterable[bytes | None], digests: np.ndarray, settings: DataSettings, where: str, cache: SharedCache
) -> SoundFacts:
    """Return the facts of sounds, from the cache if it has them.

    contents: of the files, read only if they must be decoded; None for a missing file. digests: (rows, 32) uint8, of
    the files. where: the split's name, for the user.
    """
    most, largest = longest(settings), settings.max_mb
    parts = json.dumps([FORMAT, settings.rate, most, largest, hashlib.sha256(digests.tobytes()).hexdigest()])
    path = cache.folder / "sounds" / hashlib.sha256(parts.encode()).hexdigest()[:20]

    def build(folder: Path) -> None:
        cache.tell(f"decoding {counted(len(digests), 'sound')} of {where}")
        rows = [_facts(content, settings.rate, most, largest) for content in contents]
        columns: dict[str, Any] = {name: np.array(of) for name, of in zip(FIELDS, zip(*rows))}
        np.savez(folder / FACTS, **columns)
        (folder / CHECKSUM).write_text(checksum(folder / FACTS), encoding="ascii")

    return cache.open_or_build(path, _opened, build, damaged=f"{path} is damaged; decoding the sounds again")


def _opened(folder: Path) -> SoundFacts | None:
    """Read stored facts; None if they are missing or damaged."""
    try:
        if (folder / CHECKSUM).read_text(encoding="ascii") != checksum(folder / FACTS):
            return None
        with np.load(folder / FACTS) as found:
            return SoundFacts(**{name: found[name] for name in found.files})
    except (OSError, ValueError, TypeError):
        return None


def _facts(content: bytes | None, rate: int, most: int, max_mb: float) -> tuple[str, int, int, bool, float, np.uint64]:
    """Decode one sound; return its facts in the order of SoundFacts."""
    try:
        if content is None:
            raise SoundError("is missing")
        if len(content) > max_mb * 1e6:
            raise SoundError(f"is {len(content) / 1e6:,.1f} MB, but data.max_mb={max_mb:g}")
        sound = open_sound(content, rate=rate, most=most)
    except SoundError as error:
        return str(error), 0, 0, False, 0.0, np.uint64(0)
    samples = np.frombuffer(hashlib.sha256(sound.samples.tobytes()).digest()[:8], np.uint64)[0]
    return "", sound.rate, sound.channels, sound.is_clipped, sound.seconds, samples


def usable_rows(
    facts: SoundFacts, numbers: np.ndarray, names: Sequence[str], settings: DataSettings, where: str
) -> np.ndarray:
    """Return the rows whose sound can be used, (rows,); DataError for others unless data.missing=drop.

    numbers, names: (rows,) row numbers and file names, for messages.
    """
    bad = np.flatnonzero(facts.problems != "")
    if len(bad) and (settings.missing == "refuse" or len(bad) == len(numbers)):
        shown = "; ".join(f"row {numbers[row]}: {names[row]} {facts.problems[row]}" for row in bad[:SHOWN])
        shown += "; ..." if len(bad) > SHOWN else ""
        cure = "data.missing=drop, or replace them" if len(bad) < len(numbers) else "another column with data.audio=..."
        raise DataError(
            f"{where}: {len(bad):,} of {len(numbers):,} rows have no sound that can be used ({shown}). Try: {cure}"
        )
    return np.flatnonzero(facts.problems == "")


def notes_on_sounds(splits: Sequence[SoundFacts], settings: DataSettings) -> list[str]:
    """Return notes on sounds that are resampled or mixed down to one channel, and on how many are clipped."""
    rates, channels, clipped, total = Counter[int](), Counter[int](), 0, 0
    for facts in splits:
        used = facts.problems == ""
        rates.update(facts.rates[used].tolist())
        channels.update(facts.channels[used].tolist())
        clipped += int(facts.clipped[used].sum())
        total += int(used.sum())
    found = []
    if several := channels.total() - channels[1]:
        found.append(f"{several:,} of {total:,} sounds have several channels, and the mean of the channels is used")
    if others := rates.total() - rates[settings.rate]:
        seen = ", ".join(f"{rate:,} Hz" for rate, _ in rates.most_common(SHOWN) if rate != settings.rate)
        low = ", which adds nothing above half of their rate" if min(rates) < settings.rate else ""
        found.append(
            f"{others:,} of {total:,} sounds have another rate ({seen}) and are resampled to {settings.rate:,} Hz{low}"
        )
    if clipped:
        found.append(f"{clipped:,} of {total:,} sounds are clipped: more than 0.1 % of their samples are at full scale")
    return found
