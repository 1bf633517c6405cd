"""`run export ID format=model2vec` or `static-embedding`: the word vectors of a run as other programs open them.

The folder gives the vectors of texts. The last layer is beside them in classifier.safetensors, with two lines of
NumPy in README.md to use it: the pipelines of those programs are pickles, which are never written.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from data.batch import collate
from data.inputs.bare_texts import unknown_token
from data.inputs.tokenizer import PieceTokenizer, Tokenizer
from data.splits import TokenSplit
from models.backbones.bag_of_words import BagOfWords
from models.checkpoints.atomic import written_atomically
from models.checkpoints.static import read_static
from models.checkpoints.static_save import MODEL2VEC, STATIC_EMBEDDING, static_vectors, write_static
from models.errors import ModelError
from models.heads.linear import LinearHead
from models.network import Network
from models.packed.errors import NotPacked
from models.packed.layers import linear_layer
from models.readouts.pooling import MeanPooler
from runner.deploy.exported import DESCRIPTION_FILE, ExportedModel, ParityError, model_of_run, place_of_export
from runner.deploy.parity import BATCHES, ROWS, Parity, evenly_by_length, rows_to_compare
from runner.deploy.predictor import CPU, Predictor
from runner.deploy.vectors_card import vectors_card
from runner.errors import ConfigError
from runner.record.record import RunRecord
from runner.training.inference import to_tensors

HEAD = "classifier.safetensors"
TOLERANCE = 1e-5  # of a component, where the largest is 1; observed: 1e-7


def write_vectors(record: RunRecord, run_folder: Path, form: str, out: Path | None) -> tuple[ExportedModel, Parity]:
    """Write the folder of a run, completely or not at all; return it and how close its vectors are to the model's.

    form: model2vec or static-embedding. out: the folder, by default export/<form> below the run's. Raises ConfigError
    for a run without such vectors and for texts that the other program would read otherwise, ParityError where vectors
    differ.
    """
    trained = model_of_run(record, run_folder)
    predictor = Predictor(trained)
    network = predictor.model
    assert isinstance(network, Network)
    tokenizer = _readable(predictor.tokenizer, form, record.identity)
    tokens = len(tokenizer.backend.get_vocab())
    try:
        vectors = static_vectors(network, max(tokenizer.backend.get_vocab().values()) + 1)
    except ModelError as error:
        raise ConfigError(f"format={form}: run {record.identity}: {error}") from error
    place = place_of_export(run_folder, form, out)
    rows = rows_to_compare(record, predictor)
    with written_atomically(place) as part:
        write_static(vectors, form, part, trained.folder / "tokenizer.json", tokens)
        parity = _compared(network, read_static(str(part), "")[0], rows.split, rows.source)
        how = _write_head(network, part / HEAD)
        (part / "README.md").write_text(vectors_card(record, form, vectors.shape[1], how), encoding="utf-8")
        exported = trained.moved(place, form)
        content = json.dumps(exported.describe() | {"checked": parity.describe()}, indent=2, ensure_ascii=False)
        (part / DESCRIPTION_FILE).write_text(content + "\n", encoding="utf-8")
    return exported, parity


def _readable(tokenizer: Tokenizer, form: str, identity: str) -> PieceTokenizer:
    """Return the tokenizer; raise ConfigError for one that gives other tokens in the program that opens the folder."""
    where = f"format={form}: run {identity}"
    if not isinstance(tokenizer, PieceTokenizer):
        raise ConfigError(f"{where}: reads hashed words, so it has no table of tokens. Try: format=bundle")
    if tokenizer.bare is None:
        raise ConfigError(
            f"{where}: reads special tokens around a text, which other programs leave out. "
            "Try: train with model=static, which has none"
        )
    if tokenizer.cleaning:
        steps = ", ".join(tokenizer.cleaning)
        raise ConfigError(f"{where}: texts are cleaned first ({steps}), which its files cannot say. Try: format=bundle")
    keeps = tokenizer.bare.dropped is None and unknown_token(tokenizer.backend) is not None
    if form == MODEL2VEC and keeps:
        raise ConfigError(
            f"{where}: counts unknown tokens, which Model2Vec leaves out of a text. "
            f"Try: format={STATIC_EMBEDDING}, or train with model.unknown_tokens=drop"
        )
    if form == STATIC_EMBEDDING and tokenizer.bare.dropped is not None:
        raise ConfigError(
            f"{where}: leaves unknown tokens out of a text, which StaticEmbedding counts. "
            f"Try: format={MODEL2VEC}, or train with model.unknown_tokens=keep"
        )
    return tokenizer


@torch.inference_mode()
def _compared(network: Network, table: torch.Tensor, split: TokenSplit, source: str) -> Parity:
    """Compare means of the written table with the model's; ParityError beyond rounding."""
    bag = network.bert
    assert isinstance(bag, BagOfWords)
    pooler = bag.pooler if isinstance(bag.pooler, MeanPooler) else MeanPooler()
    some = split.take(evenly_by_length(split.lengths, ROWS))
    padded = torch.cat([table, torch.zeros_like(table[:1])])  # for the id of a row without tokens, where it has no row
    apart, sizes = [], []
    for rows in np.array_split(np.arange(len(some)), -(-len(some) // BATCHES[-1])):
        inputs = to_tensors(collate(some, rows), CPU)
        ids, mask = inputs["input_ids"], inputs["attention_mask"]
        own = pooler(bag.embeddings(ids, inputs.get("token_type_ids")), mask)
        found = MeanPooler()(padded[ids.clamp(max=len(table))], mask)
        apart.append(float((own - found).abs().max()))
        sizes.append(float(own.abs().max()))
    worst, largest = float(np.max(apart)), float(np.max(sizes))  # not max(), which may drop nan
    if not worst <= TOLERANCE * max(1.0, largest):
        raise ParityError(
            f"the vectors differ from the model's by up to {worst:.2g} on {len(some)} rows. Nothing was written"
        )
    return Parity(len(some), source, worst)


def _write_head(network: Network, path: Path) -> str:
    """Write the last layer, `weight` (K, H) and `bias` (K,), if it is linear in a text's vector; else say why not."""
    from safetensors.numpy import save_file

    if not isinstance(network, LinearHead) or not isinstance(network.bert.pooler, MeanPooler):
        return "It compares two texts, which one vector per text cannot show"
    if network.added is not None:
        return "A linear model over n-grams is added to it"
    try:
        weight, bias = linear_layer(network)
    except NotPacked as reason:
        return str(reason)[0].upper() + str(reason)[1:]
    save_file({"weight": np.ascontiguousarray(weight), "bias": bias}, path)
    return ""
