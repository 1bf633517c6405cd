"""A tiny configuration of each family of encoders that transformers has and our own encoder does not compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

SIZES = {
    "vocab_size": 90,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 42,
}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3, "cls_token_id": 2, "sep_token_id": 3}
# As DeBERTa-v3 has it: no table of positions, the same projections for words and for distances.
RELATIVE = {
    "relative_attention": True, "position_buckets": 16, "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"], "position_biased_input": False, "type_vocab_size": 0,
}  # fmt: skip
FAMILIES: dict[str, dict[str, Any]] = {
    "Albert": SIZES | {"embedding_size": 16},
    "Deberta": SIZES,
    "DebertaV2": SIZES | RELATIVE,
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
    "ModernBert": SIZES | SPECIAL | {"local_attention": 8},
    "NomicBert": SIZES,
    "Roberta": SIZES,
    "XLMRoberta": SIZES,
    "XLM": {"vocab_size": 90, "emb_dim": 32, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 42},
    "SqueezeBert": SIZES | {"embedding_size": 32},
}
# Families of which only the tables are tested: where positions are counted from, and which rows can be cut.
CUT_ONLY: dict[str, dict[str, Any]] = {
    "RobertaPreLayerNorm": SIZES,
    "XLMRobertaXL": SIZES,
    "Xmod": SIZES | {"languages": ["en_XX"], "default_language": "en_XX"},
    "Longformer": SIZES | {"attention_window": 8},
    "Luke": SIZES | {"use_entity_aware_attention": False, "entity_vocab_size": 10, "entity_emb_size": 16},
    "Data2VecText": SIZES,
    "IBert": SIZES,
    "Ernie": SIZES,
    "MegatronBert": SIZES,
}
# Families that whole runs are tested with; the others here are for single questions.
ENCODERS = (
    "Albert", "DebertaV2", "DistilBert", "Electra", "MPNet", "MobileBert", "ModernBert", "NomicBert", "Roberta",
    "XLMRoberta",
)  # fmt: skip
# Of the checkpoints that are published: where the first real position is counted from, and what pads a text.
PADS = {"MPNet": 1, "ModernBert": 4, "Roberta": 1, "XLMRoberta": 1}
WORDS = [
    *"0123456789,",
    "the",
    "fine",
    "lovely",
    "great",
    "poor",
    "awful",
    "dull",
    "film",
    "number",
    "of",
    "year",
]  # of reviews


def config_of(family: str, **changes: Any) -> Any:
    """Return the configuration of a family, in the class of transformers."""
    return getattr(transformers, f"{family}Config")(**((FAMILIES | CUT_ONLY)[family] | changes))


def save_family(family: str, folder: Path, task: str = "Model", **changes: Any) -> Path:
    """Save an encoder of a family with random weights and a tokenizer of its own, as its publisher would."""
    special = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    special.insert(pad := PADS.get(family, 0), "[PAD]")
    ids = {"pad_token_id": pad, "cls_token_id": special.index("[CLS]"), "sep_token_id": special.index("[SEP]")}
    vocab = {token: place for place, token in enumerate([*special, *WORDS])}
    torch.manual_seed(0)
    ids |= {"bos_token_id": None, "eos_token_id": None}
    model = getattr(transformers, f"{family}{task}")(config_of(family, **ids, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)  # so that a forgotten bias or norm shows
    model.save_pretrained(folder)
    digits = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)])
    backend = Tokenizer(models.WordLevel(vocab, "[UNK]"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), digits
    named = [(token, vocab[token]) for token in ("[CLS]", "[SEP]")]
    backend.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1", named)
    backend.add_special_tokens(special)
    backend.save(str(folder / "tokenizer.json"))
    return folder
