"""A run that another one needs first has the data that a file of the other's command names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.config.compose import compose, groups
from runner.config.resolve import resolve
from runner.experiment.dependencies.earlier_stages import earlier_overrides, earlier_settings
from runner.experiment.dependencies.encoder import encoder_overrides, encoder_settings
from runner.experiment.dependencies.inner_run import named_overrides, shared_overrides
from runner.experiment.dependencies.ngram_baseline import find_ngram_baseline
from runner.experiment.dependencies.teacher import SHARED, make_teachers
from runner.experiment.outcome import Outcome
from runner.record.identity import identity_settings
from runner.record.record import RunRecord
from runner.schema import Settings
from tests.records import record_json

FAILED = Outcome(1, reason="not made")


@pytest.fixture
def experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The word for an experiment of the user's own, which sets the data and a model."""
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment/films.yaml").write_text(
        """# @package _global_
defaults:
  - override /data: files
  - override /model: bert-mini
data: {path: "the films.csv", text: text, label: mark, max_rows: 9, label_names: {"1 star": bad}}
paths: {output: elsewhere}
model: {tokenizer: own}
"""
    )
    monkeypatch.setenv("BERTIER_CONFIG_DIR", str(tmp_path))
    return "experiment=films"


def test_what_an_experiments_file_sets_in_a_shared_group_is_shared_as_words(experiment: str) -> None:
    found = named_overrides("model=dsn seed=3", [experiment, "data.label=stars", "seed=1"], SHARED)
    assert found[:2] == ["data=files", 'data.path="the films.csv"']
    assert sorted(found[2:4]) == ["data.label_names={1\\ star:bad}", "data.max_rows=9"]
    assert found[4:] == ["paths.output=elsewhere", "data.label=stars", "model=dsn", "seed=3"]
    given, shared = compose([experiment, "data.label=stars"]), compose(found)
    assert (given.data, given.paths, shared.model.name) == (shared.data, shared.paths, "dsn")


def test_other_data_take_the_place_of_all_that_the_file_says_of_its_own(experiment: str) -> None:
    words = named_overrides("data=demo model=dsn", [experiment], SHARED)
    assert words == ["paths.output=elsewhere", "data=demo", "model=dsn"]
    one_other = named_overrides("data.path=others.csv model=dsn", [experiment], SHARED)
    assert compose(one_other).data.path == "others.csv" and compose(one_other).data.max_rows == 9


def test_a_command_without_such_a_file_shares_its_words_as_they_are() -> None:
    assert shared_overrides(["task=mlm", "model=bert-tiny", "data.max_rows=9"], SHARED) == [
        "task=mlm",
        "data.max_rows=9",
    ]


def test_teacher_and_baseline_of_an_experiment_read_its_data(experiment: str, tmp_path: Path) -> None:
    asked: list[tuple[Settings, list[str]]] = []

    def make_run(inner: Settings, words: list[str]) -> Outcome:
        asked.append((inner, words))
        return FAILED if inner.model.family == "ngram" else Outcome(0, RunRecord.from_json(record_json(status="done")))

    texts = tmp_path / "the films.csv"
    texts.write_text("text,mark\na film,1\n", encoding="utf-8")
    words = [experiment, f'data.path="{texts}"', "model=dsn", "compression=[distil]"]
    words.append('compression.distil.teacher="model=bert-mini train.epochs=1"')
    settings = resolve(compose(words), words=words)
    make_teachers(settings, words, str, make_run)
    find_ngram_baseline(settings, words, str, make_run)
    (teacher, teacher_words), (ngram, ngram_words) = asked
    assert teacher.data == settings.data and teacher.model.name == "bert-mini"
    for inner, own in ((teacher, teacher_words), (ngram, ngram_words)):
        again = resolve(compose(own), words=own)
        assert (again.data, again.paths, again.compression) == (inner.data, inner.paths, {}), (
            "its record makes it again"
        )


def test_names_of_values_beyond_ascii_reach_a_run_that_is_needed_first(experiment: str, tmp_path: Path) -> None:
    file = tmp_path / "experiment/films.yaml"
    file.write_text(file.read_text().replace("1 star", "çok kötü"), encoding="utf-8")
    found = resolve(compose(named_overrides("model=dsn", [experiment], SHARED)))
    assert found.data == resolve(compose([experiment])).data and "çok kötü" in found.data.label_names


def commands_of_chains_and_heads() -> Iterator[list[str]]:
    for name in sorted(groups()["experiment"]):
        names_data = name == "demo" or name.startswith("pretrain-")
        data = "data=esc10" if name.startswith("sounds") else "data=sst2"
        yield [*([] if names_data else [data]), f"experiment={name}", "seed=3"]
    further = "compression.distil.unlabelled=imdb:unsupervised"
    yield ["data=sst2", "model=bert-tiny", "compression=[distil]", further, "compression.distil.teacher=aaaaaaaaaa"]


@pytest.mark.parametrize("words", commands_of_chains_and_heads(), ids=" ".join)
def test_the_record_of_a_run_that_another_one_needs_first_makes_it_again(words: list[str]) -> None:
    settings = resolve(compose(words), words=words)
    needed = list[tuple[Settings, list[str]]]()
    if settings.model.tune.epochs:
        encoder = encoder_settings(settings)
        needed.append((encoder, encoder_overrides(encoder, words)))
    if settings.compression:
        needed.append((earlier_settings(settings), earlier_overrides(settings, words)))
    for inner, own in needed:
        again = resolve(compose(own), words=own)
        assert (identity_settings(again), again.data) == (identity_settings(inner), inner.data), own
