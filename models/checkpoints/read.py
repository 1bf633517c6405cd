"""Reads checkpoints from the hub or a folder: config.json and safetensors, nothing else.

Pickles and remote code are never read: a repository that has nothing else is refused, with advice on what to do.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from models.checkpoints.digest import tensor_bytes
from models.checkpoints.hub import checkpoint_label, cures_for, fetch_file, has_file
from models.checkpoints.untrusted import LARGEST, check_config, malformed_as_model_error
from models.errors import ModelError
from models.json_types import JsonObject
from models.settings import PRETRAINED

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PICKLE = "pytorch_model.bin"
WORDS = "bert.embeddings.word_embeddings"
TABLE = f"{WORDS}.weight"
POSITIONS = "bert.embeddings.position_embeddings.weight"
SEGMENTS = "bert.embeddings.token_type_embeddings.weight"
HEAD, SPANS = "classifier.", "qa_outputs."  # transformers' names of the last layer: classification, question answering
READOUT = "bert.pooler."


@dataclass
class WeightsReport:
    """A report on where a model's initial weights came from."""

    source: str | None = None
    fingerprint: str = ""  # sha256 of the tensors that were loaded; "" when all weights are random
    loaded: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)  # randomly initialised, because the checkpoint lacks them
    ignored: list[str] = field(default_factory=list)  # tensors of the checkpoint that the model does not use
    notes: list[str] = field(default_factory=list)  # messages to show the user once


def read_config(source: str, key: str = PRETRAINED) -> JsonObject:
    """Read config.json of a checkpoint; ModelError if there is none, it is invalid, or it requires its own code."""
    path = fetch_file(source, "config.json", key)
    if path is None:
        folder = Path(source).expanduser()
        is_empty = folder.is_dir() and not any(folder.iterdir())
        what = "is an empty folder" if is_empty else "has no config.json, so it is not a model"
        raise ModelError(f"{checkpoint_label(source, key)}: {what}. {cures_for(key)}")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{checkpoint_label(source, key)}: {path} is not JSON ({error}). {cures_for(key)}") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ModelError(f"{checkpoint_label(source, key)}: config.json names no model_type. {cures_for(key)}")
    check_config(config, checkpoint_label(source, key))
    return config


def weight_files(source: str, key: str = PRETRAINED) -> list[Path]:
    """The safetensors files of a checkpoint; ModelError if one is unavailable."""
    names = [WEIGHTS]
    if fetch_file(source, WEIGHTS, key) is None and (index := fetch_file(source, INDEX, key)) is not None:
        names = _shards(index, checkpoint_label(source, key))
    found = []
    for name in names:
        path = fetch_file(source, name, key)
        if path is None:
            raise ModelError(_no_weights(source, name, key))
        found.append(path)
    return found


def weights_digest(source: str, key: str = PRETRAINED) -> str:
    """Return the sha256 of a checkpoint's weight files; ModelError if there are none."""
    digest = hashlib.sha256()
    for path in weight_files(source, key):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def require_weights(source: str, key: str = PRETRAINED) -> None:
    """Raise ModelError unless a checkpoint has safetensors weights; nothing is downloaded."""
    if not has_file(source, WEIGHTS, key) and not has_file(source, INDEX, key):
        raise ModelError(_no_weights(source, WEIGHTS, key))


def _no_weights(source: str, name: str, key: str) -> str:
    where = checkpoint_label(source, key)
    if key and has_file(source, PICKLE, key):
        return (
            f"{where}: has its weights only as a pickle ({PICKLE}), which may run code: pickles are never read. "
            f"Try: where you trust it, once, AutoModel.from_pretrained('{source}').save_pretrained('folder') and the "
            f"same with AutoTokenizer, then {key}=folder"
        )
    return f"{where}: has no {name}, so its weights are unavailable (pickles are never read). {cures_for(key)}"


def _shards(index: Path, where: str) -> list[str]:
    """The files that an index names; ModelError unless all are in the same folder."""
    with malformed_as_model_error(where):
        names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        odd = [name for name in names if not re.fullmatch(r"[\w-]+[\w.-]*\.safetensors", name)]
    if odd:
        raise ModelError(f"{where}: {INDEX} names {odd[0][:80]!r}, which is not a file in its folder. Get a fresh copy")
    return names


