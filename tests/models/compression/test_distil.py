"""Distillation losses: zero between twins, gradients where they belong, and pairs that do not fit are refused."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.compression.distil import Distil, DistilHook, Pair, training_changes
from models.compression.distillation.internals import shape_of
from models.compression.settings.learn import Distil as Options
from models.compression.settings.learn import DistilLosses, DistilPhase
from models.errors import ModelError
from tests.models.compression.task_views import Classes, Numbers
from tests.models.heads.test_added_ngrams import with_ngrams
from tests.models.helpers import BI_ENCODER, batch, count, placed, small, tagger

ROWS = np.arange(5)

INSIDE = ("hidden", "attention", "embedding", "relation", "cosine")


def pair(student: Any, teacher: Any, *, task: Any = None, answers: Any = None, **options: Any) -> Pair:
    """Student and teacher over one batch of five padded rows."""
    context: Any = SimpleNamespace(
        device=torch.device("cpu"),
        seed=0,
        task=task or Classes(),
        training_inputs=lambda rows, given: batch(),
        teacher_logits=lambda rows: torch.from_numpy(answers[rows]),
    )
    phases = {"all": DistilPhase(DistilLosses(**dict.fromkeys(INSIDE, 1.0)))}
    taught: Any = SimpleNamespace(network=teacher, score=1.0)
    return Pair(student, taught, context, Options(phases=phases, **options))


def learned(both: Pair, **weights: float) -> tuple[Tensor, dict[str, float]]:
    """The loss of one batch, and each part of it."""
    hook = DistilHook(DistilLosses(**weights), both)
    logits = hook.forward(both.student, batch(), ROWS)
    labels = torch.tensor([0, 1, 2, 0, 1])
    return hook.loss(nn.functional.cross_entropy(logits, labels), logits, {"labels": labels}, ROWS), hook.facts()


def test_a_twin_has_nothing_to_learn_but_the_teachers_entropy() -> None:
    teacher = small()
    both = pair(copy.deepcopy(teacher), teacher, relation_heads=8, soft="cross_entropy", temperature=1.0)
    _, parts = learned(both, soft=1.0, **dict.fromkeys(INSIDE, 1.0))
    with torch.no_grad():
        shares = teacher(**batch()).softmax(-1)
    entropy = float(-(shares * shares.log()).sum(-1).mean())
    assert parts.pop("distil/loss_soft") == pytest.approx(entropy, abs=1e-6)
    assert parts == {f"distil/loss_{name}": pytest.approx(0.0, abs=1e-6) for name in INSIDE}


@pytest.mark.parametrize("projection", ["shared", "per_layer"])
def test_student_and_projections_get_gradients_and_the_teacher_none(projection: str) -> None:
    student, teacher = small(hidden=16), small(1, layers=4)
    before = copy.deepcopy(teacher.state_dict())
    teacher.requires_grad_(False)
    both = pair(student, teacher, projection=projection)
    loss, parts = learned(both, hidden=1.0, attention=1.0, embedding=1.0, relation=1.0)
    loss.backward()
    assert all(value > 0 for value in parts.values())
    assert both.layers == {1: 2, 2: 4}
    weights = list(both.projections.parameters())
    assert len(weights) == (1 if projection == "shared" else 3)
    assert all(weight.shape == (32, 16) and weight.grad is not None and weight.grad.any() for weight in weights)
    assert student.bert.embeddings.word_embeddings.weight.grad.any()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())


def test_relations_teach_two_heads_what_twelve_do() -> None:
    student, teacher = small(layers=1, hidden=128, heads=2), small(1, layers=2, hidden=768, heads=12)
    loss, _ = learned(pair(student, teacher), relation=1.0)
    loss.backward()
    assert loss > 0 and student.bert.encoder.layer[0].attention.self.query.weight.grad.any()


def test_answers_are_taken_by_row_and_numbers_are_compared_as_numbers() -> None:
    student = small(num_labels=1)
    answers = np.arange(10, dtype=np.float32)[:, None]
    both = pair(student, small(num_labels=1), task=Numbers(), answers=answers)
    hook, rows = DistilHook(DistilLosses(soft=2.0), both), np.array([7, 2])
    logits = torch.tensor([[7.5], [2.0]])
    assert hook.loss(torch.zeros(()), logits, {}, rows).item() == pytest.approx(2 * 0.125)


def test_numbers_of_any_unit_weigh_as_much_beside_the_labels() -> None:
    answers = 250_000 + 50_000 * np.arange(10, dtype=np.float32)[:, None]
    both = pair(small(num_labels=1), small(num_labels=1), task=Numbers(50_000.0), answers=answers)
    hook, rows = DistilHook(DistilLosses(soft=2.0, hard=1.0), both), np.array([7, 2])
    logits = 250_000 + 50_000 * torch.tensor([[7.5], [2.0]])
    loss = hook.loss(torch.tensor(0.5), logits, {}, rows)
    assert loss.item() == pytest.approx(0.5 + 2 * 0.125, rel=1e-5)


@pytest.mark.parametrize(
    ("student", "teacher", "losses", "message"),
    [
        ({"heads": 2}, {}, {"attention": 1.0}, "the student has 2 and the teacher 4.*relation=1"),
        ({"hidden": 24}, {}, {"relation": 1.0}, "relation_heads=16.*width 24 and the teacher's 32.*relation_heads=8"),
        ({"hidden": 16}, {}, {"cosine": 1.0}, "the student has 16 and the teacher 32"),
        (
            {"family": "dsn", "backbone": "none", "readout": {"name": "mean"}}, {}, {"hidden": 1.0},
            "losses hidden compare layers, but the student has none that can be read",
        ),
        ({"readout": BI_ENCODER}, {}, {"hidden": 1.0}, "the student is a bi-encoder.*Try: the losses soft and hard"),
        ({}, {"readout": BI_ENCODER}, {"attention": 1.0}, "the teacher is a bi-encoder"),
        (
            {"family": "dsn", "readout": {"name": "pair", "norm": "none", "size": None, "dropout": 0.0}}, {},
            {"vector": 1.0}, "one for each text of a pair. Try: model/readout=mean",
        ),
    ],
)  # fmt: skip
def test_losses_that_do_not_fit_are_refused_with_both_numbers(
    student: dict[str, Any], teacher: dict[str, Any], losses: dict[str, float], message: str
) -> None:
    stage = Distil(Options(phases={"all": DistilPhase(DistilLosses(**losses))}))
    taught: Any = SimpleNamespace(network=small(**teacher))
    with pytest.raises(ModelError, match=message):
        stage.check_teacher(small(**student), taught)


@pytest.mark.parametrize("inside", [False, True])
def test_vectors_of_texts_are_learned_through_a_map_to_the_teachers_width(inside: bool) -> None:
    student, teacher = small(hidden=16, heads=2), small(1)
    wanted = teacher.encode(**batch()).detach()
    context: Any = SimpleNamespace(
        device=torch.device("cpu"), seed=0, task=Classes(), training_inputs=lambda rows, given: batch(),
        teacher_vectors=lambda rows: wanted if rows is None else wanted[rows],
    )  # fmt: skip
    losses = DistilLosses(vector=1.0, hidden=float(inside))
    both = Pair(student, SimpleNamespace(network=teacher), context, Options(phases={"all": DistilPhase(losses)}))  # type: ignore[arg-type]
    hook = DistilHook(losses, both)
    optimizer = torch.optim.Adam([*student.parameters(), *hook.extra.parameters()], 0.01)  # type: ignore[union-attr]
    found = []
    for _ in range(30):
        output = hook.forward(student, batch(), ROWS)
        optimizer.zero_grad()
        hook.loss(torch.zeros(()), output, {}, ROWS).backward()
        optimizer.step()
        found.append(hook.facts()["distil/loss_vector"])
    torch.testing.assert_close(hook.forward(student, batch(), ROWS), student(**batch()))
    assert found[-1] < 0.5 * found[0]


def test_logits_beside_the_loss_of_vectors_include_those_of_added_ngrams() -> None:
    student = small(family="dsn", readout={"name": "mean"})
    with_ngrams(student)
    losses, wanted = DistilLosses(vector=1.0, hard=1.0), torch.randn(5, 8)
    context: Any = SimpleNamespace(device=torch.device("cpu"), seed=0, teacher_vectors=lambda rows: wanted)
    both = Pair(student, SimpleNamespace(network=small(1)), context, Options(phases={"all": DistilPhase(losses)}))  # type: ignore[arg-type]
    assert torch.equal(DistilHook(losses, both).forward(student, batch(), ROWS), student(**batch()))


def test_models_that_answer_for_tokens_learn_outputs_and_internals() -> None:
    student, teacher, inputs = tagger(), tagger(1), placed(batch())
    both = pair(student, teacher, relation_heads=8)
    both.context.training_inputs = lambda rows, given: inputs  # type: ignore[method-assign]
    hook = DistilHook(DistilLosses(soft=1.0, **dict.fromkeys(INSIDE, 1.0)), both)
    output = hook.forward(student, inputs, ROWS)
    torch.testing.assert_close(output, student(**batch()).flatten(0, 1)[inputs["places"]])
    hook.loss(torch.zeros(()), output, {}, ROWS).backward()
    assert all(value > 0 for value in hook.facts().values())


def test_a_phase_that_teaches_no_answers_keeps_its_last_weights() -> None:
    inside = training_changes(DistilPhase(DistilLosses(hidden=1.0), epochs=2.0))
    assert inside["epochs"] == 2.0 and inside["keep_best"] is False
    assert "keep_best" not in training_changes(DistilPhase(DistilLosses(hidden=1.0, soft=1.0)))


@pytest.mark.parametrize(
    ("layers", "hidden", "heads", "intermediate", "parameters"),
    [
        (4, 312, 12, 1200, 14_350_874), (6, 768, 12, 3072, 66_956_546),
        (6, 384, 12, 1536, 22_713_986), (12, 384, 12, 1536, 33_360_770),
    ],
)  # fmt: skip
def test_published_students_have_their_published_size(
    layers: int, hidden: int, heads: int, intermediate: int, parameters: int
) -> None:
    with torch.device("meta"):
        student = small(
            num_labels=2, vocab_size=30522, layers=layers, hidden=hidden, heads=heads, intermediate=intermediate,
            positions=512,
        )  # fmt: skip
    assert count(student) == parameters
    assert shape_of(student).heads == (heads,) * layers
