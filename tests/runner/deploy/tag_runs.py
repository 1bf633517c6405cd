"""Finished runs of small models that tag words, without training, and texts that are hard to split."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

from data.inputs.tokenizer import PieceTokenizer, train_tokenizer, wrap_backend
from models.heads.base import HeadSpec
from runner.record.record import RunRecord
from tests.runner.deploy.bundle.hard_texts import HARD
from tests.runner.deploy.runs import write_token_run

MAX_LENGTH = 16
LONG = " ".join(f"Word{number % 7} of İzmir {number}, \U0001f600 e\u0301te\u0301!" for number in range(20))
TEXTS = ["Ada Lovelace  met\tBabbage (London).", LONG, f"\n {LONG} ", "\u200b \u200c", "x" * 300, *HARD]
ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
MARKS, CASES = ("O", "COMMA", "PERIOD", "QUESTION"), ("LOWER", "CAP", "UPPER", "MIXED")


def write_tag_run(folder: Path) -> RunRecord:
    """A run whose weights are drawn wide, so that tags differ; its record.

    Its identity, the name of the folder, says what it tags: entities, or in Turkish marks and capitals (`written`), two
    tags a word.
    """
    parts = (MARKS, CASES) if folder.name == "written" else (ENTITIES,)
    labels = [name for part in parts for name in part]
    words = [
        "task=tags", "data=files", "data.path=words.jsonl", "data.tokens=tokens", "data.tags=tags", "model=bert-tiny",
        "model.pretrained=null", f"data.max_length={MAX_LENGTH}", "tracker=none",
        *(["data.language=tr"] if folder.name == "written" else []),
    ]  # fmt: skip
    tokenizer = train_tokenizer([*HARD, LONG] * 3, 400)
    data = {
        "task": "tags", "labels": labels, "label_columns": [len(part) for part in parts] if len(parts) > 1 else [],
        "primary": "test/token_accuracy",
    }  # fmt: skip
    return write_token_run(folder, words, HeadSpec("token", len(labels)), tokenizer, data)


def byte_pairs() -> PieceTokenizer:
    """A byte-level tokenizer with RoBERTa's special tokens, which writes spaces into the pieces after them."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=["<s>", "</s>", "<unk>", "<pad>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    made.train_from_iterator([*HARD, LONG], trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 1), ("<s>", 0), trim_offsets=False)
    return wrap_backend(made, "test", {"unk_token": "<unk>", "pad_token": "<pad>"})
