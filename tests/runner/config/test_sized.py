"""train.recipe=sized: which entry of model.recipe_by_rows is for a number of rows, and what it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.from_run import expand_from
from runner.config.resolve import resolve
from runner.config.sized import entry_for, open_table, with_rows
from runner.experiment.outcome import Outcome
from runner.experiment.run import run
from runner.record import identity_index as index
from runner.record.identity import identity_settings
from runner.schema import Settings

SIZED = ["data=demo", "train.recipe=sized"]
TABLE = ["rows=300 train.epochs=50 optimizer.lr=0.001", "rows=3000 train.epochs=20"]
OWN = "model.recipe_by_rows=['rows=150 train.epochs=2 optimizer.lr=0.02','rows=300 train.epochs=4']"


def settings(*words: str) -> Settings:
    return resolve(compose([*words]), words=words)


@pytest.mark.parametrize(("rows", "place"), [(1, 0), (300, 0), (301, 1), (3000, 1), (3001, None)])
def test_the_first_entry_for_as_many_rows_is_taken_and_none_beyond_the_last(rows: int, place: int | None) -> None:
    assert entry_for(TABLE, rows) == (None if place is None else TABLE[place])


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["model=bert-tiny"], TABLE),
        (["optimizer.lr=1"], ["rows=300 train.epochs=50", "rows=3000 train.epochs=20"]),
        (["++model.recipe.epochs=9"], ["rows=300 optimizer.lr=0.001", "rows=3000"]),
        (["train.steps=9"], ["rows=300 optimizer.lr=0.001", "rows=3000"]),
        (["train.epochs=9", "optimizer.lr=1"], []),
        (["model/backbone=bert-mini"], []),
    ],
)
def test_what_the_command_names_is_in_no_entry(words: list[str], left: list[str]) -> None:
    assert open_table(TABLE, words) == left


@pytest.mark.parametrize("model", ["bert-tiny", "dsn"])
def test_a_sized_run_is_the_run_with_the_words_of_its_entry(model: str) -> None:
    found = settings(f"model={model}", *SIZED)
    for entry in found.model.recipe_by_rows:
        most, *words = entry.split()
        sized, (note,) = with_rows(found, int(most.removeprefix("rows=")))
        assert sized == settings(f"model={model}", "data=demo", *words)
        assert note.startswith("recipe for up to ") and note.endswith(" ".join(words))
    beyond, (note,) = with_rows(found, 10**7)
    assert beyond == settings(f"model={model}", "data=demo") and "its table ends at 3,000" in note


def test_what_is_named_stays_and_a_preset_knows_no_rows() -> None:
    sized, _ = with_rows(settings("model=dsn", *SIZED, "optimizer.lr=0.5", "train.steps=7"), 100)
    assert (sized.optimizer.lr, sized.train.steps) == (0.5, 7)
    plain = settings("model=dsn", "data=demo")
    assert with_rows(plain, 100) == (plain, [])
    assert not {"train.recipe", "model.recipe_by_rows"} & identity_settings(plain).keys(), "old runs are still found"
    no_table, (note,) = with_rows(settings("model=bert-mini", *SIZED), 100)
    assert no_table == settings("model=bert-mini", "data=demo") and "there is no table" in note


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("['train.epochs=3']", "'train.epochs=3' has no number of rows"),
        ("['rows=0 train.epochs=3']", "has no number of rows"),
        ("['rows=9 train.epochs=3','rows=9 train.epochs=2']", "must increase"),
        ("['rows=9 train.epochs=3 model.width=1']", "model.width=1 is not one of optimizer.lr"),
        ("['rows=9 train.epochs=-3']", "train.epochs=-3"),
        (
            "['rows=9 train.epochs']",
            "model.recipe_by_rows: 'train.epochs' is not a setting, which is written key=value",
        ),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_a_cure(table: str, said: str) -> None:
    problems = check_overrides([*SIZED, "model=dsn", f"model.recipe_by_rows={table}"])
    assert any(said in problem for problem in problems), problems


def test_rates_are_for_one_optimizer_unless_the_command_names_its_own() -> None:
    words = [*SIZED, "model=dsn", "optimizer=sgd"]
    assert any("the rates in model.recipe_by_rows are for adamw" in problem for problem in check_overrides(words))
    assert not check_overrides([*words, "optimizer.lr=0.1"])


def made(folder: Path, *words: str) -> Outcome:
    command = [
        "model=dsn", "data=demo", "data.demo_rows=400", "measure=off", "tracker=none", "train.threads=1",
        "baseline.ngram=off", *words, f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}",
    ]  # fmt: skip
    return run(resolve(compose(command), words=command), command)


def test_a_run_says_its_entry_and_is_found_by_its_words_and_without_its_data(tmp_path: Path) -> None:
    made(tmp_path, "train.recipe=sized", OWN, "data.max_rows=100")
    sized = made(tmp_path, "train.recipe=sized", OWN, "data.max_rows=100")
    named = made(tmp_path, "train.epochs=2", "optimizer.lr=0.02", "data.max_rows=100")
    record = sized.record
    assert record and named.record and sized.was_done and named.was_done
    assert record.identity == named.record.identity and record.setting("train.epochs") == 2
    assert "recipe for up to 150 training rows (100 here): train.epochs=2 optimizer.lr=0.02" in record.notes
    asked = settings(*record.overrides)
    assert index.recall(tmp_path / "outputs", index.key(asked)) == record.identity

    words = expand_from([f"from={record.identity}", "compression=[int8]", f"paths.output={tmp_path / 'outputs'}"])
    assert {"train.epochs=2.0", "optimizer.lr=0.02"} <= set(words) and "train.recipe=sized" not in words


def test_a_chain_begins_with_the_sized_training(tmp_path: Path) -> None:
    plain = made(tmp_path, "train.recipe=sized", OWN, "data.max_rows=200")
    chain = made(tmp_path, "train.recipe=sized", OWN, "data.max_rows=200", "compression=[int8]")
    assert plain.record and chain.record and chain.record.stages[0].run == plain.record.identity
    assert chain.record.setting("train.epochs") == 4
