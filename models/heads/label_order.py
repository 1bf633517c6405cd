"""Label order: reorders another model's head, or a teacher's logits, to the order of the task's labels.

Labels are matched by name, and by number only if one side has no real names.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.errors import ModelError
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


@torch.no_grad()
def reorder_head(head: nn.Module, order: Sequence[int]) -> None:
    """Reorder the outputs of a last layer, and of its dendrites if it has any."""
    for name, tensor in head.state_dict().items():
        tensor.copy_(reorder_tensor(name, tensor, order))


def reorder_tensor(name: str, tensor: Tensor, order: Sequence[int]) -> Tensor:
    """Reorder the labels of one tensor of a head; name: the tensor's name in the head."""
    axis = 1 if name.endswith(".lateral") else 0  # (earlier dendrites, labels); elsewhere labels come first
    return tensor.index_select(axis, torch.tensor(order, device=tensor.device))
