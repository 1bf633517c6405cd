"""Saves every trained model as a Hugging Face folder: config.json, model.safetensors, tokenizer files, model card.

A plain BERT is saved as the stock class, which any tool of that ecosystem opens without our code; anything else as
model_type "bertier", which opens after `import models`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from models import MODEL_TYPE
from models.checkpoints.read import HEAD, WEIGHTS
from models.errors import ModelError
from models.heads.target_scale import TARGETS, fold_target_scale
from models.heads.words import PREDICTIONS, MaskedLM
from models.network import SequenceClassifier


def save_model(
    model: SequenceClassifier | MaskedLM,
    folder: Path,
    *,
    tokenizer_save: Callable[[Path], None],
    label_names: Sequence[str],
    kind: str,
    card: str,
) -> None:
    """Write the folder completely or not at all; an older model of that name is replaced.

    tokenizer_save: writes the tokenizer's files into a folder; label_names: in id order, none for regression;
    kind: classification | regression | mlm; card: the text of README.md.
    Raises ModelError when the folder holds something that is not a model.
    """
    folder = Path(folder)
    if folder.exists() and not is_replaceable(folder):
        raise ModelError(f"{folder} holds something that is not a model and is not replaced. Choose another folder")
    with written_atomically(folder) as part:
        _write(model, part, label_names, kind, card)
        tokenizer_save(part)


@contextmanager
def written_atomically(folder: Path) -> Iterator[Path]:
    """An empty folder to write to. It replaces `folder` at the end of the block, or is removed after an error."""
    part = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        _swap(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def is_replaceable(folder: Path) -> bool:
    """Is this an empty folder or a saved model?"""
    return folder.is_dir() and ((folder / "config.json").is_file() or not any(folder.iterdir()))


def _write(model: SequenceClassifier | MaskedLM, part: Path, label_names: Sequence[str], kind: str, card: str) -> None:
    from safetensors.torch import save_file

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    if f"{PREDICTIONS}decoder.weight" in tensors:
        # With an untied table transformers unties the bias too, and adds the decoder's own.
        tensors[f"{PREDICTIONS}decoder.bias"] = tensors[f"{PREDICTIONS}bias"].clone()
    if TARGETS in model.architecture and is_plain_bert(model.architecture):
        head = f"{HEAD}weight", f"{HEAD}bias"
        tensors |= zip(head, fold_target_scale(tensors[head[0]], tensors[head[1]], model.architecture[TARGETS]))
    save_file(tensors, part / WEIGHTS, metadata={"format": "pt"})
    content = json.dumps(describe_saved(model, label_names, kind), indent=2, ensure_ascii=False)
    (part / "config.json").write_text(content + "\n", encoding="utf-8")
    (part / "README.md").write_text(card, encoding="utf-8")


def _swap(part: Path, folder: Path) -> None:
    """Put `part` in the place of `folder`; the older folder is removed only once the new one is there."""
    older = folder.with_name(f".{folder.name}.{os.getpid()}.old")
    shutil.rmtree(older, ignore_errors=True)
    if folder.exists():
        folder.replace(older)
    try:
        part.replace(folder)
    except OSError:
        if older.exists():
            older.replace(folder)
        raise
    shutil.rmtree(older, ignore_errors=True)


def is_plain_bert(architecture: dict[str, Any]) -> bool:
    """Does the stock BertForSequenceClassification compute this model?"""
    layers = architecture.get("num_hidden_layers", 0)
    own = {"backbone", "embedding", "compressed"}
    return architecture["readout"] == "cls" and layers > 0 and not own & set(architecture)


def describe_saved(model: SequenceClassifier | MaskedLM, label_names: Sequence[str], kind: str) -> dict[str, Any]:
    """The config.json of a model of ours: a stock BERT's where that describes it fully, else model_type "bertier"."""
    names = list(label_names) or ["value"]
    shape = dict(model.architecture)
    if isinstance(model, MaskedLM):
        return _describe_masked(model)
    if is_plain_bert(shape):
        del shape["readout"]
        shape.pop(TARGETS, None)  # folded into the head
        head = {
            "architectures": ["BertForSequenceClassification"],
            "model_type": "bert",
            "classifier_dropout": None,
        }
    else:
        head = {"architectures": ["BertierForSequenceClassification"], "model_type": MODEL_TYPE}
    labels = {
        "id2label": {str(index): name for index, name in enumerate(names)},
        "label2id": {name: index for index, name in enumerate(names)},
        "problem_type": "regression" if kind == "regression" else "single_label_classification",
    }
    return head | shape | labels | {"dtype": "float32"}


def _describe_masked(model: MaskedLM) -> dict[str, Any]:
    """The config.json of a masked-word model: the stock class, unless its word vectors are computed."""
    is_stock = "embedding" not in model.architecture
    head = {
        "architectures": ["BertForMaskedLM" if is_stock else "BertierForMaskedLM"],
        "model_type": "bert" if is_stock else MODEL_TYPE,
        "tie_word_embeddings": model.output == "tied",
    }
    shape = {name: value for name, value in model.architecture.items() if name != "readout" or not is_stock}
    return head | shape | {"dtype": "float32"}
