"""Exits: the plain model where none is used, and for each row the answer of the exit at which it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification

from models.backbones.hooks import State
from models.backbones.lengths import Lengths
from models.checkpoints.open import load_model
from models.compression.exits import restore
from models.errors import ModelError
from models.heads.exit_rules import NEVER
from models.heads.exits import all_layers, attach_exits, detach_exits, exits_of, require_layers
from tests.models.checkpoints.test_save import write
from tests.models.helpers import batch, small, tagger

READOUTS = ("cls", "mean")
LAYERS = 4


def with_exits(readout: str = "mean", threshold: float = NEVER, **changes: Any) -> Any:
    """A network of four layers, each of the first three with an exit."""
    model = small(layers=LAYERS, readout={"name": readout})
    attach_exits(model, (1, 2, 3), **({"rule": "confidence"} | changes)).thresholds.fill_(threshold)
    return model.eval()


@torch.no_grad()
def alone(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    """The logits of each row by itself, without padding."""
    lengths = inputs["attention_mask"].sum(1).tolist()
    rows = [{name: given[[row], :length] for name, given in inputs.items()} for row, length in enumerate(lengths)]
    return torch.cat([model(**one) for one in rows])


@pytest.mark.parametrize("readout", READOUTS)
def test_without_a_threshold_it_is_the_plain_model(readout: str) -> None:
    model = with_exits(readout)
    found = model(**batch())
    detach_exits(model)
    assert torch.equal(found, model(**batch()))


@pytest.mark.parametrize("readout", READOUTS)
def test_at_the_loosest_threshold_every_row_gets_the_first_exits_answer(readout: str) -> None:
    model = with_exits(readout, 0.0)
    model.bert.encoder.layer[1].forward = None  # never runs
    found, exits = model(**batch()), exits_of(model)
    assert exits is not None and exits.take_counts(LAYERS) == {1: 5, 2: 0, 3: 0, 4: 0}
    assert found.shape == (5, 3) and torch.isfinite(found).all()


@pytest.mark.parametrize("readout", READOUTS)
@pytest.mark.parametrize("rule", ["confidence", "entropy", "patience", "learned"])
def test_an_answer_does_not_depend_on_its_batch(readout: str, rule: str) -> None:
    model, inputs = with_exits(readout, rule=rule), batch(30)
    exits = exits_of(model)
    assert exits is not None
    with torch.no_grad():
        exits.thresholds.fill_(1.0 if rule == "patience" else -NEVER)
        if rule != "patience":
            exits.thresholds.fill_(_threshold_within(_certainties(model, inputs)))
        together = model(**inputs)
        counts = exits.take_counts(LAYERS)
        assert torch.allclose(together, alone(model, inputs), atol=1e-5)
    assert exits.take_counts(LAYERS) == counts and sum(count > 0 for count in counts.values()) > 1


@pytest.mark.parametrize("readout", READOUTS)
def test_rows_that_have_left_are_computed_no_further(readout: str) -> None:
    model, inputs = with_exits(readout), batch(30, 40)
    model.bert.encoder.lengths = Lengths((0.9, 0.7, 0.8, 1.0))
    exits, layer = exits_of(model), model.bert.encoder.layer[2]
    assert exits is not None
    with torch.no_grad():
        exits.thresholds.fill_(_threshold_within(_certainties(model, inputs)))
        reached: list[tuple[int, int]] = []
        shorten = layer.shorten

        def watched(state: State, *rest: Any, **more: Any) -> State:
            reached.append((state.hidden.shape[0], state.hidden.shape[1]))
            return cast(State, shorten(state, *rest, **more))

        layer.shorten = watched
        together = model(**inputs)
        counts = exits.take_counts(LAYERS)
        rows, places = reached[0]
        assert rows == counts[3] + counts[4] < 30 and 0 < places <= model.bert.encoder.lengths.kept_of(40)[1]
        del layer.shorten
        assert torch.allclose(together, alone(model, inputs), atol=1e-6)


def _certainties(model: Any, inputs: dict[str, Tensor]) -> Tensor:
    seen: list[Tensor] = []
    exits = exits_of(model)
    assert exits is not None
    own = exits.certainty

    def watched(*given: Any) -> Any:
        found = own(*given)
        seen.append(found[0])
        return found

    before = exits.thresholds.clone()
    exits.thresholds.fill_(NEVER)
    exits.certainty = watched  # type: ignore[method-assign]
    model(**inputs)
    exits.certainty = own  # type: ignore[method-assign]
    exits.thresholds.copy_(before)
    exits.take_counts(LAYERS)
    return torch.cat(seen)


def _threshold_within(certainties: Tensor) -> float:
    """The middle of the widest gap in the middle third: rounding, which differs by batch, moves each value a little."""
    third = len(certainties) // 3
    middle = certainties.sort().values[third : 2 * third]
    gap = int(middle.diff().argmax())
    return float(middle[gap : gap + 2].mean())


def test_a_row_has_the_answer_of_the_exit_at_which_it_leaves() -> None:
    model, inputs = with_exits(threshold=NEVER), batch(12)
    exits = exits_of(model)
    assert exits is not None
    with torch.no_grad():
        plain = model(**inputs)
        exits.thresholds[1] = 0.0  # all rows leave after layer 2
        found = model(**inputs)
        short = small(layers=LAYERS, readout={"name": "mean"})
        short.bert.encoder.layer = short.bert.encoder.layer[:2]
        read = short.encode(**inputs)
    assert torch.allclose(found, exits.answer(1, read), atol=1e-6) and not torch.allclose(found, plain)


def test_training_knows_no_exits_and_measuring_can_leave_them_out() -> None:
    model = small(layers=LAYERS, dropout=0.0, attention_dropout=0.0)
    plain = model(**batch())
    attach_exits(model, (1, 2, 3), rule="confidence").thresholds.fill_(0.0)
    assert not torch.allclose(model.eval()(**batch()), plain)
    with all_layers(model):
        assert torch.equal(model(**batch()), plain)
    assert torch.allclose(model.train()(**batch()), plain, atol=1e-6)


def test_a_saved_model_comes_back_with_its_exits(tmp_path: Path) -> None:
    model = small(layers=3, readout={"name": "mean"})
    entry = {"method": "exits", "after": [1, 2], "rule": "confidence", "reads": "auto", "within": 0.5}
    restore(model, entry)
    model.architecture["compressed"] = [entry]
    exits = exits_of(model)
    assert exits is not None
    exits.thresholds.fill_(0.37)
    again = load_model(write(model, tmp_path / "m"))
    assert torch.equal(again(**batch()), model.eval()(**batch()))
    theirs = AutoModelForSequenceClassification.from_pretrained(tmp_path / "m").eval()
    assert torch.equal(theirs(**batch()).logits, model(**batch()))
    assert exits_of(again) is not None and exits_of(again).layers == (1, 2)  # type: ignore[union-attr]


@pytest.mark.parametrize("after", [[0], [3], ["1"], [True, 9]])
def test_a_config_with_exits_that_cannot_be_is_refused(after: list[Any]) -> None:
    entry = {"method": "exits", "after": after, "rule": "confidence", "reads": "auto", "within": 0.5}
    with pytest.raises(ModelError, match="Download it again"):
        restore(small(layers=3), entry)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda: small(layers=1), "one layer"),
        (lambda: small(family="dsn", readout={"name": "mean"}), "has no layers"),
        (lambda: small(readout={"name": "sum_all"}), "model/readout=mean"),
        (tagger, "answers for tokens"),
    ],
)
def test_models_that_cannot_have_exits_are_refused(model: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        require_layers(model(), "exits")


def test_different_classes_never_agree_however_close_numbers_may_be() -> None:
    exits = exits_of(with_exits(rule="patience", within=5.0))
    assert exits is not None
    first, second = torch.eye(3), torch.eye(3).roll(1, 0)
    _, memory = exits.certainty(torch.empty(0), first, None)
    assert exits.certainty(torch.empty(0), second, memory)[0].tolist() == [0.0] * 3
    assert exits.certainty(torch.empty(0), first, memory)[0].tolist() == [1.0] * 3
