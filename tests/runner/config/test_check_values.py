"""One value of a setting: its type, its range, its choices; each mistake is one line with the cure."""

from __future__ import annotations

import pytest

from runner.config.check_values import check_field, check_option, check_range, check_settings, check_type, choices_for
from runner.schema import OptimizerSettings, Settings


@pytest.mark.parametrize(("key", "value", "said"), [
    ("seed", [0, 1], "could not be converted to Integer. Try: run -m seed=0,1"),
    ("seed", "x", "Expected at least 0 and at most 4294967295. Try: run seed=0"),
    ("train.batch_size", 1e3, "Try: run train.batch_size=1000"),
    ("optimizer.betas", 0.9, "Try: run 'optimizer.betas=[0.9]'"),
    ("optimizer.betas", [0.9], "2 numbers are needed"),
    ("optimizer.lr", 0, "out of range. Expected more than 0 and at most 100. Try: run optimizer.lr=0.0003"),
    ("optimizer.lr", float("nan"), "out of range"),
    ("train.precision", "fp61", "must be one of fp32, bf16. Try: run train.precision=fp32"),
    ("compression.int8.bits", "many", "could not be converted to Integer"),
    ("paths.output", "a\0b", "holds a NUL"),
    ("paths.output", "~nobody-has-this-name/x", "this machine has no such user. Try: paths.output=~/x"),
])  # fmt: skip
def test_a_mistake_is_one_line_with_the_cure(key: str, value: object, said: str) -> None:
    found = check_type(key, value)
    assert found is not None and found.startswith(f"{key}=") and said in found and "\n" not in found


@pytest.mark.parametrize(("key", "value"), [
    ("seed", 0), ("optimizer.lr", 1), ("train.steps", None), ("optimizer.betas", [0.9, 0.98]), ("device", "${x}"),
    ("compression.int8.bits", 4), ("data.positive", "a, b"),
])  # fmt: skip
def test_a_good_value_has_no_line(key: str, value: object) -> None:
    assert check_type(key, value) is None


def test_an_option_of_a_part_has_the_type_of_its_default() -> None:
    assert check_option("model.embedding.ngrams", 3, 2) is check_option("model.embedding.scale", 1, 0.5) is None
    assert check_option("model.embedding.ngrams", 2.5, 2) == (
        "model.embedding.ngrams=2.5: expected a whole number. Try: run model.embedding.ngrams=2"
    )
    assert "expected true or false" in str(check_option("model.embedding.train_scale", 1, False))
    assert "Try: run model/readout=mean" in str(check_option("model.readout.name", "mean", "cls"))


def test_choices_can_be_listed_where_there_are_some() -> None:
    assert choices_for("train.precision") == ("fp32", "bf16") and choices_for("force") == ("true", "false")
    assert choices_for("seed") == choices_for("no.such.key") == choices_for("compression.int8.scheme") == ()


def test_fields_of_any_dataclass_have_the_same_limits() -> None:
    assert check_field(OptimizerSettings, "eps", 2.0, "optimizer.") == (
        "optimizer.eps=2.0: out of range. Expected more than 0 and at most 1. Try: run optimizer.eps=1e-08"
    )
    assert check_range("optimizer.eps", 1.0) is None


def test_whole_settings_list_every_mistake() -> None:
    settings = Settings(force=True, resume="must")
    settings.optimizer.lr = settings.train.epochs = -1.0
    lines = check_settings(settings)
    assert [line.partition("=")[0] for line in lines] == ["optimizer.lr", "train.epochs", "resume"]
    assert check_settings(Settings()) == []
