"""Small stand-ins: sentences of numbered pieces, and models that say how likely they are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from data.inputs.tokenizer import KEYS, SPECIAL, PieceTokenizer, bert_backend, wrap_backend
from data.inputs.word_pieces import Frame
from models.build import build
from models.checkpoints.save import save_model
from models.heads.base import HeadSpec
from models.heads.words import MaskedLM
from models.settings import ModelSettings
from runner.minimal_pairs.sentences import Sentences

CLS, SEP, MASK, UNK = 1, 2, 3, 4
FRAME = Frame(np.array([CLS]), np.array([SEP]))


def sentences(pieces: Sequence[Sequence[int]], words: Sequence[Sequence[int]] | None = None) -> Sentences:
    """Sentences of these pieces; words: the number of each piece's word, by default each piece is one."""
    numbers = words or [range(len(one)) for one in pieces]
    return Sentences(
        [np.array(one, np.int64) for one in pieces], [np.array(list(one), np.int64) for one in numbers],
        np.array([UNK in one for one in pieces]), FRAME, MASK,
    )  # fmt: skip


class Independent:
    """Knows how often each piece occurs and nothing of the others; keeps the shapes that it was asked with."""

    def __init__(self, shares: dict[int, float]) -> None:
        self.shares = shares
        self.shapes: list[tuple[int, int]] = []

    def __call__(self, ids: np.ndarray, places: np.ndarray, pieces: np.ndarray) -> np.ndarray:
        """Return the logarithm of each piece's share."""
        assert (ids.reshape(-1)[places] == MASK).all(), "the piece that is asked for is hidden"
        self.shapes.append(ids.shape)
        return np.log([self.shares[int(piece)] for piece in pieces])


NOUNS = [f"{noun}{ending}" for noun in ("dog", "cat", "king", "bird", "nurse", "lawyer") for ending in ("", "s")]
VERBS = [f"{verb}{ending}" for verb in ("run", "sing", "leave", "sleep", "laugh", "jump") for ending in ("s", "")]


def agreeing() -> tuple[list[str], list[tuple[str, str]]]:
    """Sentences to train on, and pairs of other nouns and verbs: the first agrees."""
    train, pairs = list[str](), list[tuple[str, str]]()
    for noun in range(6):
        for verb in range(6):
            for number in (0, 1):
                for adverb in ("", "often ", "never "):
                    good, bad = (f"the {NOUNS[2 * noun + number]} {adverb}{VERBS[2 * verb + form]} ."
                                 for form in (number, 1 - number))  # fmt: skip
                    if (noun + verb) % 3:
                        train.append(good)
                    else:
                        pairs.append((good, bad))
    return train, pairs


def toy_tokenizer() -> PieceTokenizer:
    """A vocabulary of whole words, like BERT's."""
    words = [*SPECIAL, *NOUNS, *VERBS, "the", "often", "never", ".", "s", "##s", "##un"]
    return wrap_backend(bert_backend({word: i for i, word in enumerate(words)}, {}, dict(zip(KEYS, SPECIAL))), "toy")


def toy_network(tokenizer: PieceTokenizer, seed: int = 0) -> MaskedLM:
    """A small masked language model with random weights."""
    torch.manual_seed(seed)
    settings = ModelSettings(
        layers=1, hidden=32, heads=4, intermediate=64, positions=16, dropout=0.0, attention_dropout=0.0,
        initializer_range=0.2,
    )  # fmt: skip
    network, _ = build(settings, HeadSpec("words"), vocab_size=tokenizer.vocab_size, pad_id=tokenizer.pad_id)
    assert isinstance(network, MaskedLM)
    return network.eval()


def taught(network: MaskedLM, tokenizer: PieceTokenizer, texts: list[str], steps: int) -> MaskedLM:
    """The network after some steps, each of which hides one piece of 64 sentences."""
    generator, mask = torch.Generator().manual_seed(0), tokenizer.backend.token_to_id("[MASK]")
    rows = [torch.tensor(tokenizer.backend.encode(text).ids) for text in texts]
    by_length = [torch.stack([row for row in rows if len(row) == size]) for size in sorted({len(row) for row in rows})]
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    for step in range(steps):
        of = by_length[step % len(by_length)]
        ids = of[torch.randint(len(of), (64,), generator=generator)]
        places = torch.randint(1, ids.shape[1] - 1, (64,), generator=generator) + torch.arange(64) * ids.shape[1]
        labels = ids.reshape(-1)[places]
        hidden = ids.clone()
        hidden.view(-1)[places] = mask
        loss = network(hidden, places=places).cross_entropy(labels) / 64
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return network.eval()


def saved(network: MaskedLM, tokenizer: PieceTokenizer, folder: Path) -> Path:
    """The folder, with the model and its tokenizer in it."""
    save_model(network, folder, tokenizer_save=tokenizer.save, label_names=[], card="")
    return folder


def pairs_file(path: Path, pairs: Sequence[tuple[str, str]]) -> Path:
    """A CSV of pairs with the columns good, bad and kind."""
    lines = [f'"{good}","{bad}",{"short" if len(good.split()) == 4 else "long"}' for good, bad in pairs]
    path.write_text("\n".join(["good,bad,kind", *lines]) + "\n", encoding="utf-8")
    return path
