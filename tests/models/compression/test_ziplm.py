"""ZipLM in a context whose clock counts weights: targets met, layers refitted, steps with recovery, what is refused."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch

from models.compression.dendrite.module import attach_dendrites
from models.compression.pruning.masks import PRUNED
from models.compression.settings.pruning import Recovery, Search
from models.compression.settings.pruning import Ziplm as Options
from models.compression.structured.blocks import ATTENTION, FFN
from models.compression.structured.layer_widths import Sublayer, cut_sublayer, layer_of, restore, widths
from models.compression.ziplm import Ziplm, task_loss
from models.errors import ModelError
from tests.models.compression.counting_context import CountingContext, NoisyContext, TokenContext, model, options, run
from tests.models.compression.task_views import Numbers
from tests.models.helpers import BI_ENCODER, batch, small, tagger


@pytest.fixture
def context(tmp_path: Path) -> CountingContext:
    return CountingContext(tmp_path)


@pytest.mark.parametrize("speedup", [1.3, 1.8, 4.0])
def test_the_model_gets_as_fast_as_asked_and_its_layers_are_refitted(speedup: float, context: CountingContext) -> None:
    dense = model()
    found = run(options(speedup), context, copy.deepcopy(dense))
    assert CountingContext.cost(dense) / CountingContext.cost(found) == pytest.approx(speedup, rel=0.03)
    facts = context.facts
    assert facts["structure/speedup_target"] == speedup and facts["structure/speedup"] == pytest.approx(
        speedup, rel=0.03
    )
    assert facts["structure/heads"] == sum(heads for heads, _ in widths(found))
    assert facts["structure/neurons"] == sum(neurons for _, neurons in widths(found)) < 3 * 48
    assert 0 < facts["structure/layer_error_mean"] < 0.8 * facts["structure/layer_error_deleted_mean"]
    assert found.architecture["compressed"] == [{"method": "ziplm", "layers": widths(found)}]
    assert found(**batch()).isfinite().all()


@pytest.mark.parametrize("parts", [(ATTENTION,), (FFN,), (ATTENTION, FFN)])
def test_a_model_whose_last_layer_was_emptied_before_is_cut_again(parts: tuple[str, ...], tmp_path: Path) -> None:
    before = model()
    for part in parts:
        cut_sublayer(layer_of(before, Sublayer(2, part)), part, [], torch.zeros(32, 0), torch.zeros(32))
    found = run(options(1.3, search=Search(steps=0)), CountingContext(tmp_path), copy.deepcopy(before))
    assert CountingContext.cost(before) / CountingContext.cost(found) == pytest.approx(1.3, rel=0.03)
    assert [width for width, part in zip(widths(found)[2], (ATTENTION, FFN)) if part in parts] == [0] * len(parts)


def test_gradual_steps_get_faster_and_each_is_trained_towards_the_dense_model(context: CountingContext) -> None:
    dense = model()
    found = run(options(4.0, steps=2, recovery=Recovery(epochs=3, lr=1e-4)), context, copy.deepcopy(dense))
    phases, shapes, changes = zip(*context.phases)
    assert phases == ("recovery-1", "recovery-2") and changes[0] == {"epochs": 3, "lr": 1e-4}
    assert all(after <= before for now, then in zip(*shapes) for after, before in zip(then, now))
    assert CountingContext.cost(dense) / CountingContext.cost(found) == pytest.approx(4.0, rel=0.03)
    assert context.losses[-1] < context.losses[0]
    assert not any(layer._forward_hooks for layer in found.bert.encoder.layer)


def test_an_interrupted_run_goes_on_from_the_last_cut(context: CountingContext) -> None:
    chosen = options(4.0, steps=2, recovery=Recovery(epochs=1.0))
    whole = run(chosen, context)
    context.boundary, context.phases, context.stop_after = None, [], 1
    with pytest.raises(KeyboardInterrupt):
        run(chosen, context)
    context.stop_after = 99
    found = run(chosen, context)
    assert [phase for phase, _, _ in context.phases] == ["recovery-1", "recovery-2", "recovery-2"]
    assert widths(found) == widths(whole)
    assert found.architecture == whole.architecture, "or the saved model could not be opened"
    assert torch.equal(found(**batch()), whole(**batch()))


def test_an_interrupted_run_goes_on_by_its_own_table_where_the_cache_is_gone(tmp_path: Path) -> None:
    chosen = options(1.5, steps=2, recovery=Recovery(epochs=1.0))
    context = NoisyContext(tmp_path / "one")
    context.stop_after = 1
    with pytest.raises(KeyboardInterrupt):
        run(chosen, context)
    context.cache, context.stop_after, context.timed, told = tmp_path / "another", 99, [], dict(context.told)
    run(chosen, context)
    assert "whole" not in context.timed and context.told == told


def test_the_search_compares_numbers_in_the_scale_of_the_loss() -> None:
    model, inputs = small(num_labels=1), batch()
    tested = [(inputs, {"labels": 5000.0 + model(**inputs).detach().squeeze(-1)})]
    assert task_loss(model, tested, Numbers(2500.0)) == pytest.approx(4.0, rel=1e-4)


def test_a_model_that_answers_for_tokens_is_cut_and_recovers(tmp_path: Path) -> None:
    context = TokenContext(tmp_path)
    start = tagger(layers=3, initializer_range=0.2)
    run(options(1.5, recovery=Recovery(epochs=1.0)), context, start)
    assert context.facts["structure/speedup"] == pytest.approx(1.5, rel=0.1)
    assert context.losses[-1] < context.losses[0]


def test_a_length_beyond_the_models_positions_is_refused_before_anything_is_timed() -> None:
    stage = Ziplm(Options(length=65), "ziplm")
    with pytest.raises(ModelError, match=r"ziplm\.length=65 .* takes 64 at most\. Try: compression\.ziplm\.length=64"):
        stage.check(small())
    Ziplm(Options(length=64), "ziplm").check(small())


def test_a_bi_encoder_is_refused_because_its_layers_see_other_rows_than_the_mask() -> None:
    with pytest.raises(ModelError, match=r"compression=\[ziplm\].*bi-encoder.*Try: 'compression=\[magnitude\]'"):
        Ziplm(Options(length=64), "ziplm").check(small(readout=BI_ENCODER))


def test_a_pruned_model_is_refused_because_refitting_would_undo_its_zeros() -> None:
    start = small()
    start.architecture[PRUNED] = ["bert.encoder.layer.0.output.dense"]
    with pytest.raises(
        ModelError, match=r"compression=\[ziplm\] refits weights.*zeros.*Try: the run before its pruning"
    ):
        Ziplm(Options(length=64), "ziplm").check(start)


@pytest.mark.parametrize("name", ["output.dense", "attention.self.value"])
def test_layers_that_an_earlier_stage_has_replaced_are_refused(name: str, context: CountingContext) -> None:
    start = model()
    attach_dendrites(start, [f"bert.encoder.layer.1.{name}"])
    with pytest.raises(ModelError, match=r"compression=\[ziplm\].*this model has a Dendritic"):
        Ziplm(Options(length=16), "ziplm").check(start)
    with pytest.raises(ModelError, match="this model has a Dendritic"):
        run(options(1.3), context, start)


def test_dendrites_outside_the_blocks_and_removed_sublayers_are_no_obstacle() -> None:
    start = restore(model(), {"layers": [[0, 48], [4, 0], [4, 48]]})
    attach_dendrites(start, ["classifier"])
    Ziplm(Options(length=16), "ziplm").check(start)
