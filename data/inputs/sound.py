"""One sound as the input of a row: frames of features, which are scaled when a batch is built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from data.errors import DataError
from data.inputs.columns import Columns
from data.inputs.padding import padded_index
from data.inputs.request import Asked, Field
from data.inputs.sound_features import SoundFeatures
from data.inputs.sound_file import SoundError, open_sound
from data.inputs.tokenizer import Tokenizer
from data.inputs.truncation import END
from data.inputs.word_cache import Encoded
from data.json_types import Json, JsonObject
from data.labels import Labels
from data.splits import Arrays, TokenSplit

SOUND = "sound"  # the column with the bytes of sound files
MAX_MB = 20.0  # default maximum file size (data.max_mb)


class Sound:
    """A sound as frames of features."""

    name: ClassVar[str] = "sound"
    reads_words: ClassVar[bool] = False
    options: ClassVar[tuple[str, ...]] = ("max_mb",)
    columns: tuple[str, ...] = (SOUND,)
    truncate: str = END

    def __init__(self, features: SoundFeatures, max_mb: float = MAX_MB) -> None:
        self.features, self.max_mb = features, max_mb  # max_mb: maximum size of a file in a question
        self.tokenizer: Tokenizer = features

    def encode(self, columns: Columns, max_length: int) -> Encoded:
        """Return sounds as unscaled frames (all frames, F) float16, at most `max_length` per row.

        Raises DataError for content that is not a sound.
        """
        contents = columns[SOUND]
        return self._encode(contents, ["a sound"] * len(contents), max_length)[0]

    def _encode(self, contents: Sequence[bytes], names: Sequence[str], max_length: int) -> tuple[Encoded, np.ndarray]:
        """Return sounds as frames, and the frame count of each before cutting; names: of the sounds, for messages."""
        most = self.features.longest(max_length)
        rows, is_cut, whole = list[np.ndarray](), list[bool](), list[int]()
        for content, name in zip(contents, names):
            try:
                sound = open_sound(content, rate=self.features.rate, most=most)
            except SoundError as error:
                raise DataError(f"{name} {error}. Try: convert it to WAV or FLAC, or leave it out") from error
            rows.append(self.features.frames(sound.samples, max_length))
            samples = round(sound.seconds * self.features.rate)
            is_cut.append(samples > most)
            # A sound may lose samples that would not have filled another frame; it still counts as longer.
            whole.append(max(self.features.count(samples), len(rows[-1]) + 1) if is_cut[-1] else len(rows[-1]))
        lengths = np.array([len(row) for row in rows], np.int64)
        found = Encoded(np.concatenate(rows), lengths, lengths, sum(is_cut), is_cut=np.array(is_cut))
        return found, np.array(whole, np.int64)

    def collate(self, split: TokenSplit, rows: np.ndarray, lookup: np.ndarray | None = None) -> Arrays:
        """Return the rows scaled, and padded with zeros to the longest of them, in their order.

        `input_ids` (B, T, F) float32, instead of token ids; the first frame of a row is zeros if a learned vector
        replaces it. `attention_mask` (B, T), 1 for frames, unless nothing is padded. lookup: ignored.
        """
        index, real = padded_index(split.offsets, rows)
        frames = self._scaled(np.asarray(split.tokens)[index])
        if real.all():
            return {"input_ids": frames}
        frames[~real] = 0.0
        return {"input_ids": frames, "attention_mask": real.astype(np.int64)}

    def _scaled(self, frames: np.ndarray) -> np.ndarray:
        """Scale frames (B, T, F) with the training rows' statistics, float32; special frames stay 0."""
        mean, sd = self.features.scale
        scaled = (frames.astype(np.float32) - mean) / sd
        if self.features.special_tokens:
            scaled[:, 0] = 0.0
        return np.asarray(scaled)

    def example(self, split: TokenSplit, batch_size: int, length: int, *, seed: int = 0) -> Arrays:
        """Return unpadded inputs (batch_size, length, F) whose frames are drawn from those of the split."""
        places = np.random.default_rng(seed).integers(len(split.tokens), size=(batch_size, length))
        frames = self._scaled(np.asarray(split.tokens)[places])
        return {"input_ids": frames, "attention_mask": np.ones((batch_size, length), np.int64)}

    @classmethod
    def columns_of(cls, setting: Callable[[str], Json]) -> tuple[str, ...]:
        """Return the name of a run's column of sounds; setting: the value of a setting such as data.audio."""
        return (str(setting("data.audio")),)

    @classmethod
    def for_questions(cls, tokenizer: Tokenizer, columns: tuple[str, ...], options: JsonObject) -> Self:
        """Return the input of a model that was trained on sounds; DataError for a tokenizer of texts."""
        return cls(require_features(tokenizer, "a model of sounds"), float(options.get("max_mb", MAX_MB)))

    def request(self) -> tuple[Field, ...]:
        """Return one sound."""
        return (Field("sound", "sound", "A sound file"),)

    def ask(self, columns: Sequence[Sequence[bytes | str | Path]], max_length: int) -> Asked:
        """Return sounds prepared for the model; DataError for one that cannot be used.

        columns: the content of each file, or its path.
        """
        contents = [read_file(sound, self.max_mb) for sound in columns[0]]
        names = [f"sound {n}" if isinstance(sound, bytes) else str(sound) for n, sound in enumerate(columns[0], 1)]
        found, whole = self._encode(contents, names, max_length)
        offsets = np.concatenate([[0], np.cumsum(found.lengths)])
        labels = Labels(np.zeros(len(contents), np.int64))
        split = TokenSplit("sounds", found.tokens, offsets, found.segment_starts, labels, found.truncated, self)
        assert found.is_cut is not None, "it is told of every sound"
        longest = min(max_length, self.features.count(self.features.longest(max_length)))
        return Asked(split, lambda: whole, found.is_cut, names, longest=longest)


def read_file(sound: bytes | str | Path, max_mb: float) -> bytes:
    """Return the content of a sound file, given directly or by its path; DataError if it is too large."""
    if isinstance(sound, bytes):
        size, name = len(sound), "the sound"
    else:
        path, name = Path(sound).expanduser(), str(sound)
        if not path.is_file():
            raise DataError(f"{name}: no such file. Try: the path of a sound file (WAV, FLAC, Ogg, Opus or MP3)")
        size = path.stat().st_size
    if size > max_mb * 1e6:
        raise DataError(f"{name} is {size / 1e6:,.1f} MB; up to {max_mb:g} MB can be read. Try: cut or compress it")
    return sound if isinstance(sound, bytes) else path.read_bytes()


def require_features(tokenizer: Tokenizer, purpose: str) -> SoundFeatures:
    """Return the features; DataError for a tokenizer of texts, which cannot be used for the purpose."""
    if not isinstance(tokenizer, SoundFeatures):
        raise DataError(
            f"{purpose} reads features of sounds, but model.tokenizer={tokenizer.source} is for texts. "
            "Try: model=tiny-sound"
        )
    return tokenizer
