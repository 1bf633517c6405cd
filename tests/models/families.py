"""A tiny configuration of each family of encoders that transformers has and our own encoder does not compute."""

from __future__ import annotations

from typing import Any

import transformers

SIZES = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 42,
}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
FAMILIES: dict[str, dict[str, Any]] = {
    "Albert": SIZES | {"embedding_size": 16},
    "Deberta": SIZES,
    "DebertaV2": SIZES,
    "DistilBert": {
        "vocab_size": 90,
        "n_layers": 2,
        "n_heads": 4,
        "dim": 32,
        "hidden_dim": 48,
        "max_position_embeddings": 42,
    },
    "Electra": SIZES | {"embedding_size": 16},
    "MPNet": SIZES,
    "MobileBert": SIZES | {"embedding_size": 16, "intra_bottleneck_size": 16, "true_hidden_size": 16},
    "ModernBert": SIZES | SPECIAL,
    "NomicBert": SIZES,
    "Roberta": SIZES,
    "XLM": {"vocab_size": 90, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 42},
    "ConvBert": SIZES | {"embedding_size": 16},
    "SqueezeBert": SIZES | {"embedding_size": 32},
}


def config_of(family: str) -> Any:
    """Return the configuration of a family, in the class of transformers."""
    return getattr(transformers, f"{family}Config")(**FAMILIES[family])
