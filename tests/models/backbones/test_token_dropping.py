"""Tokens leave an encoder layer by layer: which, how many, and what stays of those that have left."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from models.backbones.hooks import LayerHook, Recorder, State
from models.backbones.lengths import Lengths
from models.backbones.token_dropping import choose_tokens, significance
from models.compression.lengths.chosen import set_lengths
from models.errors import ModelError
from tests.models.backbones.test_hooks import DropPositions
from tests.models.helpers import batch, placed, small, tagger

HALF = Lengths((0.5, 0.5, 0.5))


class Watch(LayerHook):
    """Keeps the places of all states."""

    def __init__(self, needs_all_positions: bool = False) -> None:
        self.needs_all_positions = needs_all_positions
        self.states: list[State] = []

    def before(self, layer: int, state: State) -> State:
        self.states.append(state)
        return state


def deep(**changes: Any) -> Any:
    return small(layers=3, initializer_range=0.2, **changes)


def alone(inputs: dict[str, Tensor], row: int) -> dict[str, Tensor]:
    length = int(inputs["attention_mask"][row].sum())
    return {name: value[row : row + 1, :length] for name, value in inputs.items()}


def test_significance_is_the_sum_of_the_attention_that_a_token_gets() -> None:
    weights = torch.tensor([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1], [0.0, 0.4, 0.6]])[None, None]
    torch.testing.assert_close(significance(weights, None), torch.tensor([[0.6, 1.45, 0.95]]))
    torch.testing.assert_close(significance(weights, torch.tensor([[1, 1, 0]])), torch.tensor([[0.6, 1.05, 0.35]]))
    drawn = torch.rand(2, 4, 5, 5).softmax(-1)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    torch.testing.assert_close(significance(drawn, mask).sum(1), torch.tensor([20.0, 12.0]))


def test_the_first_token_and_the_most_significant_stay_in_their_order_and_padding_leaves_first() -> None:
    scores = torch.tensor([[0.1, 0.9, 0.2, 0.8, 0.7, 0.3], [0.1, 0.2, 0.4, 0.3, 9.0, 9.0]])
    mask = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])
    index, stays = choose_tokens(scores, mask, Lengths((0.5,)), 0)
    assert stays is not None and stays.tolist() == [[1, 1, 1], [1, 1, 0]]
    assert index[0].tolist() == [0, 1, 3] and index[1, :2].tolist() == [0, 2]
    assert choose_tokens(scores, None, Lengths((4,), "absolute"), 0)[0][0].tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("readout", ["cls", "mean"])
@pytest.mark.parametrize("full", [Lengths((1.0, 1.0, 1.0)), Lengths((17, 17, 17), "absolute")])
def test_full_lengths_are_the_plain_model(readout: str, full: Lengths) -> None:
    model, inputs = deep(readout={"name": readout}), batch()
    whole = model(**inputs)
    set_lengths(model, full)
    torch.testing.assert_close(model(**inputs), whole, atol=1e-6, rtol=0)
    set_lengths(model, None)
    assert torch.equal(model(**inputs), whole)


def test_every_token_chosen_is_the_plain_model_but_for_rounding() -> None:
    model, inputs = deep(), batch()
    state = State(model.bert.embeddings(inputs["input_ids"], inputs["token_type_ids"]))
    layer = model.bert.encoder.layer[0]
    found = layer.shorten(state, Lengths((1.0,)), 0, keeps_whole=False)
    torch.testing.assert_close(found.hidden, layer(state.hidden, None), atol=1e-5, rtol=0)


def test_as_many_tokens_stay_as_the_lengths_say_and_none_twice() -> None:
    model, inputs = deep(), batch(6, 20)
    watch = Watch()
    set_lengths(model, Lengths((0.8, 0.5, 1.0)))
    model.bert(**inputs, hooks=[watch])
    assert [state.hidden.shape[1] for state in watch.states] == [20, 16, 8]
    for row, count in enumerate(inputs["attention_mask"].sum(1).tolist()):
        before = set(range(count))
        for state, kept in zip(watch.states[1:], Lengths((0.8, 0.5)).kept_of(count)):
            assert state.mask is not None and state.places is not None
            places = state.places[row][state.mask[row] > 0].tolist()
            assert len(places) == kept and places == sorted(set(places)) and places[0] == 0
            assert set(places) <= before, "padding is not kept while a token leaves"
            before = set(places)
            assert len(set(state.places[row].tolist())) == state.hidden.shape[1]


@pytest.mark.parametrize("make", [deep, lambda: deep(readout={"name": "mean"}), lambda: tagger(layers=3)])
def test_a_text_has_the_same_answer_alone_and_beside_longer_ones(make: Any) -> None:
    model, inputs = make(), batch(6, 20)
    set_lengths(model, Lengths((0.7, 0.7, 0.7)))
    together = model(**inputs)
    for row in range(6):
        one = alone(inputs, row)
        found = model(**one)[0]
        wanted = together[row] if found.ndim == 1 else together[row, : len(found)]
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(model(**(one | {"attention_mask": None}))[0], found, atol=1e-5, rtol=1e-5)


def test_a_dropped_token_keeps_the_state_it_had_and_the_others_go_on() -> None:
    model, inputs = tagger(layers=3), batch(3, 12)
    set_lengths(model, HALF)
    watch, recorder = Watch(needs_all_positions=True), Recorder()
    found = model.bert(**inputs, hooks=[watch, recorder])
    assert found.shape == (3, 12, 32) and all(state.shape == found.shape for state in recorder.states)
    embedded = recorder.states[0]
    for row, count in enumerate(inputs["attention_mask"].sum(1).tolist()):
        first, second = (
            set(state.places[row][state.mask[row] > 0].tolist())  # type: ignore[index]
            for state in watch.states[1:]
        )
        gone = sorted(set(range(count)) - first)
        assert gone and torch.equal(found[row, gone], embedded[row, gone])
        later = sorted(first - second)
        assert later and torch.equal(found[row, later], recorder.states[1][row, later])
        kept = sorted(second)
        assert not torch.isclose(found[row, kept], recorder.states[1][row, kept]).all()


def test_the_answer_of_the_first_token_is_the_same_whether_others_are_put_back_or_not() -> None:
    model, inputs = deep(), batch()
    set_lengths(model, HALF)
    torch.testing.assert_close(model.bert(**inputs, hooks=[Recorder()]), model.bert(**inputs), atol=1e-6, rtol=1e-6)


def test_states_at_given_places_are_those_of_the_whole_text() -> None:
    model, inputs = tagger(layers=3), batch()
    set_lengths(model, HALF)
    places = placed(inputs)["places"]
    torch.testing.assert_close(model(**inputs, places=places), model(**inputs).flatten(0, 1)[places])


def test_skipped_layers_change_nothing_and_without_any_the_embeddings_are_read() -> None:
    for model in (tagger(layers=3), deep()):
        inputs, encoder = batch(), model.bert.encoder
        set_lengths(model, HALF)
        encoder.skipped = frozenset({0, 1, 2})
        recorder = Recorder()
        model.bert(**inputs, hooks=[recorder])
        assert all(torch.equal(state, recorder.states[0]) for state in recorder.states)
        encoder.skipped = frozenset({2})
        skipped = model(**inputs)
        encoder.skipped = frozenset()
        del encoder.layer[2]
        set_lengths(model, Lengths((0.5, 0.5)))
        torch.testing.assert_close(model(**inputs), skipped)


def test_gradients_reach_all_weights_and_an_empty_text_has_a_number() -> None:
    model, inputs = deep(), batch()
    set_lengths(model, HALF)
    inputs["attention_mask"][1] = 0
    found = model(**inputs)
    assert found.isfinite().all()
    found.logsumexp(1).sum().backward()
    assert all(layer.output.dense.weight.grad.abs().sum() > 0 for layer in model.bert.encoder.layer)


def test_a_hook_that_takes_out_positions_is_refused_where_they_would_be_put_back() -> None:
    model = deep(readout={"name": "mean"})
    set_lengths(model, HALF)
    with pytest.raises(ModelError, match="a hook takes out positions between layers that drop tokens"):
        model.bert(**batch(), hooks=[DropPositions(0, 4)])
