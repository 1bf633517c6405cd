"""Slices of a split: by class, length, script, unknown tokens, and whether the text is also in train.

At most MOST slices are shown and corrected for. Which they are depends on counts of rows alone, never on the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from data.counted import counted
from data.errors import DataError
from data.inputs.cleaning import cleaning_of
from data.inputs.tokenizer import PieceTokenizer
from data.inputs.trimmed import FULL
from data.load import open_tokenizer, tokenise_rows
from data.text_facts import script_of
from runner.mistakes.answered import Answered
from runner.mistakes.run_data import RunData
from runner.statistics.slices import usable

MOST = 20
QUARTERS = (0.25, 0.5, 0.75)
LETTERS = 200  # of a text, whose script is looked at
Slice = tuple[str, np.ndarray]  # its name, and which rows are in it, (rows,) bool


def slices_of(answered: Answered, run_data: RunData | None, texts: Sequence[str]) -> list[Slice]:
    """Return the slices with enough rows to be tested: those of the texts first, then the classes with most rows."""
    of_texts: list[Slice] = []
    if run_data is not None and not run_data.holds_texts:
        of_texts = _repeated(answered, run_data, "sound also in train")
    elif run_data is not None:
        of_texts = [
            *length_slices(texts),
            *script_slices(texts),
            *_unknown(answered, run_data),
            *_repeated(answered, run_data, "text also in train"),
        ]
    labels = answered.labels
    counts = np.bincount(labels, minlength=len(answered.names))
    classes = [(f"class {answered.names[k]}", labels == k) for k in np.argsort(-counts, kind="stable")]
    found = [one for one in of_texts if usable(one[1])]
    chosen = [one for one in classes if usable(one[1])]
    if len(answered.names) == 2:
        chosen = chosen[:1]  # the other class is its rest
    return [*found, *chosen][:MOST]


def length_slices(texts: Sequence[str]) -> list[Slice]:
    """Return the quarters of the rows by their number of words; equal lengths stay together."""
    lengths = np.array([len(text.split()) for text in texts], np.int64)
    quarter = np.searchsorted(np.quantile(lengths, QUARTERS, method="inverted_cdf"), lengths, side="left")
    found = []
    for number in np.unique(quarter):
        is_in = quarter == number
        low, high = int(lengths[is_in].min()), int(lengths[is_in].max())
        found.append((f"{low} to {high} words" if low < high else counted(low, "word"), is_in))
    return found if len(found) > 1 else []


def script_slices(texts: Sequence[str]) -> list[Slice]:
    """Return the rows whose letters are mostly of each script; nothing if all rows share one."""
    scripts = np.array([main_script(text) for text in texts])
    names, counts = np.unique(scripts, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [(f"script {str(names[k]).lower()}", scripts == names[k]) for k in order] if len(names) > 1 else []


def main_script(text: str) -> str:
    """Return the script of most letters in the beginning of a text, by Unicode's names; none without letters."""
    begun = text[:LETTERS]
    if begun.isascii():
        return "LATIN" if any(map(str.isalpha, begun)) else "none"
    counts = Counter(script_of(letter) for letter in begun if letter.isalpha())
    return counts.most_common(1)[0][0] if counts else "none"


def _unknown(answered: Answered, run_data: RunData) -> list[Slice]:
    """Return the rows with tokens that the vocabulary does not have; none for models that read words or letters."""
    config = answered.record.config["model"]
    source, vocabulary = str(config.get("tokenizer") or ""), str(config.get("vocabulary") or FULL)
    if run_data.no_train is not None and (source == "train" or vocabulary != FULL):
        return []  # the vocabulary was made from other rows
    try:
        tokenizer = open_tokenizer(
            run_data.rows, source, vocab_size=int(config.get("vocab_size") or 0), vocabulary=vocabulary,
            special_tokens=bool(config.get("special_tokens", True)),
            unknown_tokens=str(config.get("unknown_tokens") or "auto"), max_length=run_data.settings.max_length,
            cache=run_data.cache, cleaning=cleaning_of(run_data.settings),
        )  # fmt: skip
    except (DataError, OSError):
        return []
    if not isinstance(tokenizer, PieceTokenizer) or "unk_token" not in tokenizer.names:
        return []
    unknown = tokenizer.backend.token_to_id(tokenizer.names["unk_token"])
    rows = tokenise_rows(run_data.rows, answered.split, tokenizer, run_data.settings.max_length, run_data.cache)
    if unknown is None or len(rows) != len(answered.labels):
        return []
    counts = np.add.reduceat(np.asarray(rows.tokens) == unknown, np.asarray(rows.offsets[:-1]), dtype=np.int64)
    return [(f"with {tokenizer.names['unk_token']}", counts > 0)]


def _repeated(answered: Answered, run_data: RunData, name: str) -> list[Slice]:
    if run_data.no_train is not None:
        return []
    return [(name, np.isin(run_data.hashes(answered.split), run_data.hashes("train")))]
