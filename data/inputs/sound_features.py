"""Audio features take the role of a tokenizer for sounds: they define the rows of frames and a model's scaling.

found = SoundFeatures("log_mel", rate=16000, seconds=5.0)     # model.tokenizer=log_mel
found = found.fitted(train.tokens, train.offsets)             # with the mean and deviation of each feature
found.save(folder)                                            # sound.json, which load_tokenizer opens again
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar, NoReturn, Self

import numpy as np

from data.errors import DataError
from data.inputs.log_mel import BANDS, COEFFICIENTS, FLOOR, KINDS, STEP_S, features, width
from data.inputs.word_cache import Encoded
from data.json_types import JsonObject
from data.settings import DataSettings

SOUND_FILE = "sound.json"
FACTS = {"format": 1, "window_s": 2 * STEP_S, "step_s": STEP_S, "bands": BANDS, "mfcc": COEFFICIENTS, "floor": FLOOR}
CHUNK = 1 << 16  # frames in memory at a time
CONSTANT = 1e-5  # a feature with a smaller deviation is constant; only its mean is subtracted


@dataclass(frozen=True)
class SoundFeatures:
    """The features of sounds, and the mean and standard deviation of each over the training rows."""

    source: str  # log_mel or mfcc, the value of model.tokenizer
    rate: int  # Hz
    seconds: float | None = None  # length of every sound; None: the original length
    average: int = 4  # number of neighbouring frames replaced by their mean
    special_tokens: bool = True  # does each row begin with a frame of zeros? Models replace it with a learned vector
    mean: tuple[float, ...] = ()  # of each feature; () before `fitted`
    sd: tuple[float, ...] = ()
    stack: int = 1  # number of neighbouring means combined into one frame
    pad_id: ClassVar[int] = 0
    cleaning: ClassVar[tuple[str, ...]] = ()
    language: ClassVar[None] = None

    @property
    def vocab_size(self) -> int:
        """The number of features of a frame."""
        return width(self.source) * self.stack

    @cached_property
    def facts(self) -> JsonObject:
        """The settings that unscaled frames depend on, as stored in sound.json."""
        own = {"rate": self.rate, "seconds": self.seconds, "average": self.average, "first": self.special_tokens}
        stacked = {} if self.stack == 1 else {"stack": self.stack}  # files of older models lack it
        return {"features": self.source, **FACTS, **own, **stacked}

    @property
    def content(self) -> JsonObject:
        """The content of sound.json: the settings of the frames, and their scaling."""
        return self.facts | {"mean": list(self.mean), "sd": list(self.sd)}

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that unscaled frames depend on; folds share them and differ only in their scaling."""
        return hashlib.sha256(json.dumps(self.facts, sort_keys=True).encode()).hexdigest()

    def cleaned_by(self, steps: tuple[str, ...]) -> Self:
        """Return these features; DataError for steps, which are for texts."""
        if steps:
            raise DataError("data.clean cleans texts, but these are sounds. Try: data.clean=null")
        return self

    def longest(self, max_length: int) -> int:
        """Return the maximum number of samples read of a sound for `max_length` frames, the special one included."""
        frames = (max_length - self.special_tokens) * self.average * self.stack
        samples = (frames + 1) * round(STEP_S * self.rate)
        return samples if self.seconds is None else min(samples, round(self.seconds * self.rate))

    def count(self, samples: int) -> int:
        """Return how many frames this many samples have before cutting, the special frame included."""
        return (1 + samples // round(STEP_S * self.rate)) // self.average // self.stack + self.special_tokens

    def frames(self, samples: np.ndarray, max_length: int) -> np.ndarray:
        """Return the row of a sound, (T, F) float16 and unscaled, at most `max_length` frames.

        samples: (n,) from -1 to 1, at `rate`.
        """
        found = features(
            samples, self.source, rate=self.rate, seconds=self.seconds, average=self.average, stack=self.stack
        )
        if self.special_tokens:
            found = np.pad(found, ((1, 0), (0, 0)))
        return found[:max_length].astype(np.float16)

    def fitted(self, tokens: np.ndarray, offsets: np.ndarray) -> Self:
        """Return the features with the mean and standard deviation of each over these rows.

        tokens: (all frames, F) unscaled; offsets: (rows + 1,) where rows begin. The special frame at the beginning of a
        row, which a learned vector replaces, does not count.
        """
        counts = np.ones(len(tokens), bool)
        if self.special_tokens:
            counts[np.asarray(offsets[:-1])] = False
        total, center = max(1, int(counts.sum())), np.zeros(self.vocab_size)
        for power in (1, 2):  # first the mean, then deviations from it: a plain sum of squares would lose precision
            moment = np.zeros(self.vocab_size)
            for start in range(0, len(tokens), CHUNK):
                part = np.asarray(tokens[start : start + CHUNK], np.float64)[counts[start : start + CHUNK]]
                moment += ((part - center) ** power).sum(axis=0)
            center = moment / total if power == 1 else center
        sd = np.sqrt(moment / total)
        return replace(self, mean=tuple(center.tolist()), sd=tuple(np.where(sd < CONSTANT, 1.0, sd).tolist()))

    @cached_property
    def scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of the features, (F,) float32 each; DataError if they are not known."""
        if not self.mean:
            raise DataError("the features of these sounds have no scaling yet. Open the model that has it")
        return np.array(self.mean, np.float32), np.array(self.sd, np.float32)

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Raise DataError: texts are not sounds."""
        self._refuse()

    def tokens(self) -> list[str]:
        """Raise DataError: there is no list of tokens."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise DataError(
            f"model.tokenizer={self.source} is for sounds, but this needs the tokens of texts. "
            "Try: a model of texts, such as model=bert-tiny"
        )

    def decode(self, ids: list[int]) -> str:
        """Return a description with the number of frames, since sounds have no text."""
        return f"{len(ids)} frames of {self.vocab_size} features"

    def save(self, folder: Path, longest: int | None = None) -> None:
        """Write the file from which a saved model restores these features; `longest` is ignored."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SOUND_FILE).write_text(json.dumps(self.content, indent=2), encoding="utf-8")


def features_of(source: str, settings: DataSettings, special_tokens: bool) -> SoundFeatures:
    """Return the features of a run, with the scaling of a saved model if `source` is its folder.

    source: the value of model.tokenizer. Raises DataError for a folder whose features differ from the settings.
    """
    name = source if source in KINDS else open_features(Path(source).expanduser()).source
    wanted = SoundFeatures(
        name, settings.rate, settings.seconds, settings.average_frames, special_tokens, stack=settings.stack_frames
    )
    if source in KINDS:
        return wanted
    found = open_features(Path(source).expanduser())
    own, asked = ({"stack": 1} | each.facts for each in (found, wanted))
    if other := [f"{key} {own[key]}" for key, value in asked.items() if own[key] != value]:
        raise DataError(f"model.tokenizer={source} has other features than these data: {', '.join(other)}. Set them so")
    return found


def open_features(folder: Path) -> SoundFeatures:
    """Open the features of a saved folder; DataError if its file describes other features than this version's."""
    path = folder / SOUND_FILE
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read ({error}). Try: copy the model folder again") from error
    try:
        name, rate, seconds, average = facts["features"], facts["rate"], facts["seconds"], facts["average"]
        stack = int(facts.get("stack", 1))
        if any(facts[key] != value for key, value in FACTS.items()) or name not in KINDS:
            raise ValueError("describes features that this version cannot compute")
        mean, sd = tuple(map(float, facts["mean"])), tuple(map(float, facts["sd"]))
        found = SoundFeatures(
            name, int(rate), seconds and float(seconds), int(average), bool(facts["first"]), mean, sd, stack
        )
        if (
            stack < 1
            or not {len(mean), len(sd)} <= {0, found.vocab_size}
            or not np.isfinite([*mean, *sd]).all()
            or min(sd, default=1) <= 0
        ):
            raise ValueError(f"needs a mean and a standard deviation for each of {found.vocab_size} features")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = f"has no {error}" if isinstance(error, KeyError) else error
        raise DataError(f"{path} {reason}. Try: copy the model folder again, or update Bertier") from error
    return found
