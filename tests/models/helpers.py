"""Small models, batches and checkpoints that several tests here start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertForSequenceClassification

from models.build import build
from models.heads.base import HeadSpec
from models.settings import ModelSettings

SMALL: dict[str, Any] = {"layers": 2, "hidden": 32, "heads": 4, "intermediate": 48, "positions": 64}
BI_ENCODER: dict[str, Any] = {"name": "bi_encoder", "pooling": "mean", "compare": "parts"}
STOCK: dict[str, Any] = {
    "vocab_size": 90,
    "num_hidden_layers": 2,
    "hidden_size": 32,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
}


def small(seed: int = 0, *, num_labels: int = 3, vocab_size: int = 90, head: str = "text", **changes: Any) -> Any:
    """A small network in prediction mode, with weights drawn from `seed`; one output is a regression."""
    torch.manual_seed(seed)
    settings = ModelSettings(**(SMALL | changes))
    spec = HeadSpec(head, num_labels, "regression" if num_labels == 1 else None)
    model, _ = build(settings, spec, vocab_size=vocab_size, pad_id=0)
    return model.eval()


def tagger(seed: int = 0, **changes: Any) -> Any:
    """A small TokenClassifier of three labels in prediction mode, with weights drawn from `seed`."""
    torch.manual_seed(seed)
    settings = ModelSettings(**(SMALL | {"readout": {"name": "none"}} | changes))
    return build(settings, HeadSpec("token", 3), vocab_size=90, pad_id=0)[0].eval()


def placed(inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The inputs with the places of every other real token, as the words of a row have."""
    return inputs | {"places": inputs["attention_mask"].flatten().nonzero().flatten()[::2]}


def stock(seed: int = 0, *, num_labels: int = 3, **changes: Any) -> Any:
    """A BertForSequenceClassification; biases and norms drawn too, so that a forgotten one shows."""
    torch.manual_seed(seed)
    model = BertForSequenceClassification(BertConfig(num_labels=num_labels, **(STOCK | changes)))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model.eval()


def batch(rows: int = 5, length: int = 17, *, vocab_size: int = 90, seed: int = 0) -> dict[str, torch.Tensor]:
    """Pairs of texts of different lengths, padded on the right."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(min(3, length), length + 1, (rows,), generator=generator)
    lengths[0] = length
    places = torch.arange(length)
    mask = (places < lengths[:, None]).long()
    ids = torch.randint(1, vocab_size, (rows, length), generator=generator) * mask
    segments = (places >= lengths[:, None] // 2).long() * mask
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}


def fake_tokenizer(folder: Path) -> None:
    """Stands in for a tokenizer's save."""
    (folder / "tokenizer.json").write_text("{}", encoding="utf-8")


def count(model: torch.nn.Module) -> int:
    """Parameters of a model."""
    return sum(parameter.numel() for parameter in model.parameters())
