"""The loss `vector`: a linear map of the student's text vectors predicts the teacher's.

The map is trained with the student and dropped afterwards. The teacher's vectors are computed once for all students.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.compression.distillation.losses import vector_loss
from models.heads.linear import LinearHead
from models.heads.text import SequenceClassifier


class TextMap(nn.Module):
    """A linear map from the student's text vectors to the teacher's; its bias starts at the teacher's mean vector."""

    spread: Tensor  # of the teacher's vectors

    def __init__(self, width: int, wanted: Tensor, seed: int) -> None:
        """width: of the student's vectors; wanted: the teacher's vectors of all training rows, (rows, H)."""
        super().__init__()
        mean = wanted.mean(0)
        self.register_buffer("spread", (wanted - mean).square().mean().sqrt().clamp(min=1e-12), persistent=False)
        self.map = nn.Linear(width, wanted.shape[1])
        # A separate generator, so that a resumed run draws the same numbers.
        nn.init.normal_(self.map.weight, std=width**-0.5, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            self.map.bias.copy_(mean)

    def forward(self, vectors: Tensor, wanted: Tensor) -> Tensor:
        """The loss of the student's vectors (B, H) against the teacher's (B, H')."""
        return vector_loss(self.map(vectors.float()), wanted, self.spread)


def vector_mismatches(student: nn.Module, teacher: nn.Module) -> list[str]:
    """A one-line message with a fix if student or teacher has no single text vector to compare with the other's."""
    if not isinstance(student, SequenceClassifier):
        return ["loss vector compares vectors of texts, but the student answers for each word. Try: the loss soft"]
    if student.bert.pooler.texts > 1:
        return [
            "loss vector compares vectors of texts, but the student's readout gives one for each text of a pair. "
            "Try: model/readout=mean, or the loss soft"
        ]
    if not isinstance(teacher, LinearHead):
        return [
            "loss vector compares vectors of texts, but those of the teacher cannot be read, as it runs on a class of "
            "transformers. Try: a teacher trained with model=auto, or the loss soft"
        ]
    return []


def encode_texts(network: LinearHead, inputs: dict[str, Tensor]) -> Tensor:
    """The text vectors that a network's classifier reads, (B, H)."""
    return network.encode(inputs["input_ids"], inputs.get("attention_mask"), inputs.get("token_type_ids"))
