"""Label order: reorders another model's head, or a teacher's logits, to the order of the task's labels.

Labels are matched by name, and by number only if one side has no real names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.heads.added_ngrams import AddedNgrams
from models.heads.exits import Exits
from models.heads.linear import LinearHead
from models.json_types import JsonObject


def label_names_of(config: JsonObject) -> tuple[str, ...]:
    """The labels of a config.json in the order of its logits; transformers' LABEL_0, LABEL_1 if it names none."""
    names: dict[str, str] = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
    return tuple(str(names[index]) for index in sorted(names, key=int))


def match_labels(found: Sequence[str], wanted: Sequence[str], where: str, cure: str) -> tuple[list[int], list[str]]:
    """The position of each of the task's labels in `found`, and a note if they could not be compared by name.

    wanted: the task's labels in id order, () for regression; where, cure: for messages, the owner of `found` and what
    to try. Case is ignored unless two names differ only in case. Raises ModelError if the labels do not match.
    """
    count = max(1, len(wanted))
    if len(found) != count:
        raise ModelError(f"{where}: predicts {len(found)} labels, the task has {count}. Try: {cure}")
    if count == 1:
        return [0], []
    for same in (str, str.casefold):
        places = {same(name): place for place, name in enumerate(found)}
        if len(places) == count and places.keys() == {same(name) for name in wanted}:
            return [places[same(name)] for name in wanted], []
    own, other = ", ".join(found), ", ".join(wanted)
    if _are_numbers(found) or _are_numbers(wanted):
        return list(range(count)), [
            f"{where}: its labels ({own}) and the task's ({other}) were compared by number only"
        ]
    raise ModelError(f"{where}: its labels are {own}, the task's are {other}. Try: {cure}")


def _are_numbers(names: Sequence[str]) -> bool:
    """Are the names just numbers: LABEL_0, LABEL_1, ... or 0, 1, ...?"""
    return all(name.casefold() in (str(place), f"label_{place}") for place, name in enumerate(names))


def reorder_outputs(model: LinearHead, order: Sequence[int], where: str) -> None:
    """Reorder the outputs of a model's last layer, of its early exits, and of the n-grams added to it.

    where: for messages, the setting that names the model. ModelError for codes that several labels share.
    """
    exits = model.exits.classifiers if isinstance(model.exits, Exits) else ()
    for head in (model.classifier, *exits):
        if any(is_shared(name, tensor, order) for name, tensor in head.state_dict().items()):
            raise ModelError(
                f"{where}: its labels have another order than the data's, and its last layer is quantized in a way "
                "that cannot be reordered. Try: data.label_names=<the labels in the order of that run>"
            )
    for head in (model.classifier, *exits):
        reorder_head(head, order)
    if isinstance(model.added, AddedNgrams):
        model.added.reorder(order)


def is_shared(name: str, tensor: Tensor, order: Sequence[int]) -> bool:
    """Is a tensor of a head neither one number for all labels nor separate for each of them?"""
    return tensor.numel() != 1 and tensor.shape[label_axis(name)] != len(order)


@torch.no_grad()
def reorder_head(head: nn.Module, order: Sequence[int]) -> None:
    """Reorder the outputs of a last layer, and of its dendrites if it has any."""
    for name, tensor in head.state_dict().items():
        if tensor.numel() != 1:  # else it holds for all labels, such as the step of a quantized layer
            tensor.copy_(reorder_tensor(name, tensor, order))


def reorder_tensor(name: str, tensor: Tensor, order: Sequence[int]) -> Tensor:
    """Reorder the labels of one tensor of a head; name: the tensor's name in the head."""
    return tensor.index_select(label_axis(name), torch.tensor(order, device=tensor.device))


def label_axis(name: str) -> int:
    """The axis of the labels in a tensor of a head."""
    return 1 if name.endswith(".lateral") else 0  # (earlier dendrites, labels); elsewhere labels come first
