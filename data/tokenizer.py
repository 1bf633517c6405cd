"""Tokenizers through the `tokenizers` library alone: from the hub, from a folder, or trained on the training text."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data.encoding import ByWord, Encoded, by_text
from data.errors import DataError
from data.reach import endpoint, first_line, offline_if_unreachable

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
MOST_LETTERS = 1000  # rarer letters become [UNK], as in BERT's own vocabulary
GO_ON = (
    "Go on with: model.tokenizer=train (a vocabulary of your own data), another id or folder, or HF_ENDPOINT=<a hub>"
)


@dataclass(frozen=True)
class Tokenizer:
    """A fast tokenizer with what the rest needs to know of it."""

    backend: Any  # tokenizers.Tokenizer
    source: str
    fingerprint: str  # sha256 of its JSON
    vocab_size: int
    pad_id: int
    pad_token: str

    by_word: ByWord | None  # for tokenizers of BERT's kind

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Token ids with special tokens, at most max_length a row; of a pair the longer text is cut first."""
        if self.by_word:
            return self.by_word.encode(texts, pairs, max_length)
        return by_text(self.backend, texts, pairs, max_length)

    def decode(self, ids: list[int]) -> str:
        """The text of one row's token ids, as the model sees it; special tokens are left out."""
        text: str = self.backend.decode(ids)
        return text

    def tokens(self) -> list[str]:
        """The token of each id, (vocab_size,)."""
        return [self.backend.id_to_token(index) or "" for index in range(self.vocab_size)]

    def save(self, folder: Path) -> None:
        """Write the files transformers.AutoTokenizer opens."""
        self.backend.no_truncation()
        self.backend.no_padding()
        folder.mkdir(parents=True, exist_ok=True)
        self.backend.save(str(folder / "tokenizer.json"))
        known = self.backend.get_vocab()
        names = {"pad_token": self.pad_token}
        if all(token in known for token in SPECIAL):
            names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIAL))
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **names}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        (folder / "special_tokens_map.json").write_text(json.dumps(names, indent=2), encoding="utf-8")


def wrap(backend: Any, source: str) -> Tokenizer:
    """A Tokenizer around a `tokenizers.Tokenizer`."""
    backend.no_truncation()
    backend.no_padding()
    digest = hashlib.sha256(backend.to_str().encode()).hexdigest()
    pad = next((token for token in ("[PAD]", "<pad>") if backend.token_to_id(token) is not None), None)
    if pad is None:
        raise DataError(f"the tokenizer of {source} has no padding token. {GO_ON}")
    return Tokenizer(
        backend, source, digest, backend.get_vocab_size(), backend.token_to_id(pad), pad, ByWord.of(backend)
    )


def load_tokenizer(source: str) -> Tokenizer:
    """The tokenizer of a hub id or folder: its tokenizer.json, else its vocab.txt read as BERT's WordPiece."""
    from tokenizers import Tokenizer as Backend

    path = _fetch(source, "tokenizer.json")
    if path is not None:
        try:
            return wrap(Backend.from_file(str(path)), source)
        except Exception as error:  # the library raises bare Exception for every kind of damage
            raise DataError(f"{source}: tokenizer.json cannot be read ({error}). {GO_ON}") from error
    path = _fetch(source, "vocab.txt")
    if path is None:
        raise DataError(f"{source} has neither tokenizer.json nor vocab.txt. {GO_ON}")
    config = _fetch(source, "tokenizer_config.json")
    lower = json.loads(config.read_text(encoding="utf-8")).get("do_lower_case", True) if config else True
    words = path.read_text(encoding="utf-8").splitlines()
    return wrap(_wordpiece({word: i for i, word in enumerate(words)}, lower), source)


def train_tokenizer(texts: Callable[[], Iterable[str]], vocab_size: int) -> Tokenizer:
    """A lower-cased WordPiece vocabulary of at most `vocab_size` tokens, made as BERT's; the same texts give the same.

    texts: called twice, so that nothing is held in memory.
    """
    from tokenizers import trainers

    backend = _wordpiece({token: i for i, token in enumerate(SPECIAL)}, lower=True)
    counts: Counter[str] = Counter()
    for text in texts():
        counts.update(backend.normalizer.normalize_str(text))
    letters = sorted(counts, key=lambda letter: (-counts[letter], letter))[:MOST_LETTERS]
    letters = [letter for letter in letters if not letter.isspace()]
    # The trainer numbers `##x` pieces in the random order of a hash map and breaks ties by number: numbering them
    # first, as if they were special, makes the result repeat.
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*SPECIAL, *(f"##{letter}" for letter in letters)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        min_frequency=2,
        show_progress=False,
    )
    backend.train_from_iterator(texts(), trainer)
    pieces = sorted(backend.get_vocab().items(), key=lambda item: item[1])
    ordered = [*SPECIAL, *(token for token, _ in pieces if token not in SPECIAL)]
    return wrap(_wordpiece({token: i for i, token in enumerate(ordered)}, lower=True), "train")


def _wordpiece(vocab: dict[str, int], lower: bool) -> Any:
    """BERT's pipeline around a vocabulary."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

    backend = Backend(models.WordPiece(vocab, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=lower)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens(list(SPECIAL))
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])],
    )
    return backend


def _fetch(source: str, name: str) -> Path | None:
    """The path of one file of a folder or hub id; None when it has no such file."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    import httpx2
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        EntryNotFoundError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    offline_if_unreachable()
    where = endpoint()[0]
    try:
        return Path(hf_hub_download(source, name, etag_timeout=5))
    except LocalEntryNotFoundError as error:
        raise DataError(f"the tokenizer {source} is not cached and {where} does not answer. {GO_ON}") from error
    except EntryNotFoundError:
        return None
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise DataError(f"model.tokenizer={source} is neither a folder nor a repository on {where}. {GO_ON}") from error
    except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
        raise DataError(f"{source} cannot be had from {where}: {first_line(error)}. {GO_ON}") from error
