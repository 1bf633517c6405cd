"""Estimates bytes, microseconds per answer and seconds of training of a candidate; bytes and times are cached."""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from data.json_types import JsonObject
from data.part_file import written_whole
from models.settings import OVER_NGRAMS
from runner.best.plan.draft import Draft, Drawer, stages_that_run
from runner.best.plan.rates import Rates, embedding_units
from runner.best.plan.twin import describe_twin, time_twin
from runner.best.types import Facts
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.config.sized import with_rows
from runner.deploy.answer_time import GRAPHS, INT8, delivered
from runner.deploy.reader_files import bundle_bytes
from runner.record.identity import identity_settings
from runner.schema import Settings
from runner.version import NUMBERS, VERSION

FORMAT = 7  # raise when drafts are made in another way
CAP = "model.max_kb="  # an n-gram model whose file is smaller has all of its n-grams, whatever the cap
START_S = 3.0  # of a run: its process, its data from the cache, evaluation, saving
TIMING_S, GRAPH_S = 4.0, 10.0  # of timing its answers, where there is a cap on time; of writing a graph for that
GRAPH_SHARE, GRAPH_BYTES = 0.05, 50_000  # the bundle of an encoder exceeds the run's files by at most this share
ROUNDS_OF_FIT = 150  # products with the matrix that a fit of a linear model takes, two a step
LOOP = 2.0  # a training step takes this many times the time of its multiply-adds
STEP_S = 6e-4  # overhead of an optimizer step, besides its arithmetic


@dataclass(frozen=True)
class Estimate:
    """The costs that a candidate will have."""

    bytes: int  # of the run's files, or of the bundle where that is known and has more
    least: int  # bytes that the trained model has at the least
    micros: float | None  # None: not asked for
    seconds: float
    shape: tuple[int, ...] = ()  # hash of its shapes: two candidates of a kind with equal ones are the same model
    text_s: float = 0.0  # seconds of one answer, in batches
    engine: str | None = None  # of the bundle that answers in these microseconds
    has_bundle: bool = False  # are these bytes exact, since the bundle of the twin was written?
    after_s: float = 0.0  # seconds of the run if its training is already done


@dataclass(frozen=True)
class Training:
    """The settings of a candidate that its time depends on."""

    family: str
    epochs: float
    batch_size: int
    threads: int


@dataclass(frozen=True)
class Known:
    """The draft, the times and the bundles of a candidate, as the cache keeps them."""

    draft: Draft
    training: Training
    answers: Mapping[str, Mapping[str, float]]  # microseconds by the class of the machine and the engine of the bundle
    bundles: Mapping[str, int | None]  # bytes by that engine; None: of a packed model, or of one without a bundle

    @classmethod
    def of(cls, kept: JsonObject) -> Known:
        """Return what a file of the cache says; raise KeyError, TypeError if it says nothing."""
        return cls(Draft(**kept["draft"]), Training(**kept["training"]), kept["answers"], kept["bundles"])


