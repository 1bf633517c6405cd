"""train.recipe=sized, the default: which entry of model.recipe_by_rows is for a number of rows, and what it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.check import check_overrides
from runner.config.compose import compose
from runner.config.from_run import expand_from
from runner.config.resolve import resolve
from runner.config.sized import entry_for, with_rows
from runner.experiment import identity_index as index
from runner.experiment.outcome import Outcome
from runner.experiment.run import run
from runner.record.identity import identity_settings
from runner.schema import Settings

FIXED = "train.recipe=preset"
TABLE = ["rows=300 train.epochs=50 optimizer.lr=0.001", "rows=3000 train.epochs=20"]
TAUGHT = [f"compression.distil_unlabelled.{word}" for word in ("teacher=some-run", "unlabelled=texts.csv")]
SHOWN = "model.recipe_by_rows=['rows=300 train.epochs=50 optimizer.lr=0.001','rows=3000 train.epochs=20']"
OWN = "model.recipe_by_rows=['rows=150 train.epochs=2 optimizer.lr=0.02','rows=300 train.epochs=4']"


def settings(*words: str) -> Settings:
    return resolve(compose([*words]), words=words)


def left(*words: str) -> list[str]:
    """The table that a command leaves; it is dropped with train.recipe=preset."""
    found = settings("data=sst2", *words)
    assert (found.train.recipe == "sized") == bool(found.model.recipe_by_rows)
    return found.model.recipe_by_rows


@pytest.mark.parametrize(("rows", "place"), [(1, 0), (300, 0), (301, 1), (3000, 1), (3001, None)])
def test_the_first_entry_for_as_many_rows_is_taken_and_none_beyond_the_last(rows: int, place: int | None) -> None:
    assert entry_for(TABLE, rows) == (None if place is None else TABLE[place])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], TABLE),
        (["optimizer.lr=1"], ["rows=300 train.epochs=50", "rows=3000 train.epochs=20"]),
        (["model.recipe.epochs=9"], ["rows=300 optimizer.lr=0.001", "rows=3000"]),
        (["train.epochs=12"], ["rows=300 optimizer.lr=0.001", "rows=3000"]),  # the value of model.recipe, but named
        (["train.steps=9"], ["rows=300 optimizer.lr=0.001", "rows=3000"]),
        (["train.epochs=9", "optimizer.lr=1"], []),
        (["optimizer=sgd"], []),
        (["train.recipe=preset"], []),
    ],
)
def test_what_the_command_names_is_in_no_entry(words: list[str], expected: list[str]) -> None:
    assert left("model=dsn", SHOWN, *words) == expected


def test_evaluations_are_fewer_only_where_nothing_else_counts_them() -> None:
    seldom = {word for entry in left("model=bert-tiny") for word in entry.split() if "eval_every" in word}
    assert seldom == {"train.eval_every=10", "train.eval_every=4"}
    for word in ("train.patience=3", "schedule=plateau"):
        assert left("model=bert-tiny", word) == ["rows=300 train.epochs=50", "rows=1500 train.epochs=20"]
    assert left("model=bert-tiny", "train.epochs=7") == left("model=bert-tiny", "train.steps=7") == []


def test_a_warm_up_that_is_set_without_a_word_of_the_command_stays() -> None:
    found = compose(["model=dsn", "data=sst2", "model.recipe_by_rows=['rows=9 schedule.warmup=0.5']"])
    found.schedule.warmup = 0.2  # as the file of an experiment may
    assert resolve(found, words=["model=dsn"]).model.recipe_by_rows == []


def test_what_the_file_of_an_experiment_sets_is_in_no_entry() -> None:
    assert settings("experiment=own-head-4-epochs", "data=sst2").train.epochs == 4
    assert left("experiment=own-head-4-epochs") == []


@pytest.mark.parametrize(
    "words",
    [
        ["task=mlm", "model=bert-tiny"],
        ["model=bert-tiny", "compression=[distil_unlabelled]", *TAUGHT],
        ["model=bi-encoder", "data=stsb"],
        ["model=contrastive"],
    ],
)
def test_labelled_rows_do_not_decide_how_long_other_trainings_are(words: list[str]) -> None:
    assert left(*words) == []


@pytest.mark.parametrize("model", ["bert-tiny", "bert-base", "eelbert", "bermo", "minilm"])
def test_a_run_of_an_encoder_is_the_run_with_the_words_of_its_entry(model: str) -> None:
    found = settings(f"model={model}", "data=sst2")
    for entry in found.model.recipe_by_rows:
        most, *words = entry.split()
        sized, (note,) = with_rows(found, int(most.removeprefix("rows=")))
        assert sized == settings(f"model={model}", "data=sst2", *words)
        assert note.startswith(" ".join(words)) and note.endswith(
            "train.recipe=preset has train.epochs=3 train.eval_every=1"
        )
    beyond, notes = with_rows(found, 10**7)
    assert found.model.recipe_by_rows and (beyond, notes) == (settings(f"model={model}", "data=sst2", FIXED), [])


@pytest.mark.parametrize("data", ["sst2", "stsb", "goemotions", "wnut17", "squad", "wikiqa"])
def test_the_labels_of_every_task_count(data: str) -> None:
    assert settings("model=bert-tiny", f"data={data}").model.recipe_by_rows


def test_models_that_are_compared_share_their_entries() -> None:
    """Else a comparison on few rows would be one of trainings of different lengths."""
    tables = {tuple(left(f"model={model}")) for model in ("bert-tiny", "bermo", "eelbert", "uno-eelbert", "bert-mini")}
    assert len(tables) == 1


def test_what_is_named_stays_and_a_preset_knows_no_rows() -> None:
    sized, _ = with_rows(settings("model=dsn", "data=demo", SHOWN, "optimizer.lr=0.5", "train.steps=7"), 100)
    assert (sized.optimizer.lr, sized.train.steps, sized.train.epochs) == (0.5, 7, 12)
    for words in (["model=dsn"], ["model=bert-tiny", FIXED]):
        plain = settings("data=demo", *words)
        assert with_rows(plain, 100) == (plain, [])
        assert not {"train.recipe", "model.recipe_by_rows"} & identity_settings(plain).keys(), (
            "old runs are still found"
        )


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
    problems = check_overrides(["data=demo", "model=dsn", f"model.recipe_by_rows={table}"])
    assert any(said in problem for problem in problems), problems


def made(folder: Path, *words: str) -> Outcome:
    command = [
        "model=dsn", "data=demo", "data.demo_rows=400", "measure=off", "tracker=none", "train.threads=1",
        "baseline.ngram=off", *words, f"paths.output={folder / 'outputs'}", f"paths.cache={folder / 'cache'}",
    ]  # fmt: skip
    return run(resolve(compose(command), words=command), command)


def test_a_run_says_its_entry_and_is_found_by_its_words_and_without_its_data(tmp_path: Path) -> None:
    made(tmp_path, OWN, "data.max_rows=100")
    sized = made(tmp_path, OWN, "data.max_rows=100")
    named = made(tmp_path, "train.epochs=2", "optimizer.lr=0.02", "data.max_rows=100")
    record = sized.record
    assert record and named.record and sized.was_done and named.was_done
    assert record.identity == named.record.identity and record.setting("train.epochs") == 2
    said = "train.epochs=2 optimizer.lr=0.02 for up to 150 training rows (100 here); train.recipe=preset has "
    assert f"{said}train.epochs=12 optimizer.lr=0.005" in record.notes
    asked = settings(*record.overrides)
    assert index.recall(tmp_path / "outputs", index.key(asked)) == record.identity

    words = expand_from([f"from={record.identity}", "compression=[int8]", f"paths.output={tmp_path / 'outputs'}"])
    assert {"train.epochs=2.0", "optimizer.lr=0.02"} <= set(words) and FIXED not in words


def test_compression_of_a_run_that_is_not_sized_does_not_become_sized(tmp_path: Path) -> None:
    record = made(tmp_path, OWN, FIXED, "data.max_rows=100", "train.steps=2").record
    assert record is not None
    words = expand_from([f"from={record.identity}", "compression=[int8]", f"paths.output={tmp_path / 'outputs'}"])
    assert FIXED in words and not any(word.startswith("train.epochs") for word in words)


def test_a_chain_begins_with_the_sized_training(tmp_path: Path) -> None:
    plain = made(tmp_path, OWN, "data.max_rows=200")
    chain = made(tmp_path, OWN, "data.max_rows=200", "compression=[int8]")
    assert plain.record and chain.record and chain.record.stages[0].run == plain.record.identity
    assert chain.record.setting("train.epochs") == 4
