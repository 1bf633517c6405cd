"""A candidate before it is trained: the same network with random weights, saved as a run would save it.

Its files have as many bytes as the trained model's, up to how well random numbers deflate, and it answers in the same
time. Checkpoints are not read: config.json gives the shape.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

from data.inputs.bare_texts import ENTRY
from data.inputs.cleaning import cleaning_of
from data.inputs.hashed_words import marked_pattern_of
from data.inputs.tokenizer import PieceTokenizer, Tokenizer
from data.inputs.trimmed import FULL, TrimmedTokenizer
from data.load import Rows, open_tokenizer, tokenise_rows
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from data.targets.masked_words import UNCUT
from data.text_facts import sample_rows
from models.architecture import is_our_encoder, with_sizes
from models.backbones.transformers_backbone import wrap_encoder
from models.build import build
from models.checkpoints.cut import Cut
from models.checkpoints.pooling import with_own_readout
from models.checkpoints.read import WEIGHTS
from models.checkpoints.save import save_model
from models.checkpoints.source import check_source
from models.compression.methods import make_stage
from models.compression.quantization.stage import QuantizationStage, record_method
from models.heads.attach import attach_head
from models.heads.base import HeadSpec
from models.network import Network
from models.packed.facts import Facts as PackedFacts
from models.packed.format import NAME as PACKED
from models.packed.pack import write_packed
from models.settings import HASHED_WORDS, OVER_NGRAMS, ModelSettings
from runner.best.plan.ngram_draft import GuessedNgrams, guess_ngrams, ngram_draft
from runner.deploy.calibrations import file_size, write_calibration
from runner.measure.inputs import draw_batch
from runner.measure.macs import count_macs
from runner.measure.size import bytes_deployed
from runner.record.calibration import OFF, VECTOR, CalibrationFacts
from runner.schema import Settings
from runner.tasks.base import Task
from runner.tasks.make import task_of_labels

SAMPLED_TEXTS = 500  # of the selection split, for the mean length: a few percent from that of all
NGRAM = "ngram"  # the family of linear models over n-grams


@dataclass(frozen=True)
class Draft:
    """The costs of a candidate, from its random twin."""

    bytes: int  # cost/bytes_deployed
    macs: int  # multiply-adds of a text of mean length; 0 for models without matrix products on tokens
    params: int  # trained; of a linear model on n-grams the cells of the matrix of rows and n-grams
    tokens: float  # of a text, or its n-grams; mean
    width: int  # of a token's vector
    guessed: int = 0  # bytes of n-grams with guessed weights: of these a fit keeps from half to all

    @property
    def least(self) -> int:
        """The bytes that the trained model has at the least."""
        return self.bytes - self.guessed // 2


class Drawer:
    """Makes drafts of candidates for the same rows; tokenizers are opened once."""

    def __init__(self, rows: Rows, cache: SharedCache) -> None:
        self.rows, self.cache = rows, cache
        select = rows.raw.splits[rows.select]
        few = select.take(sample_rows(len(select), SAMPLED_TEXTS))
        self._few = replace(rows, raw=replace(rows.raw, splits={**rows.raw.splits, rows.select: few}))
        self._tokenizers: dict[tuple[object, ...], Tokenizer] = {}
        self._splits: dict[tuple[str, int], TokenSplit] = {}
        self._ngrams: dict[str, GuessedNgrams] = {}

    def tokenizer(self, settings: Settings) -> Tokenizer:
        """Return the tokenizer of a candidate: opened, trained or trimmed as its run does it."""
        model, longest = settings.model, settings.data.max_length
        key = (model.tokenizer, model.vocab_size, model.vocabulary, model.special_tokens, model.unknown_tokens, longest)
        if key not in self._tokenizers:
            self._tokenizers[key] = open_tokenizer(
                self.rows, model.tokenizer, vocab_size=model.vocab_size, vocabulary=model.vocabulary,
                special_tokens=model.special_tokens, unknown_tokens=model.unknown_tokens, max_length=longest,
                cache=self.cache, cleaning=cleaning_of(settings.data),
            )  # fmt: skip
        return self._tokenizers[key]

    def split(self, settings: Settings, name: str = "") -> TokenSplit:
        """Return a split in the tokens of a candidate; "": some texts to select by, whose lengths stand for all."""
        tokenizer, longest = self.tokenizer(settings), settings.data.max_length
        rows = self.rows if name else self._few
        key = (f"{name} {tokenizer.fingerprint}", longest)
        if key not in self._splits:
            self._splits[key] = tokenise_rows(rows, name or rows.select, tokenizer, longest, self.cache)
        return self._splits[key]

    def draft(self, settings: Settings, folder: Path) -> Draft:
        """Save the random twin of a candidate in a new folder, and return its costs."""
        if settings.model.family in OVER_NGRAMS:
            task = task_of_labels(self.rows.task, settings)
            made = ngram_draft(self._ngrams_of(settings, task), settings, task)
            self._save(made.network, settings, folder)
            size = bytes_deployed(folder)
            if made.is_capped and settings.model.max_kb is not None:  # a fit uses up the file size that it is allowed
                size = max(int(1000 * settings.model.max_kb), made.least) + self.calibration_bytes(settings)
            is_fitted = settings.model.family == NGRAM
            width = made.network.classifier.in_features if is_fitted else settings.model.hidden
            params = made.cells if is_fitted else made.grams * width
            guessed = size if is_fitted and not made.is_capped else 0
            return Draft(size, 0, params, made.cells / len(self.split(settings, "train")), width, guessed)
        network, split = self.network(settings), self.split(settings)
        tokens = float(np.mean(split.lengths))
        perturb_biases_and_scales(network)
        params = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
        macs = count_macs(network, draw_batch(split, 1, max(1, round(tokens))))
        width = int(network.architecture["hidden_size"])
        self._save(rounded(network, settings), settings, folder)
        added, guessed = self.added_bytes(settings)
        return Draft(bytes_deployed(folder) + added, macs, params, tokens, width, guessed)

    def _save(self, network: Network, settings: Settings, folder: Path) -> None:
        """Write the files that a run would write for this network."""
        tokenizer, labels, data = self.tokenizer(settings), self.rows.task.label_names, settings.data
        pieces = json.loads(tokenizer.backend.to_str()) if isinstance(tokenizer, PieceTokenizer) else None
        if pieces and isinstance(tokenizer, PieceTokenizer) and tokenizer.bare:
            pieces[ENTRY] = tokenizer.bare.facts()
        is_pair, cleaning = data.text_pair is not None, tokenizer.cleaning
        sets = task_of_labels(self.rows.task, settings).reader_facts(are_fitted=True)
        facts = PackedFacts(
            tuple(labels), data.max_length, is_pair, pieces, cleaning, tokenizer.language,
            marked_pattern_of(tokenizer), sets, truncate=data.truncate, keeps_both=settings.calibration == VECTOR,
        )  # fmt: skip

        def save_files(part: Path) -> None:
            tokenizer.save(part, longest=network.longest_input())
            write_packed(network, part, facts)

        save_model(network, folder, tokenizer_save=save_files, label_names=list(labels), card="")
        if size := self.calibration_bytes(settings):
            weights = [path for name in (PACKED, WEIGHTS) if (path := folder / name).is_file()]
            write_calibration(weights, CalibrationFacts(), {}, size)

    def calibration_bytes(self, settings: Settings) -> int:
        """Return the bytes of a run's calibration.json; 0 for a run without one."""
        task = task_of_labels(self.rows.task, settings)
        has_one = settings.calibration != OFF and (task.has_probabilities or task.has_label_sets)
        return file_size(settings.calibration, len(self.rows.task.label_names)) if has_one else 0

    def _ngrams_of(self, settings: Settings, task: Task) -> GuessedNgrams:
        """Return the n-grams of a candidate with guessed weights.

        They do not depend on the cap, so they are counted once.
        """
        model = settings.model
        key = repr(
            (model.n, model.min_df, model.cross, model.characters, settings.data.symmetric, settings.data.max_length)
        )
        if key not in self._ngrams:
            self._ngrams[key] = guess_ngrams(settings, task, self.split(settings, "train"))
        return self._ngrams[key]

    def added_bytes(self, settings: Settings) -> tuple[int, int]:
        """Return the bytes of the n-gram model added to the network, and how many of them are guessed.

        0 without one.
        """
        if settings.model.add != NGRAM:
            return 0, 0
        words = replace(settings.model, family=NGRAM, tokenizer=HASHED_WORDS, vocabulary=FULL, add="none")
        alone = replace(settings, model=words, data=replace(settings.data, max_length=UNCUT), compression={})
        with tempfile.TemporaryDirectory() as scratch:
            made = self.draft(alone, Path(scratch) / "model")
        return made.bytes - self.calibration_bytes(settings), made.guessed

    def network(self, settings: Settings) -> Network:
        """Return the network of a candidate with random weights."""
        model, tokenizer = settings.model, self.tokenizer(settings)
        head = task_of_labels(self.rows.task, settings).head()
        single = None if self.rows.task.is_pair else 1
        cut = Cut(tokenizer.kept, settings.data.max_length, single) if isinstance(tokenizer, TrimmedTokenizer) else None
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            if model.pretrained and model.family != "dsn":
                return encoder_of_checkpoint(model, head, tokenizer, cut)
            fresh = replace(model, pretrained=None, init="random", init_from=None)
            made, _ = build(
                fresh, head, vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id,
                tokens=lambda: list(tokenizer.tokens()), cut=cut,
            )  # fmt: skip
        return made


