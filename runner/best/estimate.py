"""How many bytes, microseconds and seconds a candidate will take; bytes and times are kept for the next plan."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from data.json_types import JsonObject
from data.stores.build_once import SharedCache
from models.settings import OVER_NGRAMS
from runner.best.draft import Draft, Drawer
from runner.best.rates import Rates, embedding_units
from runner.best.twin import time_twin
from runner.best.types import Facts
from runner.record.identity import identity_settings
from runner.schema import Settings
from runner.version import NUMBERS, VERSION

FORMAT = 1  # raise when drafts are made in another way
START_S = 3.0  # of a run: its process, its data from the cache, evaluation, saving
ROUNDS_OF_FIT = 60  # products with the matrix that a fit of a linear model takes
LOOP = 2.5  # times the multiply-adds alone, that a training step takes
STEP_S = 6e-4  # of an optimizer step beside its arithmetic


@dataclass(frozen=True)
class Estimate:
    """The costs that a candidate will have."""

    bytes: int
    micros: float | None  # None: not asked for
    seconds: float
    shape: tuple[int, ...] = ()  # of its numbers: two candidates of a kind with equal ones are the same model


class Estimator:
    """Estimates candidates for the same rows on the same machine."""

    def __init__(
        self, drawer: Drawer, facts: Facts, rates: Rates, cache: SharedCache, machine: str | None
    ) -> None:  # fmt: skip
        """machine: its class, where answers are to be timed; None: they are not."""
        self.drawer, self.facts, self.rates, self.cache, self.machine = drawer, facts, rates, cache, machine

    def estimate(self, settings: Settings, work: str, passes: float) -> Estimate:
        """Estimate a candidate; work, passes: of its kind. Raises the user's errors for one that cannot be built."""
        draft, micros = self._draft(settings)
        seconds = round(self._seconds(settings, draft, work, passes), 1)
        return Estimate(draft.bytes, micros, seconds, (draft.bytes, draft.params, draft.width))

    def _draft(self, settings: Settings) -> tuple[Draft, float | None]:
        """The draft of a candidate and the time of its answer, from the cache where they are there."""
        counted = [FORMAT, VERSION, NUMBERS, self.drawer.rows.fingerprints, identity_settings(settings)]
        text = json.dumps(counted, sort_keys=True, default=str)
        path = self.cache.folder / "best" / "drafts" / f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.json"
        kept = read_kept(path)
        draft = Draft(**kept["draft"]) if "draft" in kept else None
        micros = kept.get("micros", {}).get(self.machine or "")
        if draft is not None and (self.machine is None or micros is not None):
            return draft, micros
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "model"
            draft = self.drawer.draft(settings, folder)
            if self.machine is not None:
                micros = round(time_twin(folder, settings, self.drawer.rows), 1)
        times = kept.get("micros", {}) | ({self.machine: micros} if self.machine else {})
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"draft": asdict(draft), "micros": times}, sort_keys=True), encoding="utf-8")
        part.replace(path)
        return draft, micros

    def _seconds(self, settings: Settings, draft: Draft, work: str, passes: float) -> float:
        """The seconds of one run on all rows."""
        facts, train = self.facts, settings.train
        rows, seen = facts.train_rows, facts.select_rows + facts.report_rows
        is_fitted = settings.model.family in OVER_NGRAMS and work == "sparse"
        epochs = 0.0 if is_fitted or passes else train.epochs
        steps = epochs * rows / max(1, train.batch_size)
        threads = 1 + 0.8 * ((train.threads or 1) - 1)
        if work == "sparse":
            columns = draft.width if facts.classes is None or facts.classes > 2 else 1
            return START_S + draft.params * columns * passes * ROUNDS_OF_FIT / self.rates.sparse
        if work == "embedding":
            table = 0 if settings.model.family in OVER_NGRAMS else draft.params  # a step of AdamW reads all of it
            units = embedding_units(epochs * rows, draft.tokens, draft.width) + steps * table
            return START_S + units / self.rates.embedding + steps * STEP_S
        forwards = 3 * epochs * rows + max(1.0, epochs) * seen + passes * rows
        return START_S + LOOP * draft.macs * forwards / (self.rates.dense * threads) + steps * STEP_S


def read_kept(path: Path) -> JsonObject:
    """Return what the cache has of a candidate, {} where there is nothing or its file is damaged."""
    try:
        found: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
