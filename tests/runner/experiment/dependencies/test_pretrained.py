"""A pretraining that a command names by its words: made first, shared by all seeds and data, and known to no plan."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.settings import pretrains_first
from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError
from runner.experiment.dependencies.inner_run import named_overrides
from runner.experiment.dependencies.pretrained import SHARED, make_pretrained
from runner.experiment.dependencies.teacher import make_teachers
from runner.experiment.outcome import Outcome
from runner.record.record import RunRecord
from runner.schema import Settings
from tests.records import record_json

MLM = "task=mlm model=bert-tiny data=demo train.steps=5"
DONE = Outcome(0, RunRecord.from_json(record_json(status="done")))


def settings_of(*words: str) -> Settings:
    """The settings of a command."""
    return resolve(compose([*words]), words=[*words])


def test_the_run_starts_from_the_model_and_the_tokenizer_of_its_pretraining(tmp_path: Path) -> None:
    words = ["data=demo", "model=bert-tiny", f"model.pretrained='{MLM}'", "seed=3", f"paths.output={tmp_path}"]
    settings, made = settings_of(*words), list[list[str]]()
    assert pretrains_first(settings.model) and settings.model.tokenizer == "auto", "no weights are looked for yet"

    def make_run(inner: Settings, own: list[str]) -> Outcome:
        made.append(own)
        assert inner.task.name == "mlm" and inner.seed == 0, "all seeds share one pretraining"
        return DONE

    make_pretrained(settings, words, lambda line: None, make_run)
    assert made == [[f"paths.output={tmp_path}", *MLM.split()]]
    assert DONE.record is not None
    folder = str(tmp_path / DONE.record.identity / "model")
    assert settings.model.pretrained == settings.model.tokenizer == folder
    make_pretrained(settings, words, lambda line: None, make_run)
    assert len(made) == 1, "a folder is no command"


def test_a_part_of_the_pretrained_model_may_be_all_that_is_taken(tmp_path: Path) -> None:
    words = ["data=demo", "model=bert-tiny", f"model.init_from='{MLM}'", "model.carry=word_vectors"]
    settings = settings_of(*words, f"paths.output={tmp_path}")
    assert pretrains_first(settings.model) and settings.model.pretrained is None
    make_pretrained(settings, words, lambda line: None, lambda inner, own: DONE)
    assert DONE.record is not None
    assert settings.model.init_from == settings.model.tokenizer == str(tmp_path / DONE.record.identity / "model")
    assert settings.model.pretrained is None


def test_neither_data_nor_seed_nor_compression_is_shared() -> None:
    words = ["data=sst2", "data.max_rows=9", "seed=1", "compression=[int8]", "tracker=none", "device=cpu"]
    assert named_overrides("task=mlm device=cuda", words, SHARED) == ["tracker=none", "task=mlm", "device=cuda"]


def test_mistakes_in_the_words_are_refused_before_anything_is_made() -> None:
    words = ["data=demo", "model=bert-tiny", "model.pretrained='task=mlm model=bert-tinny'"]
    with pytest.raises(ConfigError, match=r"model\.pretrained: .*bert-tinny"):
        make_pretrained(settings_of(*words), words, lambda line: None, lambda settings, own: DONE)


def test_a_model_of_masked_words_that_varies_texts_may_be_named_by_its_words() -> None:
    key = "compression.distil.augment.model"
    words = ["data=demo", "model=bert-tiny", "compression=[distil]", f"{key}='{MLM}'", "compression.distil.teacher=abc"]
    settings = settings_of(*words)
    make_teachers(settings, words, lambda line: None, lambda inner, own: DONE)
    assert DONE.record is not None
    stage = settings.compression["distil"]
    assert stage.augment.model == DONE.record.identity and stage.teacher == "abc"
