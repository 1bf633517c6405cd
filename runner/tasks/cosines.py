"""Tasks whose outputs come from one cosine: the CoSENT loss, the initial last layer, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.errors import DataError
from models.heads.base import HeadSpec
from models.settings import COSINE_SCALE, ModelSettings, compares_by_cosine
from runner.schema import COSENT, TrainSettings

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


def cosent(scores: Tensor, labels: Tensor) -> Tensor:
    """Return log(1 + sum of exp(s_j - s_i) over all i, j of the batch with a larger label at i than at j), a scalar.

    scores: (B,) COSINE_SCALE times the cosines; labels: (B,). 0 if all labels are equal.
    Source: Su 2022 (CoSENT), kexue.fm/archives/8847.
    """
    from torch.nn import functional

    gaps = scores[None, :] - scores[:, None]  # at (i, j): s_j - s_i
    ordered = labels[:, None] > labels[None, :]
    wrong: Tensor = functional.pad(gaps.masked_fill(~ordered, float("-inf")).flatten(), (1, 0))
    return wrong.logsumexp(0)


def loss_of(chosen: str, model: ModelSettings, cosine_losses: tuple[str, ...]) -> str:
    """Return the loss that train.loss=auto means for this model; any other value unchanged."""
    is_open = chosen == "auto" and compares_by_cosine(model) and bool(cosine_losses)
    return cosine_losses[0] if is_open else chosen


def accumulate_conflicts(train: TrainSettings, loss: str) -> list[str]:
    """Return one line, with the cure, if batches are split into parts for a loss over all pairs of their rows."""
    if train.accumulate == 1 or loss != COSENT:
        return []
    meant = f"train.loss={COSENT}" + (" (auto)" if train.loss != COSENT else "")
    return [
        f"train.accumulate={train.accumulate}: {meant} compares all rows of a batch, but only those of one part would "
        "be compared. Try: train.accumulate=1, with a smaller train.batch_size if memory is short"
    ]


def check_cosine(model: ModelSettings, cosine_losses: tuple[str, ...], head: HeadSpec, task: str) -> None:
    """Raise DataError for a model that compares by cosine and a task that one number cannot answer."""
    if not compares_by_cosine(model) or (cosine_losses and head.deciding == 1):
        return
    what = f"{head.outputs} classes need" if cosine_losses else f"the task {task} needs"
    raise DataError(
        f"model.readout.compare=cosine: a cosine is one number, and {what} more. "
        "Try: model.readout.compare=parts, or data with numbers or two classes"
    )


def first_layer(cosines: np.ndarray, labels: np.ndarray, outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (C, 1) and bias (C,) of the last layer over cosines before the first step.

    cosines, labels: (rows,) of some training rows, which say whether a larger label means a larger cosine. A number
    from 0 to 1 starts as the cosine or as 1 - cosine, two classes as COSINE_SCALE times the distance from the
    middle between their mean cosines.
    """
    import numpy as np

    rises = float(np.cov(cosines, labels, bias=True)[0, 1]) >= 0
    if outputs == 1:
        return np.array([[1.0 if rises else -1.0]]), np.array([0.0 if rises else 1.0])
    means = [float(cosines[labels == one].mean()) if (labels == one).any() else 0.5 for one in (0, 1)]
    slope, middle = (1 if rises else -1) * COSINE_SCALE / 2, sum(means) / 2
    return np.array([[-slope], [slope]]), np.array([slope * middle, -slope * middle])