def read_state(source: str, key: str = PRETRAINED) -> dict[str, Tensor]:
    """Read all tensors of a checkpoint, floating-point ones as fp32; ModelError for an unavailable or damaged file."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    state: dict[str, Tensor] = {}
    for path in weight_files(source, key):
        try:
            state |= load_file(path)
        except (SafetensorError, OSError) as error:
            raise ModelError(
                f"{checkpoint_label(source, key)}: {path} is damaged ({error}). Remove it and try again"
            ) from error
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}


def read_tokens(source: str) -> list[str]:
    """Read the tokens, in id order, from a saved model's tokenizer.json; ModelError if there is none."""
    path = fetch_file(source, "tokenizer.json", "")
    if path is None:
        raise ModelError(f"{source}: has no tokenizer.json, but its embedding is computed from the tokens' letters")
    with malformed_as_model_error(source):
        content = json.loads(path.read_text(encoding="utf-8"))
        by_id = {index: token for token, index in content["model"]["vocab"].items()}
        by_id |= {added["id"]: added["content"] for added in content["added_tokens"]}
        return [by_id.get(index, "") for index in range(min(max(by_id) + 1, LARGEST))]


def rename_norm_tensors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename layer norm tensors from TensorFlow's names (gamma, beta) to PyTorch's (weight, bias)."""
    renames = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
    renamed = {}
    for name, tensor in state.items():
        for old, new in renames.items():
            name = name.replace(old, new)
        renamed[name] = tensor
    return renamed


def rename_bert_tensors(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of a BERT to our names: those of a bare encoder get the prefix `bert.`.

    The last layer of a question-answering model gets the same name as any other last layer.
    """
    named = {
        HEAD + name.removeprefix(SPANS) if name.startswith(SPANS) else name: tensor
        for name, tensor in rename_norm_tensors(state).items()
    }
    if any(name.startswith("bert.") for name in named):
        return named
    bare = ("embeddings.", "encoder.", "pooler.")
    return {f"bert.{name}" if name.startswith(bare) else name: tensor for name, tensor in named.items()}


@torch.no_grad()
def load_pretrained(model: nn.Module, source: str, state: dict[str, Tensor]) -> WeightsReport:
    """Copy every tensor of `state` that `model` has, except the head, which is specific to a task.

    A readout that the checkpoint lacks, and positions or segments beyond its tables, keep their random values.
    Raises ModelError for tensors of another shape or with values that are not finite, and if part of the encoder itself
    is missing.
    """
    check_tensors(model, source, state)
    own, report = model.state_dict(), WeightsReport(source=source)
    digest = hashlib.sha256()
    for name in sorted(state):
        if name not in own or name.startswith(HEAD):
            report.ignored.append(name)
            continue
        if not state[name].isfinite().all():
            raise ModelError(
                f"{PRETRAINED}={source}: {name} has values that are infinite or not a number, as after a conversion to "
                f"fp16. Get a fresh copy. {cures_for()}"
            )
        _copy(own[name], state[name], name, report)
        digest.update(name.encode())
        digest.update(tensor_bytes(state[name]))
        report.loaded.append(name)
    report.new = sorted(own.keys() - set(report.loaded))
    if any(name.startswith(f"{READOUT}dense.") for name in report.new):
        report.notes.append(f"{source} has no pooler: its weights start at random")
    report.fingerprint = digest.hexdigest()
    return report


def check_tensors(model: nn.Module, source: str, state: dict[str, Tensor]) -> None:
    """Raise ModelError for tensors of another shape or of whole numbers, and if part of the encoder itself is missing.

    Only shapes are compared, so both may be on torch's meta device.
    """
    own = model.state_dict()
    free = (HEAD, READOUT, f"{WORDS}.")  # below WORDS: the parameters of an embedding without a table
    needed = [name for name, _ in model.named_parameters() if name == TABLE or not name.startswith(free)]
    if missing := [name for name in sorted(needed) if name not in state]:
        raise ModelError(
            f"{PRETRAINED}={source}: its weights lack {len(missing)} tensors of the encoder, such as {missing[0]}. "
            f"Is its config.json of another model? {cures_for()}"
        )
    for name in sorted(state.keys() & own.keys()):
        found, wanted = tuple(state[name].shape), tuple(own[name].shape)
        is_cut = name in (POSITIONS, SEGMENTS) and found[1:] == wanted[1:]
        if found != wanted and not is_cut and not name.startswith(HEAD):
            raise ModelError(
                f"{PRETRAINED}={source}: {name} has shape {found}, the model expects {wanted}. "
                f"Is its config.json of another model? {cures_for()}"
            )
        if own[name].is_floating_point() and not state[name].is_floating_point():
            raise ModelError(
                f"{PRETRAINED}={source}: {name} holds whole numbers, as in a quantized checkpoint, and its scales are "
                f"not known. {cures_for()}"
            )


def _copy(target: Tensor, found: Tensor, name: str, report: WeightsReport) -> None:
    """Copy `found` into `target`; tables of positions and segments may differ in length."""
    if found.shape != target.shape:
        rows = min(len(found), len(target))
        target[:rows].copy_(found[:rows])
        what = "positions" if name == POSITIONS else "segments"
        rest = f"; the other {len(target) - rows} start at random" if rows < len(target) else ""
        report.notes.append(f"{rows} of the {len(found)} {what} of {report.source} are used{rest}")
    else:
        target.copy_(found)
