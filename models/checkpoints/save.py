"""Saves every trained model as a Hugging Face folder: config.json, model.safetensors, tokenizer files, model card.

A plain BERT, or another family's encoder with its own stock head, is saved as a stock class, which any Hugging Face
tool opens without our code. Anything else is saved as model_type "bertier", which opens after `import bertier`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from models import MODEL_TYPE
from models.backbones.stock_head import stock_config
from models.checkpoints.atomic import written_atomically
from models.checkpoints.read import WEIGHTS
from models.errors import ModelError
from models.heads.target_scale import TARGETS
from models.json_types import JsonObject
from models.network import Network

TOKENIZER, FAST = "tokenizer_config.json", "PreTrainedTokenizerFast"


def save_model(
    model: Network, folder: Path, *, tokenizer_save: Callable[[Path], None], label_names: Sequence[str], card: str
) -> None:
    """Write the folder completely or not at all; a model already in it is replaced.

    tokenizer_save: writes the tokenizer's files into a folder; label_names: in id order, none for regression;
    card: the text of README.md.
    Raises ModelError if the folder contains something that is not a model.
    """
    folder = Path(folder)
    if folder.exists() and not is_replaceable(folder):
        raise ModelError(f"{folder} holds something other than a model, so it is not replaced. Choose another folder")
    with written_atomically(folder) as part:
        _write(model, part, label_names, card)
        tokenizer_save(part)
        if int(model.architecture.get("type_vocab_size") or 0) > 1:
            name_segments(part / TOKENIZER)


def name_segments(path: Path) -> None:
    """Declare in tokenizer_config.json, if it exists, that the model takes token_type_ids, which mark second texts.

    Without this the fast class of transformers 5 omits them. Family classes, such as BertTokenizer, need no entry.
    """
    if not path.is_file():
        return
    config: JsonObject = json.loads(path.read_text(encoding="utf-8"))
    if config.get("tokenizer_class") == FAST and "model_input_names" not in config:
        config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
        path.write_text(json.dumps(config, indent=2), encoding="utf-8")


def is_replaceable(folder: Path) -> bool:
    """Is this an empty folder or a saved model?"""
    return folder.is_dir() and ((folder / "config.json").is_file() or not any(folder.iterdir()))


def _write(model: Network, part: Path, label_names: Sequence[str], card: str) -> None:
    from safetensors.torch import save_file

    tensors = {model.saved_name(name): tensor for name, tensor in model.saved_tensors().items()}
    save_file(tensors, part / WEIGHTS, metadata={"format": "pt"})
    content = json.dumps(describe_saved(model, label_names), indent=2, ensure_ascii=False)
    (part / "config.json").write_text(content + "\n", encoding="utf-8")
    (part / "README.md").write_text(card, encoding="utf-8")


def describe_saved(model: Network, label_names: Sequence[str]) -> JsonObject:
    """The config.json of our model: a stock class's if that describes it fully, else with model_type "bertier"."""
    shape, stock = dict(model.architecture), model.stock_name()
    kind = {"architectures": [stock or own_class(model)], "model_type": MODEL_TYPE}
    if stock and "backbone" in shape:
        shape = stock_config(shape)
        kind["model_type"] = shape["model_type"]
        shape.pop("architectures", None)
    elif stock:
        kind["model_type"] = "bert"
        shape.pop("readout", None)
        shape.pop(TARGETS, None)  # folded into the head
    return kind | model.head_options() | shape | model.labels(label_names) | {"dtype": "float32"}


def own_class(model: Network) -> str:
    """The name of our transformers class for a model that no stock class computes."""
    return "Bertier" + model.stock_class.removeprefix("Bert")
