"""The seam between layers: looking at states, dropping positions and rows, putting them back."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from models.backbones.bert import Bert
from models.backbones.hooks import ALL, LayerHook, Recorder, State, Wanted
from models.backbones.transformers_backbone import wrap_encoder
from models.errors import ModelError
from models.readouts.pooling import EveryToken
from tests.models.backbones.test_transformers_backbone import DISTILBERT
from tests.models.helpers import batch, small


class DropPositions(LayerHook):
    """Before one layer only the real positions with the largest first number stay; the others keep what they had."""

    needs_all_positions = True

    def __init__(self, layer: int, count: int) -> None:
        self.layer, self.count = layer, count
        self.dropped: State | None = None

    def before(self, layer: int, state: State) -> State:
        if layer != self.layer:
            return state
        self.dropped = state
        score = state.hidden[:, :, 0].clone()
        if state.mask is not None:
            score = score.masked_fill(state.mask == 0, -torch.inf)
        score[:, 0] = torch.inf  # [CLS] stays
        return state.keep_positions(score.topk(self.count, 1).indices.sort(1).values)

    def after_last(self, state: State) -> State:
        assert self.dropped is not None and state.places is not None
        restored = self.dropped.hidden.scatter(1, state.places[:, :, None].expand_as(state.hidden), state.hidden)
        return replace(self.dropped, hidden=restored)


class ExitEarly(LayerHook):
    """Rows whose first token is sure enough before a layer skip the layers that follow."""

    needs_all_positions = True

    def __init__(self, layer: int, are_sure: Tensor) -> None:
        self.layer, self.are_sure = layer, are_sure
        self.stopped: State | None = None

    def before(self, layer: int, state: State) -> State:
        if layer != self.layer:
            return state
        self.stopped = state
        return state.keep_rows((~self.are_sure).nonzero().squeeze(1))

    def after_last(self, state: State) -> State:
        assert self.stopped is not None and state.rows is not None
        return replace(self.stopped, hidden=self.stopped.hidden.index_copy(0, state.rows, state.hidden))


def deep() -> Bert:
    """Three layers, whose readout returns the states themselves."""
    bert = small(layers=3, initializer_range=0.2).bert
    bert.pooler = EveryToken()
    return bert


def states_of(bert: Bert, **inputs: Tensor) -> list[Tensor]:
    recorder = Recorder()
    bert(**inputs, hooks=[recorder])
    return recorder.states


def test_a_hook_that_does_nothing_changes_nothing() -> None:
    for model in (small(), small(readout={"name": "mean"})):
        assert torch.equal(model.bert(**batch(), hooks=[LayerHook()]), model.bert(**batch()))


@pytest.mark.parametrize("padded", [True, False])
def test_positions_are_dropped_between_two_layers_and_put_back_after_the_last(padded: bool) -> None:
    bert, inputs = deep(), batch(2, 9)
    if not padded:
        del inputs["attention_mask"]
    kept, before = 4, states_of(bert, **inputs)[1]
    found, recorder = bert(**inputs, hooks=[DropPositions(1, kept)]), Recorder()
    bert(**inputs, hooks=[DropPositions(1, kept), recorder])
    assert [state.shape[1] for state in recorder.states] == [9, 4, 4, 4]
    for row in range(2):
        real = int(inputs["attention_mask"][row].sum()) if padded else 9
        score = before[row, :real, 0].clone()
        score[0] = torch.inf
        stay = score.topk(min(kept, real)).indices.sort().values
        alone = bert.encoder.layer[2](bert.encoder.layer[1](before[row : row + 1, stay], None), None)[0]
        torch.testing.assert_close(found[row, stay], alone, atol=1e-5, rtol=1e-5)
        gone = torch.tensor(sorted(set(range(real)) - set(stay.tolist())), dtype=torch.long)
        assert torch.equal(found[row, gone], before[row, gone]), "a dropped token keeps the state it had"


def test_the_answer_of_a_row_does_not_depend_on_the_padding_around_it() -> None:
    bert, inputs = deep(), batch(3, 12)
    length = int(inputs["attention_mask"][1].sum())
    alone = {name: value[1:2, :length] for name, value in inputs.items()}
    count = min(4, length)
    found = bert(**inputs, hooks=[DropPositions(1, count)])[1:2, :length]
    torch.testing.assert_close(found, bert(**alone, hooks=[DropPositions(1, count)]), atol=1e-5, rtol=1e-5)


def test_keeping_every_position_is_the_plain_model_also_at_given_places() -> None:
    bert, inputs, places = deep(), batch(2, 9), torch.tensor([0, 3, 9, 11])
    whole = bert(**inputs)
    torch.testing.assert_close(bert(**inputs, hooks=[DropPositions(1, 9)]), whole, atol=1e-5, rtol=1e-5)
    found = bert(**inputs, hooks=[DropPositions(1, 9)], only=Wanted(places=places))
    torch.testing.assert_close(found, whole.flatten(0, 1)[places], atol=1e-5, rtol=1e-5)


def test_dropped_positions_may_stay_away_where_the_readout_reads_what_is_left() -> None:
    class Shorten(DropPositions):
        def after_last(self, state: State) -> State:
            return state

    for readout in ("cls", "mean"):
        model, inputs = small(readout={"name": readout}), batch(2, 9)
        hook, recorder = Shorten(1, 4), Recorder()
        found = model.bert(**inputs, hooks=[hook, recorder])
        assert hook.dropped is not None and recorder.states[-1].shape[1] == 4
        mask = None if readout == "cls" else (hook.dropped.mask.sum(1, keepdim=True) > torch.arange(4)).long()  # type: ignore[union-attr]
        torch.testing.assert_close(found, model.bert.pooler(recorder.states[-1], mask))


def test_rows_that_stop_early_keep_the_states_they_had_and_the_others_go_on() -> None:
    bert, inputs = deep(), batch(5, 9)
    whole, sure = states_of(bert, **inputs), torch.tensor([True, False, True, False, False])
    found = bert(**inputs, hooks=[ExitEarly(2, sure)])
    assert torch.equal(found[sure], whole[2][sure])
    torch.testing.assert_close(found[~sure], whole[3][~sure], atol=1e-5, rtol=1e-5)
    everyone = torch.ones(5, dtype=torch.bool)
    assert torch.equal(bert(**inputs, hooks=[ExitEarly(2, everyone)]), whole[2])


def test_hooks_nest_and_remember_where_rows_and_positions_were() -> None:
    state = State(torch.arange(24.0).view(2, 4, 3), torch.zeros(2, 1, 1, 4), torch.ones(2, 4))
    once = state.keep_positions(torch.tensor([[0, 2, 3], [0, 1, 3]]))
    twice = once.keep_positions(torch.tensor([[0, 2], [1, 2]])).keep_rows(torch.tensor([1]))
    assert once.places is not None and once.places.tolist() == [[0, 2, 3], [0, 1, 3]]
    assert twice.places is not None and twice.rows is not None and twice.bias is not None and twice.mask is not None
    assert (twice.places.tolist(), twice.rows.tolist()) == ([[1, 3]], [1])
    assert torch.equal(twice.hidden, state.hidden[1:, [1, 3]])
    assert (twice.bias.shape, twice.mask.shape) == ((1, 1, 1, 2), (1, 2))

    seen = []

    class Named(LayerHook):
        def __init__(self, name: str) -> None:
            self.name = name

        def before(self, layer: int, state: State) -> State:
            seen.append(f"{self.name}{layer}")
            return state

        def after_last(self, state: State) -> State:
            seen.append(self.name)
            return state

    deep()(**batch(), hooks=[Named("a"), Named("b")])
    assert seen == ["a0", "b0", "a1", "b1", "a2", "b2", "b", "a"]


def test_the_wanted_states_are_all_the_first_or_those_at_given_places() -> None:
    hidden = torch.arange(24.0).view(2, 4, 3)
    assert torch.equal(ALL.select(hidden), hidden)
    assert torch.equal(Wanted(2).select(hidden), hidden[:, :2])
    assert torch.equal(Wanted(places=torch.tensor([1, 6])).select(hidden), torch.stack([hidden[0, 1], hidden[1, 2]]))


def test_an_encoder_of_transformers_shows_its_states_and_refuses_to_change_them() -> None:
    bert, inputs = wrap_encoder({"model_type": "distilbert", **DISTILBERT}, {"name": "mean"}, 0.1)[0].eval(), batch()
    states = states_of(bert, **inputs)
    assert len(states) == bert.state_shape()[1] + 1
    torch.testing.assert_close(bert.pooler(states[-1], inputs["attention_mask"]), bert(**inputs))
    bert.pooler = EveryToken()
    found = bert(**inputs, only=Wanted(places=torch.tensor([4, 20])))
    torch.testing.assert_close(found, states[-1].flatten(0, 1)[[4, 20]])
    with pytest.raises(ModelError, match="DropPositions works between the layers of our own encoder"):
        bert(**inputs, hooks=[DropPositions(1, 4)])
