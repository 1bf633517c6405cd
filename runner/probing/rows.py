"""The sentences of one probing task, and their labels, tokenised as an encoder reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from data.inputs.tokenizer import Tokenizer
from data.load import Rows, read_rows, tokenise_rows
from data.settings import DataSettings
from data.splits import TokenSplit
from data.stores.build_once import SharedCache
from models.network import Network, reads_apart
from runner.errors import ConfigError
from runner.probing import probe
from runner.probing.class_probes import probe_classes
from runner.probing.controls import first_tokens
from runner.probing.encoder import reads_sounds
from runner.probing.features import cells_of, sentence_vectors
from runner.probing.probed import Models, Probed
from runner.probing.results import TaskReport
from runner.probing.tasks import GROUP_OF

SPLITS = ("train", "select", "report")
LONGEST = 128  # tokens of a sentence, where the model reads as many


@dataclass(frozen=True)
class TaskRows:
    """A task before tokenisation: its training, selection and reported rows."""

    name: str
    data: Rows
    group: str | None = None

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.data.task.label_names)

    @property
    def fingerprints(self) -> Mapping[str, str]:
        """The sha256 of each split in use, labels included."""
        return self.data.fingerprints

    def split(self, which: str, tokenizer: Tokenizer, longest: int, cache: SharedCache) -> TokenSplit:
        """Return the tokens of train, select or report; at most `longest` per row."""
        names = {"train": "train", "select": self.data.select, "report": self.data.report[0]}
        return tokenise_rows(self.data, names[which], tokenizer, longest, cache)

    def tokens(self, probed: Probed) -> dict[str, TokenSplit]:
        """Return the tokens of all rows as a model reads them."""
        return {which: self.split(which, probed.tokenizer, probed.longest(LONGEST), probed.cache) for which in SPLITS}

    def pools(self, probed: Probed) -> tuple[str, ...]:
        """Return how the vectors of a sentence are pooled, as the command says."""
        return probed.wanted.pools

    def rows(self, probed: Probed, network: Network) -> probe.Splits:
        """Return the sentences as vectors of the cells, of the model's network or of another one of its shape.

        Raises ConfigError for pairs of texts if the model never reads both together.
        """
        if self.data.task.is_pair and reads_apart(network):
            raise ConfigError(
                f"run probe: {self.name} has pairs of texts, but {probed.label} reads each text by itself, so its "
                "layers have no vector of a pair. Try: data of single texts, as data=xprobe"
            )
        pools, found = self.pools(probed), {}
        known = cells_of(probed.network, pools)
        chosen = [known.index(cell) for cell in probed.cells(pools)]
        for which, split in self.tokens(probed).items():
            vectors = sentence_vectors(network, split, pools, probed.cache, probed.device)
            found[which] = probe.Rows(np.asarray(vectors[:, chosen]), np.asarray(split.labels.values, np.int64))
        return found

    def types(self, probed: Probed) -> dict[str, np.ndarray] | None:
        """Return the first token of each sentence, which decides its label in the control task; None for sounds."""
        if reads_sounds(probed.tokenizer):
            return None
        special = int(probed.tokenizer.encode([""], None, LONGEST).lengths[0] > 1)
        return {which: first_tokens(split, special) for which, split in self.tokens(probed).items()}

    def notes(self, probed: Probed) -> list[str]:
        """Return notes: how many texts or sounds are read only in part, and that sounds have no control task."""
        tokens, has_sounds = self.tokens(probed).values(), reads_sounds(probed.tokenizer)
        cut, texts = sum(split.truncated for split in tokens), sum(map(len, tokens))
        rows, units = ("sounds", "frames") if has_sounds else ("texts", "tokens")
        found = []
        if cut:
            longest = probed.longest(LONGEST)
            found.append(f"{cut:,} of {texts:,} {rows} have more than {longest} {units}, the rest of which is not read")
        if has_sounds and probed.wanted.has_control:
            found.append("no control task: its labels go by the first token, which sounds do not have")
        return found

    def probe(self, models: Models) -> tuple[TaskReport, dict[str, np.ndarray]]:
        """Fit all probes; see ProbingTask.probe."""
        return probe_classes(self, models)


def read_task(name: str, data: DataSettings, cache: SharedCache, group: str | None = None) -> TaskRows:
    """Read a task. data: with the config of that name if the data set has several.

    Raises DataError for data that cannot be read, ConfigError for labels that are not classes of a text.
    """
    rows = read_rows(data, cache)
    labels = rows.raw.splits["train"].labels
    if len(rows.task.label_names) < 2 or labels.offsets is not None or labels.values.ndim > 1:
        raise ConfigError(
            f"run probe: {name} does not have one class per text, which is what a probe learns. "
            "Try: data=xprobe, or data=sst2"
        )
    return TaskRows(name, rows, group or GROUP_OF.get(name))


def data_of_task(data: DataSettings, task: str) -> DataSettings:
    """Return the settings that read one task of a data set."""
    return data if task == data.name else replace(data, config=task)
