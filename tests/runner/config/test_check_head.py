"""Settings that do not go with a fitted last layer or with the tuning on pairs, and their cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.config.compose import compose
from runner.config.resolve import resolve
from runner.errors import ConfigError

FROZEN, TUNED = ("model=frozen", "data=sst2"), ("model=contrastive", "data=sst2")


@pytest.mark.parametrize("words", [FROZEN, TUNED, ("model=frozen", "data=stsb"), (*TUNED, "model.pairs=5")])
def test_the_presets_have_no_conflicts(words: tuple[str, ...]) -> None:
    model = resolve(compose(list(words))).model
    assert model.head == "fitted" and model.pretrained == "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*FROZEN, "model.freeze=none"), "Try: model.freeze=encoder, or model.pairs=auto"),
        ((*FROZEN, "model/readout=scalar_mix"), "has weights of its own"),
        ((*FROZEN, "model.pairs=auto"), "model.freeze=encoder keeps it fixed. Try: model.freeze=none, or model=frozen"),
        ((*TUNED, "model.head=trained"), "Try: model.head=fitted"),
        ((*TUNED, "model.pairs=few"), "expected none, auto or pairs of each kind per row. Try: model.pairs=10"),
        ((*TUNED, "model.pairs=0"), "expected none, auto"),
        (("model=contrastive", "data=stsb", "data.task=regression"), "no classes. Try: model=frozen"),
        (
            (*FROZEN, "compression=[distil]", "compression.distil.teacher=some/teacher"),
            "trains the model instead of fitting its last layer",
        ),
    ],
)
def test_settings_that_contradict_a_preset_are_refused_with_a_cure(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as found:
        resolve(compose(list(words)))
    assert message in str(found.value)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compression=[int8]"], "pruned and rounded already"),
        (["compression=[distil_unlabelled,int8]"], "pruned and rounded already"),
        (["compression=[ernie_tiny]"], "only a teacher's answers, in one phase"),
        (["compression=[distil]", "compression.distil.phases.task.losses.hidden=1"], "only a teacher's answers"),
        (["compression=[distil]", "compression.distil.augment.model=x"], "does no augmentation"),
        (["compression=[distil]", "compression.distil.starts=tuned"], "starts=tuned has no effect"),
        (["compression=[distil]", "compression.distil.phases.task.lr=1e-3"], "task.lr=0.001 has no effect"),
    ],
)
def test_ngrams_learn_a_teachers_answers_and_nothing_else(words: list[str], message: str) -> None:
    name = words[0].removeprefix("compression=[").rstrip("]").split(",")[0]
    teacher = [f"compression.{name}.teacher=some/teacher"] if name != "int8" else []
    with pytest.raises(ConfigError, match=message):
        resolve(compose(["model=ngram", "data=sst2", *words, *teacher]))
    fine = ["compression=[distil_unlabelled]", "compression.distil_unlabelled.teacher=some/teacher"]
    assert resolve(compose(["model=ngram", "data=sst2", *fine])).compression


STOCK = ("model=auto", "model.pretrained=some/encoder", "model.head=stock")


@pytest.mark.parametrize(("data", "readout"), [("sst2", "cls"), ("stsb", "cls"), ("wnut17", "none"), ("squad", "none")])
def test_a_stock_head_goes_with_one_answer_a_text_or_a_token(data: str, readout: str) -> None:
    model = resolve(compose([*STOCK, f"data={data}"])).model
    assert (model.head, model.readout["name"]) == ("stock", readout)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("model=bert-tiny", "model.head=stock"), "model=bert-tiny is Bertier's own network. Try: model.head=trained"),
        ((*STOCK, "model/readout=mean"), "reads them differently. Try: model/readout=cls, or model.head=trained"),
        ((*STOCK, "model/readout=scalar_mix"), "Try: model/readout=cls"),
        ((*STOCK, "model.pairs=auto"), "Try: model.head=fitted"),
    ],
)
def test_what_has_no_place_in_a_class_of_transformers_is_refused(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigError) as found:
        resolve(compose([*words, "data=sst2"]))
    assert message in str(found.value)


def test_a_stock_head_starts_from_a_checkpoint_and_not_from_the_head_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    with pytest.raises(ConfigError, match=f"names a run. Try: model.pretrained={tmp_path}"):
        resolve(compose([*STOCK, "data=sst2", f"model.init_from={tmp_path}"]))
