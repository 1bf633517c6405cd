"""Answers within a time limit: each text at the best searched lengths that are fast enough for it on this machine.

Every choice of lengths is timed when the model is opened, from a text to its answer, for texts of several token counts.
A text's lengths depend on its own tokens and its own limit alone, so its answer does not depend on its batch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from data.inputs.request import Asked
from models.backbones.lengths import Lengths
from models.compression.structured.layer_widths import encoder_of
from runner.deploy.answer_table import Answer
from runner.deploy.budgets import lengths_entry
from runner.deploy.bundle.calibration import Calibration
from runner.deploy.exported import ExportedModel
from runner.deploy.predictor import OTHER_LENGTHS, Predictor
from runner.errors import ConfigError

__all__ = ["Predictor", "TimedPredictor"]

SIZES = (16, 64, 128, 256, 512)  # tokens of the texts that are timed, as far as the model reads so many
ROUNDS = 7
SEVERAL_LENGTHS = "with max_ms= answers are computed at several lengths, and calibrated at one at most"
WORD = "film "  # of which they consist
CHOICES = 8  # that are timed, evenly spaced in cost


@dataclass(frozen=True)
class Speed:
    """One choice of lengths: its cost and score in the search, and its times here."""

    lengths: Lengths | None  # None: all tokens
    share: float
    score: float
    ms: tuple[float, ...]  # by the entries of `TimedPredictor.sizes`


class TimedPredictor(Predictor):
    """A predictor that keeps a limit in milliseconds for each text; with its shortest lengths if it cannot."""

    def __init__(self, exported: ExportedModel, threads: int, max_ms: float) -> None:
        """Raises ConfigError for a model without searched lengths, and for a limit below the shortest."""
        choices, mode = lengths_entry(exported)
        super().__init__(exported, threads)
        self.max_ms, self.typical = max_ms, choices[-1].tokens or SIZES[1]
        some = sorted({round(place) for place in np.linspace(0, len(choices) - 1, CHOICES)})
        kept = [(choices[place], Lengths(choices[place].lengths, mode) if choices[place].lengths else None)  # type: ignore[arg-type]
                for place in some]  # fmt: skip
        self.own, self.fitted = encoder_of(self.model).lengths, self.calibration
        self.sizes, times = self._time([lengths for _, lengths in kept])
        self.speeds = [Speed(lengths, one.share, one.score, ms) for (one, lengths), ms in zip(kept, times)]
        if self.fitted.is_calibrated and any(speed.lengths != self.own for speed in self.speeds):
            self.calibration = Calibration(problem=SEVERAL_LENGTHS)  # of all answers, so it does not change with them
        if self.least_ms(self.typical) > max_ms:
            raise ConfigError(
                f"max_ms={max_ms:g}: the shortest lengths take {self.least_ms(self.typical):.3g} ms here for a text of "
                f"{self.typical} tokens. Try: max_ms={_rounded_up(self.least_ms(self.typical)):g}"
            )

    def describe(self) -> str:
        """Return a sentence for the terminal on how fast texts are answered."""
        speed = self.choose(self.typical, self.max_ms)
        fastest, slowest = self.speeds[0], self.speeds[-1]
        return (
            f"max_ms={self.max_ms:g}: a text of {self.typical} tokens takes {self.ms(speed, self.typical):.2g} ms at "
            f"{speed.share:.0%} of the multiply-adds; a request may set another limit, "
            f"{self.ms(fastest, self.typical):.2g} to {self.ms(slowest, self.typical):.2g} ms"
        )

    def ms(self, speed: Speed, tokens: int) -> float:
        """Return the time of a text of this many tokens, from the times measured at the start."""
        return float(np.interp(tokens, self.sizes, speed.ms))

    def tokens(self, asked: Asked) -> Sequence[int]:
        """Return how many tokens of each question are read."""
        found: list[int] = asked.read_lengths.tolist()
        return found

    def least_ms(self, tokens: int) -> float:
        """Return the time of the fastest lengths for such a text."""
        return min(self.ms(speed, tokens) for speed in self.speeds)

    def choose(self, tokens: int, max_ms: float) -> Speed:
        """Return the best lengths within the limit; the fastest if there are none."""
        within = [speed for speed in self.speeds if self.ms(speed, tokens) <= max_ms]
        if not within:
            return min(self.speeds, key=lambda speed: self.ms(speed, tokens))
        return max(within, key=lambda speed: (speed.score, -speed.share))

    def answers(self, asked: Asked, batch_size: int) -> list[Answer]:
        """Return one answer for each question, within the limit that the predictor was opened with."""
        return self.answers_within(asked, [self.max_ms] * len(asked.texts), batch_size)

    def answers_within(self, asked: Asked, limits: Sequence[float], batch_size: int) -> list[Answer]:
        """Return one answer for each question, within its own limit in milliseconds; asked: as `ask` returned it."""
        chosen = [self.speeds.index(self.choose(n, limit)) for n, limit in zip(self.tokens(asked), limits)]
        answers: list[Answer] = [{}] * len(chosen)
        for place in sorted(set(chosen)):
            rows = [row for row, one in enumerate(chosen) if one == place]
            part = asked if len(rows) == len(chosen) else asked.take(rows)
            calibration = self._set(self.speeds[place].lengths)
            for row, answer in zip(rows, self.answers_by(calibration, part, batch_size)):
                answers[row] = answer
        return answers

    def _set(self, lengths: Lengths | None) -> Calibration:
        """Compute with these lengths; return their calibration, which only those of the saved model have."""
        encoder_of(self.model).lengths = lengths
        return self.fitted if lengths == self.own else Calibration(problem=OTHER_LENGTHS)

    def _time(self, lengths: Sequence[Lengths | None]) -> tuple[list[int], list[tuple[float, ...]]]:
        """Return the token counts that were timed, and for each choice of lengths the milliseconds of each count."""
        most = self.exported.max_length
        texts = [WORD * max(1, size - 2) for size in (*(size for size in SIZES if size < most), most)]
        pairs = [""] if self.exported.is_pair else None
        sizes = [int(self.ask([text], pairs).read_lengths[0]) for text in texts]
        times = np.zeros((ROUNDS, len(lengths), len(texts)))
        with torch.inference_mode():
            for turn in range(ROUNDS):
                for place, one in enumerate(lengths):
                    encoder_of(self.model).lengths = one
                    for number, text in enumerate(texts):
                        start = time.perf_counter()
                        super().answers(self.ask([text], pairs), 1)
                        times[turn, place, number] = 1000 * (time.perf_counter() - start)
        self._set(self.own)
        found = times[1:].min(0)  # other work on the machine only adds; the first round warms up
        return sizes, [tuple(map(float, row)) for row in found]


def _rounded_up(ms: float) -> float:
    """Add a tenth to milliseconds and keep two digits: times differ from start to start."""
    return float(f"{1.1 * ms:.2g}")