def perturb_biases_and_scales(network: Network) -> None:
    """Perturb the initial biases and scales of a network: a graph stores zeros and ones in half the bytes."""
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn(parameter.shape, generator=draw), alpha=0.01)


def encoder_of_checkpoint(model: ModelSettings, head: HeadSpec, tokenizer: Tokenizer, cut: Cut | None) -> Network:
    """Return a network of the shape that a checkpoint's config.json describes, with random weights."""
    config = check_source(model)
    model, _ = with_own_readout(model, config)
    if cut:
        config = cut.config(config, model.pretrained or "")
    if not is_our_encoder(config):
        return attach_head(*wrap_encoder(config, model.readout, model.dropout), head)
    sizes = with_sizes(model, config)
    if model.family == "bert":  # a preset's own number of layers may be smaller
        sizes = replace(sizes, layers=min(model.layers, sizes.layers))
    rows = int(config["vocab_size"]) if model.embedding["name"] == "table" else tokenizer.vocab_size
    fresh = replace(sizes, family="bert", pretrained=None)
    return build(fresh, head, vocab_size=rows, pad_id=tokenizer.pad_id, tokens=lambda: list(tokenizer.tokens()))[0]


def stages_that_run(settings: Settings) -> list[tuple[str, object]]:
    """Return the compression stages of a candidate, with options, that change more than the bits of the weights."""
    stages = [make_stage(options, name) for name, options in settings.compression.items()]
    return [
        (stage.name, asdict(stage.options))
        for stage in stages
        if not isinstance(stage, QuantizationStage) or stage.has_kernel
    ]


def rounded(network: Network, settings: Settings) -> Network:
    """The network after the compression stages that change the bytes of its files or which layers run."""
    network.eval()
    for name, options in settings.compression.items():
        stage = make_stage(options, name)
        if not isinstance(stage, QuantizationStage):
            stage.sketch(network)
            continue
        for layer_name, (layer, made) in stage.replace_layers(network).items():
            stage.fill(layer_name, layer, made)
        stage.round_rest(network)
        record_method(network, options)
    return network
