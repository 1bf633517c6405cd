"""Refuses settings that contradict a bi-encoder, which reads two texts separately, or the losses of its cosine."""

from __future__ import annotations

from models.settings import BI_ENCODER, FITTED_HEAD, compares_by_cosine
from runner.schema import COSENT, COSINE_LOSSES, Settings
from runner.tasks import named_task
from runner.tasks.cosines import accumulate_conflicts, loss_of


def cosine_conflicts(settings: Settings) -> list[str]:
    """One line for each setting that does not go with model/readout=bi_encoder or with its losses, with the cure."""
    model, data, loss = settings.model, settings.data, settings.train.loss
    is_cosine, task, found = compares_by_cosine(model), named_task(settings.task, settings.data), list[str]()
    if loss in COSINE_LOSSES and not is_cosine:
        found.append(f"train.loss={loss} is for the cosine of two texts. Try: model=bi-encoder, or train.loss=auto")
    elif loss in COSINE_LOSSES and task and loss not in task.cosine_losses:
        found.append(f"train.loss={loss} is not a loss of the task {task.name}. Try: train.loss=auto")
    if model.readout["name"] == BI_ENCODER and data.text_pair is None and data.queries is None:
        found.append(
            f"model/readout={BI_ENCODER} compares the two texts of a pair, but data={data.name} has one text per row. "
            "Try: model/readout=mean, or data.text_pair=<the column of the second text>"
        )
    if not is_cosine:
        return found
    found += accumulate_conflicts(settings.train, loss_of(loss, model, task.cosine_losses) if task else loss)
    if data.standardize in ("always", "never"):
        found.append(
            f"data.standardize={data.standardize}: a cosine is compared with targets from 0 to 1. "
            "Try: data.standardize=auto, or model.readout.compare=parts"
        )
    if data.class_weights != "none" and loss == COSENT:
        found.append(
            f"data.class_weights={data.class_weights}: train.loss={COSENT} learns the order of pairs, where class "
            "weights do not apply. Try: train.loss=auto"
        )
    if model.freeze == "encoder" and model.head != FITTED_HEAD:
        found.append(
            "model.freeze=encoder leaves only a scale and a shift of the cosine to train. "
            "Try: model.head=fitted (both are fitted, nothing is trained), or model.freeze=none"
        )
    return found
