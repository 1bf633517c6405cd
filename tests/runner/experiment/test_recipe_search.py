"""train.recipe=auto: settings compete on the selection split, and the best trains the run as its own words would."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from runner.config.compose import compose
from runner.config.from_run import expand_from
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment import recipe_search
from runner.experiment.outcome import Outcome
from runner.experiment.recipe_search import _Search, survivors
from runner.experiment.run import run
from runner.record.folder import NOT_FINITE
from runner.statistics.scores import EXAMPLES

BEST = "model.width=0.25 optimizer.lr=0.05 train.epochs=3"
LIST = f"model.recipes=['train.epochs=1','{BEST}','optimizer.lr=0.00001 train.epochs=2']"
WORDS = [
    "model=dsn", "data=demo", "data.demo_rows=700", "train.batch_size=64", "train.threads=1", "measure=off",
    "tracker=none",
]  # fmt: skip


def made(folder: Path, *words: str) -> Outcome:
    places = [f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}"]
    command = [*WORDS, *words, *places]
    return run(resolve(compose(command), words=command), command)


def weights(outcome: Outcome, folder: Path) -> str:
    assert outcome.exit_code == 0 and outcome.record and outcome.record.status == "done"
    path = folder / "outputs" / outcome.record.identity / "model" / "model.safetensors"
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Searched:
    """A search that was killed after two of its trainings and went on."""

    folder: Path
    killed: Outcome
    outcome: Outcome
    trainings: int  # after the kill


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Searched]:
    folder, fit, begun = tmp_path_factory.mktemp("recipes"), recipe_search.fit, 0

    def fit_or_stop(*given: Any, **more: Any) -> Any:
        nonlocal begun
        begun += 1
        if begun == 3:
            raise KeyboardInterrupt
        return fit(*given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe_search, "fit", fit_or_stop)
        killed = made(folder, "train.recipe=auto", LIST)
        yield Searched(folder, killed, made(folder, "train.recipe=auto", LIST, "resume=must"), begun - 3)


def test_a_killed_search_goes_on_and_makes_the_run_of_the_best_setting(searched: Searched) -> None:
    killed, record = searched.killed, searched.outcome.record
    assert killed.exit_code == 130 and killed.record and killed.record.recipe is None
    assert record and record.identity == killed.record.identity and record.recipe
    assert searched.trainings == 3, "one to the cut, and two to their end"
    found = record.recipe
    assert found.chosen == BEST and found.rows == record.data.rows["val"]
    assert [one.whole is None for one in found.tried] == [False, False, True], "the worst is left out at the cut"
    assert record.notes[-2:] == found.notes() and record.metrics["time/recipe_s"] > 0
    assert not list((searched.folder / "outputs" / record.identity).glob("*/recipe-*")), "no checkpoint is left"


def test_the_search_ends_in_the_run_of_the_chosen_words_bit_for_bit(searched: Searched) -> None:
    plain, record = made(searched.folder, *BEST.split()), searched.outcome.record
    assert weights(searched.outcome, searched.folder) == weights(plain, searched.folder)
    assert plain.record and record and record.recipe and plain.record.recipe is None
    assert record.recipe.tried[1].whole == plain.record.metrics["val/accuracy"]
    assert plain.record.identity != record.identity


def test_a_stage_after_the_training_works_on_the_model_that_was_chosen(searched: Searched) -> None:
    chain, record = made(searched.folder, "train.recipe=auto", LIST, "compression=[int8]"), searched.outcome.record
    assert chain.exit_code == 0 and chain.record and record
    assert chain.record.recipe == record.recipe and chain.record.stages[0].run == record.identity
    output = f"paths.output={searched.folder / 'outputs'}"
    words = expand_from([f"from={record.identity}", "compression=[int8]", output])
    assert set(BEST.split()) <= set(words) and not {"train.recipe=auto", LIST} & set(words)


def test_all_settings_start_from_the_encoder_of_the_run_that_is_named(tmp_path: Path) -> None:
    small = ["model=bert-tiny", "model.hidden=16", "model.heads=2", "model.layers=1", "train.epochs=1"]
    first = made(tmp_path, *small)
    assert first.record
    small += [f"model.init_from={first.record.identity}", "seed=1"]
    rates = "model.recipes=['optimizer.lr=0.001','optimizer.lr=1e-9']"
    chosen = made(tmp_path, *small, "train.recipe=auto", rates)
    assert chosen.record and chosen.record.recipe
    assert weights(chosen, tmp_path) == weights(made(tmp_path, *small, chosen.record.recipe.chosen), tmp_path)


@pytest.mark.parametrize(
    ("metric", "thirds", "wholes", "chosen"),
    [
        ("accuracy", (0.5, 0.2, 0.9), (0.7, None, 0.6), "a"),
        ("mse", (0.5, 0.2, 0.9), (0.4, 0.3, None), "b"),
        ("mse", (None, 0.2, 0.9), (None, 0.3, 0.3), "b"),
        ("accuracy", (0.5, math.nan, 0.9), (0.4, None, math.nan), "a"),
    ],
)
def test_the_better_half_goes_on_and_the_best_at_its_end_is_chosen(
    tmp_path: Path, metric: str, thirds: tuple[float | None, ...], wholes: tuple[float | None, ...], chosen: str
) -> None:
    prepared: Any = SimpleNamespace(
        settings=SimpleNamespace(model=SimpleNamespace(recipes=["a", "b", "c"]), checkpoint=SimpleNamespace(every_s=9)),
        splits=SimpleNamespace(select=SimpleNamespace(name="val", source_count=200)), folder=tmp_path, identity="x",
        task=SimpleNamespace(metrics=(metric,), score=lambda _: SimpleNamespace(units=EXAMPLES)),
    )  # fmt: skip
    search, asked = _Search(prepared, None), list[tuple[int, bool]]()  # type: ignore[arg-type]

    def train(number: int, *, is_whole: bool) -> float | None:
        asked.append((number, is_whole))
        return (wholes if is_whole else thirds)[number]

    search._train = train  # type: ignore[method-assign]
    found = search.run()
    assert (found.chosen, found.metric, found.rows) == (chosen, f"val/{metric}", 200)
    assert [number for number, is_whole in asked if is_whole] == [
        i for i, score in enumerate(wholes) if score is not None
    ]


@pytest.mark.parametrize("batch_size", [8, 64])
def test_a_setting_that_diverges_has_no_score_and_the_search_goes_on(tmp_path: Path, batch_size: int) -> None:
    rates = "model.recipes=['optimizer.lr=100','optimizer.lr=0.2']"
    words = ["model=ngram-vectors", "data.demo_rows=600", "train.epochs=3", "train.clip_norm=0", "train.recipe=auto"]
    found = made(tmp_path, *words, f"train.batch_size={batch_size}", rates).record
    assert found and found.status == "done" and found.recipe and found.recipe.chosen == "optimizer.lr=0.2"
    assert [one.third is None for one in found.recipe.tried] == [True, False]
    has_met_it_in_training = batch_size == 8  # with few steps the evaluation is the first to see it
    assert (tmp_path / "outputs" / found.identity / NOT_FINITE).is_file() == has_met_it_in_training


def test_too_few_rows_to_choose_by_are_refused_before_the_run_begins(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 83 rows here, but needs 100.*data\.select_fraction"):
        made(tmp_path, "train.recipe=auto", LIST, "data.demo_rows=500")
    assert not (tmp_path / "outputs").exists()


def test_a_ranking_needs_as_many_queries_as_other_data_rows(tmp_path: Path) -> None:
    words = ("task=rank", "train.recipe=auto", LIST)
    with pytest.raises(ConfigError, match=r"has 14 queries here, but needs 100.*more queries"):
        made(tmp_path, *words)  # 112 candidates
    record = made(tmp_path, *words, "data.demo_rows=4800").record
    assert record and record.recipe and (record.recipe.rows, record.recipe.units) == (100, "queries")
    assert "on 100 queries, the best of 3" in record.recipe.notes()[0]


def test_the_better_half_goes_on_and_at_least_two() -> None:
    assert survivors([0.1, 0.4, 0.3, 0.4, 0.2]) == [1, 2, 3]
    assert survivors([0.5, 0.5, 0.5, 0.5]) == [0, 1], "of equals the first"
    assert survivors([float("-inf"), 0.2]) == [0, 1] and survivors([1.0, 2.0, 3.0]) == [1, 2]
