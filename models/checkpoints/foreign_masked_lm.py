"""Masked language models that our own code cannot compute, such as RoBERTa and DistilBERT, run by transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.backbones.transformers_backbone import check_encoder, longest_input, parse_config, without_reports
from models.checkpoints.untrusted import check_size_claim, malformed_as_model_error
from models.errors import ModelError
from models.heads.word_scores import WordScores
from models.json_types import JsonObject

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class ForeignMaskedLM(nn.Module):
    """A masked language model of transformers that predicts the words at chosen positions of a text."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model
        self.decoder: nn.Linear = model.get_output_embeddings()
        config = model.config
        self.architecture: JsonObject = {
            "hidden_size": config.hidden_size, "max_position_embeddings": longest_input(model.base_model),
        }  # fmt: skip

    def table(self) -> Tensor:
        """The output table, (V, H)."""
        return self.decoder.weight

    def forward(self, input_ids: Tensor, places: Tensor) -> WordScores:
        """Scores of all words at `places` (N,), positions in the flattened ids (B, T), as factors.

        The head's last matrix product is not computed: its factors are returned, for the states at these places.
        """
        found: list[Tensor] = []

        def keep(_module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            found.append(inputs[0].flatten(0, 1)[places])
            return (inputs[0][:1, :1], *inputs[1:])  # as small as possible: the product is discarded

        handle = self.decoder.register_forward_pre_hook(keep)
        try:
            self.model(input_ids=input_ids, attention_mask=torch.ones_like(input_ids))
        finally:
            handle.remove()
        bias = self.decoder.bias
        return WordScores(found[0], self.decoder.weight, bias if bias is not None else self.table().new_zeros(1))


@torch.no_grad()
def gives_all_scores(model: PreTrainedModel) -> bool:
    """Are a model's logits exactly the output of its output table? Some heads add to it, or do not call it."""
    table, seen = model.get_output_embeddings(), list[Tensor]()
    if not isinstance(table, nn.Linear):
        return False
    ids = torch.arange(3).unsqueeze(0)  # any words
    handle = table.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    try:
        logits: Tensor = model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
    finally:
        handle.remove()
    return (
        len(seen) == 1
        and seen[0].numel() == logits.numel()
        and torch.allclose(seen[0].flatten(), logits.flatten(), rtol=0, atol=0, equal_nan=True)
    )


def open_foreign_masked_lm(config: JsonObject, state: dict[str, Tensor], where: str) -> ForeignMaskedLM:
    """Open a masked language model of transformers from its config and tensors.

    Raises ModelError if its head is incomplete, or computes scores in another way than by its output table. A matrix
    that is tied to the word table may be missing from the file; every other weight must be there.
    """
    from transformers import AutoModelForMaskedLM

    with malformed_as_model_error(where):
        check_encoder(config)
        check_size_claim(config, state, where)
        parsed = parse_config(config)
        with without_reports():  # missing weights raise an error below
            kind = type(AutoModelForMaskedLM.from_config(parsed))
            model, report = kind.from_pretrained(None, config=parsed, state_dict=dict(state), output_loading_info=True)
    if missing := sorted(report["missing_keys"]):
        raise ModelError(
            f"{where}: has no complete masked-word head: it lacks {', '.join(missing[:3])}. Name the checkpoint of "
            "a masked language model"
        )
    if not gives_all_scores(model.float().eval()):
        raise ModelError(
            f"{where}: the scores of a {config['model_type']} are not the product with its output table alone, which "
            "is what is computed here. Name a masked language model of another family"
        )
    return ForeignMaskedLM(model).eval()
