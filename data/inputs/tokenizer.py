"""Subword tokenizers from the hub, a folder, or trained, using only the `tokenizers` library; also hashed words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

from data.errors import DataError
from data.inputs.bare_texts import ENTRY, BareTexts, dropped_token, read_facts, take_off_template
from data.inputs.cleaning import ENTRY as CLEANING
from data.inputs.cleaning import clean_texts, known_steps, marked
from data.inputs.hashed_words import FILE as HASHED_WORDS
from data.inputs.hashed_words import open_words
from data.inputs.language_case import case_language, lowered
from data.inputs.letters import has_vowel_signs, most_frequent
from data.inputs.sound_features import SOUND_FILE, open_features
from data.inputs.tokenizer_files import GO_ON, KEYS, fetch_file, files_beside, named_tokens, why_no_vocabulary
from data.inputs.tokenizer_json import open_json
from data.inputs.word_cache import Encoded, WordCache, encode_by_text, without_empty
from data.inputs.word_counts import count_letters, count_words, normalised, repeated
from data.json_types import JsonObject

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
STATIC = "0_StaticEmbedding"  # the folder where sentence-transformers stores static embeddings and their tokenizer
UNLIMITED = int(1e30)  # transformers' value for a model without a maximum input length


class Tokenizer(Protocol):
    """Converts texts to token ids, and provides the facts about ids that the rest of the code needs."""

    @property
    def source(self) -> str:
        """The value of model.tokenizer that it was created from."""

    @property
    def fingerprint(self) -> str:
        """A hash of everything that its ids depend on."""

    @property
    def vocab_size(self) -> int:
        """One more than the largest id."""

    @property
    def pad_id(self) -> int:
        """The id that pads rows."""

    @property
    def cleaning(self) -> tuple[str, ...]:
        """The steps that clean a text first, by their names in data/inputs/cleaning.py."""

    def cleaned_by(self, steps: tuple[str, ...]) -> Self:
        """Return this tokenizer with exactly these cleaning steps before it."""

    @property
    def language(self) -> str | None:
        """The language whose lower-casing rules apply (data.lower); None for none."""

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Encode texts with special tokens, at most max_length per row; of a pair the longer text is cut first."""

    def decode(self, ids: list[int]) -> str:
        """Return the text of one row's token ids, as the model sees it, without special tokens."""

    def tokens(self) -> list[str]:
        """Return the token of each id, (vocab_size,); DataError if there is no such list."""

    def save(self, folder: Path, longest: int | None = None) -> None:
        """Write the files that `load_tokenizer` opens; longest: the model's maximum input in tokens, None: no limit."""


