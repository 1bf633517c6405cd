"""train.recipe=auto: which of the settings in model.recipes fits the data, by the selection split.

Successive halving with one cut: every setting is trained for the first third of its epochs, the better half goes on to
its end from there, and the best of them trains the run itself, from its first step, exactly as a run with these words
would. A third is the beginning of the whole training, its rate falling as slowly: under a schedule cut short other
settings win. No clock decides anything. Ties go to the setting that is listed first.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace

from data.splits import TokenSplit
from data.targets.relevance import query_offsets
from models.capabilities import Folded
from models.network import Network
from runner.config.recipes import AUTO, with_recipe
from runner.errors import ConfigError
from runner.experiment.cosine_layer import start_cosine_layer
from runner.experiment.initial_model import build_initial_model
from runner.experiment.prepared import PreparedRun
from runner.experiment.progress import Terminal
from runner.experiment.recipe import recipe_of
from runner.record.metrics import direction
from runner.record.recipe import ChosenRecipe, TriedRecipe
from runner.record.writer import RecordWriter
from runner.schema import Settings
from runner.statistics.rank_scores import QUERIES
from runner.tasks.base import Task
from runner.tasks.finite import NotFiniteOutputs
from runner.tasks.rank import labels_of
from runner.training.checkpoint import BOUNDARIES, CHECKPOINTS, Checkpoints
from runner.training.loop import Paused, fit
from runner.training.ngram.found_rows import with_found_rows
from runner.training.nonfinite import NotFinite
from runner.training.state import TrainingState

CUT = 1 / 3  # of the steps, at the end of an epoch
FEWEST = 2  # settings that go on after the cut
LEAST_ROWS = 100  # of the selection split, or queries: the standard error of a score of 0.8 is 4 points there


def check_selection(settings: Settings, task: Task, split: TokenSplit) -> None:
    """Raise ConfigError if train.recipe=auto would choose on too few rows, or queries, to distinguish settings."""
    count, units = units_of(task, split)
    if settings.train.recipe == AUTO and count < LEAST_ROWS:
        raise ConfigError(
            f"train.recipe=auto chooses on the selection split, which has {count:,} {units} here, but needs "
            f"{LEAST_ROWS}: with fewer, scores of settings differ by chance. Try: a larger data.select_fraction, more "
            f"{units}, or train.recipe=preset"
        )


def units_of(task: Task, split: TokenSplit) -> tuple[int, str]:
    """Return how many units the headline score of a split is over and the word for them: rows, or queries."""
    units = task.score(task.metrics[0]).units
    if units == QUERIES:  # the candidates of a query are not independent
        return len(query_offsets(labels_of(split))) - 1, units
    return split.source_count, "rows"


def choose_recipe(prepared: PreparedRun, writer: RecordWriter, terminal: Terminal) -> None:
    """Find the setting, resuming an interrupted search; `prepared` becomes a run with its words."""
    search = _Search(prepared, terminal)
    found = search.run()
    writer.set_recipe(found)
    writer.add_metrics({"time/recipe_s": search.seconds})
    told = take_recipe(prepared, found.chosen)
    writer.add_notes(told)
    for note in (found.notes()[0], *told):
        terminal.say(f"note: {note}")


def take_recipe(prepared: PreparedRun, chosen: str) -> list[str]:
    """Make `prepared` a run of the chosen setting, with its model before the first step; the notes on that model."""
    prepared.settings = with_recipe(prepared.settings, chosen)
    prepared.model, notes = _first_model(prepared, prepared.settings)
    return notes


def _first_model(prepared: PreparedRun, settings: Settings) -> tuple[Network, list[str]]:
    """Return the model of these settings before its first step, and the notes on it; seeds the random numbers."""
    model, weights, _ = build_initial_model(settings, prepared.splits, prepared.start)
    return model.to(prepared.device), weights.notes


class _Search:
    """The trainings of one search. What is known is kept after each of them, so that an interrupted run goes on."""

    def __init__(self, prepared: PreparedRun, terminal: Terminal) -> None:
        self.prepared, self.terminal = prepared, terminal
        self.recipes = prepared.settings.model.recipes
        self.metric = f"{prepared.splits.select.name}/{prepared.task.metrics[0]}"
        self.sign = -1.0 if direction(self.metric) == "lower" else 1.0
        self.journal = Checkpoints(prepared.folder, f"{prepared.identity}/recipes", 0.0, BOUNDARIES)
        self.tried = [TriedRecipe(recipe) for recipe in self.recipes]
        self.trained, self.seconds = 0, 0.0  # trainings that are over
        if found := self.journal.newest():
            state = found[1]
            self.trained, self.seconds = state["step"], state["seconds"]
            self.tried = [TriedRecipe(**one) for one in state["tried"]]

    def run(self) -> ChosenRecipe:
        """Train what is not trained yet, and choose."""
        self._keep()
        count = len(self.recipes)
        for number in range(self.trained, count):
            score = self._train(number, is_whole=False)
            self._enter(number, replace(self.tried[number], third=score))
        left = survivors([self._rank(one.third) for one in self.tried])
        for number in set(range(count)) - set(left):
            shutil.rmtree(self._checkpoints(number).folder, ignore_errors=True)
        for number in left[self.trained - count :]:
            score = self._train(number, is_whole=True)
            shutil.rmtree(self._checkpoints(number).folder, ignore_errors=True)
            self._enter(number, replace(self.tried[number], whole=score))
        best = max(left, key=lambda number: (self._rank(self.tried[number].whole), -number))
        count, units = units_of(self.prepared.task, self.prepared.splits.select)
        return ChosenRecipe(self.recipes[best], self.metric, count, self.tried, units)

    def _rank(self, score: float | None) -> float:
        """Return a score such that more is better; one that is not finite is the worst."""
        return -math.inf if score is None or not math.isfinite(score) else self.sign * score

    def _enter(self, number: int, tried: TriedRecipe) -> None:
        self.tried[number], self.trained = tried, self.trained + 1
        self._keep()

    def _keep(self) -> None:
        """Keep what is known so far."""
        state = {"step": self.trained, "seconds": self.seconds, "tried": [asdict(one) for one in self.tried]}
        self.journal.save({}, state)

    def _checkpoints(self, number: int) -> Checkpoints:
        owner, every_s = f"{self.prepared.identity}/recipe-{number}", self.prepared.settings.checkpoint.every_s
        return Checkpoints(self.prepared.folder, owner, every_s, f"{CHECKPOINTS}/recipe-{number}")

    def _train(self, number: int, *, is_whole: bool) -> float | None:
        """Return the best score of one setting's training, to its cut or from there to its end.

        None if it is not finite.
        """
        prepared, clock = self.prepared, self.prepared.exclusive.clock
        settings = with_recipe(prepared.settings, self.recipes[number])
        model, _ = _first_model(prepared, settings)
        start_cosine_layer(prepared, model)
        splits = with_found_rows(model.bert, prepared.splits) if isinstance(model.bert, Folded) else prepared.splits
        recipe = replace(recipe_of(settings), pause_at=None if is_whole else CUT)
        epochs, score, begun = 0, self.tried[number].third, clock()

        def on_epoch(state: TrainingState, values: dict[str, float]) -> None:
            nonlocal epochs, score
            epochs = state.epoch
            score = state.best_metric if recipe.train.keep_best else values[self.metric]

        try:
            fit(
                model, splits, prepared.task, recipe, device=prepared.device, checkpoints=self._checkpoints(number),
                on_point=lambda *_: None, on_epoch=on_epoch, exclusive=prepared.exclusive,
            )  # fmt: skip
        except Paused:
            pass
        except (NotFinite, NotFiniteOutputs):  # in training, or only in its evaluation
            score = None
        self.seconds += clock() - begun
        said = "not finite" if score is None else f"{self.metric} {score:.4f}"
        words = self.recipes[number]
        self.terminal.say(f"setting {number + 1} of {len(self.recipes)}: {said} after epoch {epochs}  {words}")
        return score


def survivors(ranks: Sequence[float]) -> list[int]:
    """Return the places of the better half, at least two of them, in their order; of equals the first are better."""
    kept = max(FEWEST, math.ceil(len(ranks) / 2))
    return sorted(sorted(range(len(ranks)), key=lambda place: (-ranks[place], place))[:kept])
