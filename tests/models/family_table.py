"""The tables of models/families.md: cells that are counted from each family's classes, and a page's rows as cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import AutoModel

from models.backbones.stock_head import stock_classes
from models.backbones.transformers_backbone import parse_config, wrap_encoder
from models.compression.pruning.masks import choose_matrices, linear_layers
from models.compression.structured.blocks import blocks_of
from models.errors import ModelError
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from tests.conftest import REPO
from tests.models.families import ENCODERS, RELATIVE

PAGE = REPO / "models" / "families.md"
SIZE = {
    "vocab_size": 4000, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 128,
    "max_position_embeddings": 512,
}  # fmt: skip
IDS = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": None, "cls_token_id": 1, "sep_token_id": 2}
NARROW = {"embedding_size": 32}
CONFIGS: dict[str, dict[str, Any]] = {
    "ALBERT": SIZE | NARROW | {"model_type": "albert"},
    "DeBERTa-v2, v3": SIZE | RELATIVE | {"model_type": "deberta-v2", "position_buckets": 64},
    "DistilBERT": SIZE | {"model_type": "distilbert", "dim": 64, "n_layers": 2, "n_heads": 2, "hidden_dim": 128},
    "ELECTRA": SIZE | NARROW | {"model_type": "electra"},
    "MPNet": SIZE | {"model_type": "mpnet"},
    "MobileBERT": SIZE | NARROW | {
        "model_type": "mobilebert", "true_hidden_size": 32, "intra_bottleneck_size": 32, "intermediate_size": 64,
        "num_feedforward_networks": 2,
    },
    "ModernBERT, Ettin": SIZE | IDS | {
        "model_type": "modernbert", "num_hidden_layers": 3, "intermediate_size": 96, "max_position_embeddings": 8192,
    },
    "NomicBERT": SIZE | {"model_type": "nomic_bert", "max_position_embeddings": 2048},
    "RoBERTa": SIZE | {"model_type": "roberta", "max_position_embeddings": 514, "type_vocab_size": 1},
    "XLM-R": SIZE | {"model_type": "xlm-roberta", "max_position_embeddings": 514, "type_vocab_size": 1},
}  # fmt: skip
NAMES = dict(zip(ENCODERS, CONFIGS))  # as the page calls them
FACTS = (
    "family", "`model_type`", "parameters", "longest text", "second text marked", "own pooler", "pruned matrices",
    "dense beside the blocks", "`ziplm`", "stock classes",
)  # fmt: skip


def facts(family: str) -> dict[str, str]:
    """The cells of a family, by column, counted from its classes; no weights are drawn."""
    config = CONFIGS[family]
    with torch.device("meta"):
        model = attach_head(*wrap_encoder(config, {"name": "cls"}, 0.1), HeadSpec(outputs=2))
        own = AutoModel.from_config(parse_config(config))
    pruned = choose_matrices(model, None)
    beside = [name.removeprefix("bert.backbone.") for name in linear_layers(model) if name not in pruned]
    values = (
        family,
        f"`{config['model_type']}`",
        f"{sum(parameter.numel() for parameter in model.parameters()):,}",
        str(model.longest_input()),
        "yes" if model.bert.takes_segments else "no",
        "yes" if isinstance(dict(own.named_children()).get("pooler"), nn.Module) else "no",
        str(len(pruned)),
        ", ".join(f"`{name}`" for name in beside) or "-",
        "yes" if is_cut(model) else "refused",
        ", ".join(stock_classes(config["model_type"])),
    )
    return dict(zip(FACTS, values))


def is_cut(model: Any) -> bool:
    """Can ziplm remove heads and neurons of this model?"""
    try:
        blocks_of(model)
    except ModelError:
        return False
    return True


def rows_of(text: str, header: tuple[str, ...]) -> list[dict[str, str]]:
    """The rows of the table of a page with these columns, as cells by column."""
    lines = text.splitlines()
    start = lines.index(line(header)) + 2
    end = next(place for place in range(start, len(lines)) if not lines[place].startswith("|"))
    return [dict(zip(header, (cell.strip() for cell in row.strip("|").split("|")))) for row in lines[start:end]]


def with_rows(text: str, header: tuple[str, ...], rows: list[Mapping[str, str]]) -> str:
    """A page with other rows in the table with these columns."""
    lines = text.splitlines()
    start = lines.index(line(header)) + 2
    end = next(place for place in range(start, len(lines)) if not lines[place].startswith("|"))
    return (
        "\n".join([*lines[:start], *(line(tuple(row[name] for name in header)) for row in rows), *lines[end:]]) + "\n"
    )


def line(cells: tuple[str, ...]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"
