"""How many bytes, microseconds and seconds a candidate will take; bytes and times are kept for the next plan."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from data.json_types import JsonObject
from models.settings import OVER_NGRAMS
from runner.best.plan.draft import Draft, Drawer, stages_that_run
from runner.best.plan.rates import Rates, embedding_units
from runner.best.plan.twin import time_twin
from runner.best.types import Facts
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.config.sized import with_rows
from runner.deploy.answer_time import GRAPHS, delivered
from runner.record.identity import identity_settings
from runner.schema import Settings
from runner.version import NUMBERS, VERSION

FORMAT = 4  # raise when drafts are made in another way
CAP = "model.max_kb="  # an n-gram model whose file is smaller has all of its n-grams, whatever the cap
START_S = 3.0  # of a run: its process, its data from the cache, evaluation, saving
TIMING_S, GRAPH_S = 4.0, 10.0  # of timing its answers, where there is a cap on time; of writing a graph for that
ROUNDS_OF_FIT = 150  # products with the matrix that a fit of a linear model takes, two a step
LOOP = 2.0  # times the multiply-adds alone, that a training step takes
STEP_S = 6e-4  # of an optimizer step beside its arithmetic


@dataclass(frozen=True)
class Estimate:
    """The costs that a candidate will have."""

    bytes: int
    least: int  # bytes that the trained model has at the least
    micros: float | None  # None: not asked for
    seconds: float
    shape: tuple[int, ...] = ()  # of its numbers: two candidates of a kind with equal ones are the same model
    text_s: float = 0.0  # seconds of one answer, in batches
    engine: str | None = None  # of the bundle that answers in these microseconds


@dataclass(frozen=True)
class Training:
    """The settings of a candidate that its time depends on."""

    family: str
    epochs: float
    batch_size: int
    threads: int


class Estimator:
    """Estimates candidates for the same rows on the same machine."""

    def __init__(
        self, drawer: Drawer, words: Sequence[str], settings: Settings, facts: Facts, rates: Rates,
        machine: str | None = None, most: float | None = None, most_bytes: float = math.inf,
    ) -> None:  # fmt: skip
        """words, settings: of the command, to which a candidate adds.

        machine: its class, None: no answer is timed. most: microseconds of an answer. most_bytes: of a model that is
        timed.
        """
        self.drawer, self.words, self.facts, self.rates = drawer, words, facts, rates
        self.machine, self.most, self.most_bytes = machine, most, most_bytes
        self._timed: dict[str, dict[str, float]] = {}  # times of answers by what they depend on
        self._common = [FORMAT, VERSION, NUMBERS, drawer.rows.fingerprints, identity_settings(settings)]

    def estimate(self, words: Sequence[str], work: str, passes: float) -> Estimate:
        """Estimate a candidate by its overrides; work, passes: of its kind. Raises the user's errors."""
        draft, training, times = self._known(words)
        engine = delivered(times, self.most) if times else None
        timing = TIMING_S + GRAPH_S * GRAPHS.count(engine or "") if engine else 0.0
        seconds = round(timing + self._seconds(training, draft, work, passes), 1)
        shape = (draft.bytes, draft.params, draft.width)
        text_s = self._forward(draft, training) if work == "dense" else 0.0
        micros = times[engine] if engine else None
        return Estimate(draft.bytes, draft.least, micros, seconds, shape, text_s, engine)

    def _known(self, words: Sequence[str]) -> tuple[Draft, Training, dict[str, float]]:
        """The draft of a candidate and the times of its answers by engine, from the cache where they are there."""
        path, free = self._path(words), self._path([word for word in words if not word.startswith(CAP)])
        cap = next((word.removeprefix(CAP) for word in words if word.startswith(CAP)), "null")
        kept = read_kept(path)
        if not kept and is_below(read_kept(free), cap):
            path, kept = free, read_kept(free)
        answers = kept.get("answers", {})
        if "draft" in kept and self._is_enough(Draft(**kept["draft"]), answers.get(self.machine, {})):
            return Draft(**kept["draft"]), Training(**kept["training"]), answers.get(self.machine, {})
        command = [*self.words, *words]
        settings, _ = with_rows(resolve(compose(command), words=command), self.facts.train_rows)
        train = settings.train
        training = Training(settings.model.family, train.epochs, train.batch_size, train.threads or 1)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            draft = self.drawer.draft(settings, folder)
            if self.machine is not None and not self._is_enough(draft, {}):
                answers |= {self.machine: self._times(folder, settings, draft)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path = free if is_below({"draft": asdict(draft)}, cap) else path
        part = path.with_suffix(".part")
        content = {"draft": asdict(draft), "training": asdict(training), "answers": answers}
        part.write_text(json.dumps(content, sort_keys=True), encoding="utf-8")
        part.replace(path)
        return draft, training, answers.get(self.machine, {})

    def _times(self, folder: Path, settings: Settings, draft: Draft) -> dict[str, float]:
        """The times of the twin in `folder`, or those of one that computes the same on texts of the same length.

        Encoders differ in their vocabularies and in the bits of their weights, which a graph unpacks when it is opened.
        """
        same = json.dumps([draft.macs, round(draft.tokens), draft.width, stages_that_run(settings)], default=str)
        if draft.macs and same in self._timed:
            return self._timed[same]
        found = time_twin(folder, settings, self.drawer.rows, self.most)
        self._timed[same] = {engine: round(micros, 1) for engine, micros in found.items()}
        return self._timed[same]

    def _is_enough(self, draft: Draft, times: Mapping[str, float]) -> bool:
        """Is a model too large to be timed, or are all forms of its bundle that may be delivered?"""
        if self.machine is None or draft.least > self.most_bytes:
            return True
        fast, small = GRAPHS
        return bool(times) and (fast not in times or small in times or self.most is None or times[fast] <= self.most)

    def _path(self, words: Sequence[str]) -> Path:
        """The file in the cache for these overrides."""
        text = json.dumps([*self._common, list(words)], sort_keys=True, default=str)
        name = f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"
        return self.drawer.cache.folder / "best" / "drafts" / name

    def _seconds(self, training: Training, draft: Draft, work: str, passes: float) -> float:
        """The seconds of one run on all rows."""
        facts, is_over_ngrams = self.facts, training.family in OVER_NGRAMS
        rows, seen = facts.train_rows, facts.select_rows + facts.report_rows
        if work == "sparse":
            columns = draft.width if facts.classes is None or facts.classes > 2 else 1
            return START_S + draft.params * columns * passes * ROUNDS_OF_FIT / self.rates.sparse
        epochs = 0.0 if passes else training.epochs
        steps = epochs * rows / max(1, training.batch_size)
        if work == "embedding":
            table = 0 if is_over_ngrams else draft.params  # a step of AdamW reads all of it
            units = embedding_units(epochs * rows, draft.tokens, draft.width) + steps * table
            return START_S + units / self.rates.embedding + steps * STEP_S
        forwards = 3 * epochs * rows + max(1.0, epochs) * seen + passes * rows
        return START_S + forwards * self._forward(draft, training) + steps * STEP_S

    def _forward(self, draft: Draft, training: Training) -> float:
        """The seconds of a forward pass over one text."""
        return LOOP * draft.macs / (self.rates.dense * (1 + 0.8 * (training.threads - 1)))


def is_below(kept: JsonObject, cap: str) -> bool:
    """Is a model over n-grams below its cap, in kilobytes, so that another cap above its bytes changes nothing?"""
    return "draft" in kept and cap.isdigit() and kept["draft"]["bytes"] < 1000 * int(cap)


def read_kept(path: Path) -> JsonObject:
    """Return what the cache has of a candidate, {} where there is nothing or its file is damaged."""
    try:
        found: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
