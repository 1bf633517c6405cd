"""Saves the word vectors of a model without attention in other formats: Model2Vec, or StaticEmbedding.

Both average one vector per token, without special tokens around a text. Whatever a model computes per token, such as a
norm or a hash of its letters, is folded into its row; models that depend on positions or neighbours are refused.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from models.backbones.bag_of_words import BagOfWords
from models.checkpoints.read import WEIGHTS
from models.checkpoints.static import FOLDER, TABLES
from models.embeddings.bigram import Bigram
from models.errors import ModelError
from models.json_types import JsonObject
from models.network import Network
from models.readouts.pair import Pair
from models.readouts.pooling import MeanPooler
from models.settings import full_part

MODEL2VEC, STATIC_EMBEDDING = "model2vec", "static-embedding"
LAYOUTS = (MODEL2VEC, STATIC_EMBEDDING)
VERSION = "5.0.0"  # of sentence-transformers, which defines this layout
ROWS = 8192  # vectors computed at a time


@torch.no_grad()
def static_vectors(network: Network, tokens: int) -> Tensor:
    """The vectors of the first `tokens` ids, (tokens, H) float32; their mean over a text is the model's text vector.

    If the model compares two texts, that holds for each of them. Raises ModelError if no table can hold the model.
    """
    bag = network.bert
    if not isinstance(bag, BagOfWords):
        raise ModelError("it has an encoder, but the format holds one vector per token. Try: format=safetensors")
    if not isinstance(bag.pooler, MeanPooler | Pair):
        name = full_part(network.architecture["readout"])["name"]
        raise ModelError(f"its readout is {name}, but the format implies the mean. Try: train with model/readout=mean")
    if bag.embeddings.is_positional:
        raise ModelError(
            "it adds position vectors to the token vectors, but the format has none. "
            "Try: train with model=static model.pretrained=null"
        )
    if isinstance(bag.embeddings.word_embeddings, Bigram):
        raise ModelError("it also has vectors of pairs of tokens. Try: train with model/embedding=table")
    network.eval()
    parts = torch.arange(tokens).unsqueeze(1).split(ROWS)
    return torch.cat([bag.embeddings(ids).squeeze(1).float() for ids in parts])


def write_static(vectors: Tensor, layout: str, folder: Path, tokenizer: Path, vocabulary: int) -> None:
    """Write a table, (V, H), as one of LAYOUTS into a new folder.

    tokenizer: the tokenizer.json; vocabulary: its number of tokens, which is below V if some ids have no token.
    """
    from safetensors.torch import save_file

    inner = folder / FOLDER if layout == STATIC_EMBEDDING else folder
    inner.mkdir(parents=True, exist_ok=True)
    name = dict(zip(LAYOUTS, TABLES))[layout]
    tensors = {name: vectors.contiguous()}
    if layout == MODEL2VEC and vocabulary != len(vectors):
        tensors["mapping"] = torch.arange(len(vectors))  # without it, Model2Vec wants exactly one row per token
    save_file(tensors, inner / WEIGHTS, metadata={"format": "pt"})
    (inner / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    files: dict[str, JsonObject | list[JsonObject]] = (
        {"config.json": _model2vec_config(vectors)}
        if layout == MODEL2VEC
        else {
            "modules.json": [
                {"idx": 0, "name": "0", "path": FOLDER, "type": "sentence_transformers.models.StaticEmbedding"}
            ],
            "config_sentence_transformers.json": {
                "__version__": {"sentence_transformers": VERSION}, "prompts": {}, "default_prompt_name": None,
                "similarity_fn_name": "cosine",
            },
        }
    )  # fmt: skip
    for file, content in files.items():
        (folder / file).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _model2vec_config(vectors: Tensor) -> JsonObject:
    """The config.json for Model2Vec: means without normalisation, over texts of any length."""
    return {
        "model_type": "model2vec", "architectures": ["StaticModel"], "hidden_dim": vectors.shape[1], "normalize": False,
        "max_length": None, "embedding_dtype": "float32",
    }  # fmt: skip