@dataclass(frozen=True)
class PieceTokenizer:
    """A subword tokenizer of the `tokenizers` library."""

    backend: Backend
    source: str
    fingerprint: str  # sha256 of its JSON
    vocab_size: int
    pad_id: int
    word_cache: WordCache | None  # only for tokenizers like BERT's
    names: dict[str, str]  # its special tokens by transformers' keys: pad_token, and others if known
    bare: BareTexts | None = None  # how it encodes texts without special tokens; None: it adds special tokens
    cleaning: tuple[str, ...] = ()  # cleaning steps before it, by their names in data/inputs/cleaning.py

    def cleaned_by(self, steps: tuple[str, ...]) -> Self:
        """Return this tokenizer with exactly these cleaning steps before it."""
        return replace(self, cleaning=steps, fingerprint=marked(self.fingerprint, steps))

    def encode(self, texts: list[str], pairs: list[str] | None, max_length: int) -> Encoded:
        """Encode texts with special tokens, at most max_length per row; of a pair the longer text is cut first."""
        if self.cleaning:
            texts, pairs = clean_texts(texts, self.cleaning), pairs and clean_texts(pairs, self.cleaning)
        if self.bare:
            return self.bare.encode(self.backend, texts, pairs, max_length)
        if self.word_cache:
            return self.word_cache.encode(texts, pairs, max_length)
        return without_empty(encode_by_text(self.backend, texts, pairs, max_length), self.pad_id)

    def decode(self, ids: list[int]) -> str:
        """Return the text of one row's token ids, as the model sees it, without special tokens."""
        text: str = self.backend.decode(ids)
        return text

    @cached_property
    def language(self) -> str | None:
        """The language whose lower-casing rules apply (data.lower); None for none."""
        return case_language(json.loads(self.backend.to_str()))

    def tokens(self) -> list[str]:
        """Return the token of each id, (vocab_size,)."""
        return [self.backend.id_to_token(index) or "" for index in range(self.vocab_size)]

    def save(self, folder: Path, longest: int | None = None) -> None:
        """Write the files that transformers.AutoTokenizer opens.

        longest: the model's maximum input in tokens; None: no limit.
        """
        self.backend.no_truncation()
        self.backend.no_padding()
        folder.mkdir(parents=True, exist_ok=True)
        self.backend.save(str(folder / "tokenizer.json"), pretty=False)  # two thirds of the size
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": longest or UNLIMITED, **self.names}
        config |= {ENTRY: self.bare.facts()} if self.bare else {}
        config |= {CLEANING: list(self.cleaning)} if self.cleaning else {}
        (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
        (folder / "special_tokens_map.json").write_text(json.dumps(self.names, indent=2), encoding="utf-8")


def wrap_backend(
    backend: Backend, source: str, named: dict[str, str] | None = None, bare: JsonObject | None = None
) -> PieceTokenizer:
    """Create a PieceTokenizer from a `tokenizers.Tokenizer`.

    named: special tokens by transformers' keys, from accompanying files; bare: how to encode texts without special
    tokens, as stored in a saved folder; None: with them. DataError if a padding token is needed and missing.
    """
    if bare is not None:
        take_off_template(backend)
    backend.no_truncation()
    backend.no_padding()
    digest = hashlib.sha256(backend.to_str().encode()).hexdigest()
    known = backend.get_vocab()
    usual = dict(zip(KEYS, SPECIAL)) if all(token in known for token in SPECIAL) else {}
    names = usual | {key: token for key, token in (named or {}).items() if token in known}
    pad = next((token for token in (names.get("pad_token"), "[PAD]", "<pad>") if token in known), None)
    if pad is None and bare is None:
        wanted = (named or {}).get("pad_token")
        said = f" (its files name {wanted}, which is not in its vocabulary)" if wanted else ""
        raise DataError(f"the tokenizer of {source} has no padding token{said}. {GO_ON}")
    # This can exceed the number of tokens: if two lines of a vocab.txt are equal, the id of the first has no token.
    size = max(known.values()) + 1
    names = names if pad is None else names | {"pad_token": pad}
    if bare is None:
        return PieceTokenizer(backend, source, digest, size, known[names["pad_token"]], WordCache.of(backend), names)
    way = BareTexts(size if pad is None else known[pad], dropped_token(backend, bare), WordCache.bare(backend))
    digest += "" if way.dropped is None else f" without {way.dropped}"
    return PieceTokenizer(backend, source, digest, size + (pad is None), way.pad_id, None, names, way)


def load_tokenizer(source: str, *, special_tokens: bool = True, unknown_tokens: str = "auto") -> Tokenizer:
    """Load the tokenizer of a hub id or folder: tokenizer.json, else vocab.txt as BERT's WordPiece.

    special_tokens: false encodes texts without special tokens, even if the tokenizer has a template for them.
    unknown_tokens: keep or drop them in such texts; auto: as for the embeddings in the same folder; Model2Vec drops.
    A folder saved with hashed words or audio features has words.json or sound.json instead of these files.
    """
    folder = Path(source).expanduser()
    if (folder / SOUND_FILE).is_file():
        return open_features(folder)
    if (folder / HASHED_WORDS).is_file():
        return open_words(folder)
    return _load_pieces(source, special_tokens, unknown_tokens)


def _load_pieces(source: str, special_tokens: bool, unknown_tokens: str) -> PieceTokenizer:
    """Load a subword tokenizer."""
    from tokenizers.models import WordPiece

    # The vocabulary last: where it is in the hub's cache, so is all that says how to read it. A hub that fails between
    # two files cannot leave a vocabulary that later, without a network, is taken for the whole tokenizer.
    beside = files_beside(source)
    bare = read_facts(source, beside, special_tokens, unknown_tokens)
    path = fetch_file(source, "tokenizer.json")
    if path is None and not special_tokens:
        path = fetch_file(source, f"{STATIC}/tokenizer.json")
    if path is not None:
        # Static embeddings, which have no special tokens, come with a tokenizer.json that is used as it is.
        backend = open_json(path, source, beside if special_tokens else None)
        return wrap_backend(backend, source, named_tokens(beside), bare).cleaned_by(_cleaning(beside, source))
    path = fetch_file(source, "vocab.txt")
    if path is None:
        raise DataError(why_no_vocabulary(source))
    try:
        vocab = WordPiece.read_file(str(path))  # splits at newlines only, as transformers does: U+2028 can be a token
    except Exception as error:
        raise DataError(f"{source}: vocab.txt cannot be read ({error}). {GO_ON}") from error
    names = dict(zip(KEYS, SPECIAL)) | named_tokens(beside)
    missing = [names[key] for key in ("unk_token", "cls_token", "sep_token") if names[key] not in vocab]
    if missing:
        raise DataError(f"{source}: vocab.txt has no {' and no '.join(missing)}, so it is not BERT's. {GO_ON}")
    found = wrap_backend(bert_backend(vocab, beside, names), source, names, bare)
    return found.cleaned_by(_cleaning(beside, source))


def _cleaning(beside: JsonObject, source: str) -> tuple[str, ...]:
    """Return the cleaning steps of a saved tokenizer; DataError for unknown ones."""
    try:
        return known_steps(beside.get(CLEANING) or ())
    except ValueError as error:
        raise DataError(f"{source}: its tokenizer {error}. Update Bertier") from error


def lower_as(tokenizer: PieceTokenizer, language: str | None) -> PieceTokenizer:
    """Return the tokenizer with a language's lower-casing before its own steps; None: the tokenizer itself."""
    if language is None or tokenizer.language == language:
        return tokenizer
    bare = tokenizer.bare.facts() if tokenizer.bare else None
    found = wrap_backend(lowered(tokenizer.backend, language), tokenizer.source, tokenizer.names, bare)
    return found.cleaned_by(tokenizer.cleaning)


def require_pieces(tokenizer: Tokenizer, purpose: str) -> PieceTokenizer:
    """Return the tokenizer; DataError for hashed words, which cannot be used for the purpose, such as "task=mlm"."""
    if not isinstance(tokenizer, PieceTokenizer):
        raise DataError(
            f"{purpose} needs a vocabulary, but model.tokenizer={tokenizer.source} has none. "
            "Try: model.tokenizer=auto, or model.tokenizer=train"
        )
    return tokenizer


def train_tokenizer(texts: Iterable[str], vocab_size: int, language: str | None = None) -> PieceTokenizer:
    """Train a lower-cased WordPiece vocabulary of at most `vocab_size` tokens, like BERT's; reproducible.

    language: whose rules lower-case texts, keeping accents; None: BERT's rules, which strip accents, but not from texts
    in scripts that write vowels as marks.
    """
    from tokenizers import trainers

    names, counted = dict(zip(KEYS, SPECIAL)), count_words(texts)
    keeps_marks = language is not None or has_vowel_signs(count_letters(counted))
    options = {"do_lower_case": language is None, "strip_accents": False} if keeps_marks else {}

    def backend_of(vocab: dict[str, int]) -> Backend:
        return lowered(bert_backend(vocab, options, names), language)

    backend = backend_of({token: i for i, token in enumerate(SPECIAL)})
    words = normalised(counted, backend.normalizer)
    letters, inner = most_frequent(count_letters(words), vocab_size - len(SPECIAL))
    # The trainer numbers `##x` pieces in the random order of a hash map and breaks ties by number. Passing them as
    # special tokens numbers them first, so the result is always the same.
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*SPECIAL, *(f"##{letter}" for letter in inner)],
        initial_alphabet=letters,
        limit_alphabet=len(letters),
        min_frequency=2,
        show_progress=False,
    )
    backend.normalizer = None  # the words are normalised already
    backend.train_from_iterator(repeated(words), trainer)
    pieces = sorted(backend.get_vocab().items(), key=lambda item: item[1])
    ordered = [*SPECIAL, *(token for token, _ in pieces if token not in SPECIAL)]
    return wrap_backend(backend_of({token: i for i, token in enumerate(ordered)}), "train")


def bert_backend(vocab: dict[str, int], options: JsonObject, names: dict[str, str]) -> Backend:
    """Build BERT's pipeline for a vocabulary; options: from tokenizer_config.json, names: of the special tokens."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

    cls, sep = names["cls_token"], names["sep_token"]
    backend = Backend(models.WordPiece(vocab, unk_token=names["unk_token"]))
    backend.normalizer = normalizers.BertNormalizer(
        lowercase=options.get("do_lower_case", True),
        strip_accents=options.get("strip_accents"),
        handle_chinese_chars=options.get("tokenize_chinese_chars", True),
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    backend.add_special_tokens([names[key] for key in KEYS])
    backend.post_processor = processors.TemplateProcessing(
        single=f"{cls}:0 $A:0 {sep}:0",
        pair=f"{cls}:0 $A:0 {sep}:0 $B:1 {sep}:1",
        special_tokens=[(cls, vocab[cls]), (sep, vocab[sep])],
    )
    return backend
