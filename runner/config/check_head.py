"""Refuses settings that contradict a fitted last layer, a head of transformers, or an encoder tuned on pairs of
texts.
"""

from __future__ import annotations

from models.settings import BI_ENCODER, FITTED_HEAD, STOCK_HEAD, ModelSettings
from runner.schema import Settings
from runner.tasks import named_task

READOUTS = (
    "cls",
    "mean",
    "sum",
    "sqrt",
    "sum_all",
    "mean_std",
    BI_ENCODER,
)  # readouts without weights of their own, or with weights that come with the encoder


def head_conflicts(settings: Settings) -> list[str]:
    """Return one line for each setting that does not go with model.head or model.pairs, with the cure."""
    model = settings.model
    if model.head == STOCK_HEAD:
        return [*_stock_conflicts(settings), *_pair_conflicts(model)]
    if model.head != FITTED_HEAD:
        return [*_pair_conflicts(model)]
    task, found = named_task(settings.task, settings.data), _pair_conflicts(model)
    if task and (task.reads != "text" or not task.needs_label):
        found.append(
            f"model.head=fitted gives one answer per text, but the task {task.name} needs more. "
            "Try: model=bert-tiny, or a task with one answer per text (classification, regression)"
        )
    if task and not task.weighs_classes and model.pairs != "none":
        found.append(
            f"model.pairs={model.pairs} tells rows of one class from rows of others, but the task {task.name} has no "
            "classes. Try: model=frozen"
        )
    if model.readout["name"] not in READOUTS:
        found.append(
            f"model/readout={model.readout['name']} has weights of its own, which a fitted last layer does not train. "
            "Try: model/readout=mean, or model.head=trained"
        )
    if model.pairs == "none" and model.freeze != "encoder":
        found.append(
            f"model.head=fitted trains only the last layer, but model.freeze={model.freeze} trains more. "
            "Try: model.freeze=encoder, or model.pairs=auto to tune the encoder first"
        )
    first = next(iter(settings.compression.items()), None)
    if first and first[1].replaces_training:
        found.append(
            f"compression=[{first[0]}] trains the model instead of fitting its last layer. "
            "Try: model.head=trained model.pairs=none, or another student"
        )
    return found


def _stock_conflicts(settings: Settings) -> list[str]:
    """Return one line for each setting that a model class of transformers cannot have."""
    model, found = settings.model, list[str]()
    if model.family != "auto":
        found.append(
            f"model.head={STOCK_HEAD} is the head of a transformers class, but model={model.name} is Bertier's own "
            "network. Try: model.head=trained, or model=auto model.pretrained=<a RoBERTa, ModernBERT, ...>"
        )
    elif model.readout["name"] not in ("cls", "none"):
        found.append(
            f"model.head={STOCK_HEAD} reads the states as its class does, but model/readout={model.readout['name']} "
            "reads them differently. Try: model/readout=cls, or model.head=trained"
        )
    if model.init_from:
        found.append(
            f"model.head={STOCK_HEAD} starts from a checkpoint, but model.init_from={model.init_from} names a run. "
            f"Try: model.pretrained={model.init_from}"
        )
    return found


def _pair_conflicts(model: ModelSettings) -> list[str]:
    """Return one line for each setting that contradicts contrastive tuning (model.pairs), whatever the labels are."""
    if model.pairs == "none":
        return []
    if model.pairs != "auto" and not (model.pairs.isascii() and model.pairs.isdigit() and int(model.pairs)):
        return [f"model.pairs={model.pairs}: expected none, auto or pairs of each kind per row. Try: model.pairs=10"]
    if model.head != FITTED_HEAD:
        return [f"model.pairs={model.pairs} tunes an encoder for a fitted last layer. Try: model.head=fitted"]
    if model.freeze != "none":
        return [
            f"model.pairs={model.pairs} tunes the encoder, but model.freeze={model.freeze} keeps it fixed. "
            "Try: model.freeze=none, or model=frozen"
        ]
    return []
