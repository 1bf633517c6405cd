"""Options of compression stages without effect: each is named with the value that would give it one."""

from __future__ import annotations

import pytest

from runner.config.check import check_overrides
from runner.config.compose import compose, groups
from runner.config.from_run import DROPPED
from runner.config.resolve import resolve

TEACHER = "compression.distil.teacher=a"
IDLE = [
    ("int4", "qat_epochs=3", "qat=true"),
    ("int8", "group=64", "per=group"),
    ("int8", "embedding_bits=4 embeddings=false", "embeddings=true"),
    ("int8_static", "percentile=99", "range=percentile"),
    ("ternary", "embedding_bits=3 embedding_form=ternary", "embedding_form=affine"),
    ("splitquant", "group=64", "per=group"),
    ("exits", "epochs=3", "form=alternate"),
    ("exits", "within=0.1", "rule=patience"),
    ("exits", "at_most_loss=0.1 threshold=0.9", "threshold=null"),
    ("exits", "rows=100 form=weighted", "form=frozen"),
    ("length", "search.rows=100 lengths=[0.5,1]", "lengths=null"),
    ("dynamic_tinybert", "train.drop=0.3", "train.epochs=2"),
    ("length", "search.iterations=9 search.method=greedy", "search.method=evolution"),
    ("movement", "scope=global form=soft", "form=hard"),
    ("magnitude", "epochs=1 steps=9", "steps=null"),
    ("l0", "every=5", "penalty=50"),
    ("l0", "start=0.5", "penalty=50"),
    ("ziplm", "recovery.lr=0.1", "recovery.epochs=2"),
    ("ziplm", "target.speedup=3 target.latency_ms=1", "target.latency_ms=null"),
    ("distil", "layers=top", "phases.task.losses.hidden=1"),
    ("distil", "augment.copies=5", "augment.model=<id of a task=mlm run>"),
    ("distil", "unlabelled_rows=5", "unlabelled=<a file with one text per row>"),
    ("distil", "held_out=left_out", "unlabelled=<a file with one text per row>"),
    ("magnitude", "lr=1e-3 epochs=0", "epochs=6"),
    ("magnitude_one_shot", "freeze_embeddings=false epochs=0", "epochs=6"),
    ("ziplm_gradual", "recovery.temperature=4 recovery.answers=0", "recovery.answers=1"),
    ("ternary", "embedding_form=ternary embeddings=false", "embeddings=true"),
    ("compact", "tables=all embeddings=false", "embeddings=true"),
    ("pq", "dsub=4 embeddings=false", "embeddings=true"),
    ("dendrites", "pool=8", "mode=cascor"),
    ("dendrites", "p_lr=0.1 mode=random", "mode=cascor"),
    ("dendrites", "p_rows=99", "mode=cascor"),
    ("dendrites", "patience=2 switch=fixed", "switch=history"),
]


@pytest.mark.parametrize(("name", "words", "cure"), IDLE)
def test_an_option_that_another_one_switches_off_is_refused(name: str, words: str, cure: str) -> None:
    own = [f"compression.{name}.{word}" for word in words.split()]
    given = ["model=bert-tiny", "data=demo", f"compression=[{name}]", *([TEACHER] if name == "distil" else []), *own]
    assert check_overrides(given) == [f"{own[0]} has no effect. Try: compression.{name}.{cure}, or leave it out"]
    assert not check_overrides([word for word in given if word != own[0]])


@pytest.mark.parametrize("chain", ["none", "l0", "soft_movement", "ziplm", "int8"])
def test_a_density_that_no_stage_keeps_is_refused(chain: str) -> None:
    (found,) = check_overrides(["model=bert-tiny", "data=demo", f"compression=[{chain}]", "density=0.3"])
    assert found.startswith(f"density=0.3 has no effect: no stage of compression=[{chain}] keeps a given share")
    assert not check_overrides(["model=bert-tiny", "data=demo", "compression=[magnitude,int8]", "density=0.3"])
    assert not check_overrides(["model=bert-tiny", "data=demo", "compression=[none],[l0]", "density=0.3"], True)
    assert "density" in DROPPED, "a stage on a pruned run does not take over its density"


def test_every_option_that_can_be_without_effect_exists() -> None:
    for name in groups()["compression"]:
        if name == "none":
            continue
        stage = resolve(compose(["model=bert-tiny", "data=demo", f"compression=[{name}]", *_needed(name)])).compression[
            name
        ]
        for option in stage.without_effect():
            owner, *rest = option.split(".")
            assert owner in vars(stage) and all(part in vars(vars(stage)[owner]) for part in rest), (name, option)


def _needed(name: str) -> list[str]:
    is_taught = "distil" in name or name in ("tinybert", "tinybert_simplified", "ernie_tiny", "text_vectors")
    return [f"compression.{name}.teacher=a"] if is_taught else []
