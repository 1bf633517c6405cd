"""Every trained model is a Hugging Face folder: config.json, model.safetensors, tokenizer files, model card.

A plain BERT is saved as the stock class, so any tool of that ecosystem opens it without our code; anything
else as model_type "bertier", which opens after `import models`.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from models import MODEL_TYPE
from models.checkpoints.hub import named
from models.checkpoints.read import HEAD, WEIGHTS, bert_names, read_config, read_state, read_tokens
from models.checkpoints.untrusted import believed, check_room
from models.errors import ModelError
from models.heads.target_scale import TARGETS, attach, detach, folded, standardise
from models.heads.words import PREDICTIONS, MaskedLM
from models.network import SequenceClassifier


def save(
    model: SequenceClassifier | MaskedLM,
    folder: Path,
    *,
    tokenizer_save: Callable[[Path], None],
    label_names: Sequence[str],
    kind: str,
    card: str,
) -> None:
    """Write the folder whole or not at all; an older model of that name is replaced.

    tokenizer_save: writes the tokenizer's files into a folder; label_names: in id order, none for regression;
    kind: classification | regression | mlm; card: the text of README.md.
    Raises ModelError when the folder holds something that is not a model.
    """
    folder = Path(folder)
    if folder.exists() and not is_replaceable(folder):
        raise ModelError(f"{folder} holds something that is not a model and is not replaced. Choose another folder")
    with written_whole(folder) as part:
        _write(model, part, label_names, kind, card)
        tokenizer_save(part)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """An empty folder to write to, which takes the place of `folder` at the end of the block, or vanishes."""
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
        # Untied, transformers unties the bias too: the decoder's own is the one it adds.
        tensors[f"{PREDICTIONS}decoder.bias"] = tensors[f"{PREDICTIONS}bias"].clone()
    if TARGETS in model.architecture and is_plain_bert(model.architecture):
        head = f"{HEAD}weight", f"{HEAD}bias"
        tensors |= zip(head, folded(tensors[head[0]], tensors[head[1]], model.architecture[TARGETS]))
    save_file(tensors, part / WEIGHTS, metadata={"format": "pt"})
    content = json.dumps(describe_saved(model, label_names, kind), indent=2, ensure_ascii=False)
    (part / "config.json").write_text(content + "\n", encoding="utf-8")
    (part / "README.md").write_text(card, encoding="utf-8")


def _swap(part: Path, folder: Path) -> None:
    """Put `part` in the place of `folder`; the older one goes only once the new one stands there."""
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
    """config.json of a model of ours: stock BERT where that says it all, else model_type "bertier"."""
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
    """config.json of a masked-word model: the stock class, unless its word vectors are computed."""
    is_stock = "embedding" not in model.architecture
    head = {
        "architectures": ["BertForMaskedLM" if is_stock else "BertierForMaskedLM"],
        "model_type": "bert" if is_stock else MODEL_TYPE,
        "tie_word_embeddings": model.output == "tied",
    }
    shape = {name: value for name, value in model.architecture.items() if name != "readout" or not is_stock}
    return head | shape | {"dtype": "float32"}


def adopt(model: SequenceClassifier, folder: Path) -> SequenceClassifier:
    """`model`, built from the settings of the run that saved `folder`, with the structure and weights saved there.

    Unlike `load` it keeps what only training knows, such as what is frozen and which tokens are left out.
    """
    from models.compression.methods import restore_stages

    config, own = read_config(str(folder), ""), detach(model)
    model = restore_stages(model, config)
    if TARGETS in config:
        attach(model, config[TARGETS])
    model.load_state_dict(bert_names(read_state(str(folder), "")), strict=True)
    if own:
        standardise(model, **own, is_fresh=False)
    return model


def load(folder: Path) -> SequenceClassifier:
    """The model that `save` wrote or a stock BERT classifier, ready to predict; ModelError for others."""
    if not Path(folder).is_dir():
        raise ModelError(f"{folder}: there is no such folder. Expected one that a run wrote: outputs/<identity>/model")
    return open_model(str(folder), "")


def is_readable(config: dict[str, Any]) -> bool:
    """Is this the config.json of a model that `open_model` opens?"""
    from models.checkpoints.source import BERT_DEFAULTS, is_ours

    return config["model_type"] == MODEL_TYPE or (config["model_type"] == "bert" and is_ours(BERT_DEFAULTS | config))


def open_masked(source: str, key: str) -> MaskedLM:
    """The masked-word model of a folder or hub id, ready to predict; ModelError where there is none.

    key: the setting that named it.
    """
    from models.build import rebuild
    from models.checkpoints.source import BERT_DEFAULTS

    config, state = read_config(source, key), bert_names(read_state(source, key))
    if not is_readable(config) or f"{PREDICTIONS}transform.dense.weight" not in state:
        raise ModelError(
            f"{named(source, key)}: has no head for masked words, so it cannot say which words fit. "
            f"Try: {key}=<the id of a run made by run task=mlm, or a hub id with such a head>"
        )
    encoder = rebuild(BERT_DEFAULTS | config | {"readout": "cls"}, 1, partial(read_tokens, source))
    is_tied = config.get("tie_word_embeddings", True) and "embedding" not in config
    output = "tied" if is_tied else "own" if f"{PREDICTIONS}decoder.weight" in state else "fixed"
    model = MaskedLM(encoder.bert, encoder.architecture, output)  # type: ignore[arg-type]
    own = model.state_dict()
    model.load_state_dict({name: tensor for name, tensor in state.items() if name in own}, strict=False)
    if missing := sorted(own.keys() - state.keys()):
        raise ModelError(f"{named(source, key)}: is not a whole masked-word model: without {missing[:3]}")
    return model.eval()


def open_model(source: str, key: str) -> SequenceClassifier:
    """The same of a folder or hub id, which the setting `key` named."""
    from models.build import rebuild
    from models.checkpoints.source import BERT_DEFAULTS

    config, where = read_config(source, key), named(source, key)
    with believed(where):
        if not is_readable(config):
            what = "BERT that only transformers can open" if config["model_type"] == "bert" else config["model_type"]
            raise ModelError(f"{where}: is a {what}, not a model saved by Bertier. Train it with model=auto")
        state = bert_names(read_state(source, key))
        if config["model_type"] == "bert":
            config = BERT_DEFAULTS | config | {"readout": "cls"}
        check_room(config.get("backbone", config), state, where)
        model = rebuild(config, len(config.get("id2label", ())) or 2, partial(read_tokens, source))
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{where}: weights and config.json disagree: {reason}. Get both anew") from error
    unexpected = [name for name in unexpected if not name.endswith("position_ids")]  # older transformers saved these
    if missing or unexpected:
        raise ModelError(
            f"{where}: is not a whole classifier: without {missing[:3]}, unknown {unexpected[:3]}. Get it anew"
        )
    return model.eval()
