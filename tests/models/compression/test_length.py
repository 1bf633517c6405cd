"""The length stage: given lengths, what is saved of them, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from models.backbones.lengths import Lengths
from models.compression.length import Length, restore
from models.compression.lengths.choice import entry_of
from models.compression.lengths.chosen import lengths_of
from models.compression.lengths.timing import Cell
from models.compression.settings.length import Length as Options
from models.compression.settings.length import LengthTraining
from models.compression.settings.length_search import LengthSearch
from models.compression.stage import TrainingHook
from models.compression.structured.blocks import ATTENTION
from models.compression.structured.layer_widths import cut_sublayer, record_widths
from models.compression.structured.layer_widths import restore as restore_widths
from models.errors import ModelError
from models.heads.base import HeadSpec
from models.rebuild import rebuild
from tests.models.compression.lengths.watch import WatchContext, kept_share
from tests.models.compression.task_views import Classes
from tests.models.compression.tensor_context import started
from tests.models.helpers import batch, small

SHORT = LengthSearch(population=3, iterations=2, mutations=3, crossovers=3, rows=32, at_most_loss=0.3)


class Context(WatchContext):
    """Trainings are counted; the search is stopped at its second boundary if `stops`."""

    task, lr = Classes(), 1e-3

    def __init__(self, cache: Path, *, stops: bool = False) -> None:
        super().__init__(cache, kept_share)
        self.trained: list[float] = []
        self.during: list[Lengths | None] = []  # those of evaluations during each training
        self.stops, self.boundary = stops, list[tuple[dict[str, Tensor], dict[str, Any]]]()

    def train(self, model: Any, hook: TrainingHook, *, phase: str, epochs: float, lr: float | None) -> None:
        self.trained.append(epochs)
        hook.begin(model, 1)
        self.during.append(lengths_of(model))
        hook.end(model)
        torch.nn.init.ones_(model.classifier.bias)

    def save_progress(self, model: Any, state: dict[str, Any]) -> None:
        self.boundary.append(({name: value.clone() for name, value in model.state_dict().items()}, dict(state)))
        if self.stops and len(self.boundary) == 2:
            raise KeyboardInterrupt

    def load_progress(self) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        return self.boundary[-1] if self.boundary else None


def test_a_stage_trains_searches_and_keeps_the_lengths_that_lose_little(tmp_path: Path) -> None:
    context = Context(tmp_path)
    options = Options(train=LengthTraining(epochs=2.0), search=SHORT)
    model = Length(options).run(small(layers=3), context)
    assert context.trained == [2.0]
    lengths, entry = lengths_of(model), entry_of(model.architecture)  # type: ignore[arg-type]
    assert lengths is not None and entry is not None and entry["lengths"] == list(lengths.values)
    assert 0.35 <= lengths.kept_of(1000)[0] / 1000 < 1, "kept_share counts what leaves the first layer, twice"
    assert entry["choices"][-1]["lengths"] == [] and len(entry["choices"]) == context.metrics["length/choices"]
    assert entry["lengths"] in [choice["lengths"] for choice in entry["choices"]]
    assert context.metrics["length/share"] < 1


@pytest.mark.parametrize(("mode", "method"), [("ratio", "evolution"), ("absolute", "greedy"), ("ratio", "geometric")])
def test_a_budget_that_no_lengths_reach_is_refused_before_the_training_with_one_that_is(
    tmp_path: Path, mode: str, method: str
) -> None:
    context, model = Context(tmp_path), small(layers=3)
    search = replace(SHORT, method=method, at_most_loss=None, budget=0.1)
    with pytest.raises(ModelError, match=r"quala\.search\.budget=0\.1: with .*drop=0\.4 .*0\.\d+ of") as told:
        Length(Options(mode=mode, train=LengthTraining(epochs=2.0), search=search), "quala").run(model, context)
    assert not context.trained and not context.scored
    budget = float(str(told.value).split("Try: compression.quala.search.budget=")[1].split(",")[0])
    found = Length(Options(mode=mode, search=replace(search, budget=budget))).run(model, context)
    assert lengths_of(found) is not None and context.metrics["length/share"] <= budget < 1


class SlowToDrop(Context):
    """Dropping tokens takes longer than computing them."""

    def ms(self, model: torch.nn.Module, length: int) -> float:
        return super().ms(model, length) * (9.0 if isinstance(model, Cell) and model.share < 1 else 1.0)


@pytest.mark.parametrize("method", ["evolution", "greedy", "geometric"])
@pytest.mark.parametrize("kept", [{}, {"budget": 0.7, "at_most_loss": None}])
def test_lengths_that_are_slower_than_all_tokens_are_not_kept(
    tmp_path: Path, method: str, kept: dict[str, Any]
) -> None:
    search = replace(SHORT, method=method, cost="latency", **kept)
    context = SlowToDrop(tmp_path)
    model = Length(Options(search=search)).run(small(layers=3), context)
    assert lengths_of(model) is None and context.metrics["length/share"] == 1.0
    assert context.metrics["length/score_full"] == context.metrics["length/score"] == 1.0
    assert "no shorter lengths are faster on this machine: all tokens are kept" in context.said


def beheaded(*numbers: int) -> Any:
    """A small model of four layers, of which these, from 0, have no heads."""
    model: Any = small(layers=4)
    for number in numbers:
        layer = model.bert.encoder.layer[number]
        cut_sublayer(
            layer, ATTENTION, [], layer.attention.output.dense.weight[:, :0], layer.attention.output.dense.bias
        )
    record_widths(model)
    return model


@pytest.mark.parametrize("mode", ["ratio", "absolute"])
@pytest.mark.parametrize(("method", "cost"), [("evolution", "latency"), ("greedy", "macs")])
def test_layers_that_lost_all_heads_keep_all_tokens(tmp_path: Path, mode: str, method: str, cost: str) -> None:
    search = replace(SHORT, method=method, cost=cost, drop=0.9)
    options = Options(mode=mode, train=LengthTraining(epochs=1.0), search=search)
    model = Length(options).run(beheaded(0, 2), Context(tmp_path))
    entry, longest = entry_of(model.architecture), model.longest_input()
    assert entry is not None and len(entry["choices"]) >= 2
    for values in (choice["lengths"] for choice in entry["choices"][:-1]):
        first, second, third, _ = Lengths(tuple(values), mode).kept_of(longest)  # type: ignore[arg-type]
        assert first == longest and second < longest and third == second
    inputs = batch(4, 24)
    assert torch.equal(rebuilt(model)(**inputs), model(**inputs))


def test_an_encoder_that_lost_all_heads_keeps_all_tokens_and_is_not_trained(tmp_path: Path) -> None:
    context, model = Context(tmp_path), beheaded(0, 1, 2, 3)
    assert Length(Options(train=LengthTraining(epochs=1.0), search=SHORT)).run(model, context) is model
    assert not context.trained and not context.scored and lengths_of(model) is None
    assert context.said == ["no layer has a head left, but heads tell which tokens matter: all tokens are kept"]
    with pytest.raises(ModelError, match=r"no layer has a head left, .* Try: a pruning that leaves some heads"):
        Length(Options()).check(model)


def rebuilt(model: Any) -> Any:
    """The model as a saved folder would give it."""
    opened = rebuild(model.architecture, model.spec, None)
    for entry in model.architecture["compressed"]:
        opened = (restore if entry["method"] == "length" else restore_widths)(opened, entry)
    opened.load_state_dict(model.state_dict())
    return opened.eval()


def test_lengths_for_layers_without_heads_are_all_tokens_and_a_line_says_so(tmp_path: Path) -> None:
    context = Context(tmp_path)
    options = Options(lengths=[0.5, 0.5, 0.5, 1.0], train=LengthTraining(epochs=0.0))
    model = Length(options).run(beheaded(0, 2), context)
    assert lengths_of(model) == Lengths((1.0, 0.5, 1.0, 1.0))
    assert context.said == ["lengths [1.0, 0.5, 1.0, 1.0]: a layer without heads keeps all tokens"]
    absolute = Options(lengths=[20, 20, 10, 10], mode="absolute", train=LengthTraining(epochs=0.0))
    model = Length(absolute).run(beheaded(0, 2), context)
    assert lengths_of(model) == Lengths((model.longest_input(), 20, 20, 10), "absolute")  # type: ignore[attr-defined]


def test_an_interrupted_stage_trains_and_scores_nothing_twice(tmp_path: Path) -> None:
    options = Options(train=LengthTraining(epochs=2.0), search=SHORT)
    whole = Context(tmp_path)
    wanted = Length(options).run(small(layers=3), whole)
    context = Context(tmp_path, stops=True)
    with pytest.raises(KeyboardInterrupt):
        Length(options).run(small(layers=3), context)
    before, context.stops = len(context.scored), False
    again = Length(options).run(small(seed=7, layers=3), context)
    assert context.trained == [2.0] and before + len(context.scored[before:]) == len(whole.scored)
    assert again.architecture == wanted.architecture
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in wanted.state_dict().items())


@pytest.mark.parametrize(
    ("options", "sketched"),
    [
        (Options(search=LengthSearch(at_most_loss=None)), None),
        (Options(search=LengthSearch(at_most_loss=None, budget=1.0)), None),
        (Options(search=LengthSearch(at_most_loss=None, budget=0.5)), (0.9, 0.9, 0.9)),
        (Options(search=LengthSearch(at_most_loss=0.01)), (0.9, 0.9, 0.9)),
        (Options(lengths=[1.0, 0.5, 0.5]), (1.0, 0.5, 0.5)),
    ],
)
def test_a_sketch_drops_tokens_where_the_stage_will(options: Options, sketched: tuple[float, ...] | None) -> None:
    model = small(layers=3)
    Length(options).sketch(model)
    lengths = lengths_of(model)
    assert (lengths and lengths.values) == sketched


def test_given_lengths_are_set_saved_and_opened_again(tmp_path: Path) -> None:
    context = Context(tmp_path)
    model = Length(Options(lengths=[1.0, 0.5], train=LengthTraining(epochs=0.0))).run(small(), context)
    assert not context.trained and not context.scored
    again = rebuild(model.architecture, HeadSpec(outputs=3)).eval()  # type: ignore[arg-type]
    again.load_state_dict(model.state_dict())
    assert lengths_of(again) == Lengths((1.0, 0.5)) and again.architecture == model.architecture
    assert torch.equal(again(**batch()), model(**batch()))


def test_a_training_for_given_lengths_is_for_those_alone(tmp_path: Path) -> None:
    context = Context(tmp_path)
    given = Lengths((0.5, 0.4))
    Length(Options(lengths=list(given.values), train=LengthTraining(epochs=1.0))).run(small(), context)
    assert context.trained == [1.0] and context.during == [given] and not context.scored


def test_lengths_that_do_not_fit_the_model_are_refused_before_anything_is_trained() -> None:
    for options, told in (
        (Options(lengths=[1.0]), r"^compression\.length\.lengths: 1 values for 2 layers"),
        (Options(lengths=[90, 50], mode="absolute"), r"^compression\.length\.lengths: .*this model takes 64 at most"),
        (Options(lengths=[20, 50], mode="absolute"), "lengths that do not grow"),
    ):
        with pytest.raises(ModelError, match=told):
            Length(options).check(small())
    with pytest.raises(ModelError, match="our own BERTs only"):
        Length(Options()).check(started())


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({"lengths": "all"}, "Expected a list of numbers"),
        ({"lengths": [0.5, None]}, "Expected a list of numbers"),
        ({"lengths": [0.5, True]}, "Expected a list of numbers"),
        ({"lengths": [0.5]}, "1 values for 2 layers"),
        ({"lengths": [0.5, 0.5], "mode": "x" * 100}, "mode is 'x"),
        ({"lengths": [10, 20], "mode": "absolute"}, "do not grow"),
    ],
)
def test_a_config_with_impossible_lengths_is_refused(entry: dict[str, Any], told: str) -> None:
    with pytest.raises(ModelError, match=told):
        restore(small(), entry)
    assert lengths_of(restore(small(), {})) is None