class Estimator:
    """Estimates candidates for the same rows on the same machine."""

    def __init__(
        self, drawer: Drawer, words: Sequence[str], settings: Settings, facts: Facts, rates: Rates,
        machine: str | None = None, most: float | None = None, most_bytes: float = math.inf, *,
        reported: float | None = None,
    ) -> None:  # fmt: skip
        """words, settings: of the command, to which a candidate adds.

        machine: its class, None: no answer is timed. most: microseconds of an answer. most_bytes: of a model that is
        timed. reported: rows that a run reports; None: all.
        """
        self.drawer, self.words, self.facts, self.rates = drawer, words, facts, rates
        self.machine, self.most, self.most_bytes = machine, most, most_bytes
        self.evaluated = facts.select_rows + (facts.report_rows if reported is None else reported)
        self._timed: dict[str, dict[str, float]] = {}  # times of answers by what they depend on
        self._common = [FORMAT, VERSION, NUMBERS, drawer.rows.fingerprints, identity_settings(settings)]

    def estimate(self, words: Sequence[str], work: str, passes: float) -> Estimate:
        """Estimate a candidate by its overrides; work, passes: of its kind. Raises the user's errors."""
        known = self._known(words)
        draft, times, engine = known.draft, self._times_in(known), self._engine_in(known)
        timing = TIMING_S + GRAPH_S * GRAPHS.count(engine or "") if engine else 0.0
        seconds = round(timing + self._seconds(known.training, draft, work, passes), 1)
        after_s = round(timing + self._seconds(replace(known.training, epochs=0.0), draft, work, passes), 1)
        shape = (draft.bytes, draft.params, draft.width)
        text_s = self._forward(draft, known.training) if work == "dense" else 0.0
        micros = times[engine] if engine else None
        bundle = known.bundles.get(form_of(engine))
        size, least = max(draft.bytes, bundle or 0), max(draft.least, bundle or 0)
        has_bundle = bundle is not None
        return Estimate(size, least, micros, seconds, shape, text_s, engine, has_bundle, after_s)

    def _known(self, words: Sequence[str]) -> Known:
        """Return the costs of a candidate as its twin has them, from the cache where they are there."""
        path, free = self._path(words), self._path([word for word in words if not word.startswith(CAP)])
        cap = next((word.removeprefix(CAP) for word in words if word.startswith(CAP)), "null")
        kept = read_kept(path)
        if kept is None and is_below(below := read_kept(free), cap):
            path, kept = free, below
        if kept is not None and self._is_timed(kept) and self._is_counted(kept):
            return kept
        command = [*self.words, *words]
        settings, _ = with_rows(resolve(compose(command), words=command), self.facts.train_rows)
        with tempfile.TemporaryDirectory() as scratch:
            found = self._measure(settings, Path(scratch) / "model", kept)
        path = free if is_below(found, cap) else path
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as part:  # another process may be at the same candidate
            part.write_text(json.dumps(asdict(found), sort_keys=True), encoding="utf-8")
        return found

    def _measure(self, settings: Settings, folder: Path, kept: Known | None) -> Known:
        """Write the twin into a new folder; count its bytes, and time its answers where that is asked for."""
        train = settings.train
        training = Training(settings.model.family, train.epochs, train.batch_size, train.threads or 1)
        draft = self.drawer.draft(settings, folder)
        found = Known(draft, training, kept.answers if kept else {}, kept.bundles if kept else {})
        if self.machine is not None and not self._is_timed(found):
            found = replace(found, answers={**found.answers, self.machine: self._times(folder, settings, draft)})
        if not self._is_counted(found):
            form = form_of(self._engine_in(found))
            size = bundle_bytes(describe_twin(folder, settings, self.drawer.rows), int8=form == INT8)
            found = replace(found, bundles={**found.bundles, form: size})
        return found

    def _times(self, folder: Path, settings: Settings, draft: Draft) -> dict[str, float]:
        """Return the times of the twin in `folder`, or those of one that computes the same on texts of the same length.

        Encoders differ in their vocabularies and in the bits of their weights, which a graph unpacks when it is opened.
        """
        same = json.dumps([draft.macs, round(draft.tokens), draft.width, stages_that_run(settings)], default=str)
        if draft.macs and same in self._timed:
            return self._timed[same]
        found = time_twin(folder, settings, self.drawer.rows, self.most)
        self._timed[same] = {engine: round(micros, 1) for engine, micros in found.items()}
        return self._timed[same]

    def _times_in(self, known: Known) -> Mapping[str, float]:
        """Return the times on this machine; {} if none are asked for or known."""
        return known.answers.get(self.machine, {}) if self.machine else {}

    def _engine_in(self, known: Known) -> str | None:
        """Return the engine of the bundle that is delivered, as far as times decide it."""
        times = self._times_in(known)
        return delivered(times, self.most) if times else None

    def _is_timed(self, known: Known) -> bool:
        """Is a model too large to be timed, or are all forms of its bundle that may be delivered?"""
        if self.machine is None or known.draft.least > self.most_bytes:
            return True
        times, (fast, small) = self._times_in(known), GRAPHS
        return bool(times) and (fast not in times or small in times or self.most is None or times[fast] <= self.most)

    def _is_counted(self, known: Known) -> bool:
        """Is a bundle counted, or is its model so far from the cap on bytes that its own files decide?"""
        draft = known.draft
        is_near = draft.least <= self.most_bytes < (1 + GRAPH_SHARE) * draft.bytes + GRAPH_BYTES
        return not is_near or form_of(self._engine_in(known)) in known.bundles

    def _path(self, words: Sequence[str]) -> Path:
        """Return the file in the cache for these overrides."""
        text = json.dumps([*self._common, list(words)], sort_keys=True, default=str)
        name = f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"
        return self.drawer.cache.folder / "best" / "drafts" / name

    def _seconds(self, training: Training, draft: Draft, work: str, passes: float) -> float:
        """Return the seconds of one run on all rows."""
        facts, is_over_ngrams = self.facts, training.family in OVER_NGRAMS
        rows, seen = facts.train_rows, self.evaluated
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
        """Return the seconds of a forward pass over one text."""
        return LOOP * draft.macs / (self.rates.dense * (1 + 0.8 * (training.threads - 1)))


def form_of(engine: str | None) -> str:
    """Return the form of a graph whose bytes are counted: that of the engine, in float32 where none is known."""
    return engine if engine in GRAPHS else GRAPHS[0]


def is_below(kept: Known | None, cap: str) -> bool:
    """Is a model over n-grams below its cap, in kilobytes, so that another cap above its bytes changes nothing?"""
    return kept is not None and cap.isdecimal() and kept.draft.bytes < 1000 * int(cap)


def read_kept(path: Path) -> Known | None:
    """Return what the cache has of a candidate, None if there is nothing or its file is damaged."""
    try:
        return Known.of(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
